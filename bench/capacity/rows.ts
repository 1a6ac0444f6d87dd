import { clauseText } from '../../scenarios/index.js';
import type { Finding, ScenarioOutput, Verdict } from '../../scenarios/index.js';
import { capacityCaseId, capacityCaseOf } from './case-id.js';
import type { Stages } from './stage.js';
import { dashed } from './subject.js';
import type { CapacityPart, CapacityRow, RowOutcome } from './types.js';

/** What names a row. */
export interface RowName {
  readonly part: CapacityPart;
  readonly title: string;
  readonly before: CapacityRow['before'];
  readonly condition: string;
  /** Parts of the case id behind the scenario. */
  readonly what: readonly string[];
}

/** The part of a row that says what was run. */
export function named({ factory, subject }: Pick<Stages, 'factory' | 'subject'>, name: RowName): Pick<CapacityRow, 'case' | 'point' | 'scenario' | 'part' | 'title' | 'before' | 'condition' | 'clause'> {
  const { part, title, before, condition, what } = name;
  const { scenario } = subject.run;
  return {
    case: capacityCaseId(capacityCaseOf(factory.setup, dashed(scenario), what)),
    point: `${subject.id}-${what.filter((word) => word !== 'level').join('-')}`, scenario, part, title, before, condition, clause: clauseText(subject),
  };
}

/** Where and with what a run ended, when it did not go through. */
export const ended = (end: Pick<ScenarioOutput, 'cause' | 'step' | 'sw'>): Pick<CapacityRow, 'at' | 'sw'> =>
  ({ ...end.cause === 'done' ? {} : { at: end.step }, ...end.sw !== undefined && { sw: end.sw } });

/** Findings as plain data, each once. */
export const plain = (findings: readonly Finding[]): CapacityRow['findings'] =>
  [...new Map(findings.map(({ invariant, text, step }) => [`${invariant} ${text}`, { invariant, text, ...step !== undefined && { step } }])).values()];

/** Reasons of findings, each once. */
export const reasonsOf = (findings: readonly Finding[]): string[] => plain(findings).map(({ invariant, text }) => `${invariant}: ${text}`);

/** A row of which nothing could be run. */
export function unrun(stages: Pick<Stages, 'factory' | 'subject'>, name: RowName, verdict: Verdict, reason: string): CapacityRow {
  const outcome: RowOutcome = 'not run';
  return { ...named(stages, name), applied: false, outcome, did: 'nothing', findings: [], verdict, reasons: [reason], cycle: 0, digest: '' };
}
