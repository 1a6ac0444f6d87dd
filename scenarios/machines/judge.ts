import { seenAt } from '../catalogue/catalogue.js';
import { exchangeOf, frameOf, scenarioParts } from '../catalogue/registry.js';
import type { Failure, FailureCause, Outcome, ScenarioId, StatusWord, StepId, StepMark } from '../ports.js';
import type { ClaimState, EndCause, EvidenceKind, StepEvidence } from './types.js';

/** Where and why a run stops before its end. Plain data. */
export interface Stop {
  readonly step: StepId | ClaimState;
  readonly cause: Exclude<EndCause, 'done'>;
  readonly sw?: StatusWord;
  readonly safeCode?: string;
  readonly text: string;
}

/** An exchange as judged: what proves its steps, and where it stopped if it did. */
export interface Judged {
  readonly evidence: readonly StepEvidence[];
  readonly stop?: Stop;
}

interface Walk {
  /** Marks of done steps in order. */
  readonly done: readonly StepMark[];
  readonly refused?: StepMark;
  /** The first thing that is out of order. */
  readonly wrong?: { readonly step: StepId; readonly text: string };
}

/** The id a card marks a step with: of a named state that of the step it is derived from. */
const markOf = (step: StepId): string => step.split('@')[0];

const nameOf = (mark: StepMark): string => `step ${mark.id} of embodiment ${mark.embodiment}`;

/** Reads marks against the steps that are due; after a refusal only the answer step may follow. */
function walk(embodiment: number, group: readonly StepId[], marks: readonly StepMark[]): Walk {
  const done: StepMark[] = [];
  const last = group[group.length - 1];
  let refused: StepMark | undefined;
  let cycle = 0;
  for (const mark of marks) {
    const due = refused ? last : group[done.length] ?? last;
    const wrong = (text: string): Walk => ({ done, ...refused && { refused }, wrong: { step: due, text } });
    if (done.length === group.length) return wrong(`the card marked ${nameOf(mark)} after its answer`);
    if (mark.embodiment !== embodiment || mark.id !== markOf(due)) return wrong(`the card marked ${nameOf(mark)} where ${due} was due`);
    if (mark.cycle < cycle) return wrong(`the mark of ${mark.id} is older than the one before it`);
    if (mark.outcome !== 0 && mark.outcome !== 1) return wrong(`the mark of ${mark.id} has outcome ${mark.outcome}`);
    cycle = mark.cycle;
    if (refused) return mark === marks.at(-1) ? { done, refused } : wrong('the card marked steps after its error message');
    if (mark.outcome === 1) refused = { ...mark, id: due };
    else done.push({ ...mark, id: due });
  }
  return { done, ...refused && { refused } };
}

function kindsOf(scenario: ScenarioId, id: StepId, hasTrace: boolean): readonly EvidenceKind[] {
  const step = frameOf(scenario).steps.find((entry) => entry.id === id);
  if (step && seenAt(step) === 'link') return hasTrace ? ['link', 'mark'] : ['link'];
  return hasTrace ? ['mark'] : ['inferred'];
}

const stopOf = (step: StepId, failure: Failure): Stop => ({
  step, cause: failure.cause, text: failure.text,
  ...failure.sw !== undefined && { sw: failure.sw },
  ...failure.safeCode !== undefined && { safeCode: failure.safeCode },
});

const unexpected = (step: StepId, text: string, outcome: Outcome<unknown>): Stop => ({
  step, cause: 'unexpected', text, ...!outcome.ok && outcome.sw !== undefined && { sw: outcome.sw },
});

const proof = (step: StepId, kinds: readonly EvidenceKind[], outcome: 'done' | 'refused', cycle?: number): StepEvidence =>
  ({ step, kinds, outcome, ...cycle !== undefined && { cycle } });

/** A card without a trace port: the inner steps are concluded from the answer, and only from a good one. */
function judgeBlind(scenario: ScenarioId, group: readonly StepId[], outcome: Outcome<unknown>): Judged {
  const last = group[group.length - 1];
  if (outcome.ok) return { evidence: group.map((step) => proof(step, kindsOf(scenario, step, false), 'done')) };
  if (outcome.cause !== 'refused') return { evidence: [], stop: stopOf(last, outcome) };
  return { evidence: [proof(group[0], ['link'], 'done'), proof(last, ['link'], 'refused')], stop: stopOf(last, outcome) };
}

function judgeSuccess(scenario: ScenarioId, group: readonly StepId[], seen: Walk, outcome: Outcome<unknown>): Judged {
  const evidence = seen.done.map((mark) => proof(mark.id, kindsOf(scenario, mark.id, true), 'done', mark.cycle));
  if (seen.refused) return { evidence, stop: unexpected(seen.refused.id, `the card marked ${seen.refused.id} refused and answered as if done`, outcome) };
  const missing = group[seen.done.length];
  if (missing === undefined) return { evidence };
  return { evidence, stop: unexpected(missing, `the card did not mark step ${missing}`, outcome) };
}

function judgeRefusal(scenario: ScenarioId, group: readonly StepId[], seen: Walk, failure: Failure): Judged {
  const evidence = seen.done.map((mark) => proof(mark.id, kindsOf(scenario, mark.id, true), 'done', mark.cycle));
  if (seen.refused) {
    const { id, cycle } = seen.refused;
    return { evidence: [...evidence, proof(id, kindsOf(scenario, id, true), 'refused', cycle)], stop: stopOf(id, failure) };
  }
  if (seen.done.length > 0) {
    const due = group[Math.min(seen.done.length, group.length - 1)];
    return { evidence, stop: unexpected(due, `the card refused (${failure.text}) without marking the step that refuses`, failure) };
  }
  return { evidence: [proof(group[0], ['link'], 'refused')], stop: stopOf(group[0], failure) };
}

function judgeTraced(scenario: ScenarioId, group: readonly StepId[], outcome: Outcome<unknown>): Judged {
  const seen = walk(scenarioParts(scenario).embodiment, group, outcome.marks);
  const marked = seen.done.map((mark) => proof(mark.id, ['mark'], 'done', mark.cycle));
  if (seen.wrong) return { evidence: marked, stop: unexpected(seen.wrong.step, seen.wrong.text, outcome) };
  if (outcome.ok) return judgeSuccess(scenario, group, seen, outcome);
  if (outcome.cause === 'refused') return judgeRefusal(scenario, group, seen, outcome);
  const next = seen.refused?.id ?? group[Math.min(seen.done.length, group.length - 1)];
  return { evidence: marked, stop: stopOf(next, outcome) };
}

/**
 * Judges one command to the card by its answer and its step marks (protocol.md 2.6, 4).
 * A refusal before the first mark (PIN, class, length) is a refusal at the exchange's first step; any other missing or
 * out-of-order mark is `unexpected`.
 * @param first first step of the exchange
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export function judgeCard(scenario: ScenarioId, first: StepId, outcome: Outcome<unknown>, hasTrace: boolean): Judged {
  const group = exchangeOf(scenario, first);
  return hasTrace ? judgeTraced(scenario, group, outcome) : judgeBlind(scenario, group, outcome);
}

/** Step of a safe's exchange at which a failure shows: unreachable at the request, refused in the act, else the reply. */
function safeStep(scenario: ScenarioId, group: readonly StepId[], cause: FailureCause): StepId {
  if (cause === 'link') return group[0];
  const { steps, exchanges } = frameOf(scenario);
  const atSafe = exchanges.some(({ party, steps: [first] }) => first === group[0] && party.startsWith('safe'));
  const answers = (from: string): boolean => (atSafe ? from.startsWith('safe') : from !== 'terminal');
  const act = steps.find((step) => answers(step.from) && group.includes(step.id as StepId));
  return cause === 'refused' && act ? act.id as StepId : group[group.length - 1];
}

/**
 * Judges one request to a safe by its answer.
 * @param first first step of the exchange
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export const judgeSafe = (scenario: ScenarioId, first: StepId, outcome: Outcome<unknown>): Judged => judgeAway(scenario, first, outcome, 'safe');

/**
 * Judges one exchange with a party that marks no steps by its answer.
 * @param kind how it was seen: at the interface of a server, or on a card link
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export function judgeAway(scenario: ScenarioId, first: StepId, outcome: Outcome<unknown>, kind: 'safe' | 'link'): Judged {
  const group = exchangeOf(scenario, first);
  if (outcome.ok) return { evidence: group.map((step) => proof(step, [kind], 'done')) };
  const step = safeStep(scenario, group, outcome.cause);
  if (outcome.cause !== 'refused') return { evidence: [], stop: stopOf(step, outcome) };
  return { evidence: [proof(group[0], [kind], 'done'), proof(step, [kind], 'refused')], stop: stopOf(step, outcome) };
}

/** Judges one of the deletions of claims 25 and 26, which have no steps of their own in the catalogue. */
export function judgeClaim(step: ClaimState, seen: 'link' | 'safe', outcome: Outcome<unknown>): Judged {
  if (outcome.ok) return { evidence: [{ step, kinds: [seen], outcome: 'done' }] };
  const stop: Stop = { ...stopOf('0-0', outcome), step };
  return { evidence: outcome.cause === 'refused' ? [{ step, kinds: [seen], outcome: 'refused' }] : [], stop };
}
