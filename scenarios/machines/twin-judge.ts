import { exchangeOf } from '../catalogue/registry.js';
import type { Failure, Outcome, ScenarioId, StepId } from '../ports.js';
import type { Judged, Stop } from './judge.js';
import { judgePurseCard } from './purse-judge.js';
import type { StepEvidence } from './types.js';

/** Judges an act of the device by its outcome: what it refuses, it refuses at the last step of the exchange. */
export function judgeDevice(scenario: ScenarioId, first: StepId, outcome: Outcome<unknown>): Judged {
  const group = exchangeOf(scenario, first);
  const last = group[group.length - 1];
  const done = (step: StepId): StepEvidence => ({ step, kinds: ['safe'], outcome: 'done' });
  if (outcome.ok) return { evidence: group.map(done) };
  const { cause, text, sw, safeCode } = outcome;
  const stop: Stop = { step: last, cause, text, ...sw !== undefined && { sw }, ...safeCode !== undefined && { safeCode } };
  const before = group.slice(0, -1).map(done);
  return { evidence: cause === 'refused' ? [...before, { step: last, kinds: ['safe'], outcome: 'refused' }] : before, stop };
}

/** A step that two cards mark is done when both have, and refused when one has refused: one piece of evidence. */
function oneForEach(evidence: readonly StepEvidence[]): readonly StepEvidence[] {
  return evidence.filter((one, at) => !evidence.slice(at + 1).some(({ step }) => step === one.step));
}

/**
 * Judges what the device does with cards by their marks. A refusal of the device itself behind done marks (a comparison
 * with its own table) is one at the last step.
 * @param due marks in order
 */
export function judgeCards(scenario: ScenarioId, first: StepId, due: readonly StepId[], outcome: Outcome<unknown>, hasTrace: boolean): Judged {
  const own = !outcome.ok && outcome.safeCode !== undefined;
  if (own && outcome.marks.length === 0) return refusedBefore(first, outcome);
  const { evidence, stop } = judgePurseCard(scenario, first, due, own ? { ok: true, value: undefined, marks: outcome.marks } : outcome, hasTrace);
  const judged: Judged = { evidence: oneForEach(evidence), ...stop && { stop } };
  if (!own || stop) return unfinished(judged);
  const last = due[due.length - 1];
  const { cause, text, safeCode } = outcome;
  return {
    evidence: judged.evidence.map((one) => (one.step === last ? { ...one, outcome: 'refused' } : one)),
    stop: { step: last, cause, text, ...safeCode !== undefined && { safeCode } },
  };
}

/** The device has asked no card. */
function refusedBefore(step: StepId, { cause, text, safeCode }: Failure): Judged {
  return {
    evidence: cause === 'refused' ? [{ step, kinds: ['safe'], outcome: 'refused' }] : [], stop: { step, cause, text, ...safeCode !== undefined && { safeCode } },
  };
}

/** A step at which the run stops is not done, whatever one of two cards has marked. */
function unfinished({ evidence, stop }: Judged): Judged {
  return { evidence: stop ? evidence.filter(({ step, outcome }) => step !== stop.step || outcome === 'refused') : evidence, ...stop && { stop } };
}
