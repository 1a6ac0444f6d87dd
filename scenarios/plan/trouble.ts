import { basicScenarioIds } from '../catalogue/basic.js';
import { seenAt } from '../catalogue/catalogue.js';
import { exchanges, frameOf } from '../catalogue/registry.js';
import type { ScenarioId, StepId } from '../ports.js';
import type { SafeFault } from './faults.js';
import { clause, completes, eitherWay, item, midway, other, placesOf, ready, scenarioPoint, within } from './frames.js';
import type { ScriptCommand } from './script.js';
import type { Capability, Expectation, PlanPoint, SafeExpectation } from './types.js';

interface SafeRow {
  readonly title: string;
  readonly fault: Omit<SafeFault, 'fault' | 'at'>;
  /** Differences from the expectation that the run stops at the safe and an honest one goes through. */
  readonly end: Expectation['end'];
  readonly at?: 'request' | 'act' | 'reply';
  readonly code?: string;
  /** A new record may be there. */
  readonly stored: 'none' | 'one' | 'maybe';
  readonly goesOn?: boolean;
}

/** Misbehaviour of a safe at any exchange. Numbers follow the order: only append. Table. */
const safeRows: readonly SafeRow[] = [
  { title: 'cannot be reached', fault: { how: 'unreachable' }, end: ['link'], at: 'request', stored: 'none' },
  { title: 'answers too late', fault: { how: 'late' }, end: ['late'], at: 'reply', stored: 'one' },
  { title: 'does its work, its answer is lost', fault: { how: 'lost-answer' }, end: ['link', 'late'], stored: 'one' },
  { title: 'answers twice', fault: { how: 'twice' }, end: ['done'], stored: 'one', goesOn: true },
  { title: 'is busy', fault: { how: 'error', status: 503, code: 'SAFE_BUSY' }, end: ['refused'], at: 'act', code: 'SAFE_BUSY', stored: 'none' },
  { title: 'cannot store', fault: { how: 'error', status: 503, code: 'SAFE_STORE' }, end: ['refused'], at: 'act', code: 'SAFE_STORE', stored: 'none' },
  { title: 'answers garbage', fault: { how: 'garbage' }, end: ['unexpected'], at: 'reply', stored: 'maybe' },
];

const ofStored = { none: 'nothing-stored', one: 'one-stored', maybe: 'at-most-one' } as const satisfies Record<SafeRow['stored'], SafeExpectation>;

function stepsAt(scenario: ScenarioId, at: SafeRow['at']): readonly StepId[] {
  const group = within(scenario, placesOf(scenario).safe);
  if (at === undefined) return group;
  return at === 'request' ? [group[0]] : at === 'reply' ? [group[group.length - 1]] : [group[1] ?? group[0]];
}

/** Misbehaviour of the safe of a scenario. */
export function safeTrouble(scenario: ScenarioId): PlanPoint[] {
  const { safe } = placesOf(scenario);
  const registers = scenario.endsWith('backup');
  return safeRows.map(({ title, fault, end, at, code, stored, goesOn }, index) => scenarioPoint(scenario, 'S', 1 + index, {
    title: `the safe ${title} at ${safe}`, clause: clause(within(scenario, safe), ['3-a', '3-b', '3-d']), fault: { fault: 'safe', at: safe, ...fault },
    expect: goesOn ? completes(scenario) : {
      end, at: stepsAt(scenario, at), ...code !== undefined && { safeCode: [code] }, card: midway(scenario),
      safe: registers ? ofStored[stored] : 'unchanged', retry: 'completes',
    },
  }));
}

/** A record of the other value at the safe whose certificate is not on the card. */
function otherRecord(embodiment: 1 | 2): readonly ScriptCommand[] {
  const variant = embodiment === 1 ? 'plain' : 'public-key';
  return [
    { do: 'register-begin', embodiment, variant, item: other, hash: 'SHA-256', expect: '9000', save: '$request' },
    { do: 'safe-register', request: '$request', expect: '200', save: '$otherCertificate' },
    { do: 'safe-retrieve', certificate: '$otherCertificate', expect: '200', save: '$otherObject' },
    { do: 'cancel', item: other, expect: '9000' },
  ];
}

/** The safe answers wrongly or no longer knows the record. */
function safeWrong(): PlanPoint[] {
  const wrong = (scenario: ScenarioId, at: StepId, saved: '$otherCertificate' | '$otherObject', expect: Partial<Expectation>): PlanPoint =>
    scenarioPoint(scenario, 'S', 20, {
      title: `the safe answers with another record at ${at}`, clause: clause(within(scenario, at), ['2.4-2', '2.4-5', '3-c']),
      prepare: ready(scenario, { setup: otherRecord(scenario.startsWith('1/') ? 1 : 2) }),
      fault: { fault: 'safe', at, how: 'wrong-record', with: saved },
      expect: { end: ['refused', 'unexpected'], card: midway(scenario), safe: scenario.endsWith('backup') ? 'at-most-one' : 'unchanged', retry: 'completes', ...expect },
    });
  const forgets = (['1/recover', '2/recover', '2/key-recover'] as const).map((scenario) => scenarioPoint(scenario, 'S', 21, {
    title: 'the safe does not find the record; once it is there again the recovery goes through', clause: clause(within(scenario, placesOf(scenario).safe), ['3-c']),
    fault: { fault: 'safe', at: placesOf(scenario).safe, how: 'forgets' },
    expect: { end: ['refused'], at: stepsAt(scenario, 'act'), safeCode: ['SAFE_UNKNOWN'], card: midway(scenario), safe: 'unchanged', retry: 'completes' },
  }));
  return [
    wrong('1/backup', '1-9', '$otherCertificate', { end: ['unexpected'], at: ['1-11'] }),
    wrong('2/backup', '1-10', '$otherCertificate', { end: ['refused'], at: within('2/backup', '1-13'), sw: ['6985'] }),
    wrong('1/recover', '2-9', '$otherObject', { end: ['unexpected'], at: ['2-10'] }),
    wrong('2/recover', '2-9', '$otherObject', { end: ['refused'], at: within('2/recover', '2-11'), sw: ['6982', '6A80'] }),
    ...forgets,
  ];
}

/** Claim 26: trouble with the receipt keeps the certificate on the card. */
function receiptTrouble(scenario: '1/recover' | '2/recover'): PlanPoint[] {
  const options = { deleteAfterRecovery: true };
  const kept: Expectation['card'] = { is: 'described', items: [{ item, value: 'active', certificate: 'spent' }] };
  const rows = [
    { title: 'the safe cannot be reached with the receipt', fault: { how: 'unreachable' }, end: ['link'], safe: 'unchanged' },
    { title: 'the acknowledgement of the receipt is lost', fault: { how: 'lost-answer' }, end: ['link', 'late'], safe: 'tombstone' },
    { title: 'the safe is busy when it gets the receipt', fault: { how: 'error', status: 503, code: 'SAFE_BUSY' }, end: ['refused'], safe: 'unchanged' },
  ] as const;
  const troubles = rows.map(({ title, fault, end, safe }, index) => scenarioPoint(scenario, 'S', 30 + index, {
    title, clause: clause([], ['2.4-6', '3-e'], [26]), options, fault: { fault: 'safe', at: 'claim-26-safe', ...fault },
    expect: { end, at: ['claim-26-safe'], card: kept, safe, retry: 'completes' },
  }));
  const alteredReceipt = (number: number, title: string, element: string): PlanPoint => scenarioPoint(scenario, 'S', number, {
    title, clause: clause([], ['3-e'], [26]), options,
    fault: { fault: 'alter', at: 'claim-26-safe', object: 'receipt', element, how: { how: 'flip', bit: 0 } },
    expect: { end: ['refused'], at: ['claim-26-safe'], safeCode: ['SAFE_BAD_SIGNATURE', 'SAFE_UNKNOWN'], card: kept, safe: 'unchanged', retry: 'completes' },
  });
  return [...troubles, alteredReceipt(33, 'receipt with a bad signature', '92'), alteredReceipt(34, 'receipt with another hash', '98')];
}

/** Every place where power or RST can go: after each step cold, after each exchange warm as well. */
export function resets(scenario: ScenarioId): PlanPoint[] {
  const all = frameOf(scenario).steps;
  const lasts = new Set(exchanges(scenario).map((group) => group.at(-1)));
  const make = (index: number, kind: 'warm' | 'cold'): PlanPoint => {
    const step = all[index];
    const id = step.id as StepId;
    const traced: readonly Capability[] = seenAt(step) === 'safe' || lasts.has(id) ? [] : ['trace-port'];
    return scenarioPoint(scenario, 'R', (kind === 'cold' ? 1 : 51) + index, {
      title: `${kind} reset after ${id}`, clause: clause([id], ['2.4-12']), needs: ['power-control', ...traced],
      fault: { fault: 'reset', after: id, kind }, expect: eitherWay(scenario),
    });
  };
  return [
    ...all.map((_, index) => make(index, 'cold')),
    ...all.flatMap((step, index) => (lasts.has(step.id as StepId) ? [make(index, 'warm')] : [])),
  ];
}

/** Resets within the deletions of claims 25 and 26. */
function resetsInDeletions(): PlanPoint[] {
  const deleting = { deleteAfterRegistration: true, deleteAfterRecovery: true };
  const places = [
    ['1/backup', 'claim-25', 80], ['2/backup', 'claim-25', 80], ['2/key-backup', 'claim-25', 80],
    ['1/recover', 'claim-26-receipt', 80], ['1/recover', 'claim-26-safe', 81], ['1/recover', 'claim-26-delete', 82],
    ['2/recover', 'claim-26-receipt', 80], ['2/recover', 'claim-26-safe', 81], ['2/recover', 'claim-26-delete', 82],
  ] as const;
  return places.map(([scenario, after, number]) => scenarioPoint(scenario, 'R', number, {
    title: `cold reset after ${after}`, clause: clause([], ['2.4-3', '2.4-6', '2.4-12'], [after === 'claim-25' ? 25 : 26]), needs: ['power-control'],
    options: deleting, fault: { fault: 'reset', after, kind: 'cold' },
    expect: eitherWay(scenario, { safe: 'any', retry: scenario === '2/key-backup' ? 'none' : 'completes' }),
  }));
}

/** The answer to a command is lost, or the command itself; and the line is noisy. */
export function linkTrouble(scenario: ScenarioId): PlanPoint[] {
  const cards = frameOf(scenario).exchanges.filter(({ party }) => party === 'card').map(({ steps: [first] }) => first);
  return cards.flatMap((at, index) => {
    const lost = (['lost-answer', 'lost-command'] as const).map((how, second) => scenarioPoint(scenario, 'L', 1 + index * 10 + second, {
      title: `the ${how === 'lost-answer' ? 'answer to the command' : 'command'} of ${at} is lost`, clause: clause(within(scenario, at), ['2.4-12']),
      fault: { fault: 'link', at, how }, expect: eitherWay(scenario),
    }));
    const noise = scenarioPoint(scenario, 'L', 3 + index * 10, {
      title: `one parity error in the command of ${at} is repaired by the link layer`, clause: clause(within(scenario, at), ['2']),
      fault: { fault: 'link', at, how: 'parity-once' }, expect: completes(scenario),
    });
    return [...lost, noise];
  });
}

/** Exchanges whose answer is another one each time: a path or a challenge is good once. */
const freshEachTime: ReadonlySet<string> = new Set(['enrol', 'present', 'ownerChallenge', 'authenticate', 'ownerResult', 'hello', 'deviceHello', 'prove', 'deviceProof']);

/** Each command and request three times: the same answer, nothing twice. */
export function repeats(scenario: ScenarioId): PlanPoint[] {
  return frameOf(scenario).exchanges.filter(({ name }) => !freshEachTime.has(name)).map(({ steps: [step] }, index) => scenarioPoint(scenario, 'T', 1 + index, {
    title: `the exchange of ${step} three times`, clause: clause(within(scenario, step), ['2.4-12', '3-a', '3-d']),
    fault: { fault: 'repeat', step, times: 3 }, expect: completes(scenario),
  }));
}

/** Points in which safe, power or link misbehave, or something happens twice. */
export const trouble: readonly PlanPoint[] = [
  ...basicScenarioIds.flatMap(safeTrouble), ...safeWrong(), ...receiptTrouble('1/recover'), ...receiptTrouble('2/recover'),
  ...basicScenarioIds.flatMap(resets), ...resetsInDeletions(), ...basicScenarioIds.flatMap(linkTrouble), ...basicScenarioIds.flatMap(repeats),
];
