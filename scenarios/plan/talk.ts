import { frameOf } from '../catalogue/registry.js';
import type { ScenarioId, StepId } from '../ports.js';
import { certificateRows, handedOver, keyReplyRows } from './altered.js';
import type { Alteration, PeerFault } from './faults.js';
import { clause, completes, eitherWay, item, leaves, other, ready, scenarioOf, scenarioPoint, scriptPoint, twoValues, within } from './frames.js';
import type { Ref, ScriptCommand } from './script.js';
import { begin, finish } from './scripts.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { Expectation, ItemExpectation, PlanPoint, Preparation } from './types.js';

const scenarios: readonly ScenarioId[] = ['12/backup', '12/key-backup', '12/recover', '12/renew'];
const all = (scenario: ScenarioId): StepId[] => frameOf(scenario).steps.map(({ id }) => id as StepId);
/** Claims of a scenario: those of the pair it realises, in both wordings. */
const claimsOf = (scenario: ScenarioId): readonly number[] => frameOf(scenario).covers;
const gone = { deleteAfterRegistration: true } as const;
const two: Preparation = { ...twoValues, safes: 2 };
const decoding: Ref = '$decoding';

/** Value and key at their safes; the key is on the card or not; the value back or not. */
const registered = [scenarioOf('12/backup'), scenarioOf('12/key-backup')] as const;
const lost = [scenarioOf('12/backup'), scenarioOf('12/key-backup', gone)] as const;
const back = [...lost, scenarioOf('12/recover')] as const;

const named = (scenario: ScenarioId, number: number, title: string, before: Preparation['before'], expect: Expectation = completes(scenario)): PlanPoint =>
  scenarioPoint(scenario, 'N', number, { title, clause: clause(all(scenario), ['2.11', '3.3'], claimsOf(scenario)), prepare: { ...two, ...before && { before } }, expect });

/** Nothing goes wrong. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  ...scenarios.map((scenario) => scenarioPoint(scenario, 'N', 1, {
    title: frameOf(scenario).title, clause: clause(all(scenario), ['2.11', '3.3'], claimsOf(scenario)), expect: completes(scenario),
  })),
  scenarioPoint('12/recover', 'N', 2, {
    title: 'the owner gets key and value from the key safe, over T=0', clause: clause(all('12/recover'), ['2.11', '3.3'], [22, 43]), needs: ['T=0'],
    prepare: ready('12/recover', { transport: 'T=0' }), expect: completes('12/recover'),
  }),
  named('12/recover', 3, 'key still on the card: it comes back and nothing of it changes', registered),
  named('12/recover', 4, 'the value was deleted from the card', [scenarioOf('12/backup', gone), scenarioOf('12/key-backup', gone)]),
  scenarioPoint('12/recover', 'N', 5, {
    title: 'once more: what is back stays as it is', clause: clause([], ['2.11'], [22, 43]), prepare: { ...two, before: back }, expect: completes('12/recover', { card: { is: 'unchanged' } }),
  }),
  named('12/recover', 6, 'after a renewal the owner gets the new key and the value under it', [...back, scenarioOf('12/renew')]),
  named('12/renew', 2, 'after a recovery with the key still on the card', [...registered, scenarioOf('12/recover')]),
  scenarioPoint('12/renew', 'N', 3, {
    title: 'once more: nothing is left to renew', clause: clause([], ['2.11'], [23, 44]), prepare: { ...two, before: [...back, scenarioOf('12/renew')] },
    expect: completes('12/renew', { card: { is: 'unchanged' }, safe: 'unchanged' }),
  }),
  named('12/renew', 4, 'a second renewal after a second recovery', [...back, scenarioOf('12/renew'), scenarioOf('12/recover')]),
];

const recovering: ItemExpectation = { item, value: 'deposited', certificate: 'recovering', derived: 'absent' };
const nothingOut: Expectation = { end: ['refused'], card: { is: 'described', items: [recovering] }, safe: 'unchanged', retry: 'completes' };

interface PeerRow {
  readonly title: string;
  readonly how: PeerFault['how'];
  /** Two values are registered at the first safe. */
  readonly twice?: boolean;
}

/** Trouble between the safes. Numbers follow the order: only append. Table. */
const peerRows: readonly PeerRow[] = [
  { title: 'safe 164 cannot be reached while 165 answers', how: 'unreachable' },
  { title: 'the reply of safe 164 is lost', how: 'lost-answer' },
  { title: 'the message to safe 164 is replayed', how: 'replayed' },
  { title: 'the message to safe 164 is altered', how: 'altered-request' },
  { title: 'the reply of safe 164 is altered', how: 'altered-reply' },
  { title: 'the reply to an earlier message comes', how: 'old-reply' },
  { title: 'a safe that is not paired asks safe 164', how: 'stranger' },
  { title: 'a safe that gives itself out for 165 asks safe 164', how: 'impostor' },
  { title: 'safe 165 asks without having authenticated the owner', how: 'no-owner' },
  { title: 'safe 164 replies with an altered ciphertext', how: 'forged' },
  { title: 'safe 164 replies with the ciphertext of another value', how: 'other-value', twice: true },
];

const between: readonly PlanPoint[] = peerRows.map(({ title, how, twice = false }, index) => scenarioPoint('12/recover', 'X', 1 + index, {
  title, clause: clause(within('12/recover', '4-9@safe2'), ['3.3'], [22, 43]),
  ...twice && { prepare: { ...two, before: [scenarioOf('12/backup', {}, other), ...lost] } },
  fault: { fault: 'peer', at: '4-9@safe2', how }, expect: { ...nothingOut, at: ['2-9@peer'], safeCode: ['SAFE_PEER'] },
}));

/** Who is not the owner. Numbers are never given anew. */
const owners: readonly PlanPoint[] = [
  scenarioPoint('12/recover', 'X', 20, {
    title: 'wrong owner: nothing is given out, safe 164 is not asked', clause: clause(within('12/recover', '4-9@safe2'), ['3.3'], [22, 43]),
    fault: { fault: 'owner', at: '4-9@safe2', times: 1 }, expect: { ...nothingOut, at: ['4-10@owner'], safeCode: ['SAFE_OWNER_WRONG'] },
  }),
  scenarioPoint('12/recover', 'X', 21, {
    title: 'wrong owner, then the right one', clause: clause(within('12/recover', '4-9@safe2'), ['3.3'], [22, 43]),
    fault: { fault: 'owner', at: '4-9@safe2', times: 4, then: 'right' }, expect: completes('12/recover'),
  }),
  scenarioPoint('12/recover', 'X', 22, {
    title: 'after five wrong attempts the rightful owner is locked out too', clause: clause(within('12/recover', '4-9@safe2'), ['3.3'], [22, 43]),
    fault: { fault: 'owner', at: '4-9@safe2', times: 5, then: 'right' },
    expect: { ...nothingOut, at: ['4-10@owner'], safeCode: ['SAFE_OWNER_LOCKED'], retry: 'refused' },
  }),
  scenarioPoint('12/recover', 'X', 23, {
    title: 'the key was registered without owner authentication', clause: clause(within('12/recover', '4-9@safe2'), ['3.3'], [22, 43]), needs: ['embodiment-3'],
    prepare: { ...two, before: [scenarioOf('12/backup'), scenarioOf('3/key-backup', gone)] },
    expect: { ...nothingOut, at: ['4-10@owner'], safeCode: ['SAFE_UNKNOWN'], retry: 'refused' },
  }),
];

const flip = (bit: number): Alteration => ({ how: 'flip', bit });
/** What comes from safe 165 is altered before the card has it. */
const altered: readonly PlanPoint[] = ([
  ['digest', 'E2/83', { how: 'add', amount: 1 }], ['ciphertext', '91', flip(32 * 8)], ['tag', '91', flip(-1)], ['signature', '92', flip(0)],
] as const).map(([what, element, how], index) => scenarioPoint('12/recover', 'A', 60 + index, {
  title: `altered ${what} of the value handed over at 2-11`, clause: clause(['2-11', '2-12'], ['2.4-5'], [22, 43]), fault: { fault: 'alter', at: '2-11', object: 'registered-value', element, how },
  expect: {
    end: ['refused'], at: ['2-12'], sw: ['6982'], safe: 'unchanged', retry: 'completes',
    card: { is: 'described', items: [{ item, value: 'deposited', certificate: 'recovering' }, { item: decoding, key: 'present', certificate: 'stored' }] },
  },
}));

const renewedKey = { item: decoding, key: 'present', certificate: 'stored' } as const;
const stopped = (at: StepId, title: string, number: number, how: 'unreachable' | 'late', items: readonly ItemExpectation[], safe: Expectation['safe']): PlanPoint =>
  scenarioPoint('12/renew', 'S', number, {
    title, clause: clause(within('12/renew', at), ['2.11', '3-b'], [23, 44]), fault: { fault: 'safe', at, how },
    expect: { end: [how === 'late' ? 'late' : 'link'], at: [how === 'late' ? within('12/renew', at).at(-1) ?? at : at], card: { is: 'described', items }, safe, retry: 'completes' },
  });

/** A renewal that stops on its way: the old copies stay until both new certificates are stored. Numbers are never given anew. */
const between164and165: readonly PlanPoint[] = [
  stopped('1-10', 'safe 164 cannot be reached: the new key is on the card, the old one at its safe', 1, 'unreachable', [{ item, value: 'pending', certificate: 'spent' }, renewedKey], 'unchanged'),
  stopped('1-10', 'safe 164 answers too late', 2, 'late', [{ item, value: 'pending', certificate: 'spent' }, renewedKey], 'one-stored'),
  stopped('3-5@safe2', 'between 164 and 165: safe 165 cannot be reached, the old key is still there', 3, 'unreachable', [{ item, value: 'deposited', certificate: 'spent' }, renewedKey], 'one-stored'),
  stopped('3-5@safe2', 'between 164 and 165: safe 165 answers too late', 4, 'late', [{ item, value: 'deposited', certificate: 'spent' }, renewedKey], 'stored-2'),
  ...([['claim-26-safe', 'safe 164 cannot be reached with the receipt'], ['claim-26-safe@key', 'safe 165 cannot be reached with the receipt of the old key']] as const).map(([at, title], index) =>
    scenarioPoint('12/renew', 'S', 10 + index, {
      title, clause: clause([], ['2.11', '3-e'], [23, 26, 44]), fault: { fault: 'safe', at, how: 'unreachable' },
      expect: eitherWay('12/renew', { at: [at] }),
    })),
  scenarioPoint('12/renew', 'S', 20, {
    title: 'the value was not recovered', clause: clause(within('12/renew', '2-1@old'), ['2.11'], [23, 44]), prepare: { ...two, before: [scenarioOf('12/key-backup')] },
    expect: { end: ['unexpected'], at: ['2-4@old'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'none' },
  }),
];

const renew = (expect: string, times = 1): ScriptCommand => ({ do: 'renew-key', expect, times });
const wallet = (number: number, title: string, commands: readonly ScriptCommand[], prepare: Preparation, expect?: Partial<Expectation>): PlanPoint =>
  scriptPoint('12/wallet', 'O', number, { title, clause: clause([], ['2.11'], [23, 44]), prepare, commands, ...expect && { expect } });
const recovered: Preparation = { ...two, before: back };
const key = (safe: 'safe' | 'other-safe', expect: string): ScriptCommand => ({ do: 'key-register-begin', embodiment: 12, kind: 'decoding', safe, hash: 'SHA-256', expect, save: '$key' });
const value = (expect: string): ScriptCommand => ({ ...begin(12, item, '$request'), expect });
const fresh = leaves(renewedKey, { item: decoding, key: 'present', certificate: 'absent', renewed: true });

/** RENEW KEY and what belongs to it. Numbers are never given anew. */
const commands: readonly PlanPoint[] = [
  wallet(1, 'no renewal of a key that has no certificate', [renew('6985')], two),
  wallet(2, 'no renewal while a value is deposited under the key', [renew('6985')], { ...two, before: registered }),
  wallet(3, 'no renewal while a value is being registered under the key', [value('9000'), renew('6985'), { do: 'cancel', item, expect: '9000' }], { ...two, before: [scenarioOf('12/key-backup')] }),
  wallet(4, 'no renewal while a value is being recovered', [
    { do: 'recover-begin', embodiment: 12, what: 'value', item: '$item.certificate', expect: '9000' }, renew('6985'), { do: 'cancel', item: '$item.certificate', expect: '9000' },
  ], { ...two, before: registered }),
  wallet(5, 'no renewal without the key on the card', [renew('6985')], { ...two, before: [scenarioOf('12/key-backup', gone)] }),
  wallet(6, 'no renewal without PIN', [renew('6982')], { ...recovered, pin: 'none' }),
  wallet(7, 'renewed once: the command again changes nothing', [
    renew('9000'), value('9000'), renew('9000', 3), { ...value('9000'), save: '$again', check: [{ is: 'same', as: '$request' }] }, { do: 'cancel', item, expect: '9000' },
  ], recovered, fresh),
  wallet(8, 'the certificate of the old key can neither be deleted nor be receipted before the new key is registered', [
    renew('9000'), { do: 'delete', item: decoding, expect: '6985' }, { do: 'get-receipt', item: decoding, expect: '6985' },
  ], recovered, fresh),
  wallet(9, 'the new key cannot be deleted on the certificate of the old one', [renew('9000'), { do: 'delete-key', kind: 'decoding', expect: '6985' }], recovered, fresh),
  wallet(10, 'another embodiment or kind of key', [{ do: 'raw', apdu: '8044030100', expect: '6A86' }, { do: 'raw', apdu: '80440C0200', expect: '6A86' }, { do: 'raw', apdu: '80440C0101FF', expect: '6700' }], recovered),
  wallet(11, 'the key is not given to the safe that holds a value under it', [key('safe', '6985')], { ...two, before: [scenarioOf('12/backup')] }),
  wallet(12, 'a certificate of the safe that holds the key is not taken for a value under it', [
    value('9000'), { do: 'safe-register', request: '$request', safe: 'other-safe', expect: '200', save: '$certificate' }, finish(12, '$certificate', '6985'), { do: 'cancel', item, expect: '9000' },
  ], { ...two, before: [scenarioOf('12/key-backup')] }, { safe: 'one-stored' }),
  wallet(14, 'the key is not given out for its certificate alone', [
    { do: 'recover-begin', embodiment: 12, what: 'key', item: decoding, expect: '9000', save: '$keyCertificate' },
    { do: 'safe-retrieve', certificate: '$keyCertificate', safe: 'other-safe', expect: 'SAFE_OWNER_NEEDED' },
  ], { ...two, before: lost }),
  wallet(13, 'a fresh key is not put in the place of the renewed one while the old certificate is there', [renew('9000'), { do: 'generate-key', kind: 'decoding', expect: '6985' }], recovered, fresh),
];

/** Points of embodiment 12. */
export const talk: readonly PlanPoint[] = [
  ...honest, ...between, ...owners, ...altered, ...between164and165, ...commands,
  ...handedOver({ scenario: '12/backup', object: 'certificate', compare: ['1-15'], rule: '2.4-2', rows: certificateRows('E2/83') }),
  ...handedOver({ scenario: '12/key-backup', object: 'certificate', compare: ['3-9', '3-10'], rule: '2.4-7', rows: certificateRows('E2/8A') }),
  ...handedOver({ scenario: '12/recover', object: 'key-reply', compare: ['4-12'], rule: '2.4-7', rows: keyReplyRows }),
  ...(['12/backup', '12/key-backup', '12/recover'] as const).flatMap(safeTrouble),
  ...(['12/recover', '12/renew'] as const).flatMap((scenario) => [...resets(scenario), ...linkTrouble(scenario), ...repeats(scenario)]),
];
