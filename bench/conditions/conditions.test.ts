import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../emulator/index.js';
import { figureDate, meets, movieTickets, noDateWithinMonth, samples } from '../../scenarios/index.js';
import type { Condition, ConditionItem, Term, Window } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { answers, commands, decodeCondition, encodeCondition, loadObject, toHex, valueInformation } from '../codec/index.js';
import type { CardCommand, ValueInformation } from '../codec/index.js';
import { firmwareImage } from '../firmware/faulty.js';
import { seededRandom } from '../world/random.js';
import type { World } from '../world/world.js';
import { conditionEdits, runConditionCuts } from './cuts.js';

const factoryOf = (build?: string): WorldFactory => new WorldFactory({ image: firmwareImage(build), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
const reference = factoryOf();

async function send(world: World, command: CardCommand): Promise<Uint8Array> {
  const { sw, data } = await world.line.transmit(command);
  if (sw !== 0x9000) throw new Error(`${command.name}: ${sw.toString(16)}`);
  return data;
}

const pad = (number: number, length = 2): string => String(number).padStart(length, '0');
const text = (year: number, month: number, day: number): string => `${pad(year, 4)}-${pad(month)}-${pad(day)}`;

describe('figs. 19 and 20', () => {
  /** The four values of fig. 19 on a card, by handle. */
  async function figure(build?: string): Promise<{ world: World; names: Map<number, string> }> {
    const world = await factoryOf(build).world({});
    await world.open();
    const names = new Map<number, string>();
    for (const sample of ['movie-ticket-A', 'concert-ticket-C', 'pre-paid-card-E', 'movie-ticket-G'] as const)
      names.set(answers.load(await send(world, commands.load(world.loadObject(sample)))), sample.slice(-1));
    return { world, names };
  }
  async function chosen({ world, names }: Awaited<ReturnType<typeof figure>>, condition: Condition, date: string): Promise<string> {
    await send(world, commands.putCondition(1, condition));
    return answers.extracted(await send(world, commands.extract(1, date))).entries.map(({ handle }) => names.get(handle)).join('');
  }

  test('a: movie tickets are A and G; b: on 2000-03-15 without an available date within a month are E and G', async () => {
    const card = await figure();
    expect(await chosen(card, movieTickets, figureDate)).toBe('AG');
    expect(await chosen(card, noDateWithinMonth, figureDate)).toBe('EG');
  });

  test('the model reads the figures as the firmware does', () => {
    const items = (['movie-ticket-A', 'concert-ticket-C', 'pre-paid-card-E', 'movie-ticket-G'] as const).map((name): [string, ConditionItem] => [name.slice(-1), { ...samples[name], size: 60 }]);
    const by = (condition: Condition): string => items.filter(([, item]) => meets(condition, item, { date: figureDate, vacant: 0 })).map(([name]) => name).join('');
    expect([by(movieTickets), by(noDateWithinMonth)]).toEqual(['AG', 'EG']);
  });

  test('a build that ignores periods does not choose what fig. 20b shows', async () => {
    expect(await chosen(await figure('extract-ignores-period'), noDateWithinMonth, figureDate)).toBe('E');
  });
});

/* ---- firmware against model ---- */

/** Days near one another, some that no month or no calendar has. */
const day = fc.tuple(fc.integer({ min: 1998, max: 2003 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 })).map(([y, m, d]) => text(y, m, d));
const strangeDay = fc.oneof({ weight: 9, arbitrary: day }, { weight: 1, arbitrary: fc.constantFrom('2000-00-10', '2000-13-01', '2001-02-00', '2001-06-32', '0000-01-01', '9999-12-31') });
const window: fc.Arbitrary<Window> = fc.oneof(
  fc.tuple(fc.constantFrom('days' as const, 'months' as const), fc.integer({ min: -400, max: 400 }), fc.integer({ min: 0, max: 400 })).map(([unit, least, more]) => ({ unit, least, most: least + more })),
  fc.tuple(fc.constantFrom('days' as const, 'months' as const), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 3 })).map(([unit, least, more]) => ({ unit, least, most: least + more })),
  fc.tuple(day, day).map(([a, b]) => (a <= b ? { from: a, to: b } : { from: b, to: a })),
);
const bounds = (most: number): fc.Arbitrary<{ least: number; most: number }> =>
  fc.tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most })).map(([a, b]) => ({ least: Math.min(a, b), most: Math.max(a, b) }));
const plainTerm: fc.Arbitrary<Term> = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }).map((classes): Term => ({ about: 'class', classes })),
  bounds(160).map((both): Term => ({ about: 'size', ...both })),
  bounds(60_000).map((both): Term => ({ about: 'vacant', ...both })),
  fc.tuple(fc.constantFrom('valid' as const, 'begins' as const, 'ends' as const, 'held' as const), window).map(([about, of]): Term => ({ about, window: of })),
);
const term = fc.tuple(plainTerm, fc.boolean()).map(([one, not]): Term => (not ? { ...one, not: true } : one));
const condition: fc.Arbitrary<Condition> = fc.array(term, { minLength: 1, maxLength: 4 });

describe('the extractor of the firmware against the model', () => {
  let world: World;
  const items = new Map<number, ConditionItem>();

  beforeAll(async () => {
    world = await reference.world({});
    await world.open();
    const random = seededRandom(7, 'items');
    const below = (limit: number): number => new DataView(random(4).buffer).getUint32(0) % limit;
    const some = (): string => text(1999 + below(4), 1 + below(12), 1 + below(31));
    for (let i = 0; i < 24; i += 1) {
      const heldSince = i % 4 === 0 ? undefined : text(2000 + below(3), 1 + below(12), 1 + below(28));
      await send(world, commands.select());
      await world.verify();
      if (heldSince !== undefined) await send(world, commands.date(heldSince));
      const strange = i === 5 ? { from: '2000-13-01', to: '2001-01-01' } : i === 6 ? { from: '2000-02-30', to: '2000-02-31' } : { from: some(), to: some() };
      const value: ValueInformation = {
        ...samples.smallest, infoClass: 1 + (i % 6), name: 'n'.repeat(1 + below(48)), remarks: 'r'.repeat(below(65)), validity: i % 5 === 0 ? null : strange,
        issueId: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, i),
      };
      const { issuer, cardId } = world.parts;
      const handle = answers.load(await send(world, commands.load(loadObject.encode(issuer.loadObject(cardId, i + 1, value)))));
      items.set(handle, { infoClass: value.infoClass, size: valueInformation.encode(value).length, validity: value.validity, ...heldSince !== undefined && { heldSince } });
    }
  });

  const vacant = async (): Promise<number> => answers.memory(await send(world, commands.getData('memory'))).freeData;
  const byCard = async (number: number, date: string): Promise<readonly number[]> =>
    answers.extracted(await send(world, commands.extract(number, date))).entries.map(({ handle }) => handle).sort((a, b) => a - b);
  const byModel = (conditions: readonly Condition[], date: string, free: number): readonly number[] =>
    [...items].filter(([, item]) => conditions.some((one) => meets(one, item, { date, vacant: free }))).map(([handle]) => handle).sort((a, b) => a - b);

  test('chooses the same by every random condition on every random date, and by two of them together', async () => {
    const free = await vacant();
    let someChosen = 0;
    await fc.assert(fc.asyncProperty(condition, condition, day, async (first, second, date) => {
      fc.pre(encodeCondition(first).length <= 56 && encodeCondition(second).length <= 56);
      await send(world, commands.putCondition(1, first));
      await send(world, commands.putCondition(2, second));
      expect(await byCard(1, date)).toEqual(byModel([first], date, free));
      expect(await byCard(0, date)).toEqual(byModel([first, second], date, free));
      const count = (await byCard(1, date)).length;
      if (count > 0 && count < items.size) someChosen += 1;
    }), { numRuns: 150, seed: 11 });
    expect(someChosen).toBeGreaterThan(30);
  }, 300_000);

  test('a window on the last days of months and of February in leap years', async () => {
    const free = await vacant();
    for (const date of ['2000-01-31', '2000-02-28', '2000-02-29', '2000-03-01', '2001-02-28', '2001-03-01', '1999-12-31', '2000-12-31']) {
      for (const unit of ['days', 'months'] as const) for (const most of [-1, 0, 1, 28, 29, 30, 31, 365, 366]) {
        const edge: Condition = [{ about: 'begins', window: { unit, least: -32768, most } }];
        await send(world, commands.putCondition(1, edge));
        expect([date, unit, most, await byCard(1, date)]).toEqual([date, unit, most, byModel([edge], date, free)]);
      }
    }
  }, 120_000);

  test('what a date is not the card does not take, whatever its digits', async () => {
    await fc.assert(fc.asyncProperty(strangeDay, async (date) => {
      const [, month, number] = date.split('-').map(Number);
      const { sw } = await world.line.transmit(commands.extract(0, date));
      expect(sw).toBe(month >= 1 && month <= 12 && number >= 1 && number <= 31 ? 0x9000 : 0x6a80);
    }), { numRuns: 60, seed: 3 });
  });

  test('random bytes are a condition for the card exactly when they are one for the codec', async () => {
    await send(world, commands.deleteCondition(2));
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 56 }),
      fc.tuple(fc.constantFrom(0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb7, 0xb8, 0xbc, 0xc4), fc.uint8Array({ maxLength: 12 })).map(([tag, content]) => Uint8Array.of(tag, content.length, ...content)),
    );
    await fc.assert(fc.asyncProperty(bytes, async (data) => {
      const { sw } = await world.line.transmit({ ...commands.deleteCondition(2), data });
      expect([toHex(data), sw]).toEqual([toHex(data), isCondition(data) ? 0x9000 : 0x6a80]);
    }), { numRuns: 150, seed: 5 });
  }, 120_000);
});

const calendar = (one: string): boolean => /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(one);

/** What docs/protocol.md 6.1 says of a condition, by the codec and the rules for its members. */
function isCondition(data: Uint8Array): boolean {
  try {
    return decodeCondition(data).every((one) => {
      if (one.about === 'class') return one.classes.length > 0 && one.classes.every((cls) => cls >= 1 && cls <= 0x7f);
      if (!('window' in one)) return one.least <= one.most;
      return 'from' in one.window ? calendar(one.window.from) && calendar(one.window.to) && one.window.from <= one.window.to : one.window.least <= one.window.most;
    });
  } catch {
    return false;
  }
}

describe('conditions as bytes', () => {
  test('what is encoded is decoded', () => {
    fc.assert(fc.property(condition, (one) => { expect(decodeCondition(encodeCondition(one))).toEqual(one); }), { seed: 1 });
  });
});

describe('power cuts while conditions are edited', () => {
  test.each(conditionEdits.map((edit) => [edit.id, edit] as const))('%s: the old condition or the new one', async (_, edit) => {
    const { cases, kept, problems } = await runConditionCuts(reference, edit, 40, 1);
    expect(problems).toEqual([]);
    expect(cases).toBeGreaterThan(40);
    expect(Math.min(kept.old, kept.new)).toBeGreaterThan(0);
  }, 120_000);

  test('a build that writes in place leaves neither', async () => {
    const { problems } = await runConditionCuts(factoryOf('condition-in-place'), conditionEdits[0], 12, 1);
    expect(problems.join('\n')).toContain('the store is neither as before nor as after');
  }, 120_000);
});
