import type { ScenarioId, StepId } from '../ports.js';
import type { AlterFault, Alteration, ObjectName, Place, SwapFault } from './faults.js';
import { clause, item, midway, other, placesOf, ready, refusedAtEnd, safeAfter, scenarioOf, scenarioPoint, within } from './frames.js';
import type { Ref, ScriptCommand } from './script.js';
import type { Expectation, PlanPoint, Preparation } from './types.js';

/** One altered element: where, how, and what the receiver must answer. */
export interface Row {
  readonly title: string;
  readonly element: string;
  readonly how: Alteration;
  readonly resign?: boolean;
  readonly sw: readonly string[];
  /** `syntax`: may be refused anywhere in the command; `compare`: at the wallet's comparison. */
  readonly at: 'syntax' | 'compare';
}

const flip = (bit: number): Alteration => ({ how: 'flip', bit });
const bad = ['6A80'] as const;
const unsigned = ['6982'] as const;

/** Alterations of a certificate handed over (1-12, 1-13, 3-8). Numbers of the points follow the order: only append. Table. */
export const certificateRows = (digest: string): readonly Row[] => [
  { title: 'wrong digest', element: digest, how: flip(7), resign: true, sw: bad, at: 'compare' },
  { title: 'wrong hash: first bit', element: '98', how: flip(0), resign: true, sw: bad, at: 'compare' },
  { title: 'wrong hash: last bit', element: '98', how: flip(-1), resign: true, sw: bad, at: 'compare' },
  { title: 'wrong hash: a bit in the middle', element: '98', how: flip(131), resign: true, sw: bad, at: 'compare' },
  { title: 'hash one byte short', element: '98', how: { how: 'truncate', bytes: 1 }, resign: true, sw: bad, at: 'syntax' },
  { title: 'hash one byte long', element: '98', how: { how: 'extend', bytes: 1 }, resign: true, sw: bad, at: 'syntax' },
  { title: 'hash empty', element: '98', how: { how: 'truncate', bytes: 32 }, resign: true, sw: bad, at: 'syntax' },
  { title: 'algorithm says SHA-1', element: '97', how: { how: 'set', bytes: '02' }, resign: true, sw: bad, at: 'syntax' },
  { title: 'signature: first bit', element: '92', how: flip(0), sw: unsigned, at: 'compare' },
  { title: 'signature: last bit of R', element: '92', how: flip(255), sw: unsigned, at: 'compare' },
  { title: 'signature: low bit of S', element: '92', how: flip(263), sw: unsigned, at: 'compare' },
  { title: 'signature all zero', element: '92', how: { how: 'set', bytes: '00'.repeat(64) }, sw: unsigned, at: 'compare' },
  { title: 'bad counter', element: '99', how: { how: 'add', amount: 1 }, sw: unsigned, at: 'compare' },
  { title: 'another card id', element: '93', how: flip(63), resign: true, sw: bad, at: 'compare' },
  { title: 'a sequence that is not pending', element: '94', how: { how: 'add', amount: 1 }, resign: true, sw: ['6985'], at: 'compare' },
  { title: 'sequence 0', element: '94', how: { how: 'set', bytes: '00000000' }, resign: true, sw: ['6985', '6A80'], at: 'compare' },
  { title: 'another kind', element: '9B', how: flip(6), resign: true, sw: bad, at: 'syntax' },
  { title: 'safe id of nobody', element: '9A', how: flip(0), resign: true, sw: ['6A82'], at: 'compare' },
  { title: 'another version', element: '96', how: { how: 'set', bytes: '02' }, resign: true, sw: bad, at: 'syntax' },
  { title: 'last byte cut off', element: 'whole', how: { how: 'truncate', bytes: 1 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'cut to its first byte', element: 'whole', how: { how: 'set', bytes: 'E6' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'one byte of garbage behind', element: 'trailing', how: { how: 'set', bytes: '00' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'a second object behind', element: 'whole', how: { how: 'duplicate' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'larger than an E6 may be', element: '92', how: { how: 'extend', bytes: 300 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'an element missing', element: '99', how: { how: 'remove' }, resign: true, sw: bad, at: 'syntax' },
  { title: 'an element twice', element: '99', how: { how: 'duplicate' }, resign: true, sw: bad, at: 'syntax' },
  { title: 'two elements exchanged', element: '93', how: { how: 'reorder', with: 'next' }, resign: true, sw: bad, at: 'syntax' },
  { title: 'a length in a longer form than BER needs', element: '99', how: { how: 'length-form', form: '81' }, resign: true, sw: bad, at: 'syntax' },
];

/** Objects returned by the safe and handed over (2-11, 4-11). Only append. Tables. */
const plainRows: readonly Row[] = [
  { title: 'altered quantity', element: '83', how: { how: 'add', amount: 1 }, sw: bad, at: 'compare' },
  { title: 'altered remaining amount', element: '87', how: { how: 'add', amount: 1000 }, sw: bad, at: 'compare' },
  { title: 'altered issue id, last bit', element: '89', how: flip(-1), sw: bad, at: 'compare' },
  { title: 'altered class, first element', element: '80', how: { how: 'set', bytes: '02' }, sw: bad, at: 'compare' },
  { title: 'remarks added', element: '88', how: { how: 'extend', bytes: 1 }, sw: bad, at: 'compare' },
  { title: 'last byte cut off', element: 'whole', how: { how: 'truncate', bytes: 1 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'one byte of garbage behind', element: 'trailing', how: { how: 'set', bytes: '00' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'larger than an E1 may be', element: '88', how: { how: 'extend', bytes: 300 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'an element missing', element: '88', how: { how: 'remove' }, sw: bad, at: 'syntax' },
  { title: 'two elements exchanged', element: '82', how: { how: 'reorder', with: 'next' }, sw: bad, at: 'syntax' },
];

const sealedRows: readonly Row[] = [
  { title: 'altered digest', element: 'E2/83', how: { how: 'add', amount: 1 }, sw: unsigned, at: 'compare' },
  { title: 'altered variant', element: '90', how: flip(6), sw: ['6982', '6A80'], at: 'compare' },
  { title: 'altered encapsulated key', element: '91', how: flip(0), sw: unsigned, at: 'compare' },
  { title: 'altered ciphertext', element: '91', how: flip(32 * 8), sw: unsigned, at: 'compare' },
  { title: 'altered tag', element: '91', how: flip(-1), sw: unsigned, at: 'compare' },
  { title: 'bad signature 303: first bit', element: '92', how: flip(0), sw: unsigned, at: 'compare' },
  { title: 'bad signature 303: low bit of S', element: '92', how: flip(263), sw: unsigned, at: 'compare' },
  { title: 'bad signature 303: all zero', element: '92', how: { how: 'set', bytes: '00'.repeat(64) }, sw: unsigned, at: 'compare' },
  { title: 'ciphertext one byte short', element: '91', how: { how: 'truncate', bytes: 1 }, sw: ['6982', '6A80'], at: 'compare' },
  { title: 'ciphertext empty', element: '91', how: { how: 'set', bytes: '' }, sw: ['6982', '6A80'], at: 'syntax' },
  { title: 'last byte cut off', element: 'whole', how: { how: 'truncate', bytes: 1 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'one byte of garbage behind', element: 'trailing', how: { how: 'set', bytes: '00' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'larger than any E3', element: '91', how: { how: 'extend', bytes: 300 }, sw: ['6982', '6A80', '6700'], at: 'syntax' },
  { title: 'signature missing', element: '92', how: { how: 'remove' }, sw: bad, at: 'syntax' },
];

/** Alterations of a key reply. Only append. Table. */
export const keyReplyRows: readonly Row[] = [
  { title: 'bad signature: first bit', element: '92', how: flip(0), sw: unsigned, at: 'compare' },
  { title: 'bad signature: low bit of S', element: '92', how: flip(263), sw: unsigned, at: 'compare' },
  { title: 'altered encapsulated key, signed', element: '9C', how: flip(0), resign: true, sw: bad, at: 'compare' },
  { title: 'altered wrapped key, signed', element: '9C', how: flip(32 * 8), resign: true, sw: bad, at: 'compare' },
  { title: 'altered tag, signed', element: '9C', how: flip(-1), resign: true, sw: bad, at: 'compare' },
  { title: 'altered key digest, signed', element: 'E2/8A', how: flip(20), resign: true, sw: bad, at: 'compare' },
  { title: 'altered wrapped key, not signed', element: '9C', how: flip(300), sw: unsigned, at: 'compare' },
  { title: 'last byte cut off', element: 'whole', how: { how: 'truncate', bytes: 1 }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'one byte of garbage behind', element: 'trailing', how: { how: 'set', bytes: '00' }, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'wrapped key 300 bytes longer', element: '9C', how: { how: 'extend', bytes: 300 }, resign: true, sw: ['6A80', '6700'], at: 'syntax' },
  { title: 'wrapped key one byte short', element: '9C', how: { how: 'truncate', bytes: 1 }, resign: true, sw: bad, at: 'syntax' },
];

/** Alterations of an object on its way into the card. */
export interface HandOver {
  readonly scenario: ScenarioId;
  readonly object: ObjectName;
  /** Steps at which a comparison may refuse. */
  readonly compare: readonly StepId[];
  readonly rule: string;
  readonly rows: readonly Row[];
}

const handOvers: readonly HandOver[] = [
  { scenario: '1/backup', object: 'certificate', compare: ['1-14'], rule: '2.4-2', rows: certificateRows('E2/83') },
  { scenario: '2/backup', object: 'certificate', compare: ['1-15'], rule: '2.4-2', rows: certificateRows('E2/83') },
  { scenario: '2/key-backup', object: 'certificate', compare: ['3-9', '3-10'], rule: '2.4-7', rows: certificateRows('E2/8A') },
  { scenario: '1/recover', object: 'value', compare: ['2-12', '2-13'], rule: '2.4-5', rows: plainRows },
  { scenario: '2/recover', object: 'registered-value', compare: ['2-12'], rule: '2.4-5', rows: sealedRows },
  { scenario: '2/key-recover', object: 'key-reply', compare: ['4-12'], rule: '2.4-7', rows: keyReplyRows },
];

/** An altered object on its way into the card: refused, nothing changed, and the honest one is taken afterwards. */
export function handedOver({ scenario, object, compare, rule, rows }: HandOver): PlanPoint[] {
  const { end } = placesOf(scenario);
  return rows.map(({ title, element, how, resign, sw, at }, index) => {
    const fault: AlterFault = { fault: 'alter', at: end, object, element, how, ...resign && { resign } };
    const steps = at === 'compare' ? compare : within(scenario, end);
    return scenarioPoint(scenario, 'A', 1 + index, {
      title: `${object} handed over at ${end}: ${title}`, clause: clause([end, ...compare], [rule]), fault,
      expect: refusedAtEnd(scenario, steps, sw),
    });
  });
}

interface ToSafe {
  readonly scenario: ScenarioId;
  readonly title: string;
  readonly at: Place;
  readonly object: ObjectName;
  readonly element: string;
  readonly how: Alteration;
  readonly resign?: boolean;
  readonly code: readonly string[];
}

const whole = (scenario: ScenarioId, at: Place, object: ObjectName): readonly ToSafe[] => [
  { scenario, title: 'last byte cut off', at, object, element: 'whole', how: { how: 'truncate', bytes: 1 }, code: ['SAFE_BAD_OBJECT'] },
  { scenario, title: 'empty', at, object, element: 'whole', how: { how: 'set', bytes: '' }, code: ['SAFE_BAD_OBJECT'] },
  { scenario, title: 'garbage behind', at, object, element: 'trailing', how: { how: 'set', bytes: '0000' }, code: ['SAFE_BAD_OBJECT'] },
  { scenario, title: 'over 4096 bytes', at, object, element: 'trailing', how: { how: 'extend', bytes: 5000 }, code: ['SAFE_TOO_LARGE'] },
];

const presented = (scenario: ScenarioId, at: Place): readonly ToSafe[] => [
  ...whole(scenario, at, 'certificate'),
  { scenario, title: 'bad safe signature', at, object: 'certificate', element: '92', how: flip(0), code: ['SAFE_BAD_SIGNATURE'] },
  { scenario, title: 'unknown counter, signed', at, object: 'certificate', element: '99', how: { how: 'add', amount: 1000 }, resign: true, code: ['SAFE_UNKNOWN'] },
  { scenario, title: 'hash of another object, signed', at, object: 'certificate', element: '98', how: flip(0), resign: true, code: ['SAFE_UNKNOWN'] },
  { scenario, title: 'another sequence, signed', at, object: 'certificate', element: '94', how: { how: 'add', amount: 1 }, resign: true, code: ['SAFE_UNKNOWN'] },
];

/** Altered objects on their way to the safe. Only append. Table. */
const toSafe: readonly ToSafe[] = [
  ...whole('1/backup', '1-9', 'request'), ...whole('2/backup', '1-10', 'request'), ...whole('2/key-backup', '3-5', 'request'),
  ...presented('1/recover', '2-9'), ...presented('2/recover', '2-9'), ...presented('2/key-recover', '4-9'),
  { scenario: '2/key-backup', title: 'bad card signature', at: '3-5', object: 'request', element: 'E5/92', how: flip(0), code: ['SAFE_BAD_SIGNATURE'] },
  { scenario: '2/key-backup', title: 'altered wrapped key', at: '3-5', object: 'request', element: 'E5/9C', how: flip(0), code: ['SAFE_BAD_SIGNATURE'] },
  { scenario: '2/key-backup', title: 'altered credential', at: '3-5', object: 'request', element: 'E5/E9/9D', how: flip(0), code: ['SAFE_BAD_SIGNATURE'] },
];

function sentToSafe(): PlanPoint[] {
  const counts = new Map<ScenarioId, number>();
  return toSafe.map(({ scenario, title, at, object, element, how, resign, code }) => {
    const number = (counts.get(scenario) ?? 40) + 1;
    counts.set(scenario, number);
    const fault: AlterFault = { fault: 'alter', at, object, element, how, ...resign && { resign } };
    const expect: Expectation = {
      end: ['refused'], at: within(scenario, placesOf(scenario).safe), safeCode: code, card: midway(scenario),
      safe: scenario.endsWith('backup') ? 'nothing-stored' : 'unchanged', retry: 'completes',
    };
    return scenarioPoint(scenario, 'A', number, {
      title: `${object} at ${at}: ${title}`, clause: clause([placesOf(scenario).safe], ['3', '3-c']), fault, expect,
    });
  });
}

/** What the safe stores in good faith but the card did not send: the certificate's hash betrays it. */
function storedAltered(): PlanPoint[] {
  const make = (scenario: ScenarioId, number: number, title: string, at: StepId, element: string, how: Alteration): PlanPoint => {
    const compare: StepId = scenario === '1/backup' ? '1-14' : '1-15';
    return scenarioPoint(scenario, 'A', number, {
      title: `request at ${at}: ${title}; the safe stores it, the card refuses its certificate`, clause: clause([at, compare], ['2.4-2', '1.5'], [2]),
      fault: { fault: 'alter', at, object: 'request', element, how },
      expect: refusedAtEnd(scenario, [compare], bad, { retry: 'completes-after-cancel' }),
    });
  };
  return [
    scenarioPoint('1/backup', 'A', 70, {
      title: 'request at 1-9: altered remaining amount; the safe stores it, the terminal does not hand its certificate over', clause: clause(['1-9', '1-11'], ['1.5'], [2]),
      fault: { fault: 'alter', at: '1-9', object: 'request', element: 'E1/87', how: { how: 'add', amount: 1 } },
      expect: { end: ['unexpected'], at: ['1-11'], card: midway('1/backup'), safe: 'one-stored', retry: 'completes-after-cancel' },
    }),
    make('2/backup', 70, 'altered ciphertext', '1-10', 'E3/91', flip(32 * 8)),
    make('2/backup', 71, 'altered tag', '1-10', 'E3/91', flip(-1)),
    make('2/backup', 72, 'altered encapsulated key', '1-10', 'E3/91', flip(0)),
    make('2/backup', 73, 'altered digest', '1-10', 'E3/E2/83', { how: 'add', amount: 1 }),
    make('2/backup', 74, 'altered on the way from the card', '1-9', 'E3/91', flip(-1)),
  ];
}

/** Embodiment 1: what the terminal finds out by itself and does not hand on. */
function caughtByTerminal(): PlanPoint[] {
  const end = (scenario: ScenarioId, at: StepId): Expectation => ({
    end: ['unexpected'], at: [at], card: midway(scenario), safe: safeAfter(scenario), retry: 'completes',
  });
  return [
    scenarioPoint('1/backup', 'A', 80, {
      title: 'certificate at 1-11 with a wrong hash: the terminal does not hand it over', clause: clause(['1-11'], ['1.5'], [2]),
      fault: { fault: 'alter', at: '1-11', object: 'certificate', element: '98', how: flip(0), resign: true }, expect: end('1/backup', '1-11'),
    }),
    scenarioPoint('1/recover', 'A', 80, {
      title: 'value at 2-10 with another amount: the terminal does not hand it over', clause: clause(['2-10'], ['1.5'], [2]),
      fault: { fault: 'alter', at: '2-10', object: 'value', element: '87', how: { how: 'add', amount: 1 } }, expect: end('1/recover', '2-10'),
    }),
  ];
}

/** Setup commands after which `$previous` is a certificate of a registration of the item that was cancelled. */
const cancelled = (scenario: '1/backup' | '2/backup', of: Ref, as: Ref): readonly ScriptCommand[] => {
  const [embodiment, variant] = scenario === '1/backup' ? [1, 'plain'] as const : [2, 'public-key'] as const;
  return [
    { do: 'register-begin', embodiment, variant, item: of, hash: 'SHA-256', expect: '9000', save: '$request' },
    { do: 'safe-register', request: '$request', expect: '200', save: as },
    { do: 'cancel', item: of, expect: '9000' },
  ];
};

interface Swap {
  readonly title: string;
  readonly fault: Omit<SwapFault, 'fault' | 'at' | 'object'>;
  readonly sw: readonly string[];
  readonly prepare?: Partial<Preparation>;
  /** False for a swap that needs the registration of a value. */
  readonly keys?: boolean;
}

function swapsOf(scenario: '1/backup' | '2/backup'): readonly Swap[] {
  return [
    { title: 'of another card', fault: { by: 'foreign' }, sw: bad },
    { title: 'of a safe the card does not know', fault: { by: 'unknown-safe' }, sw: ['6A82'] },
    { title: 'of an older, cancelled registration of the same value', fault: { by: 'previous', with: '$old' }, sw: ['6985'], prepare: { setup: cancelled(scenario, item, '$old') } },
    { title: 'of another value\'s cancelled registration', fault: { by: 'other-item', with: '$old' }, sw: ['6985'], prepare: { setup: cancelled(scenario, other, '$old') } },
  ];
}

function swapped(): PlanPoint[] {
  const scenarios = ['1/backup', '2/backup'] as const;
  const certificates = scenarios.flatMap((scenario) => swapsOf(scenario).map(({ title, fault, sw, prepare }, index) => {
    const { end } = placesOf(scenario);
    return scenarioPoint(scenario, 'A', 90 + index, {
      title: `certificate ${title} handed over at ${end}`, clause: clause([end], ['2.4-2'], [2, 3]), prepare: ready(scenario, prepare),
      fault: { fault: 'swap', at: end, object: 'certificate', ...fault },
      expect: refusedAtEnd(scenario, within(scenario, end), sw, { safe: title.startsWith('of an') ? 'any' : 'one-stored' }),
    });
  }));
  const foreign = (['1/recover', '2/recover', '2/key-backup', '2/key-recover'] as const).map((scenario) => {
    const { end } = placesOf(scenario);
    const objects = { '1/recover': 'value', '2/recover': 'registered-value', '2/key-backup': 'certificate', '2/key-recover': 'key-reply' } as const;
    return scenarioPoint(scenario, 'A', 90, {
      title: `${objects[scenario]} of another card handed over at ${end}`, clause: clause([end], ['2.4-5', '2.4-7']),
      fault: { fault: 'swap', at: end, object: objects[scenario], by: 'foreign' },
      expect: refusedAtEnd(scenario, within(scenario, end), ['6A80', '6982'], { safe: 'any' }),
    });
  });
  return [...certificates, ...foreign, otherValue('1/recover'), otherValue('2/recover')];
}

/** The safe returns, and the terminal hands over, the object of another value of the same card. */
function otherValue(scenario: '1/recover' | '2/recover'): PlanPoint {
  const [embodiment, backup] = scenario === '1/recover' ? [1, '1/backup'] as const : [2, '2/backup'] as const;
  const setup: readonly ScriptCommand[] = [
    { do: 'recover-begin', embodiment, what: 'value', item: '$other.certificate', expect: '9000', save: '$otherCertificate' },
    { do: 'safe-retrieve', certificate: '$otherCertificate', expect: '200', save: '$otherObject' },
    { do: 'cancel', item: '$other.certificate', expect: '9000' },
  ];
  return scenarioPoint(scenario, 'A', 91, {
    title: 'object of another value of this card handed over at 2-11', clause: clause(['2-11', '2-12'], ['2.4-5']),
    prepare: ready(scenario, { before: [scenarioOf(backup), scenarioOf(backup, {}, other)], setup }),
    fault: { fault: 'swap', at: '2-11', object: scenario === '1/recover' ? 'value' : 'registered-value', by: 'other-item', with: '$otherObject' },
    expect: refusedAtEnd(scenario, within(scenario, '2-11'), scenario === '1/recover' ? bad : ['6982', '6A80']),
  });
}

/** Points in which an object is altered or exchanged on its way. */
export const altered: readonly PlanPoint[] = [
  ...handOvers.flatMap(handedOver), ...sentToSafe(), ...storedAltered(), ...caughtByTerminal(), ...swapped(),
];
