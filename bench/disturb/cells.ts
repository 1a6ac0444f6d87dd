import type { FaultyCell } from '../../emulator/index.js';
import { checkChange, checkState } from '../../scenarios/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { conserved } from '../tear/conserve.js';
import { retryHonestly } from '../tear/goal.js';
import { policyOf } from '../tear/policies.js';
import { orBrick, restOf, violationsOf, worldOf } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import type { World } from '../world/world.js';
import type { DisturbPoint } from './points.js';

/** What came of a memory with a defective cell. */
export interface CellJudged {
  readonly findings: readonly Finding[];
  /** Where the cell has shown over all sessions. */
  readonly cells: readonly FaultyCell[];
}

/** What a card that cannot write any more answers; it must still lose nothing (I12). */
const worn = /\b6581\b/;

/**
 * With a defective cell a card may refuse for good, as long as it says so and keeps everything: what was only refused
 * with 6581 is no breach.
 */
const tolerated = ({ invariant, text }: Finding): boolean => (invariant === 'I11' || invariant === 'I2' || invariant === 'I8') && worn.test(text);

/** Boots, checks, asks again for the same, and spends everything, all with the cell as it is. */
export async function judgeCells(
  factory: WorldFactory, point: DisturbPoint, rest: Rest, before: AbstractWorld, policy: string,
): Promise<CellJudged> {
  const { first, then } = policyOf(policy);
  const findings: Finding[] = [];
  const boot = async (from: Rest, with_: typeof first, when: string, work: (world: World) => Promise<void>): Promise<World> => {
    const world = worldOf(factory, point, from, with_);
    await orBrick(findings, when, async () => {
      await world.open();
      await work(world);
    });
    findings.push(...violationsOf(world));
    return world;
  };
  const again = await boot(rest, first, 'retry', async (world) => {
    const state = world.abstract();
    findings.push(...checkState(state), ...checkChange(before, state));
    const { settled, last } = await retryHonestly(point, world);
    if (!settled) findings.push({ invariant: 'I11', text: `the last honest attempt ended: ${last?.text ?? 'not begun'}` });
    findings.push(...checkState(world.abstract()));
  });
  const spent = await boot(restOf(again, await again.card.powerOff()), then, 'spending', async (world) => {
    findings.push(...await conserved(world));
  });
  return { findings: distinct(findings.filter((finding) => !tolerated(finding))), cells: spent.card.chip.eeprom.faulty };
}

/** Each sentence once. */
export function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ invariant, text }) => {
    const key = `${invariant} ${text}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
