import { expect, test } from 'vitest';
import type { Violation } from '../../emulator/index.js';
import { CardBench } from './card-bench.js';
import type { CardShown, SlotCard } from './card-slot.js';
import { SlotWatch } from './slot-watch.js';

const violation = (detail: string): Violation => ({ cycle: 5, code: 'NVM_LOCKED', pc: 0x120, detail });
const usage = (pagesWritten: readonly number[], stackLow: number, ramTouched: number): CardShown['usage'] => ({ stackLow, ramTouched, pagesWritten, pageOperations: 0, randomWords: 0 });

/** A slot whose card shows what a test says; nothing is exchanged. */
function showing(): { shown: CardShown; readonly card: SlotCard } {
  const self = {
    shown: { violations: [] as readonly Violation[], usage: usage([], 0x20002000, 0), ramBytes: 0x2000 },
    get card(): SlotCard {
      const virtual = { hz: 1_000_000, runTo: () => Promise.resolve(), cutAt: () => undefined, snapshot: () => undefined, restore: () => undefined, shown: () => self.shown };
      return { channel: { session: undefined } as SlotCard['channel'], applet: {} as SlotCard['applet'], virtual };
    },
  };
  return self;
}

test('what a chip does not permit is told once, whatever the number of sessions, and what was there before is not', () => {
  const one = showing();
  const two = showing();
  one.shown = { ...one.shown, violations: [violation('old')] };
  const watch = new SlotWatch('p', new CardBench({ cards: { one: one.card, two: two.card } }));
  one.shown = { ...one.shown, violations: [violation('old'), violation('new')], usage: usage([3, 4], 0x20001f00, 100) };
  watch.hooks.ending('one');
  one.shown = { ...one.shown, violations: [violation('later')], usage: usage([4, 5], 0x20001e00, 50) };
  two.shown = { ...two.shown, violations: [], usage: usage([4], 0x20001ff0, 200) };
  const { problems, events, usage: used } = watch.end();
  expect(problems).toEqual(['one: the chip reports NVM_LOCKED at pc 120: new', 'one: the chip reports NVM_LOCKED at pc 120: later']);
  expect(events).toMatchObject([{ type: 'violation', point: 'p', text: 'one: new' }, { type: 'violation', text: 'one: later' }]);
  expect(used).toMatchObject({ eepromPages: 4, ram: 200, stack: 0x200 });
  expect(watch.end().problems).toHaveLength(2);
});

test('departures from ISO/IEC 7816-3 are problems, other findings are not', () => {
  const watch = new SlotWatch('p', new CardBench({ cards: { card: showing().card } }));
  const finding = { code: 'LATE', clause: '10.2', detail: 'a late character' };
  watch.hooks.finding('card', { ...finding, rule: 'ISO' } as never);
  watch.hooks.finding('card', { ...finding, rule: 'EMV' } as never);
  expect(watch.end().problems).toEqual(['card: LATE (ISO/IEC 7816-3 10.2): a late character']);
});
