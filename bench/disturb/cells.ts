import type { FaultyCell, WeakPolicy } from '../../emulator/index.js';
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

/** Status of a card that cannot write any more; it must still lose nothing (I12). */
const wornStatus = [0x65, 0x81];
/** What only a refusal is behind: nothing that the memory itself says. */
const refusal = /cannot be|did not come back|last honest attempt/;

/**
 * With a defective cell a card may refuse for good, as long as it says so (6581) and keeps everything. Numbers that stand
 * on an unreadable page have not gone back: they are unreadable, and the card must refuse.
 */
export function excused({ invariant, text }: Finding, world: World, worn: boolean): boolean {
  if (invariant === 'I9' && text.includes(`of card ${world.cardId} went back`)) return world.contents().state === undefined;
  return worn && refusal.test(text);
}

/** One power session with the cell as it is; what the card may be excused is left out of its findings. */
class CellSession {
  readonly world: World;
  readonly findings: Finding[] = [];
  #worn = false;

  constructor(factory: WorldFactory, point: DisturbPoint, rest: Rest, policy: WeakPolicy) {
    this.world = worldOf(factory, point, rest, policy, {
      exchanged: ({ answer }) => { this.#worn ||= wornStatus.every((byte, at) => answer.at(at - 2) === byte); },
    });
  }

  async run(when: string, work: (world: World, findings: Finding[]) => Promise<void>): Promise<readonly Finding[]> {
    await orBrick(this.findings, when, async () => {
      await this.world.open();
      await work(this.world, this.findings);
    });
    return [...this.findings.filter((finding) => !excused(finding, this.world, this.#worn)), ...violationsOf(this.world)];
  }
}

/** Boots, checks, asks again for the same, and spends everything, all with the cell as it is. */
export async function judgeCells(
  factory: WorldFactory, point: DisturbPoint, rest: Rest, before: AbstractWorld, policy: string,
): Promise<CellJudged> {
  const { first, then } = policyOf(policy);
  const retry = new CellSession(factory, point, rest, first);
  const again = await retry.run('retry', async (world, findings) => {
    const state = world.abstract();
    findings.push(...checkState(state), ...checkChange(before, state));
    const { settled, last } = await retryHonestly(point, world);
    if (!settled) findings.push({ invariant: 'I11', text: `the last honest attempt ended: ${last?.text ?? 'not begun'}` });
    findings.push(...checkState(world.abstract()));
  });
  const spending = new CellSession(factory, point, restOf(retry.world, await retry.world.card.powerOff()), then);
  const spent = await spending.run('spending', async (world, findings) => { findings.push(...await conserved(world)); });
  return { findings: distinct([...again, ...spent]), cells: spending.world.card.chip.eeprom.faulty };
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
