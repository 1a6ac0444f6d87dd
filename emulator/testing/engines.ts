import type { Image } from '../image/image.js';
import { createMachine, type Machine, type MachineConfig, type RunResult } from '../machine.js';

/** A seeded sequence of numbers from 0 to 1 (mulberry32). */
export function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
  };
}

/** A stop length in cycles: mostly a few, sometimes up to `longest`. */
export function stopLength(next: () => number, longest: number): number {
  const kind = next();
  const bound = kind < 0.4 ? 12 : kind < 0.8 ? 400 : longest;
  return 1 + Math.floor(next() * bound);
}

/** The same machine twice: interpreted and translated. */
export interface Pair {
  readonly interpreter: Machine;
  readonly translator: Machine;
}

/** Makes both and powers them on; `engine` is that of the second. */
export function createPair(image: Image, config: Partial<MachineConfig> = {}, engine: 'wasm' | 'auto' = 'wasm'): Pair {
  const make = (choice: 'interpreter' | 'wasm' | 'auto'): Machine => {
    const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x4000 }, ...config, engine: choice });
    machine.loadImage(image);
    machine.reset('power-on');
    return machine;
  };
  return { interpreter: make('interpreter'), translator: make(engine) };
}

/** What differs between two machines' states, in words; empty when nothing does. */
export function differences(one: Machine, other: Machine): string[] {
  const found: string[] = [];
  const [a, b] = [one.core, other.core];
  const note = (what: string, x: unknown, y: unknown): void => {
    if (!Object.is(x, y)) found.push(`${what}: ${String(x)}, ${String(y)}`);
  };
  const fields = ['n', 'z', 'c', 'v', 'i', 'lost', 'thumb', 'ipsr', 'primask', 'control', 'otherSp', 'instructions', 'sleeping', 'lockedUp', 'spWatch', 'stackLow', 'sysPending', 'sysActive', 'irqPending', 'irqActive', 'nextEvent', 'ready'] as const;
  for (const field of fields) note(field, a[field], b[field]);
  note('cycle', one.cycle, other.cycle);
  note('segment', a.seg === a.ram, b.seg === b.ram);
  for (let r = 0; r < 15; r++) note(`r${r}`, a.r[r], b.r[r]);
  note('violations', JSON.stringify(one.violations), JSON.stringify(other.violations));
  if (Buffer.compare(a.ramU8, b.ramU8) !== 0) found.push(`RAM from word ${a.ram.i32.findIndex((word, k) => word !== b.ram.i32[k])} on`);
  return found;
}

/** How a comparison went. */
export interface Comparison {
  readonly stops: number;
  /** The first stop at which the two differed, in words; undefined when there was none. */
  readonly difference: string | undefined;
  /** Why the last run ended. */
  readonly reason: RunResult['reason'];
}

/**
 * Runs both machines in pieces of random length and compares their states at each stop, until `stops` were made
 * or a run ends for another reason than its limit.
 */
export function compareAtStops({ interpreter, translator }: Pair, seed: number, stops: number, longest: number): Comparison {
  const next = sequence(seed);
  for (let stop = 1; ; stop++) {
    const until = interpreter.cycle + stopLength(next, longest);
    const from = interpreter.cycle;
    const one = interpreter.run({ until, idle: 'advance' });
    const other = translator.run({ until, idle: 'advance' });
    const found = differences(interpreter, translator);
    if (JSON.stringify(one) !== JSON.stringify(other)) found.unshift(`${JSON.stringify(one)} ${JSON.stringify(other)}`);
    const ended = one.reason !== 'limit' || stop === stops;
    if (found.length === 0 && !ended) continue;
    const difference = found.length === 0 ? undefined : `stop ${stop}, cycles ${from} to ${until}: ${found.join('; ')}`;
    return { stops: stop, difference, reason: one.reason };
  }
}
