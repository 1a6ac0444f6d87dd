import type { PathCoverageEvent, PathEvent } from '../../reports/index.js';
import { beyondReach, definitions, transitionsOf } from '../../scenarios/index.js';
import type { BeyondReach } from '../../scenarios/index.js';

const reasons: Readonly<Record<BeyondReach | 'none', string>> = {
  bench: 'only a broken bench takes', answer: 'no answer of the safe ends there', card: 'only a card that breaks the protocol takes', none: 'not provoked',
};

/** Collects the transitions that runs on the card have taken. */
export class PathCoverage {
  readonly #taken = new Map<string, Set<string>>();

  /** Takes what one point has gone through. */
  take({ scenario, took }: PathEvent): void {
    this.#taken.set(scenario, new Set([...this.#taken.get(scenario) ?? [], ...took]));
  }

  /** How much of each machine was taken, in protocol order. */
  events(): readonly PathCoverageEvent[] {
    return definitions.map(({ frame, machine }) => {
      const taken = this.#taken.get(frame.id) ?? new Set();
      const all = transitionsOf(machine);
      const open = all.filter(({ name }) => !taken.has(name));
      return {
        type: 'paths', scenario: frame.id, transitions: all.length, taken: all.length - open.length,
        open: open.map((transition) => ({ transition: transition.name, why: reasons[beyondReach(frame, transition) ?? 'none'] })),
      };
    });
  }
}
