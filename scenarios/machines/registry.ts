import type { AnyStateMachine } from 'xstate';
import { frameOf } from '../catalogue/registry.js';
import type { ScenarioFrame } from '../catalogue/frame.js';
import { ScenarioError } from '../errors.js';
import type { ConditionPorts, Ports, ScenarioId, SetPorts, TalkPorts } from '../ports.js';
import type { PursePorts } from '../purse-ports.js';
import { apartBackup, apartKeyBackup, apartKeyRecover, apartRecover } from './apart.js';
import { autoBackup } from './conditions.js';
import { coupledBackup, coupledRecover } from './coupled.js';
import { encryptedBackup, encryptedRecover } from './encrypted.js';
import type { MemberPorts } from '../member-ports.js';
import { keyBackup, keyRecover } from './keys.js';
import { memberRegister, memberTrade } from './member.js';
import type { MemberOptions, MemberProgress } from './member.js';
import { ownerMachines } from './owners.js';
import type { OwnerPorts } from '../owner-ports.js';
import { plainBackup, plainRecover } from './plain.js';
import { seedBackup, seedRecover, seedValueBackup } from './seeds.js';
import { bundleBackup, bundleRecover, partsBackup, partsRecover, piecesBackup, piecesRecover } from './sets.js';
import { talkBackup, talkKeyBackup, talkRecover, talkRenew } from './talk.js';
import { purseAskedTransfer, purseTransfer } from './purse.js';
import type { PurseOptions, PurseProgress } from './purse.js';
import { twinBackup, twinPromote, twinRestore, twinStart } from './twin.js';
import type { TwinOptions, TwinProgress } from './twin.js';
import type { TwinPorts } from '../twin-ports.js';
import type { Progress, ScenarioOptions } from './types.js';

/**
 * A scenario that can be run.
 * @typeParam P ports by role; @typeParam O options; @typeParam G what has been obtained
 */
export interface ScenarioDefinition<P extends object = Ports, O extends object = ScenarioOptions, G extends object = Progress> {
  readonly frame: ScenarioFrame;
  readonly machine: AnyStateMachine;
  /** Never there: holds the types of what the machine is run with. */
  readonly on?: { readonly ports: P; readonly options: O; readonly progress: G };
}

/**
 * Joins a machine with the frame of its id.
 * @throws ScenarioError `SCENARIO_UNKNOWN` when catalogue/registry.ts does not list it
 */
export const definition = <P extends object = Ports, O extends object = ScenarioOptions, G extends object = Progress>(
  machine: AnyStateMachine,
): ScenarioDefinition<P, O, G> => ({ frame: frameOf(machine.id), machine });

/** The machines of embodiments 1 and 2. */
export const basicMachines = {
  '1/backup': plainBackup,
  '1/recover': plainRecover,
  '2/backup': encryptedBackup,
  '2/recover': encryptedRecover,
  '2/key-backup': keyBackup,
  '2/key-recover': keyRecover,
} as const;

/** Scenarios on the ports of the backup system, in protocol order; a new family adds its machines here. */
export const backupDefinitions: readonly ScenarioDefinition[] = [
  ...Object.values(basicMachines).map((machine) => definition(machine)),
  ...[apartBackup, apartRecover, apartKeyBackup, apartKeyRecover].map((machine) => definition(machine)),
  ...[piecesBackup, piecesRecover, bundleBackup, bundleRecover, partsBackup, partsRecover].map((machine) => definition<SetPorts>(machine)),
  ...[coupledBackup, coupledRecover].map((machine) => definition<SetPorts>(machine)),
  ...[seedBackup, seedValueBackup, seedRecover].map((machine) => definition(machine)),
  definition<ConditionPorts>(autoBackup),
  ...ownerMachines.map((machine) => definition<OwnerPorts>(machine)),
  ...[talkBackup, talkKeyBackup, talkRecover, talkRenew].map((machine) => definition<TalkPorts>(machine)),
];

/** Scenarios of registration of signed information. */
export const memberDefinitions: readonly ScenarioDefinition<MemberPorts, MemberOptions, MemberProgress>[] = [
  definition(memberRegister), definition(memberTrade),
];

/** Scenarios of card-to-card money. */
export const purseDefinitions: readonly ScenarioDefinition<PursePorts, PurseOptions, PurseProgress>[] = [
  definition(purseTransfer), definition(purseAskedTransfer),
];

/** Scenarios of primary and secondary card: start, backup, promote, restore. */
export const twinDefinitions: readonly ScenarioDefinition<TwinPorts, TwinOptions, TwinProgress>[] = [
  definition(twinStart), definition(twinBackup), definition(twinPromote), definition(twinRestore),
];

/** What every scenario of every system has, whatever it is run with. */
export type AnyDefinition = Pick<ScenarioDefinition, 'frame' | 'machine'>;

/** All scenarios of all systems, in the order of the frames; other systems add theirs here. */
export const definitions: readonly AnyDefinition[] = [
  ...backupDefinitions,
  ...purseDefinitions,
  ...memberDefinitions,
  ...twinDefinitions,
];

/**
 * The scenario of an id, on the ports of the backup system.
 * @throws ScenarioError `SCENARIO_UNKNOWN`
 */
export function backupDefinition(id: ScenarioId): ScenarioDefinition {
  const found = backupDefinitions.find(({ frame }) => frame.id === id);
  if (found) return found;
  throw new ScenarioError('SCENARIO_UNKNOWN', `there is no scenario ${id} with a machine on the ports of the backup system`,
    `Known: ${backupDefinitions.map(({ frame }) => frame.id).join(', ')}`);
}
