import { checkChange, checkState } from '../../scenarios/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { World } from '../world/world.js';

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
