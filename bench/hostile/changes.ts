import type { CommandName } from '../codec/index.js';
import type { CardView } from './view.js';

/** A way in which two views of a card differ. */
export type Change = string;

const hidden: ReadonlySet<string> = new Set(['none', 'reserved', 'deleting']);

function states(before: readonly { handle: number; state: string }[], after: readonly { handle: number; state: string }[], what: string): Change[] {
  const handles = new Set([...before, ...after].map(({ handle }) => handle));
  return [...handles].flatMap((handle) => {
    const [was, is] = [before, after].map((list) => list.find((item) => item.handle === handle)?.state ?? 'none');
    return was === is ? [] : [`${what} ${was}>${is}`];
  });
}

function valueChanges(before: CardView, after: CardView): Change[] {
  return after.card.values.flatMap((value) => {
    const old = before.card.values.find(({ handle }) => handle === value.handle);
    if (old === undefined || hidden.has(old.state) || hidden.has(value.state)) return [];
    const replaced = before.values.get(value.handle) !== after.values.get(value.handle);
    const gained = value.quantity > old.quantity || value.remaining > old.remaining;
    const used = value.quantity < old.quantity || value.remaining < old.remaining;
    return [...replaced ? ['value replaced'] : [], ...gained ? ['value gained'] : [], ...used ? [old.state === 'deposited' ? 'deposited value used' : 'value used'] : []];
  });
}

function certificateChanges(before: CardView, after: CardView): Change[] {
  return [...after.certificates].flatMap(([handle, bytes]) => {
    const old = before.certificates.get(handle);
    return old === undefined || old === bytes ? [] : ['certificate replaced'];
  });
}

const upDown = (what: string, before: number, after: number): Change[] =>
  (before === after ? [] : [`${what} ${after > before ? 'up' : 'down'}`]);

/** Every difference between two views, by name. */
export function changesOf(before: CardView, after: CardView): readonly Change[] {
  const [a, b] = [before.card, after.card];
  const differs = (what: string, x: string, y: string): Change[] => (x === y ? [] : [what]);
  return [...new Set([
    ...states(a.values, b.values, 'value'), ...states(a.certificates, b.certificates, 'certificate'),
    ...valueChanges(before, after), ...certificateChanges(before, after),
    ...upDown('tries', a.pinTries, b.pinTries), ...upDown('sequence', a.sequence, b.sequence), ...upDown('load number', a.loadNumber, b.loadNumber),
    ...differs('keys', JSON.stringify(a.keys), JSON.stringify(b.keys)), ...differs('card id', a.cardId, b.cardId),
    ...differs('fixed pages', before.fixed, after.fixed), ...differs('PIN', before.pin, after.pin),
    ...differs('key registration', before.keyRegistration, after.keyRegistration), ...differs('conditions', before.conditions, after.conditions), ...differs('life cycle', before.lifeCycle, after.lifeCycle),
  ])];
}

/** Changes a command may make when it is answered 9000 on an operational card (docs/protocol.md 2.4; table). */
const permitted: Partial<Record<CommandName, readonly Change[]>> = {
  VERIFY: ['tries up'],
  'CHANGE REFERENCE DATA': ['PIN', 'tries up'],
  'REGISTER BEGIN': ['sequence up', 'value active>pending', 'certificate none>reserved', 'certificate reserved>none'],
  'REGISTER END': ['certificate reserved>stored', 'value pending>deposited', 'key registration', 'keys'],
  'RECOVER BEGIN': ['certificate stored>recovering', 'value none>reserved'],
  'RECOVER END': ['certificate recovering>spent', 'value reserved>active', 'value deposited>active'],
  'KEY REGISTER BEGIN': ['sequence up', 'key registration', 'certificate none>reserved', 'certificate reserved>none'],
  'KEY RECOVER END': ['keys'],
  'GENERATE SEED': ['keys'],
  'SEED REGISTER BEGIN': ['sequence up', 'key registration', 'certificate none>reserved', 'certificate reserved>none'],
  'SEED RECOVER END': ['keys'],
  DELETE: ['value deposited>none', 'value active>none', 'certificate spent>none', 'certificate stored>none'],
  CANCEL: [
    'value pending>active', 'certificate reserved>none', 'certificate recovering>stored', 'value reserved>none', 'key registration',
  ],
  'PUT CONDITION': ['conditions'],
  'BACKUP END': ['value deposited>none'],
  USE: ['value used', 'value pending>active', 'certificate reserved>none'],
  LOAD: ['load number up', 'value none>active'],
  CORRECT: ['load number up', 'value replaced', 'value gained', 'value used'],
  'GENERATE KEY': ['keys'],
  'DELETE KEY': ['keys'],
};

/** Commands that change what is fixed later, before the card is operational. */
const personalising: ReadonlySet<CommandName> = new Set(['INITIALISE', 'PUT DATA', 'PUT CONDITION', 'GENERATE KEY', 'ISSUE']);

/** What must go with a change, or undefined: no registration without a number of its own (docs/protocol.md 2.4 rule 1). */
export function missing(changes: readonly Change[]): string | undefined {
  const begun = changes.includes('value active>pending') || (changes.includes('key registration') && changes.includes('certificate none>reserved'));
  return begun && !changes.includes('sequence up') ? 'a registration began without a new sequence' : undefined;
}

/** Changes that none of the commands may make. Before ISSUE those of personalisation may make any. */
export function forbidden(changes: readonly Change[], names: readonly CommandName[], operational: boolean): readonly Change[] {
  if (!operational && names.some((name) => personalising.has(name))) return [];
  return changes.filter((change) => !names.some((name) => permitted[name]?.includes(change) === true));
}
