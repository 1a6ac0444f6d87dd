import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { emulatedCard } from '../../devices/index.js';
import { Translations, createChip, loadImage, loadProfile, type Chip, type ChipConfig } from '../../emulator/index.js';
import { commands } from '../codec/index.js';
import { Desk } from '../firmware/desk.js';
import { EmulatedLine } from '../terminal/emulated-line.js';
import { seededRandom } from '../world/random.js';

const image = loadImage(readFileSync(fileURLToPath(new URL('../../devices/firmware/images/card.elf', import.meta.url))));
const profile = loadProfile('c2010');

/** Something the terminal did to the chip, and when. */
interface Act {
  readonly at: number;
  readonly perform: (chip: Chip) => void;
}

const LINK_ACTS = ['send', 'setFD', 'setInverse', 'cancel', 'reject'] as const;

/** Notes everything that is done to the chip's contact. */
function listen(chip: Chip): Act[] {
  const acts: Act[] = [];
  const link = chip.link as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of LINK_ACTS) {
    const original = link[name].bind(chip.link);
    link[name] = (...args) => {
      acts.push({ at: chip.now, perform: (other) => (other.link as unknown as typeof link)[name](...args) });
      return original(...args);
    };
  }
  return acts;
}

/** A session with both embodiments: personalisation, deposit, deletion, recovery, receipts; what the terminal did in it. */
async function session(): Promise<{ acts: Act[]; end: number }> {
  const card = emulatedCard({ profile, image, protocol: 'T=1', seed: 7, engine: 'interpreter' });
  const acts = listen(card.chip);
  const line = new EmulatedLine(card);
  await line.bringUp();
  const desk = new Desk(line);
  await desk.personalise();
  const value = await desk.load();
  const plain = await desk.register(1, 0, value);
  const other = await desk.load();
  const sealed = await desk.register(2, 1, other);
  for (const handle of [value, other]) await desk.send(commands.deleteItem(handle));
  await desk.recover(1, plain);
  await desk.settle(plain);
  await desk.recover(2, sealed);
  return { acts, end: card.chip.now };
}

function newChip(config: Partial<ChipConfig>): Chip {
  return createChip({ profile, image, seed: 7, ...config });
}

type View = Readonly<Record<string, unknown>>;

/** Everything of a chip that a run can change, but for long lists of the past. */
function view(chip: Chip): View {
  const { core } = chip.machine;
  const own = Object.entries(core).filter(([, value]) => typeof value !== 'object' && typeof value !== 'function');
  const { pending, queued, busyUntil, cardCharacters } = chip.link;
  return {
    ...Object.fromEntries(own), cycle: chip.now, inRam: core.seg === core.ram, r: core.r.join(), priority: core.priority.join(),
    devices: JSON.stringify(chip.machine.devices.map((device) => device.snapshot())), violations: JSON.stringify(chip.violations),
    link: [pending, queued, busyUntil, cardCharacters].join(), operation: JSON.stringify(chip.eeprom.operation), writes: chip.eeprom.writes.length,
  };
}

/** Fields that say how the next run is divided, or where the last access was: they may differ. */
const FREE: ReadonlySet<string> = new Set(['left', 'end', 'sliceLength', 'at', 'target', 'ramCodeFirst']);

/** What differs between two chips; undefined when nothing does. */
function difference(one: Chip, other: Chip): string | undefined {
  const [a, b] = [view(one), view(other)];
  const found = Object.keys(a).filter((name) => !FREE.has(name) && !Object.is(a[name], b[name]));
  if (Buffer.compare(one.machine.core.ramU8, other.machine.core.ramU8) !== 0) found.push('RAM');
  if (Buffer.compare(one.eeprom.bytes, other.eeprom.bytes) !== 0) found.push('EEPROM');
  return found.length === 0 ? undefined : found.map((name) => `cycle ${one.now}, ${name}: ${String(a[name])}, ${String(b[name])}`).join('\n');
}

let played: Awaited<ReturnType<typeof session>>;

beforeAll(async () => {
  played = await session();
}, 120_000);

/** Plays the session to two chips with a stop at random cycles, both compared at each; gives the number of stops. */
function replay(chips: readonly [Chip, Chip], seed: number, stops: number): { stops: number; difference: string | undefined } {
  const random = seededRandom(seed, 'stops');
  const mean = played.end / stops;
  let made = 0;
  for (const act of [...played.acts, { at: played.end, perform: () => undefined }]) {
    while (chips[0].now < act.at) {
      const [kind, low, high] = random(3);
      const length = kind < 100 ? 1 + (low & 31) : 1 + Math.floor((mean * 3.3 * (low * 256 + high)) / 65536);
      const until = Math.min(act.at, chips[0].now + length);
      const runs = chips.map((chip) => chip.run(until));
      made++;
      const found = isDeepStrictEqual(runs[0], runs[1]) ? difference(...chips) : `${JSON.stringify(runs)}`;
      if (found !== undefined) return { stops: made, difference: found };
    }
    for (const chip of chips) act.perform(chip);
  }
  const [a, b] = chips.map((chip) => chip.snapshot());
  return { stops: made, difference: isDeepStrictEqual(a, b) ? undefined : 'the snapshots at the end' };
}

describe('the card firmware through a whole session', () => {
  it.each([['wasm', 12_000], ['auto', 6_000]] as const)('engine %s is equal to the interpreter at random stops: core, RAM, EEPROM, devices, link', (engine, stops) => {
    const chips = [newChip({ engine: 'interpreter' }), newChip({ engine })] as const;
    const result = replay(chips, 3, stops);
    expect(result.difference).toBeUndefined();
    expect(result.stops).toBeGreaterThan(stops * 0.8);
    expect(chips[1].machine.engineCounts?.entered).toBeGreaterThan(1_000);
    expect(chips[0].steps.length).toBeGreaterThan(10);
  }, 120_000);
});

describe('translations in a worker', () => {
  it('are taken over: the worker translates nothing and ends at the same state', async () => {
    const translations = new Translations();
    const chip = newChip({ engine: 'wasm', translations });
    chip.run(2_000_000);
    const here = { cycle: chip.now, instructions: chip.machine.instructions, registers: chip.machine.registers() };
    const door = new URL('../../dist/emulator/index.js', import.meta.url).href;
    const source = `import { parentPort, workerData } from 'node:worker_threads';
      const { Translations, createChip, loadProfile } = await import(${JSON.stringify(door)});
      const translations = new Translations();
      const taken = translations.adopt(workerData.handle);
      const chip = createChip({ profile: loadProfile('c2010'), image: workerData.image, seed: 7, engine: 'auto', translations });
      chip.run(2_000_000);
      parentPort.postMessage({ taken, counts: chip.machine.engineCounts, here: { cycle: chip.now, instructions: chip.machine.instructions, registers: chip.machine.registers() } });`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { handle: translations.handle(), image } });
    const answer = await new Promise<{ taken: number; counts: { regions: number; entered: number }; here: unknown }>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(answer.taken).toBeGreaterThan(0);
    expect(answer.counts).toMatchObject({ regions: 0 });
    expect(answer.counts.entered).toBeGreaterThan(0);
    expect(answer.here).toEqual(here);
  });
});
