import { isDeviceError } from '../../devices/index.js';
import type { NvmState } from '../../emulator/index.js';
import { noDateWithinMonth } from '../../scenarios/index.js';
import type { Condition } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { commands, encodeCondition, toHex } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { drawCycles } from '../tear/forward.js';
import type { CycleRange } from '../tear/forward.js';
import { defaultPolicies, policyOf } from '../tear/policies.js';
import type { CutPolicy } from '../tear/policies.js';
import { leftNow } from '../tear/rest.js';
import { BenchError } from '../world/errors.js';
import type { World } from '../world/world.js';

/** An edit of the condition storage 158 during which the power is cut. */
export interface ConditionEdit {
  /** For example `11-condition-Z-01`. */
  readonly id: string;
  readonly title: string;
  /** Condition 1 before and after; none: it is not there. */
  readonly before?: Condition;
  readonly after?: Condition;
}

/** Two conditions that differ in every byte and in length, so that a mixture of both is neither. */
const long: Condition = [
  { about: 'class', classes: [1, 2, 3, 4, 5] }, { about: 'size', least: 0, most: 0x7fff }, { about: 'vacant', least: 0, most: 0x7fffffff },
  { about: 'ends', window: { from: '2000-01-01', to: '2099-12-31' } },
];

/** The edits with power cuts. */
export const conditionEdits: readonly ConditionEdit[] = [
  { id: '11-condition-Z-01', title: 'power cut while a condition is put in the place of another', before: long, after: noDateWithinMonth },
  { id: '11-condition-Z-02', title: 'power cut while a condition is stored', after: long },
  { id: '11-condition-Z-03', title: 'power cut while a condition is deleted', before: long },
];

/** What came of the cuts of an edit. */
export interface ConditionCutReport {
  /** Memories under policies that were booted. */
  readonly cases: number;
  /** How often the old and the new condition were there. */
  readonly kept: { readonly old: number; readonly new: number };
  /** One sentence for each thing that is not as it must be. */
  readonly problems: readonly string[];
}

const edit = ({ after }: ConditionEdit): CardCommand => (after === undefined ? commands.deleteCondition(1) : commands.putCondition(1, after));

/** What a terminal sees of the store: numbers, and the terms of condition 1; a card that does not answer says why. */
async function seen(world: World): Promise<string> {
  const numbers = await world.line.transmit(commands.getCondition(0));
  const first = await world.line.transmit(commands.getCondition(1));
  return `${numbers.sw.toString(16)} ${toHex(numbers.data)} ${first.sw.toString(16)} ${toHex(first.data)}`;
}

const foreseen = (condition: Condition | undefined): string => (condition === undefined ? '9000  6a82 ' : `9000 01 9000 ${toHex(encodeCondition(condition))}`);

async function ready(factory: WorldFactory, { before }: ConditionEdit): Promise<World> {
  const world = await factory.world({});
  await world.open();
  if (before === undefined) return world;
  const { sw } = await world.line.transmit(commands.putCondition(1, before));
  if (sw !== 0x9000) throw new BenchError('BENCH_PREPARE', `PUT CONDITION was answered ${sw.toString(16)}`);
  return world;
}

/** Where the cycles of the undisturbed edit and its page operations lie. */
function rangeOf(world: World, wanted: ConditionEdit): Promise<CycleRange> {
  return world.rehearse(async () => {
    const from = world.line.now();
    const { eeprom } = world.card.chip;
    const earlier = eeprom.writes.length;
    const { sw } = await world.line.transmit(edit(wanted));
    if (sw !== 0x9000) throw new BenchError('BENCH_PREPARE', `${wanted.id}: without a cut PUT CONDITION was answered ${sw.toString(16)}`);
    return { from, to: world.line.now(), operations: eeprom.writes.slice(earlier).map(({ start, end }) => ({ start, end })) };
  });
}

const violationsOf = ({ card }: World): string[] => card.violations.map(({ code, detail }) => `the chip reports ${code}: ${detail}`);

/** Boots a memory twice, looks, and lets an honest terminal repeat the edit. */
async function judge(factory: WorldFactory, wanted: ConditionEdit, nvm: NvmState, policy: CutPolicy): Promise<{ readonly is: 'old' | 'new' | 'neither'; readonly problems: readonly string[] }> {
  const [old, now] = [foreseen(wanted.before), foreseen(wanted.after)];
  const problems: string[] = [];
  const first = factory.worldWith({}, nvm, {}, policy.first);
  await first.open();
  const found = await seen(first);
  const is = found === now ? 'new' : found === old ? 'old' : 'neither';
  if (is === 'neither') problems.push(`the store is neither as before nor as after: ${found}`);
  problems.push(...first.contents().problems.map(({ code, text }) => `memory: ${code}: ${text}`));
  problems.push(...violationsOf(first));
  const second = factory.worldWith({}, await first.card.powerOff(), {}, policy.then);
  await second.open();
  if (await seen(second) !== found) problems.push('the second boot shows another store than the first');
  const { sw } = await second.line.transmit(edit(wanted));
  if (sw !== 0x9000 || await seen(second) !== now) problems.push(`an honest edit afterwards was answered ${sw.toString(16)} and left ${await seen(second)}`);
  problems.push(...violationsOf(second));
  return { is, problems };
}

/**
 * Cuts the power at random cycles of an edit, half of them within its page operations, and judges what each leaves:
 * the old condition or the new one, never a mixture. The same seed and number give the same cuts.
 * @throws BenchError BENCH_PREPARE when the undisturbed edit fails
 */
export async function runConditionCuts(factory: WorldFactory, wanted: ConditionEdit, cuts: number, seed: number): Promise<ConditionCutReport> {
  const world = await ready(factory, wanted);
  const range = await rangeOf(world, wanted);
  const half = Math.ceil(cuts / 2);
  const cycles = [...new Set([...drawCycles(range, half, seed, 'operations'), ...drawCycles(range, Math.max(1, cuts - half), seed, 'phase')])].sort((a, b) => a - b);
  const left: { readonly cycle: number; readonly nvm: NvmState }[] = [];
  world.card.port.probeAt(cycles, (cycle) => { left.push({ cycle, nvm: leftNow(world) }); });
  await world.line.transmit(edit(wanted));
  if (left.length < cycles.length) throw new BenchError('BENCH_PREPARE', `${cycles.length - left.length} of ${cycles.length} cycles were not reached`);
  const kept = { old: 0, new: 0 };
  const problems: string[] = [];
  let cases = 0;
  for (const { cycle, nvm } of left) {
    for (const name of nvm.weak.length === 0 ? ['strong'] : defaultPolicies) {
      cases += 1;
      const where = `cut at cycle ${cycle}, weak cells ${name}`;
      try {
        const { is, problems: wrong } = await judge(factory, wanted, nvm, policyOf(name));
        if (is !== 'neither') kept[is] += 1;
        problems.push(...wrong.map((text) => `${where}: ${text}`));
      } catch (error) {
        if (!isDeviceError(error)) throw error;
        problems.push(`${where}: the card does not come back: ${error.code}`);
      }
    }
  }
  return { cases, kept, problems };
}
