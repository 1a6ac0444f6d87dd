import { frameOf } from '../catalogue/registry.js';
import type { ScenarioOptions } from '../machines/types.js';
import type { KeyKind, ScenarioId, StepId, Variant } from '../ports.js';
import type { Alteration, Fault } from './faults.js';
import { clause, completes, item, leaves, midway, other, pointId, ready, scenarioOf, scenarioPoint, scriptPoint, twoValues, within } from './frames.js';
import type { Group, ScriptDraft } from './frames.js';
import { finish, recoverBegin, recoverEnd } from './scripts.js';
import type { Ref, ScriptCommand } from './script.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { Expectation, PlanPoint, Preparation, ScenarioRun } from './types.js';

const all = (scenario: ScenarioId): StepId[] => frameOf(scenario).steps.map(({ id }) => id as StepId);
const sealing: ScenarioOptions = { sealed: true };
const gone = { deleteAfterRegistration: true } as const;
const two: Preparation = { ...twoValues, safes: 2 };
const needs = ['sealed-traffic'] as const;
const keyGone: readonly ScenarioRun[] = [scenarioOf('3/key-backup', gone), scenarioOf('3/key-recover')];

interface Nominal {
  readonly title: string;
  readonly scenario: '3/backup' | '3/recover';
  readonly rule: string;
  readonly claims?: readonly number[];
  readonly options?: ScenarioOptions;
  readonly needs?: PlanPoint['needs'];
  readonly prepare?: Partial<Preparation>;
  readonly fault?: Fault;
  readonly expect?: Partial<Expectation>;
}

/** What goes through. Numbers follow the order, from 200: only append. Table. */
const nominals: readonly Nominal[] = [
  { scenario: '3/backup', rule: '2.8-4', title: 'a value goes to the first safe sealed for it' },
  { scenario: '3/recover', rule: '2.8-6', title: 'a value that is still there comes back sealed' },
  { scenario: '3/backup', rule: '2.8-4', title: 'a value goes sealed and is deleted (claim 25)', claims: [25], options: gone },
  {
    scenario: '3/recover', rule: '2.8-6', title: 'key lost, got back from the second safe, then the deleted value comes back sealed; receipt (claim 26)', claims: [26],
    options: { deleteAfterRecovery: true }, prepare: { ...two, before: [scenarioOf('3/backup', { ...sealing, ...gone }), ...keyGone] }, expect: { safe: 'tombstone' },
  },
  { scenario: '3/backup', rule: '2.8-4', title: 'sealed over T=0', needs: ['T=0'], prepare: { transport: 'T=0' } },
  { scenario: '3/recover', rule: '2.8-6', title: 'sealed over T=0', needs: ['T=0'], prepare: { transport: 'T=0' } },
  { scenario: '3/backup', rule: '2.8-4', title: 'sealed, by the common-key variant', needs: ['common-key'], options: { variant: 'common-key' } },
  { scenario: '3/recover', rule: '2.8-6', title: 'sealed, by the common-key variant', needs: ['common-key'], prepare: { before: [scenarioOf('3/backup', { ...sealing, ...gone, variant: 'common-key' })] } },
  { scenario: '3/backup', rule: '2.8-4', title: 'sealed, with the empty digest', needs: ['empty-digest'], prepare: { settings: { emptyDigest: true } } },
  { scenario: '3/recover', rule: '2.8-6', title: 'sealed, with the empty digest', needs: ['empty-digest'], prepare: { settings: { emptyDigest: true } } },
  { scenario: '3/backup', rule: '2.8-4', title: 'sealed, after the key went to the second safe', prepare: { before: [scenarioOf('3/key-backup')] } },
  {
    scenario: '3/recover', rule: '2.8-7', title: 'what went sealed comes back sealed though the terminal does not ask for it',
    options: { sealed: false }, prepare: { before: [scenarioOf('3/backup', { ...sealing, ...gone })] },
  },
  ...(['largest', 'smallest'] as const).flatMap((sample): Nominal[] => {
    const values = [{ as: item, sample }, { as: other, sample: 'movie-ticket-A' }];
    return [
      { scenario: '3/backup', rule: '2.8-4', title: `the ${sample} value goes sealed`, prepare: { values } },
      { scenario: '3/recover', rule: '2.8-6', title: `the ${sample} value, deleted, comes back sealed`, prepare: { values, before: [scenarioOf('3/backup', { ...sealing, ...gone })] } },
    ];
  }),
];

const honest: readonly PlanPoint[] = nominals.map(({ title, scenario, rule, claims = [], options = {}, needs: more = [], prepare, fault, expect }, at) =>
  scenarioPoint(scenario, 'N', 200 + at, {
    title, clause: clause(all(scenario), [rule], [6, ...claims]), needs: [...needs, ...more], ...fault && { fault },
    prepare: ready(scenario, prepare, sealing), options: { ...sealing, ...options }, expect: completes(scenario, expect),
  }));

/** Something wrong: where the run ends and by what. */
interface Wrong {
  readonly title: string;
  readonly scenario: '3/backup' | '3/recover';
  readonly at: readonly StepId[];
  readonly end?: Expectation['end'];
  readonly sw?: readonly string[];
  readonly code?: string;
  readonly fault?: Fault;
  readonly options?: ScenarioOptions;
  readonly prepare?: Partial<Preparation>;
  readonly retry?: Expectation['retry'];
}

const flip = (bit = 0): Alteration => ({ how: 'flip', bit });
const sent = (element: string, how: Alteration = flip()): Fault => ({ fault: 'alter', at: '1-10', object: 'request', element, how });
const handed = (element: string, how: Alteration = flip(), resign = false): Fault =>
  ({ fault: 'alter', at: '2-11', object: 'registered-value', element, how, ...resign && { resign } });

const atSafe = { scenario: '3/backup', at: ['1-11'], code: 'SAFE_BAD_SIGNATURE' } as const;
const atCard = { scenario: '3/recover', at: ['2-12'], sw: ['6982'] } as const;
const syntax = within('3/recover', '2-11');

/** Another value at the safe, registered in this way; what the safe gives back for it is saved, its certificate is not on the card. */
const otherRecord = (sealed: boolean): readonly ScriptCommand[] => [
  { do: 'register-begin', embodiment: 3, variant: 'public-key', item: other, hash: 'SHA-256', ...sealed && { sealFor: 'safe' as const }, expect: '9000', save: '$request' },
  { do: 'safe-register', request: '$request', expect: '200', save: '$otherCertificate' },
  { do: 'safe-retrieve', certificate: '$otherCertificate', expect: '200', save: '$otherObject' },
  { do: 'cancel', item: other, expect: '9000' },
];

/** Numbers follow the order within a scenario, from 200: only append. Table. */
const wrongs: readonly Wrong[] = [
  { ...atSafe, title: 'sealed 203 altered on its way', fault: sent('F1/91', flip(400)) },
  { ...atSafe, title: 'sealed 203 with another encapsulated key', fault: sent('F1/91') },
  { ...atSafe, title: 'sealed 203 with an altered tag', fault: sent('F1/91', flip(-1)) },
  { ...atSafe, title: 'sealed 203 with a bad signature', fault: sent('F1/92') },
  { ...atSafe, title: 'sealed 203 under another sequence', fault: sent('94', { how: 'add', amount: 1 }) },
  { ...atSafe, title: 'sealed 203 of another card', fault: sent('93') },
  { ...atSafe, title: 'sealed 203 with the credential of another card', fault: sent('F1/E9/93') },
  { ...atSafe, title: 'sealed 203 with another verification key in its credential', fault: sent('F1/E9/9D') },
  { ...atSafe, title: 'sealed 203 with another transport key in its credential', fault: sent('F1/E9/9E') },
  { ...atSafe, title: 'sealed 203 without its signature', code: 'SAFE_BAD_OBJECT', fault: sent('F1/92', { how: 'remove' }) },
  { ...atSafe, title: 'sealed 203 without its credential', code: 'SAFE_BAD_OBJECT', fault: sent('F1/E9', { how: 'remove' }) },
  { ...atSafe, title: 'sealed 203 cut short', code: 'SAFE_BAD_OBJECT', fault: sent('whole', { how: 'truncate', bytes: 1 }) },
  { ...atSafe, title: 'sealed 203 larger than it may be', code: 'SAFE_BAD_OBJECT', fault: sent('F1/91', { how: 'extend', bytes: 600 }) },
  { ...atCard, title: 'a reply with a bad signature', fault: handed('92') },
  { ...atCard, title: 'a reply whose signature has another S', fault: handed('92', flip(263)) },
  { ...atCard, title: 'a reply whose sealed 203 was altered', fault: handed('91', flip(400)) },
  { ...atCard, title: 'a reply with another encapsulated key', fault: handed('91') },
  { ...atCard, title: 'a reply of a path', fault: handed('C9') },
  { ...atCard, title: 'a reply whose sealed 203 does not open, signed', sw: ['6A80'], fault: handed('91', flip(400), true) },
  { ...atCard, title: 'a reply of a path, signed', sw: ['6A80'], fault: handed('C9', flip(), true) },
  { ...atCard, title: 'a reply with less in it, signed', sw: ['6A80'], fault: handed('91', { how: 'truncate', bytes: 100 }, true) },
  { ...atCard, title: 'a reply without a sealed part', at: syntax, sw: ['6A80'], fault: handed('91', { how: 'set', bytes: '' }) },
  { ...atCard, title: 'a reply cut short', at: syntax, sw: ['6A80', '6700'], fault: handed('whole', { how: 'truncate', bytes: 1 }) },
  { ...atCard, title: 'a reply with a byte behind it', at: syntax, sw: ['6A80', '6700'], fault: handed('trailing', { how: 'set', bytes: '00' }) },
  { ...atCard, title: 'a reply without its signature', at: syntax, sw: ['6A80'], fault: handed('92', { how: 'remove' }) },
  { ...atCard, title: 'a reply signed by another safe that the card knows', fault: { fault: 'swap', at: '2-11', object: 'registered-value', by: 'other-safe' } },
  { ...atCard, title: 'a reply signed by a safe that the card does not know', fault: { fault: 'swap', at: '2-11', object: 'registered-value', by: 'unknown-safe' } },
  {
    ...atCard, title: 'the reply for another value', prepare: { setup: otherRecord(true) },
    fault: { fault: 'swap', at: '2-11', object: 'registered-value', by: 'other-item', with: '$otherObject' },
  },
  {
    scenario: '3/recover', title: 'the safe gives 203 in clear where it is to be sealed: the terminal hands nothing on', at: ['2-10'], end: ['unexpected'],
    prepare: { setup: otherRecord(false) }, fault: { fault: 'safe', at: '2-9', how: 'wrong-record', with: '$otherObject' },
  },
  {
    scenario: '3/recover', title: 'what went in clear does not come back sealed', at: ['2-10'], end: ['unexpected'],
    prepare: { before: [scenarioOf('3/backup')] }, retry: 'none',
  },
];

function wrongPoint({ scenario, title, at, end = ['refused'], sw, code, fault, options = {}, prepare, retry = 'completes' }: Wrong, number: number): PlanPoint {
  return scenarioPoint(scenario, 'X', number, {
    title, clause: clause(at, [scenario === '3/backup' ? '2.8-5' : '2.8-6']), needs, options: { ...sealing, ...options },
    prepare: ready(scenario, prepare, sealing), ...fault && { fault },
    expect: {
      end, at, ...sw && { sw }, ...code !== undefined && { safeCode: [code] }, card: midway(scenario),
      safe: scenario === '3/backup' ? 'nothing-stored' : 'unchanged', retry,
    },
  });
}

const negative: readonly PlanPoint[] = (['3/backup', '3/recover'] as const).flatMap((scenario) =>
  wrongs.filter((wrong) => wrong.scenario === scenario).map((wrong, at) => wrongPoint(wrong, 200 + at)));

/** A point of embodiment 3 with everything sealed, numbered from 200. */
function sealedLike(point: PlanPoint): PlanPoint {
  const [, , group, number] = point.id.split('-');
  const seal = (run: ScenarioRun): ScenarioRun => ({ ...run, options: { ...run.options, ...sealing } });
  const { before = [], ...prepare } = point.prepare;
  if (point.run.run !== 'scenario') return point;
  return {
    ...point, id: pointId(point.scenario, group as Group, 200 + Number(number)), title: `sealed: ${point.title}`, needs: [...point.needs, ...needs], run: seal(point.run),
    prepare: { ...prepare, ...before.length > 0 && { before: before.map((run) => (run.scenario === '3/backup' ? seal(run) : run)) } },
  };
}

const troubles: readonly PlanPoint[] = (['3/backup', '3/recover'] as const).flatMap((scenario) =>
  [...safeTrouble(scenario), ...resets(scenario), ...linkTrouble(scenario), ...repeats(scenario)].map(sealedLike));

type Safe = 'safe' | 'other-safe' | 'unknown-safe';
const begin = (sealFor: Safe, expect: string, save: Ref = '$request', variant: Variant = 'public-key'): ScriptCommand =>
  ({ do: 'register-begin', embodiment: 3, variant, item, hash: 'SHA-256', sealFor, expect, save });
const clear = (save: Ref): ScriptCommand => ({ do: 'register-begin', embodiment: 3, variant: 'public-key', item, hash: 'SHA-256', expect: '9000', save });
const key = (kind: KeyKind, safe: 'safe' | 'other-safe'): ScriptCommand =>
  ({ do: 'key-register-begin', embodiment: 3, kind, safe, hash: 'SHA-256', expect: '9000', save: '$key' });
const at = (safe: 'safe' | 'other-safe', request: Ref, expect: string, save: Ref = '$certificate'): ScriptCommand =>
  ({ do: 'safe-register', request, safe, expect, save });
const cancel = (of: Ref = item): ScriptCommand => ({ do: 'cancel', item: of, expect: '9000' });
const registered = [begin('safe', '9000'), at('safe', '$request', '200'), finish(3, '$certificate', '9000')];
const pending = leaves({ item, value: 'pending', certificate: 'absent' });
const certificateOf = `${item}.certificate` as Ref;
const back = (object: Ref, sw: string): ScriptCommand => ({ ...recoverEnd(3, certificateOf, object, sw), sealed: true } as ScriptCommand);

interface Direct extends Omit<ScriptDraft, 'clause' | 'needs'> {
  readonly rule: string;
}

/** Direct commands. Numbers are never given anew: only append. Table. */
const direct: readonly Direct[] = [
  { title: 'nothing is sealed for a safe that the card does not know', rule: '2.8-4', commands: [begin('unknown-safe', '6A82')] },
  {
    title: 'nothing is sealed for the safe that holds the key', rule: '2.8-4',
    commands: [key('decoding', 'other-safe'), at('other-safe', '$key', '200', '$keyCertificate'),
      { do: 'register-end', embodiment: 3, what: 'key', certificate: '$keyCertificate', expect: '9000' }, begin('other-safe', '6985')],
    expect: { ...leaves({ item, value: 'active' }, { item: '$decoding', key: 'present', certificate: 'stored' }), safe: 'any' },
  },
  {
    title: 'nor for the safe that the key is on its way to', rule: '2.8-4', commands: [key('decoding', 'other-safe'), begin('other-safe', '6985'), { do: 'cancel', expect: '9000' }],
  },
  { title: 'the same again is the same; for another safe it is not, and no other safe can read it', rule: '2.8-5', commands: [
    begin('safe', '9000', '$first'), { ...begin('safe', '9000'), check: [{ is: 'same', as: '$first' }] }, { ...begin('other-safe', '9000', '$else'), check: [{ is: 'different', as: '$first' }] },
    at('safe', '$else', 'SAFE_BAD_OBJECT'), at('safe', '$first', '200'), finish(3, '$certificate', '9000'),
  ], expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' } },
  { title: 'sealed and in clear it is one registration with one certificate', rule: '2.8-5', commands: [
    begin('safe', '9000'), at('safe', '$request', '200'), clear('$clear'), { ...at('safe', '$clear', '200', '$again'), check: [{ is: 'same', as: '$certificate' }] },
    finish(3, '$again', '9000'), finish(3, '$certificate', '9000'), recoverBegin(3, certificateOf, '$shown'),
    { do: 'safe-retrieve', certificate: '$shown', expect: '200', save: '$object' }, recoverEnd(3, certificateOf, '$object', '6A80'), back('$object', '9000'), back('$object', '9000'),
  ], expect: { ...leaves({ item, value: 'active', certificate: 'spent' }), safe: 'any' } },
  { title: '203 in clear is not taken where it is to be sealed, and sealed not where it is to be in clear', rule: '2.8-6', prepare: { ...two, setup: otherRecord(false) }, commands: [
    ...registered, recoverBegin(3, certificateOf, '$shown'), { do: 'safe-retrieve', certificate: '$shown', expect: '200', save: '$object' },
    back('$otherObject', '6A80'), recoverEnd(3, certificateOf, '$object', '6A80'), cancel(certificateOf),
  ], expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' } },
  { title: 'a reply to a certificate that is not RECOVERING', rule: '2.8-6', commands: [
    ...registered, { do: 'safe-retrieve', certificate: '$certificate', expect: '200', save: '$object' }, back('$object', '6985'),
  ], expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' } },
  { title: 'without its key the card neither seals nor takes back', rule: '2.8-4', commands: [begin('safe', '6985', '$none', 'public-key')], prepare: {
    ...two, before: [scenarioOf('3/key-backup', gone)] } },
  { title: 'what is DEPOSITED is not sealed again', rule: '2.8-4', commands: [...registered, begin('safe', '6985', '$none')],
    expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' } },
  { title: 'a reply cannot be replayed for the next registration of the same value', rule: '2.8-6', commands: [
    ...registered, recoverBegin(3, certificateOf, '$shown'), { do: 'safe-retrieve', certificate: '$shown', expect: '200', save: '$object' }, back('$object', '9000'),
    { do: 'delete', item: certificateOf, expect: '9000' }, ...registered, recoverBegin(3, certificateOf, '$shown'), back('$object', '6982'), cancel(certificateOf),
  ], expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'any' } },
  { title: 'another embodiment or variant, or something else than a safe, is not taken', rule: '2.8-4', commands: [
    ...[1, 2, 12].map((embodiment): ScriptCommand => ({ ...begin('safe', '6A86', '$none'), embodiment } as ScriptCommand)),
    { do: 'raw', apdu: '80580300 11 8B020001 950101 9A080000000000000000'.replaceAll(' ', ''), expect: '6A86' },
    { do: 'raw', apdu: '80580303 11 8B020001 950101 9A080000000000000000'.replaceAll(' ', ''), expect: '6A86' },
    { do: 'raw', apdu: '805A0301 0B 8B020001 FB05C903000000'.replaceAll(' ', ''), expect: '6A86' },
    { do: 'raw', apdu: '80580301 07 8B020001 950101'.replaceAll(' ', ''), expect: '6A80' },
  ] },
];

/** Points of embodiment 3 with everything past the terminal sealed. */
export const sealed: readonly PlanPoint[] = [
  ...honest, ...negative, ...troubles,
  ...direct.map(({ rule, ...draft }, index) => scriptPoint('3/sealed', 'O', 1 + index, { prepare: two, ...draft, needs, clause: clause([], [rule], [6]) })),
  scriptPoint('3/sealed', 'O', 40, {
    title: 'sealed and begun, then cancelled: nothing is left', clause: clause([], ['2.4-8'], [6]), needs, prepare: two, commands: [begin('safe', '9000'), cancel()], expect: leaves({ item, value: 'active' }),
  }),
  scriptPoint('3/sealed', 'O', 41, {
    title: 'the key goes to no safe that holds the sealed value', clause: clause([], ['2.8-1'], [6]), needs, prepare: two,
    commands: [...registered, { ...key('decoding', 'safe'), expect: '6985' }], expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' },
  }),
  scriptPoint('3/sealed', 'O', 42, {
    title: 'a certificate of another safe than it was sealed for is refused', clause: clause([], ['2.4-2'], [6]), needs, prepare: two,
    commands: [begin('safe', '9000'), at('safe', '$request', '200'), finish(3, { of: '$certificate', element: '9A', how: flip() }, '6A82')], expect: { ...pending, safe: 'one-stored' },
  }),
];
