import type { TwinTable } from '../twin-ports.js';

/** Cards, device and issuer of the primary and secondary card system. Plain data; numbers as texts, yen. */
export interface AbstractTwinWorld {
  readonly cards: readonly { readonly table: TwinTable; /** A shop was served. */ readonly accepted: boolean }[];
  readonly device: { readonly blackList: readonly string[]; readonly blocked: boolean };
  readonly issuer: {
    readonly blackList: readonly string[];
    readonly accounts: readonly { readonly holder: string; readonly issued: number; readonly spent: number }[];
  };
}

/** A broken invariant. */
export interface TwinFinding {
  readonly invariant: string;
  readonly text: string;
}

const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);

/** A card that says of itself that it is the primary card. */
const saysPrimary = ({ cardNumber, primaryNumber }: TwinTable): boolean => cardNumber === primaryNumber;

/** Step 506 leaves a card that is neither primary nor secondary; so it stays until it is restored. */
const isInvalidated = ({ primaryNumber, secondaryNumber }: TwinTable): boolean => primaryNumber === '' && secondaryNumber === '';

/** Primary cards: those that say so and that no black list of card, device or issuer names. */
export function primaryCards({ cards, device, issuer }: AbstractTwinWorld): readonly string[] {
  const listed = new Set([...device.blackList, ...issuer.blackList, ...cards.flatMap(({ table }) => table.blackList)]);
  return cards.map(({ table }) => table).filter((table) => saysPrimary(table) && !listed.has(table.cardNumber)).map(({ cardNumber }) => cardNumber);
}

/**
 * What holds at any moment at rest (docs/twin.md 6): T1 exactly one primary card, none only while one is invalidated or its
 * holder black-listed; T2 a card serves a shop if and only if its card number is its primary number and not black-listed;
 * T3 no card but a primary one holds a balance; T4 primary cards hold no more than what the issuer has left for them.
 */
export function checkTwin(world: AbstractTwinWorld): readonly TwinFinding[] {
  const { cards, issuer } = world;
  const findings: TwinFinding[] = [];
  const found = (invariant: string, text: string): void => { findings.push({ invariant, text }); };
  const primary = primaryCards(world);
  if (primary.length > 1) found('T1', `${primary.length} cards are primary: ${primary.join(', ')}`);
  const stopped = cards.some(({ table }) => isInvalidated(table)) || issuer.accounts.some(({ holder }) => issuer.blackList.includes(holder));
  if (primary.length === 0 && !stopped) found('T1', 'no card is primary, and none has been invalidated');
  for (const { table, accepted } of cards) {
    const { cardNumber, blackList, balance } = table;
    const due = saysPrimary(table) && !blackList.includes(cardNumber);
    if (accepted !== due) found('T2', `card ${cardNumber} ${accepted ? 'serves' : 'does not serve'} a shop, its primary number is ${table.primaryNumber || 'blank'}`);
    if (balance !== 0 && !saysPrimary(table)) found('T3', `card ${cardNumber} is not primary and holds ${balance} yen`);
  }
  const held = sum(cards.filter(({ table }) => primary.includes(table.cardNumber)).map(({ table }) => table.balance));
  const left = sum(issuer.accounts.map(({ issued, spent }) => issued - spent));
  if (held > left) found('T4', `primary cards hold ${held} yen, ${left} are left`);
  return findings;
}

/** What holds from one moment at rest to a later one: T5 a card that became primary in another one's place has black-listed it. */
export function checkTwinChange(before: AbstractTwinWorld, after: AbstractTwinWorld): readonly TwinFinding[] {
  return after.cards.flatMap(({ table }) => {
    const was = before.cards.find((card) => card.table.cardNumber === table.cardNumber)?.table;
    const taken = was !== undefined && saysPrimary(table) && !saysPrimary(was) && was.primaryNumber !== '';
    return taken && !table.blackList.includes(was.primaryNumber)
      ? [{ invariant: 'T5', text: `card ${table.cardNumber} has become primary in the place of ${was.primaryNumber} without black-listing it` }] : [];
  });
}
