import { checkChange, checkState } from '../../scenarios/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { World } from '../world/world.js';
import type { PointLog } from './log.js';

const byText = (findings: readonly Finding[]): Finding[] =>
  [...new Map(findings.map((finding) => [`${finding.invariant} ${finding.text}`, finding])).values()];

/** What the invariants and the second decoder say of a run, from its states at rest in order. */
export function worldFindings(history: readonly AbstractWorld[], world: World): Finding[] {
  const problems = world.contents().problems.map(({ code, page, text }): Finding => (
    { invariant: 'I2', text: `memory: ${code} in page ${page}: ${text}` }
  ));
  const states = history.flatMap((state) => checkState(state));
  const changes = history.slice(1).flatMap((state, at) => checkChange(history[at], state));
  return byText([...problems, ...states, ...changes]);
}

/**
 * What the cards of a point have shown beside their answers (I13): violations that the chips report, departures from the
 * transmission rules. `disturbed`: the line itself was, so that departures say nothing of the card.
 */
export function cardFindings({ violations, deviceProblems, lineFindings }: Pick<PointLog, 'violations' | 'deviceProblems' | 'lineFindings'>, disturbed = false): Finding[] {
  const late = disturbed ? [] : lineFindings.filter(({ rule }) => rule === 'ISO');
  return [
    ...violations.map(({ code, pc, symbol, detail }) => `the chip reports ${code} at ${symbol ?? `pc ${pc.toString(16)}`}: ${detail}`),
    ...deviceProblems,
    ...late.map(({ code, clause, detail }) => `${code} (ISO/IEC 7816-3 ${clause}): ${detail}`),
  ].map((text) => ({ invariant: 'I13', text }));
}
