import { partIndexes, pieceIndexes, safeRole } from '../catalogue/sets.js';
import type { AnyStateMachine } from 'xstate';
import type { CertificateEntry, Ports, ScenarioId, SetCardPort, SetPorts, StepId, ValueEntry } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import type { Context } from './context.js';
import { judgeCard } from './judge.js';
import { atCard, atSafe, list, need, operation } from './operations.js';
import type { Operation, OperationName, Run, Settled } from './operations.js';
import { scenarioSetup } from './setup.js';
import type { StateConfig } from './setup.js';
import { asks, deletes, ends, passes, reached, reachedWhole, start } from './states.js';
import type { Boundary, Progress, ScenarioInput, ScenarioOptions } from './types.js';

type SetRun = Run<SetPorts>;

/** Division of a value when the options do not say. */
export const defaultDivision = { count: 3, wanted: 7 } as const;
/** Division of a key when the options do not say. */
export const defaultKeyDivision = { scheme: 'xor', threshold: 3, count: 3 } as const;

/** An operation on the ports of sets. */
export const onSets = (carryOut: (run: SetRun, first: StepId) => Promise<Settled>): Operation =>
  operation<SetPorts, ScenarioOptions, Progress>(carryOut);
/** The run as the common operations take it. */
export const plain = (run: SetRun): Run => run;
/** The card with the commands of sets. */
export const card = (run: SetRun): SetCardPort => run.ports.card;
/** Variant asked for; default public-key. */
export const variantOf = (run: SetRun): 'public-key' | 'common-key' => run.options.variant ?? 'public-key';
/** Hash asked for; default SHA-256. */
export const hashOf = (run: SetRun): NonNullable<ScenarioOptions['hash']> => run.options.hash ?? 'SHA-256';
const orderOf = (run: SetRun): NonNullable<ScenarioOptions['order']> => run.options.order ?? 'divide-first';
const divisionOf = (run: SetRun): NonNullable<ScenarioOptions['division']> => run.options.division ?? defaultDivision;
/** Division of the key asked for. */
export const keyDivisionOf = (run: SetRun): NonNullable<ScenarioOptions['keyDivision']> => run.options.keyDivision ?? defaultKeyDivision;

/** Nothing to do here: a piece that is not wanted, or that the set does not have. */
export const nothing: Settled = { evidence: [], progress: {} };

/** True for an entry of class B. */
export const isCertificate = (entry: ValueEntry | CertificateEntry): entry is CertificateEntry => 'counter' in entry;

/** The safe of a piece, by its index. */
const safeOf = (run: SetRun, index: number): Ports['safe'] => run.ports[safeRole(index)];

/** Handles of the set of the certificate chosen, by index; 0 where there is none. */
function piecesOf(chosen: ValueEntry | CertificateEntry | undefined, all: readonly (ValueEntry | CertificateEntry)[]): readonly number[] {
  if (!chosen || !isCertificate(chosen) || !chosen.identity) return [];
  const { set, count } = chosen.identity;
  return Array.from({ length: count }, (_, i) => all.find((entry) =>
    isCertificate(entry) && entry.kind === chosen.kind && entry.identity?.set === set && entry.identity.index === i + 1)?.handle ?? 0);
}

/** LIST VALUES of an embodiment. */
export const listing = (embodiment: 4 | 6): Operation => onSets((run, first) => list(plain(run), first, (from) => card(run).listValues(embodiment, from)));
const listPieces = (embodiment: 4 | 6): Operation => onSets((run, first) =>
  list(plain(run), first, (from) => card(run).listCertificates(embodiment, 'value', from), (chosen, all) => ({ pieces: piecesOf(chosen, all) })));

const divide = onSets((run, first) => atCard(plain(run), first,
  card(run).divide(variantOf(run), need(plain(run), 'handle'), orderOf(run), divisionOf(run), hashOf(run)), () => ({})));

const wanted = (run: SetRun, index: number): boolean => ((divisionOf(run).wanted >> (index - 1)) & 1) === 1;

const piece = (index: number): Operation => onSets(async (run, first) => (wanted(run, index)
  ? atCard(plain(run), first, card(run).piece(need(plain(run), 'handle'), index), (request) => ({ progress: { request } })) : nothing));

const register = (index: number, asked: (run: SetRun, at: number) => boolean): Operation => onSets(async (run, first) => (asked(run, index)
  ? atSafe(plain(run), first, safeOf(run, index).register(need(plain(run), 'request')), (certificate) => ({ progress: { certificate } })) : nothing));

const setEnd = (embodiment: 4 | 5 | 6, index: number, asked: (run: SetRun, at: number) => boolean): Operation => onSets(async (run, first) => (asked(run, index)
  ? atCard(plain(run), first, card(run).setEnd(embodiment, need(plain(run), 'certificate')), (stored) => ({ progress: { stored } })) : nothing));

/** True for a piece that the list of certificates showed; parts above the threshold are left where they are. */
const present = (run: SetRun, index: number): boolean => (need(plain(run), 'pieces')[index - 1] ?? 0) !== 0
  && need(plain(run), 'pieces').slice(0, index - 1).filter((handle) => handle !== 0).length < (run.scenario.startsWith('6') ? keyDivisionOf(run).threshold : pieceIndexes.length);

const gather = (embodiment: 4 | 6, index: number): Operation => onSets(async (run, first) => (present(run, index)
  ? atCard(plain(run), first, card(run).gather(embodiment, need(plain(run), 'pieces')[index - 1]), (certificate) => ({ progress: { certificate } })) : nothing));

const retrieve = (index: number): Operation => onSets(async (run, first) => (present(run, index)
  ? atSafe(plain(run), first, safeOf(run, index).retrieve(need(plain(run), 'certificate')),
    (object) => ({ progress: { objects: [...run.progress.objects ?? [], object] } })) : nothing));

const combine = (embodiment: 4 | 6): Operation => onSets((run, first) => {
  const handle = need(plain(run), 'pieces').find((one) => one !== 0) ?? 0;
  return atCard(plain(run), first, card(run).combine(embodiment, handle, need(plain(run), 'objects')), (stored) => ({ progress: { stored } }));
});

/** All values in the state of the one chosen, that one first: four at most. */
function companions(chosen: ValueEntry | CertificateEntry | undefined, all: readonly (ValueEntry | CertificateEntry)[]): readonly number[] {
  if (!chosen) return [];
  const others = all.filter((entry) => entry.handle !== chosen.handle && entry.state === chosen.state);
  return [chosen, ...others].slice(0, 4).map(({ handle }) => handle);
}

const listBundle = onSets((run, first) =>
  list(plain(run), first, (from) => card(run).listValues(5, from), (chosen, all) => ({ pieces: companions(chosen, all) })));
const couple = onSets((run, first) => atCard(plain(run), first,
  card(run).couple(variantOf(run), need(plain(run), 'pieces'), orderOf(run), hashOf(run)), (request) => ({ progress: { request } })));
const always = (): boolean => true;
const listBundles = onSets((run, first) => list(plain(run), first, (from) => card(run).listCertificates(5, 'value', from)));
const gatherBundle = onSets((run, first) => atCard(plain(run), first, card(run).gather(5, need(plain(run), 'handle')), (certificate) => ({ progress: { certificate } })));
const decouple = onSets((run, first) => atCard(plain(run), first,
  card(run).decouple(need(plain(run), 'handle'), need(plain(run), 'object')), (values) => ({ progress: { stored: values[0] } })));

/** A certificate of a set of which all parts have theirs: with the last one the card has given up the seed. */
async function wholeSet(run: SetRun): Promise<number | undefined> {
  const { count } = keyDivisionOf(run);
  const listed = await card(run).listCertificates(6, 'value');
  const parts = listed.ok ? listed.value.entries.filter(({ kind, keyKind }) => kind === 'key-part' && keyKind === 'seed') : [];
  const sets = new Map<number, number[]>();
  for (const { identity, handle } of parts) if (identity?.count === count) sets.set(identity.set, [...sets.get(identity.set) ?? [], handle]);
  return [...sets.values()].find((handles) => handles.length === count)?.[0];
}

const divideKey = onSets(async (run, first) => {
  const division = keyDivisionOf(run);
  const safes = Array.from({ length: division.count }, (_, i) => safeOf(run, i + 1).safeId);
  const outcome = await card(run).divideKey(run.options.keyKind ?? 'decoding', division, safes, hashOf(run));
  const gone = !outcome.ok && outcome.sw === '6985' && run.options.keyKind === 'seed' && run.options.absentMeansDone === true;
  const whole = gone ? await wholeSet(run) : undefined;
  if (whole !== undefined) return { evidence: judgeCard(run.scenario, first, outcome, card(run).hasTrace).evidence, progress: { handle: whole }, already: true };
  return atCard(plain(run), first, Promise.resolve(outcome), (set) => ({ progress: { set } }));
});
/** True for a part that the division asked for has. */
export const hasPart = (run: SetRun, index: number): boolean => index <= keyDivisionOf(run).count;
/** Has a key part given out. */
export const keyPart = (index: number): Operation => onSets(async (run, first) => (hasPart(run, index)
  ? atCard(plain(run), first, card(run).keyPart(need(plain(run), 'set'), index), (request) => ({ progress: { request } })) : nothing));

/** States by name. */
export type States = Record<string, StateConfig>;

/** The states of an exchange: the first asks, the others pass, the last goes on to `next`. */
export function exchange(at: string, phase: number, [from, to]: readonly [number, number], carryOut: Operation | OperationName, next: string): States {
  const name = (number: number): StepId => (at === '' ? `${phase}-${number}` : `${phase}-${number}@${at}`);
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return Object.fromEntries(numbers.map((number) => {
    const target = number === to ? next : name(number + 1);
    return [name(number), number === from ? asks(name(number), carryOut, target) : passes(name(number), target)];
  }));
}

/** What follows an index: the next one, or what comes last. */
export const after = <T>(index: number, following: (index: number) => T, last: T, indexes: readonly number[] = pieceIndexes): T =>
  (index < indexes.length ? following(index + 1) : last);

/** Names of boundaries that are put together here. */
export const boundaryNames = (...names: readonly string[]): readonly Boundary[] => names as readonly Boundary[];
const each = (...names: readonly string[]): readonly string[] => pieceIndexes.flatMap((i) => names.map((name) => `${name}${i}`));
const eachPart = (...names: readonly string[]): readonly string[] => partIndexes.flatMap((i) => names.map((name) => `${name}${i}`));

/** The states of all pieces. */
export const merged = (of: (index: number) => States, indexes: readonly number[] = pieceIndexes): States => Object.fromEntries(indexes.flatMap((index) => Object.entries(of(index))));

/** A machine of named states; their names are checked against the frame by machines/registry.test.ts. */
export function machine(id: ScenarioId, states: States): AnyStateMachine {
  const config = {
    id, context: ({ input }: { input: ScenarioInput }) => contextOf(id, input), output: ({ context }: { context: Context }) => outputOf(context),
    initial: 'start', states: { ...states, ...ends },
  };
  return scenarioSetup.createMachine(config as never) as unknown as AnyStateMachine;
}

/** Embodiment 4, registration in pieces (docs/protocol.md 4.1). */
export const piecesBackup = machine('4/backup', {
  start: start('1-1', ...boundaryNames('1-5@all', ...each('1-8@piece', '1-10@piece', '1-13@piece')), 'claim-25'),
  ...exchange('', 1, [1, 4], listing(4), '1-5@all'),
  '1-4': passes('1-4', '1-5@all', reachedWhole('claim-25'), reached('claim-25')),
  ...exchange('all', 1, [5, 7], divide, '1-8@piece1'),
  ...merged((i) => ({
    ...exchange(`piece${i}`, 1, [8, 9], piece(i), `1-10@piece${i}`),
    ...exchange(`piece${i}`, 1, [10, 12], register(i, wanted), `1-13@piece${i}`),
    ...exchange(`piece${i}`, 1, [13, 16], setEnd(4, i, wanted), after(i, (next) => `1-8@piece${next}`, 'done')),
  })),
  '1-16@piece3': passes('1-16@piece3', 'done', deletes('claim-25', 'claim-25')),
  'claim-25': asks('claim-25', 'claim-25', 'done'),
});

/** Embodiment 4, recovery from pieces (docs/protocol.md 4.1). */
export const piecesRecover = machine('4/recover', {
  start: start('2-1', ...boundaryNames(...each('2-5@piece', '2-9@piece'), '2-11@all')),
  ...exchange('', 2, [1, 4], listPieces(4), '2-5@piece1'),
  '2-4': passes('2-4', '2-5@piece1', reached('done')),
  ...merged((i) => ({
    ...exchange(`piece${i}`, 2, [5, 8], gather(4, i), `2-9@piece${i}`),
    ...exchange(`piece${i}`, 2, [9, 10], retrieve(i), after(i, (next) => `2-5@piece${next}`, '2-11@all')),
  })),
  ...exchange('all', 2, [11, 15], combine(4), 'done'),
});

/** Embodiment 5, several values registered as one (docs/protocol.md 4.1). */
export const bundleBackup = machine('5/backup', {
  start: start('1-1', ...boundaryNames('1-5@all', '1-10@all', '1-13@all')),
  ...exchange('', 1, [1, 4], listBundle, '1-5@all'),
  '1-4': passes('1-4', '1-5@all', reached('done')),
  ...exchange('all', 1, [5, 9], couple, '1-10@all'),
  ...exchange('all', 1, [10, 12], register(1, always), '1-13@all'),
  ...exchange('all', 1, [13, 16], setEnd(5, 1, always), 'done'),
});

/** Embodiment 5, several values recovered from one (docs/protocol.md 4.1). */
export const bundleRecover = machine('5/recover', {
  start: start('2-1', ...boundaryNames('2-5@all', '2-9@all', '2-11@all')),
  ...exchange('', 2, [1, 4], listBundles, '2-5@all'),
  '2-4': passes('2-4', '2-5@all', reached('done')),
  ...exchange('all', 2, [5, 8], gatherBundle, '2-9@all'),
  ...exchange('all', 2, [9, 10], onSets((run, first) => atSafe(plain(run), first, run.ports.safe.retrieve(need(plain(run), 'certificate')), (object) => ({ progress: { object } }))), '2-11@all'),
  ...exchange('all', 2, [11, 15], decouple, 'done'),
});

/** Embodiment 6, a key registered in parts (docs/protocol.md 4.1). */
export const partsBackup = machine('6/key-backup', {
  start: start('3-1@all', ...boundaryNames(...eachPart('3-3@part', '3-5@part', '3-8@part')), 'claim-25'),
  ...exchange('all', 3, [1, 2], divideKey, '3-3@part1'),
  '3-1@all': asks('3-1@all', divideKey, '3-2@all', reachedWhole('claim-25'), reached('claim-25')),
  ...merged((i) => ({
    ...exchange(`part${i}`, 3, [3, 4], keyPart(i), `3-5@part${i}`),
    ...exchange(`part${i}`, 3, [5, 7], register(i, hasPart), `3-8@part${i}`),
    ...exchange(`part${i}`, 3, [8, 11], setEnd(6, i, hasPart), after(i, (next) => `3-3@part${next}`, 'done', partIndexes)),
  }), partIndexes),
  '3-11@part4': passes('3-11@part4', 'done', deletes('claim-25', 'claim-25')),
  'claim-25': asks('claim-25', 'claim-25', 'done'),
});

/** Embodiment 6, a key recovered from its parts (docs/protocol.md 4.1). */
export const partsRecover = machine('6/key-recover', {
  start: start('4-1', ...boundaryNames(...eachPart('4-5@part', '4-9@part'), '4-11@all')),
  ...exchange('', 4, [1, 4], listPieces(6), '4-5@part1'),
  '4-4': passes('4-4', '4-5@part1', reached('done')),
  ...merged((i) => ({
    ...exchange(`part${i}`, 4, [5, 8], gather(6, i), `4-9@part${i}`),
    ...exchange(`part${i}`, 4, [9, 10], retrieve(i), after(i, (next) => `4-5@part${next}`, '4-11@all', partIndexes)),
  }), partIndexes),
  ...exchange('all', 4, [11, 14], combine(6), 'done'),
});
