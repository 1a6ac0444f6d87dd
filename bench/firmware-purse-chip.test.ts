import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emulatedCard } from '../devices/index.js';
import type { EmulatedCard } from '../devices/index.js';
import { loadProfile } from '../emulator/index.js';
import type { ChipProfile } from '../emulator/index.js';
import { entryFaults, PurseCard, receipt, serviceState } from './firmware/purse-desk.js';
import { decode, decodePurse } from './nvm/index.js';
import { EmulatedLine } from './terminal/emulated-line.js';

const images = new URL('../devices/firmware/images/', import.meta.url);
const imageOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.elf`, images));
const report = JSON.parse(readFileSync(new URL('card.size.json', images), 'utf8')) as { stack: Record<'coprocessor' | 'software', { bytes: number }> };

type Chip = PurseCard & { readonly line: EmulatedLine };

async function card(number: number, profile: ChipProfile, protocol: 'T=0' | 'T=1' = 'T=1', image = imageOf('card')): Promise<Chip> {
  const emulated = emulatedCard({ profile, protocol, image, seed: number });
  const line = new EmulatedLine(emulated);
  await line.bringUp();
  const made = new PurseCard(line, number) as Chip;
  await made.personalise();
  return made;
}

const sumOf = async (...cards: readonly PurseCard[]): Promise<number> => {
  let sum = 0;
  for (const one of cards) sum += (await one.state()).balance;
  return sum;
};

/** P-3 to the log's entry. */
async function receiving(b: PurseCard, f1: Uint8Array, embodiment: number): Promise<Uint8Array> {
  const answer = await b.receive(f1, embodiment);
  return embodiment === 1 ? answer : b.accept(serviceState(answer));
}

const stackOf = ({ chip }: EmulatedCard): number => chip.profile.ram.bytes - (chip.usage().stackLow - 0x20000000);

describe('two purses on the emulated chip', () => {
  it.each([
    ['c2010', 'T=1', []], ['c2010', 'T=0', []], ['modern', 'T=1', []], ['c2010', 'T=1', ['crypto.present=false']],
  ] as const)('%s, %s, %j: four alternatives, both embodiments; no violation, stack within the report', async (name, protocol, overrides) => {
    const profile = loadProfile(name, overrides);
    const [a, b] = [await card(1, profile, protocol), await card(2, profile, protocol)];
    expect(a.publicKey).not.toEqual(b.publicKey);
    await a.issue(1000);
    for (const alternative of [1, 2, 3, 4]) {
      const embodiment = 1 + (alternative % 2);
      const f1 = await a.pay(await b.challenge(100, alternative, embodiment), embodiment);
      const f2 = await receiving(b, f1, embodiment);
      expect(entryFaults(f2)).toEqual([]);
      expect(await receiving(b, f1, embodiment)).toEqual(f2);
      await b.logTaken(receipt(f2));
    }
    expect(await sumOf(a, b)).toBe(1000);
    expect(await b.state()).toMatchObject({ balance: 400, open: 0, waiting: 0 });
    for (const { line } of [a, b]) {
      expect(line.card.violations).toEqual([]);
      expect(stackOf(line.card)).toBeLessThanOrEqual(report.stack[overrides.length === 0 ? 'coprocessor' : 'software'].bytes);
      const { bytes } = await line.card.powerOff();
      expect([decode(bytes).problems, decodePurse(bytes)?.problems]).toEqual([[], []]);
    }
  });
});

/** Cuts a call at a cycle, and powers on again. Throws when the cut did not come. */
async function cutAt(on: Chip, cycle: number, run: () => Promise<unknown>): Promise<void> {
  on.line.card.cutAt(cycle);
  await expect(run(), `cut at ${cycle}`).rejects.toThrow();
  await on.line.bringUp();
  await on.select();
}

/** Cycles spread evenly over a call that is run once, and the card put back before it. */
async function spread(on: Chip, count: number, run: () => Promise<unknown>): Promise<{ readonly start: ReturnType<EmulatedCard['snapshot']>; readonly cycles: readonly number[] }> {
  const start = on.line.card.snapshot();
  const from = on.line.now();
  await run();
  const length = on.line.now() - from;
  on.line.card.restore(start);
  return { start, cycles: Array.from({ length: count }, (_, i) => Math.floor(from + (length * (i + 0.5)) / count)) };
}

/** Cuts of each card. */
const CUTS = 24;

/**
 * Cuts a transfer of 300 of 1000 once on each card, spread over their commands, repeats what was cut, and answers what
 * is then wrong.
 */
async function cutTransfers(image: Uint8Array, alternative: number, embodiment: number): Promise<readonly string[]> {
  const profile = loadProfile('c2010');
  const [a, b] = [await card(1, profile, 'T=1', image), await card(2, profile, 'T=1', image)];
  await a.issue(1000);
  const f0 = await b.challenge(300, alternative, embodiment);
  const payer = await spread(a, CUTS, () => a.pay(f0, embodiment));
  const once = await a.pay(f0, embodiment);
  const payee = await spread(b, CUTS, () => receiving(b, once, embodiment));
  const wrong: string[] = [];
  const check = (what: string, found: unknown, ...wanted: readonly unknown[]): void => {
    if (!wanted.some((one) => JSON.stringify(one) === JSON.stringify(found))) wrong.push(`${what}: ${JSON.stringify(found)}`);
  };
  for (let i = 0; i < CUTS; i += 1) {
    a.line.card.restore(payer.start);
    b.line.card.restore(payee.start);
    await cutAt(a, payer.cycles[i], () => a.pay(f0, embodiment));
    check('payer after the cut', (await a.state()).balance, 1000, 700);
    const f1 = await a.pay(f0, embodiment);
    check('F1', f1, once);
    await a.line.reset('cold');
    await a.select();
    check('payer after a reset behind the answer', (await a.state()).balance, 700);
    await cutAt(b, payee.cycles[(i * 7) % CUTS], () => receiving(b, f1, embodiment));
    const { balance, open } = await b.state();
    check('payee after the cut', [balance, open], [0, 1], [300, 0]);
    const f2 = await receiving(b, f1, embodiment).catch((error: unknown) => String(error));
    check('F2', typeof f2 === 'string' ? f2 : entryFaults(f2), []);
    const last = await b.state();
    check('payee', [last.balance, last.received, last.open, last.waiting], [300, 300, 0, 1]);
    check('chips', [...a.line.card.violations, ...b.line.card.violations], []);
  }
  return wrong;
}

describe('power cuts at cycles of both cards, weak cells or not', () => {
  it.each([[1, 1], [3, 2]])('alternative %i, embodiment %i: nothing made, nothing lost, completed by repeating', async (alternative, embodiment) => {
    expect(await cutTransfers(imageOf('card'), alternative, embodiment)).toEqual([]);
  });

  it('a faulty build is found', async () => {
    expect(await cutTransfers(imageOf('faulty/purse-debit-late'), 1, 1)).toContain('payer after a reset behind the answer: 1000');
    expect(await cutTransfers(imageOf('faulty/purse-erase-first'), 1, 1)).toContain('payee after the cut: [0,0]');
  });
});
