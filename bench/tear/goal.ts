import { hidden, isKeyKind, recordsOf, redeemable, spendable, worth } from '../../scenarios/index.js';
import type { AbstractCard, AbstractCertificate, AbstractWorld, ScenarioOutput } from '../../scenarios/index.js';
import { runHonestly } from '../certify/prepare.js';
import { commands } from '../codec/index.js';
import type { World } from '../world/world.js';
import { TearError } from './errors.js';
import type { TearPoint } from './points.js';

/** How the honest attempts after a cut went. */
export interface Retries {
  readonly retries: number;
  /** Boots they needed beside those before. */
  readonly boots: number;
  readonly settled: boolean;
  readonly last: ScenarioOutput | undefined;
}

const retryLimit = 3;

interface Scene {
  readonly world: AbstractWorld;
  readonly card: AbstractCard;
  readonly issueId: string;
  readonly deletes: boolean;
}

/** Certificates of an item that are not about to vanish. */
const certificatesFor = ({ world, card, issueId }: Scene): readonly AbstractCertificate[] =>
  card.certificates.filter((one) => !hidden(one) && recordsOf(world, one).some((record) => record.issueId === issueId));

function backupGoal(scene: Scene): string | undefined {
  const value = scene.card.values.find((one) => one.issueId === scene.issueId && !hidden(one));
  const good = certificatesFor(scene).filter((one) => redeemable(one) && recordsOf(scene.world, one)[0].state === 'held');
  if (good.length !== 1) return `the value has ${good.length} certificates with a copy at the safe`;
  if (scene.deletes) return value && `the value is ${value.state}, not deleted`;
  return value?.state === 'deposited' ? undefined : `the value is ${value?.state ?? 'gone'}, not deposited`;
}

function recoverGoal(scene: Scene): string | undefined {
  const { world, card, issueId, deletes } = scene;
  const entry = world.ledger.find((one) => one.issueId === issueId);
  const back = card.values.filter((one) => one.issueId === issueId && spendable(one));
  if (back.length !== 1 || worth(back[0]) !== entry?.quantity) return `the value is ${back.length} times on the card`;
  const states = certificatesFor(scene).map(({ state }) => state).join(' ');
  const copies = world.safes.flatMap(({ records }) => records).filter((one) => one.issueId === issueId && one.state === 'held').length;
  if (deletes) return states === '' && copies === 0 ? undefined : `its certificate is ${states || 'gone'}, the safe holds ${copies} copies`;
  return states === 'spent' ? undefined : `its certificate is ${states || 'gone'}, not spent`;
}

/** Id of the decoding key that a stored key certificate stands for. */
function storedKey({ world, card }: Scene): string | undefined {
  const certificate = card.certificates.find((one) => isKeyKind(one.kind) && one.state === 'stored' && one.readable);
  return certificate && recordsOf(world, certificate)[0]?.keyId;
}

function keyGoal(scene: Scene, present: boolean): string | undefined {
  const stored = storedKey(scene);
  const { decoding } = scene.card.keys;
  if (stored === undefined) return 'there is no certificate of the key';
  if (!present) return decoding === undefined ? undefined : 'the key is still there';
  return decoding === stored ? undefined : `the key is ${decoding === undefined ? 'absent' : 'another one'}`;
}

/** How many pieces a value's certificates on the card stand for, by the records behind them. */
function piecesGoal(scene: Scene): string | undefined {
  const { world, card, issueId, deletes } = scene;
  const good = certificatesFor(scene).filter((one) => redeemable(one)).flatMap((one) => recordsOf(world, one).filter(({ state }) => state === 'held'));
  const parts = good.flatMap(({ part }) => (part ? [part] : []));
  const missing = parts.length === 0 || Array.from({ length: parts[0].count }, (_, i) => i + 1)
    .some((index) => ((parts[0].wanted >> (index - 1)) & 1) === 1 && !parts.some((part) => part.set === parts[0].set && part.index === index));
  if (missing || new Set(parts.map(({ set }) => set)).size !== 1) return `the value has ${parts.length} pieces with a copy at a safe, not one whole set`;
  const value = card.values.find((one) => one.issueId === issueId && !hidden(one));
  if (deletes) return value && `the value is ${value.state}, not deleted`;
  return value?.state === 'deposited' ? undefined : `the value is ${value?.state ?? 'gone'}, not deposited`;
}

/** The value is back once and every certificate of its set is spent. */
function joinedGoal({ world, card, issueId, deletes }: Scene): string | undefined {
  const states = certificatesFor({ world, card, issueId, deletes }).map(({ state }) => state);
  const back = card.values.filter((one) => one.issueId === issueId && spendable(one));
  const entry = world.ledger.find((one) => one.issueId === issueId);
  if (back.length !== 1 || worth(back[0]) !== entry?.quantity) return `the value is ${back.length} times on the card`;
  return states.length > 0 && states.every((state) => state === 'spent') ? undefined : `its certificates are ${states.join(' ') || 'gone'}, not spent`;
}

/** Enough parts of the key have certificates; the key is there, or not. */
function partsGoal({ world, card }: Scene, present: boolean): string | undefined {
  const records = card.certificates.filter((one) => one.kind === 'key-part' && one.state === 'stored' && one.readable).flatMap((one) => recordsOf(world, one));
  const [first] = records;
  const indexes = new Set(records.filter(({ part }) => part?.set === first.part?.set).map(({ part }) => part?.index));
  if (records.length === 0 || indexes.size < (first.part?.wanted ?? 9)) return `there are certificates of ${indexes.size} parts of the key`;
  const { decoding } = card.keys;
  if (first.ofSeed === true && (card.keys.seed !== undefined || indexes.size < (first.part?.count ?? 9)))
    return `there are certificates of ${indexes.size} parts of the seed, which is ${card.keys.seed === undefined ? 'gone' : 'still there'}`;
  if (!present) return decoding === undefined ? undefined : 'the key is still there';
  return decoding === first.keyId ? undefined : `the key is ${decoding === undefined ? 'absent' : 'another one'}`;
}

/** The value's ciphertext is at the first safe with a part of its key, and enough other parts have certificates. */
function coupledGoal(scene: Scene): string | undefined {
  const { world, card } = scene;
  const records = card.certificates.filter((one) => (one.kind === 'coupled' || one.kind === 'key-part') && one.state === 'stored' && one.readable)
    .flatMap((one) => recordsOf(world, one)).filter(({ state }) => state === 'held');
  const coupled = records.find(({ kind, issueId }) => kind === 'coupled' && issueId === scene.issueId)?.part;
  const indexes = new Set(records.filter(({ part }) => part !== undefined && part.set === coupled?.set).map(({ part }) => part?.index));
  if (coupled === undefined || indexes.size < coupled.wanted) return `the key of the value has ${indexes.size} parts with a copy at a safe`;
  return backupGoal(scene);
}

/** The value is back, and so is the key that opens it. */
const valueAndKeyGoal = (scene: Scene): string | undefined =>
  recoverGoal(scene) ?? (scene.card.keys.decoding === undefined ? 'the key is absent' : undefined);

/** The key is back with the value. */
function ownedGoal(scene: Scene): string | undefined {
  return recoverGoal({ ...scene, deletes: false }) ?? keyGoal(scene, true);
}

/** Value and key are registered anew under the key on the card, and nothing of the old ones is left anywhere. */
function renewGoal(scene: Scene): string | undefined {
  const { world, card, issueId } = scene;
  const held = world.safes.flatMap(({ records }) => records).filter(({ state }) => state === 'held');
  const copies = held.filter((one) => one.issueId === issueId);
  const keys = held.filter(({ kind }) => kind === 'key');
  const certificates = card.certificates.filter((one) => !hidden(one) && isKeyKind(one.kind));
  if (copies.length !== 1 || copies[0].keyId !== card.keys.decoding) return `the safes hold ${copies.length} copies of the value, under ${copies.map(({ keyId }) => keyId).join(', ')}`;
  if (keys.length !== 1 || keys[0].keyId !== card.keys.decoding) return `the safes hold ${keys.length} keys, not the new one alone`;
  if (certificates.length !== 1 || certificates[0].state !== 'stored') return `the card has ${certificates.length} key certificates`;
  return certificatesFor(scene).length === 1 ? backupGoal({ ...scene, deletes: false }) : 'the certificate of the former registration is still there';
}

/** Looks whether a goal is reached; undefined when it is, otherwise why not. */
type GoalRule = (scene: Scene) => string | undefined;

/** The rule of each scenario; power cuts in a scenario need one. */
const goalRules: Readonly<Record<string, GoalRule>> = {
  '1/backup': backupGoal, '2/backup': backupGoal, '1/recover': recoverGoal, '2/recover': recoverGoal,
  '12/backup': backupGoal, '12/key-backup': (scene) => keyGoal(scene, !scene.deletes), '12/recover': ownedGoal, '12/renew': renewGoal,
  '3/backup': backupGoal, '3/recover': recoverGoal, '3/key-recover': (scene) => keyGoal(scene, true), '3/key-backup': (scene) => keyGoal(scene, !scene.deletes),
  '8/backup': backupGoal, '8/recover': recoverGoal, '9/backup': backupGoal, '9/recover': recoverGoal, '10/backup': backupGoal, '10/recover': recoverGoal,
  '7/backup': backupGoal, '7/seed-recover': (scene) => keyGoal(scene, true),
  '7/seed-backup': (scene) => (scene.card.keys.seed === undefined ? keyGoal(scene, !scene.deletes) : 'the seed is still there'),
  '4/backup': piecesGoal, '4/recover': joinedGoal, '5/backup': backupGoal, '5/recover': joinedGoal,
  '6/backup': coupledGoal, '6/recover': valueAndKeyGoal,
  '6/key-backup': (scene) => partsGoal(scene, !scene.deletes), '6/key-recover': (scene) => partsGoal(scene, true),
  '11/auto-backup': (scene) => backupGoal({ ...scene, deletes: true }),
  '2/key-backup': (scene) => keyGoal(scene, !scene.deletes), '2/key-recover': (scene) => keyGoal(scene, true),
};

/** Why the goal of a tear point is not reached in a world at rest; undefined when it is. `issueId` is that of the item. Throws TearError TEAR_RUN for a scenario without a rule. */
export function goalMissed(point: TearPoint, world: AbstractWorld, issueId: string): string | undefined {
  const { scenario, options } = point.run;
  const deletes = (scenario.endsWith('backup') ? options.deleteAfterRegistration : options.deleteAfterRecovery) === true;
  const scene: Scene = { world, card: world.cards[0], issueId, deletes };
  if (!(scenario in goalRules)) throw new TearError('TEAR_RUN', `${scenario} has no rule for its goal`);
  return goalRules[scenario](scene);
}

/** Issue id of the item of a tear point; empty for the key phases. */
export const itemOf = (point: TearPoint, world: World): string =>
  (point.run.item === undefined ? '' : world.names.get(point.run.item) ?? '');

/** How far an honest terminal goes. */
export interface Patience {
  /**
   * The request may have been altered on its way, and the safe then holds another object under its sequence: after
   * SAFE_CONFLICT the terminal cancels the registration, so that the next one gets a new sequence. Default: no; without
   * an altered link a conflict is the card's doing.
   */
  readonly cancelConflicts?: boolean;
}

async function cancelRegistration(point: TearPoint, world: World): Promise<void> {
  const handle = world.handleOf(itemOf(point, world), 'value');
  await world.line.transmit(/key|seed/.test(point.run.scenario) || handle === undefined ? commands.cancelKey() : commands.cancel(handle));
  world.line.takeMarks();
}

/**
 * An honest terminal that knows nothing but what the user wanted: asks for the same scenario up to three times. A key
 * that is gone with its certificate stored needs no second registration. Throws DeviceError when the card is lost.
 */
export async function retryHonestly(point: TearPoint, world: World, { cancelConflicts = false }: Patience = {}): Promise<Retries> {
  const run = { ...point.run, options: { ...point.run.options, absentMeansDone: true } };
  const missed = (): string | undefined => goalMissed(point, world.abstract(), itemOf(point, world));
  const keeps = point.run.scenario.endsWith('/key-backup') || point.run.scenario === '7/seed-backup';
  if (keeps && missed() === undefined) return { retries: 0, boots: 0, settled: true, last: undefined };
  let boots = 0;
  let last: ScenarioOutput | undefined;
  for (let retries = 1; retries <= retryLimit; retries += 1) {
    last = await runHonestly(run, world);
    if (last.cause === 'done' && missed() === undefined) return { retries, boots, settled: true, last };
    if (cancelConflicts && last.safeCode === 'SAFE_CONFLICT') await cancelRegistration(point, world);
    if (last.cause !== 'link') continue;
    boots += 1;
    await world.reset('cold');
  }
  return { retries: retryLimit, boots, settled: false, last };
}
