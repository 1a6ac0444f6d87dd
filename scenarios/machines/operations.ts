import { exchangeOf, scenarioParts } from '../catalogue/registry.js';
import type {
  CertificateEntry, CertificateObject, DigestFields, Embodiment, KeyKind, Outcome, Page, Ports, RequestObject, RetrievedObject, ScenarioId,
  StepId, ValueEntry,
} from '../ports.js';
import { choose } from './choose.js';
import { judgeCard, judgeClaim, judgeSafe } from './judge.js';
import type { Judged, Stop } from './judge.js';
import type { ClaimState, KeyClaimState, Progress, ScenarioOptions } from './types.js';

/**
 * What an operation works with.
 * @typeParam P ports by role; @typeParam O options; @typeParam G what has been obtained
 */
export interface Run<P extends object = Ports, O extends object = ScenarioOptions, G extends object = Progress> {
  readonly scenario: ScenarioId;
  readonly ports: P;
  readonly options: O;
  readonly progress: G;
  /** Where the run was taken up, if it was. */
  readonly resumedAt?: string;
}

/** What an operation comes back with: what it adds to what has been obtained. */
export interface Settled<G extends object = Progress> extends Judged {
  readonly progress: Partial<G>;
  readonly already?: boolean;
}

/** Carries out one exchange; `first` is its first step. */
export type Operation<P extends object = Ports, O extends object = ScenarioOptions, G extends object = Progress> =
  (run: Run<P, O, G>, first: StepId) => Promise<Settled<G>>;

/**
 * An operation on other ports, options or progress than those of embodiments 1 and 2, for `asks`. The machine is one of
 * a definition whose type names the same, so what it is run with is what the operation expects.
 */
export const operation = <P extends object, O extends object, G extends object>(carryOut: Operation<P, O, G>): Operation =>
  carryOut as unknown as Operation;

interface Gain {
  readonly progress?: Progress;
  readonly already?: boolean;
  /** What the terminal found wrong in the answer. */
  readonly problem?: string | undefined;
}

const embodimentOf = (run: Run): Embodiment => scenarioParts(run.scenario).embodiment;

/** What a run must have at this place; checked when it is taken up, so a lack here is a bug of the bench. */
export function need<K extends keyof Progress>(run: Run, name: K): NonNullable<Progress[K]> {
  const value = run.progress[name];
  if (value === undefined) throw new Error(`${run.scenario} has no ${name} yet`);
  return value;
}

function settle<T>(run: Run, first: StepId, judged: Judged, outcome: Outcome<T>, gain: (value: T) => Gain): Settled {
  if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
  const { progress = {}, already, problem } = gain(outcome.value);
  const last = exchangeOf(run.scenario, first).at(-1) ?? first;
  const stop: Stop | undefined = problem === undefined ? undefined : { step: last, cause: 'unexpected', text: problem };
  return { evidence: judged.evidence, progress, ...stop && { stop }, ...already && { already } };
}

/** A command to the card, judged by its answer and marks. */
export async function atCard<T>(run: Run, first: StepId, call: Promise<Outcome<T>>, gain: (value: T) => Gain): Promise<Settled> {
  const outcome = await call;
  return settle(run, first, judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace), outcome, gain);
}

/** A request to a safe, judged by its answer. */
export async function atSafe<T>(run: Run, first: StepId, call: Promise<Outcome<T>>, gain: (value: T) => Gain): Promise<Settled> {
  const outcome = await call;
  return settle(run, first, judgeSafe(run.scenario, first, outcome), outcome, gain);
}

type Turn = (from?: number) => Promise<Outcome<Page<ValueEntry | CertificateEntry>>>;

/** What else is taken from a whole list, with the entry chosen. */
type Take = (chosen: ValueEntry | CertificateEntry | undefined, all: readonly (ValueEntry | CertificateEntry)[]) => Progress;

/** Fetches all pages; each page is one command and is judged alone. A list that never ends is a problem. */
export async function list(run: Run, first: StepId, turn: Turn, take: Take = () => ({})): Promise<Settled> {
  const entries: (ValueEntry | CertificateEntry)[] = [];
  let from: number | undefined;
  for (;;) {
    const outcome = await turn(from);
    const judged = judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace);
    if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
    entries.push(...outcome.value.entries);
    const { next } = outcome.value;
    if (next === undefined) return settle(run, first, judged, outcome, () => chosen(run, entries, take));
    if (from !== undefined && next <= from)
      return settle(run, first, judged, outcome, () => ({ problem: `the list goes back from position ${from} to ${next}` }));
    from = next;
  }
}

function chosen(run: Run, entries: readonly (ValueEntry | CertificateEntry)[], take: Take): Gain {
  const choice = choose(run.scenario, run.options, entries);
  if (choice.is === 'absent') return { problem: choice.text };
  const progress = { ...choice.entry ? { handle: choice.entry.handle, entry: choice.entry } : {}, ...take(choice.entry, entries) };
  return { progress, already: choice.is === 'already' };
}

/** The first field by which two digests differ; fields that one side lacks (empty digest) are not compared. */
function difference(list: DigestFields, object: DigestFields): string | undefined {
  const names = ['informationClass', 'name', 'quantity', 'place', 'validity'] as const;
  return names.find((name) => list[name] !== undefined && object[name] !== undefined && list[name] !== object[name]);
}

const differs = <T>(what: string, found: T, wanted: T): string | undefined =>
  found === wanted ? undefined : `${what} is ${String(found)}, expected ${String(wanted)}`;

/** Embodiment 1: the terminal reads the value in clear and compares it with the list and with what it asked for. What is to be sealed it must not be able to read. */
function requestProblem(run: Run, request: RequestObject): string | undefined {
  if (run.options.sealed) return differs('the content of the request', request.content, 'sealed');
  if (embodimentOf(run) !== 1) return undefined;
  const field = difference(run.progress.entry?.digest ?? {}, request.digest ?? {});
  return differs('the content of the request', request.content, 'plain')
    ?? differs('the hash algorithm of the request', request.hashAlgorithm, run.options.hash ?? 'SHA-256')
    ?? (field === undefined ? undefined : `the value differs from the list in ${field}`);
}

/** Embodiment 1: the terminal knows the value, so it can check everything in its certificate but the signature. */
function certificateProblem(run: Run, certificate: CertificateObject): string | undefined {
  const { request } = run.progress;
  if (embodimentOf(run) !== 1 || !request) return undefined;
  return differs('the kind of the certificate', certificate.kind, 'plain')
    ?? differs('the card id of the certificate', certificate.cardId, request.cardId)
    ?? differs('the sequence of the certificate', certificate.sequence, request.sequence)
    ?? differs('the hash algorithm of the certificate', certificate.hashAlgorithm, request.hashAlgorithm)
    ?? differs('hash X1 of the certificate', certificate.hash, request.objectHash ?? certificate.hash)
    ?? differs('the safe id of the certificate', certificate.safeId, run.ports.safe.safeId);
}

/** Embodiment 1: the certificate is the one that was listed. */
function presentedProblem(run: Run, certificate: CertificateObject): string | undefined {
  const { entry } = run.progress;
  if (embodimentOf(run) !== 1 || !entry || !('counter' in entry)) return undefined;
  return differs('the counter of the certificate', certificate.counter, entry.counter)
    ?? differs('the safe id of the certificate', certificate.safeId, entry.safeId)
    ?? differs('the kind of the certificate', certificate.kind, entry.kind);
}

/** Embodiment 1: the value that comes back is the one certified. What came sealed goes back sealed. */
function returnedProblem(run: Run, object: RetrievedObject): string | undefined {
  if (run.options.sealed) return differs('the content returned by the safe', object.content, 'sealed');
  const { certificate } = run.progress;
  if (embodimentOf(run) !== 1 || !certificate) return undefined;
  return differs('the content returned by the safe', object.content, 'plain')
    ?? differs('hash X1 of the value returned', object.objectHash ?? certificate.hash, certificate.hash);
}

/** A repeated deletion whose first answer was lost finds nothing any more (6A82): that is done. */
export async function remove(run: Run, step: ClaimState, call: Promise<Outcome<undefined>>): Promise<Settled> {
  const outcome = await call;
  if (!outcome.ok && outcome.cause === 'refused' && outcome.sw === '6A82' && run.resumedAt === step)
    return { evidence: [{ step, kinds: ['link'], outcome: 'done' }], progress: {}, already: true };
  return { ...judgeClaim(step, 'link', outcome), progress: {} };
}

const hashOf = (run: Run): NonNullable<ScenarioOptions['hash']> => run.options.hash ?? 'SHA-256';
/** The key asked for; of a seed the one it gives. */
const keyOf = (run: Run): KeyKind => (run.options.keyKind === 'common' ? 'common' : 'decoding');

/** Each exchange of each phase: one command to the card or one request to the safe. `first` is its first step. */
export const operations = {
  listValues: (run, first) => list(run, first, (from) => run.ports.card.listValues(embodimentOf(run), from)),
  registerBegin: (run, first) => atCard(run, first,
    run.ports.card.registerBegin(embodimentOf(run), embodimentOf(run) === 1 ? 'plain' : run.options.variant ?? 'public-key', need(run, 'handle'), hashOf(run),
      ...run.options.sealed ? [run.ports.safe.safeId] : []),
    (request) => ({ progress: { request }, problem: requestProblem(run, request) })),
  keyRegisterBegin: (run, first) => atCard(run, first,
    run.ports.card.keyRegisterBegin(keyOf(run), run.ports.safe.safeId, hashOf(run)), (request) => ({ progress: { request } })),
  register: (run, first) => atSafe(run, first, run.ports.safe.register(need(run, 'request')),
    (certificate) => ({ progress: { certificate }, problem: certificateProblem(run, certificate) })),
  registerEnd: (run, first) => atCard(run, first,
    run.ports.card.registerEnd(embodimentOf(run), 'value', need(run, 'certificate')), (stored) => ({ progress: { stored } })),
  keyRegisterEnd: (run, first) => atCard(run, first,
    run.ports.card.registerEnd(embodimentOf(run), 'key', need(run, 'certificate')), (stored) => ({ progress: { stored } })),
  listCertificates: (run, first) => list(run, first, (from) => run.ports.card.listCertificates(embodimentOf(run), 'value', from)),
  listKeyCertificates: (run, first) => list(run, first, (from) => run.ports.card.listCertificates(embodimentOf(run), 'key', from)),
  recoverBegin: (run, first) => atCard(run, first, run.ports.card.recoverBegin(embodimentOf(run), 'value', need(run, 'handle')),
    (certificate) => ({ progress: { certificate }, problem: presentedProblem(run, certificate) })),
  keyRecoverBegin: (run, first) => atCard(run, first, run.ports.card.recoverBegin(embodimentOf(run), 'key', need(run, 'handle')),
    (certificate) => ({ progress: { certificate } })),
  retrieve: (run, first) => atSafe(run, first, run.ports.safe.retrieve(need(run, 'certificate')),
    (object) => ({ progress: { object }, problem: returnedProblem(run, object) })),
  recoverEnd: (run, first) => atCard(run, first,
    run.ports.card.recoverEnd(embodimentOf(run), need(run, 'handle'), need(run, 'object')), (stored) => ({ progress: { stored } })),
  keyRecoverEnd: (run, first) => atCard(run, first,
    run.ports.card.keyRecoverEnd(need(run, 'handle'), need(run, 'object')), () => ({})),
} satisfies Record<string, (run: Run, first: StepId) => Promise<Settled>>;

/** Registrations whose claim 25 deletes a key. */
const keyScenarios: readonly ScenarioId[] = ['2/key-backup', '3/key-backup', '7/seed-backup'];

/** The deletions of claims 25 and 26. */
export const claims = {
  'claim-25': (run) => remove(run, 'claim-25',
    keyScenarios.includes(run.scenario) || run.scenario.endsWith('/key-backup') ? run.ports.card.deleteKey(keyOf(run)) : run.ports.card.delete(need(run, 'handle'))),
  'claim-26-receipt': async (run) => {
    const outcome = await run.ports.card.getReceipt(need(run, 'handle'));
    return { ...judgeClaim('claim-26-receipt', 'link', outcome), progress: outcome.ok ? { receipt: outcome.value } : {} };
  },
  'claim-26-safe': async (run) =>
    ({ ...judgeClaim('claim-26-safe', 'safe', await run.ports.safe.receipt(need(run, 'receipt'))), progress: {} }),
  'claim-26-delete': (run) => remove(run, 'claim-26-delete', run.ports.card.delete(need(run, 'handle'))),
} satisfies Record<Exclude<ClaimState, KeyClaimState>, (run: Run) => Promise<Settled>>;

/** Name of an exchange. */
export type OperationName = keyof typeof operations;
