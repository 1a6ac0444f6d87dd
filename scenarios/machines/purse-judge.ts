import { exchangeOf, frameOf } from '../catalogue/registry.js';
import type { Failure, Outcome, ScenarioId, StepId, StepMark } from '../ports.js';
import type { Judged, Stop } from './judge.js';
import type { EvidenceKind, StepEvidence } from './types.js';

const stopOf = (step: StepId, failure: Failure): Stop => ({
  step, cause: failure.cause, text: failure.text,
  ...failure.sw !== undefined && { sw: failure.sw },
  ...failure.safeCode !== undefined && { safeCode: failure.safeCode },
});

interface Walk {
  readonly done: readonly StepMark[];
  readonly refused?: StepMark;
  readonly wrong?: string;
}

/** Reads a command's marks against those docs/purse.md 3.2 lists for it; a refusal is the last one. */
function walk(embodiment: number, due: readonly StepId[], marks: readonly StepMark[]): Walk {
  const done: StepMark[] = [];
  for (const [at, mark] of marks.entries()) {
    const text = `the card marked step ${mark.id} of embodiment ${mark.embodiment}`;
    if (mark.outcome === 1 && at === marks.length - 1 && mark.embodiment === embodiment && due.includes(mark.id)) return { done, refused: mark };
    if (mark.embodiment !== embodiment || mark.id !== due[done.length]) return { done, wrong: `${text} where ${due[done.length] ?? 'nothing'} was due` };
    if (mark.outcome !== 0) return { done, wrong: `${text} with outcome ${mark.outcome}` };
    done.push(mark);
  }
  return { done };
}

/**
 * Judges one command to a card of the purse by its answer and its marks. A card marks steps of the neighbouring
 * exchanges too (what it received, what it sends on): those count for their order, the exchange's own for evidence.
 * @param first first step of the exchange
 * @param due marks of the command in order
 */
export function judgePurseCard(scenario: ScenarioId, first: StepId, due: readonly StepId[], outcome: Outcome<unknown>, hasTrace: boolean): Judged {
  const group = exchangeOf(scenario, first);
  const { embodiment } = frameOf(scenario);
  const last = group[group.length - 1];
  const kinds = (step: StepId): readonly EvidenceKind[] => {
    const seen = onLink(scenario, step);
    if (hasTrace) return seen ? ['link', 'mark'] : ['mark'];
    return seen ? ['link'] : ['inferred'];
  };
  if (!hasTrace) {
    if (outcome.ok) return { evidence: group.map((step) => ({ step, kinds: kinds(step), outcome: 'done' })) };
    return { evidence: outcome.cause === 'refused' ? [{ step: last, kinds: ['link'], outcome: 'refused' }] : [], stop: stopOf(last, outcome) };
  }
  const seen = walk(embodiment, due, outcome.marks);
  const evidence: StepEvidence[] = seen.done.filter(({ id }) => group.includes(id))
    .map(({ id, cycle }) => ({ step: id, kinds: kinds(id), outcome: 'done', cycle }));
  const open = group.find((step) => !evidence.some((one) => one.step === step)) ?? last;
  const unexpected = (text: string): Judged => ({ evidence, stop: { step: open, cause: 'unexpected', text, ...!outcome.ok && outcome.sw !== undefined && { sw: outcome.sw } } });
  if (seen.wrong !== undefined) return unexpected(seen.wrong);
  if (outcome.ok) {
    if (seen.refused) return unexpected(`the card marked ${seen.refused.id} refused and answered as if done`);
    return seen.done.length === due.length ? { evidence } : unexpected(`the card did not mark step ${due[seen.done.length]}`);
  }
  if (outcome.cause !== 'refused') return { evidence, stop: stopOf(open, outcome) };
  if (!seen.refused) return seen.done.length > 0 ? unexpected(`the card refused (${outcome.text}) without marking the step that refuses`) : { evidence, stop: stopOf(first, outcome) };
  const { id, cycle } = seen.refused;
  const step = group.includes(id) ? id : open;
  return { evidence: [...evidence, { step, kinds: kinds(step), outcome: 'refused', cycle }], stop: stopOf(step, outcome) };
}

function onLink(scenario: ScenarioId, id: StepId): boolean {
  const step = frameOf(scenario).steps.find((one) => one.id === id);
  return step !== undefined && step.from !== step.to;
}

/** Judges one request to the third party by its answer: unreachable at its first step, refused at its last. */
export function judgeThirdParty(scenario: ScenarioId, first: StepId, outcome: Outcome<unknown>): Judged {
  const group = exchangeOf(scenario, first);
  const last = group[group.length - 1];
  if (outcome.ok) return { evidence: group.map((step) => ({ step, kinds: ['safe'], outcome: 'done' })) };
  if (outcome.cause !== 'refused') return { evidence: [], stop: stopOf(outcome.cause === 'link' ? first : last, outcome) };
  return { evidence: [{ step: first, kinds: ['safe'], outcome: 'done' }, { step: last, kinds: ['safe'], outcome: 'refused' }], stop: stopOf(last, outcome) };
}
