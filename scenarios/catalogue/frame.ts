import type { ClaimState, Progress, ScenarioOptions } from '../machines/types.js';
import { ScenarioError } from '../errors.js';
import type { ObjectName } from '../plan/faults.js';
import type { ItemExpectation, Preparation, ScenarioRun } from '../plan/types.js';
import type { CertificateKind, Embodiment, Phase, PortRole, ScenarioId, StepId, SystemName } from '../ports.js';
import type { Step } from './catalogue.js';

/** One command to a card or one request to another party: what crosses with it, and what must be known before. */
export interface Exchange {
  /** Operation of the port, as the port names it. */
  readonly name: string;
  /** Port that carries it out. */
  readonly party: PortRole;
  readonly sends?: ObjectName;
  readonly receives?: ObjectName;
  /** What a run that is taken up here must have obtained before; default nothing. */
  readonly needs?: readonly (keyof Progress)[];
}

/** A {@link Exchange} with its steps, first to last. */
export interface SteppedExchange extends Exchange {
  readonly steps: readonly StepId[];
}

/** A deletion of claims 25 and 26 at the end of a scenario. */
export interface ClaimExchange extends Exchange {
  readonly state: ClaimState;
}

/** Which entries of a list a scenario works on and what its goal leaves; of the backup system. */
export interface ListRule {
  /** States the scenario can work on. */
  readonly work: readonly string[];
  /** State of an entry whose goal an earlier run has reached. */
  readonly goal?: string;
  /** Certificates of this kind only. */
  readonly kind?: CertificateKind;
}

/** A scenario that must have been through before. */
export interface Prior {
  readonly scenario: ScenarioId;
  readonly options?: ScenarioOptions;
}

/** Everything about a scenario that is no machine. Written once for each scenario, read by machines, plan, judge and bench. */
export interface FrameDraft {
  readonly id: ScenarioId;
  /** Default `backup`. */
  readonly system?: SystemName;
  readonly embodiment: Embodiment;
  readonly phase: Phase;
  readonly title: string;
  /** Steps of the catalogue, or named states derived from those of another embodiment. */
  readonly steps: readonly Step[];
  /** Step ids at which exchanges begin; default: every step the terminal sends. */
  readonly begins?: readonly string[];
  /** What each exchange is, in order. */
  readonly exchanges: readonly Exchange[];
  readonly claims?: readonly ClaimExchange[];
  /** Ports a run must be given; default card and safe. */
  readonly ports?: readonly PortRole[];
  /** Default: nothing is chosen from a list. */
  readonly list?: ListRule;
  /** Claim numbers of the source that the whole scenario is about. */
  readonly covers: readonly number[];
  /** What the goal leaves on the card; absent where the system has a judge of its own. */
  readonly goal?: (run: Pick<ScenarioRun, 'options' | 'item'>) => ItemExpectation;
  /** What the goal leaves of further items; whatever a cut run leaves of them is permitted. */
  readonly beside?: (run: Pick<ScenarioRun, 'options' | 'item'>) => readonly ItemExpectation[];
  /** States its item may also be in when the run was cut; default: nothing is said of it. */
  readonly between?: (item: ItemExpectation['item']) => readonly ItemExpectation[];
  /** States of its item when the run has stopped after the exchange that begins a registration or recovery. */
  readonly midway?: readonly ItemExpectation[];
  /** Scenarios that must have been through before, in order; a recovery needs the registration. */
  readonly prior?: Prior | readonly Prior[];
  /** What its card must be made with, whatever else a point prepares. */
  readonly prepares?: Pick<Preparation, 'seed' | 'safes' | 'conditions' | 'device'>;
  /** Options the scenario does not have. */
  readonly without?: readonly (keyof ScenarioOptions)[];
}

/** A {@link FrameDraft} with its defaults and its steps in exchanges. */
export interface ScenarioFrame extends Omit<FrameDraft, 'exchanges'> {
  readonly system: SystemName;
  readonly exchanges: readonly SteppedExchange[];
  readonly claims: readonly ClaimExchange[];
  readonly ports: readonly PortRole[];
}

/** The scenarios that must have been through before, in order. */
export const priorsOf = ({ prior }: Pick<ScenarioFrame, 'prior'>): readonly Prior[] => (prior === undefined ? [] : [prior].flat());

function grouped({ id, steps, begins }: FrameDraft): StepId[][] {
  const groups: StepId[][] = [];
  for (const step of steps) {
    if (begins ? begins.includes(step.id) : step.from === 'terminal') groups.push([]);
    const last = groups.at(-1);
    if (!last) throw new ScenarioError('CATALOGUE_FORMAT', `${id}: step ${step.id} belongs to no exchange`, 'Let the first step begin one');
    last.push(step.id as StepId);
  }
  return groups;
}

/**
 * Completes a frame.
 * @throws ScenarioError `CATALOGUE_FORMAT` when steps and exchanges do not fit together
 */
export function frame(draft: FrameDraft): ScenarioFrame {
  const { exchanges } = draft;
  const groups = grouped(draft);
  if (groups.length !== exchanges.length)
    throw new ScenarioError('CATALOGUE_FORMAT', `${draft.id} has ${groups.length} runs of steps and ${exchanges.length} exchanges`, 'Write one exchange for each');
  return {
    ...draft, system: draft.system ?? 'backup', claims: draft.claims ?? [], ports: draft.ports ?? ['card', 'safe'],
    exchanges: exchanges.map((exchange, at) => ({ ...exchange, steps: groups[at] })),
  };
}

/** How a named state is made from a step of another embodiment. */
export interface Derivation {
  /** What follows the `@`, for example `safe2` or `piece2`; absent: the step keeps its id. */
  readonly at?: string;
  /** Parties that take the place of others, for example `{ safe: 'safe2' }`. */
  readonly parties?: Readonly<Record<string, string>>;
  /** Ids that are derived; default all. */
  readonly only?: readonly string[];
}

/** Named states of an embodiment without numbered steps, from the steps it varies: `3-5` becomes `3-5@safe2`. */
export function derived(from: readonly Step[], { at, parties = {}, only }: Derivation): readonly Step[] {
  return from.filter(({ id }) => !only || only.includes(id)).map((step) => ({
    ...step, id: at === undefined ? step.id : `${step.id}@${at}`, from: parties[step.from] ?? step.from, to: parties[step.to] ?? step.to, basis: step.id,
  }));
}
