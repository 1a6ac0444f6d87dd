import { frameOf } from '../catalogue/registry.js';
import type { ScenarioId, StepId } from '../ports.js';
import { certificateRows, handedOver, keyReplyRows } from './altered.js';
import { clause, completes, item, leaves, ready, refusedAtEnd, scenarioOf, scenarioPoint, scriptPoint, twoValues, within } from './frames.js';
import { afterReservation, atReservation } from './memory.js';
import type { Ref, ScriptCommand } from './script.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { PlanPoint, Preparation } from './types.js';

const scenarios: readonly ScenarioId[] = ['7/seed-backup', '7/backup', '7/seed-recover'];
const all = (scenario: ScenarioId): StepId[] => frameOf(scenario).steps.map(({ id }) => id as StepId);
const gone = { deleteAfterRegistration: true } as const;
const decoding: Ref = '$decoding';
const seed: Ref = '$seed';

/** Nothing goes wrong. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  scenarioPoint('7/seed-backup', 'N', 1, {
    title: 'the seed is registered at the second safe; its certificate takes its place', clause: clause(all('7/seed-backup'), ['2.7-2', '2.7-3'], [13]),
    expect: completes('7/seed-backup'),
  }),
  scenarioPoint('7/seed-backup', 'N', 2, {
    title: 'seed and decoding key are gone once the certificate is stored', clause: clause(all('7/seed-backup'), ['2.7-3', '2.4-7'], [13, 25]), options: gone,
    expect: completes('7/seed-backup'),
  }),
  scenarioPoint('7/seed-backup', 'N', 3, {
    title: 'the seed is registered, SHA-1', clause: clause(all('7/seed-backup'), ['1.5'], [2]), needs: ['legacy-hashes'],
    prepare: ready('7/seed-backup', { settings: { legacyHashes: true } }), options: { hash: 'SHA-1' }, flags: ['legacy-hash SHA-1'],
    expect: completes('7/seed-backup'),
  }),
  scenarioPoint('7/backup', 'N', 1, {
    title: 'a value is registered under the key of the seed', clause: clause(all('7/backup'), ['2.7-1'], [13]), expect: completes('7/backup'),
  }),
  scenarioPoint('7/backup', 'N', 2, {
    title: 'a value is registered under the key of the seed and deleted', clause: clause(all('7/backup'), ['2.4-3'], [13, 25]), options: gone,
    expect: completes('7/backup'),
  }),
  ...(['T=0', 'T=1'] as const).map((transport, at) => scenarioPoint('7/seed-recover', 'N', 1 + at, {
    title: `the decoding key is derived again from the seed, over ${transport}`, clause: clause(all('7/seed-recover'), ['2.7-4', '2.7-5'], [13]), needs: [transport],
    prepare: ready('7/seed-recover', { transport }), expect: completes('7/seed-recover'),
  })),
  scenarioPoint('7/seed-recover', 'N', 3, {
    title: 'a key that is still there is derived again and changes nothing', clause: clause(all('7/seed-recover'), ['2.7-5'], [13]),
    prepare: ready('7/seed-recover', { before: [scenarioOf('7/seed-backup')] }), expect: completes('7/seed-recover', { card: { is: 'unchanged' } }),
  }),
  scenarioPoint('2/recover', 'N', 70, {
    title: 'seed and key lost, key derived again, then the value recovered with it', clause: clause(all('2/recover'), ['2.7-5', '2.4-5'], [13]), needs: ['embodiment-7'],
    prepare: { ...twoValues, seed: true, safes: 2, before: [scenarioOf('7/backup', gone), scenarioOf('7/seed-backup', gone), scenarioOf('7/seed-recover')] },
    expect: completes('2/recover'),
  }),
];

const withSeed: Preparation = { ...twoValues, seed: true, safes: 2 };
const registered: Preparation = { ...withSeed, before: [scenarioOf('7/seed-backup')] };
const lost: Preparation = { ...withSeed, before: [scenarioOf('7/seed-backup', gone)] };
const begin = (expect: string, save: Ref = '$request', safe: 'safe' | 'other-safe' | 'unknown-safe' = 'other-safe'): ScriptCommand =>
  ({ do: 'seed-register-begin', safe, hash: 'SHA-256', expect, save });
const atSafe2: ScriptCommand = { do: 'safe-register', request: '$request', safe: 'other-safe', expect: '200', save: '$certificate' };
const wrong = (number: number, title: string, rule: string, commands: readonly ScriptCommand[], prepare: Preparation = withSeed): PlanPoint =>
  scriptPoint('7/wallet', 'O', number, { title, clause: clause([], [rule], [13]), prepare, commands });
const keptSeed = leaves({ item: seed, key: 'present', derived: 'present', certificate: 'absent' });
const keyEnd: ScriptCommand = { do: 'register-end', embodiment: 2, what: 'key', certificate: '$certificate', expect: '6985' };
const keyCertified: readonly ScriptCommand[] = [
  { do: 'key-register-begin', kind: 'decoding', safe: 'safe', hash: 'SHA-256', expect: '9000', save: '$request' },
  { do: 'safe-register', request: '$request', expect: '200', save: '$certificate' },
  { do: 'register-end', embodiment: 2, what: 'key', certificate: '$certificate', expect: '9000' },
];

/** Commands out of order and to the wrong place. Numbers are never given anew. */
const disorder: readonly PlanPoint[] = [
  wrong(1, 'no seed: nothing to register', '2.7-2', [begin('6985')], { ...twoValues, safes: 2 }),
  wrong(2, 'no seed certificate: nothing to present', '2.7-4', [{ do: 'seed-recover-begin', expect: '6A82' }]),
  wrong(3, 'a safe the card does not know', '2.7-2', [begin('6A82', '$request', 'unknown-safe')]),
  wrong(4, 'no new seed while the certificate of the present one is stored', '2.7-1', [{ do: 'generate-seed', expect: '6985' }], registered),
  wrong(5, 'no key of its own while the certificate of a seed is stored', '2.7-1', [{ do: 'generate-key', kind: 'decoding', expect: '6985' }], registered),
  wrong(6, 'no new seed while a value is deposited under its key', '2.7-1', [{ do: 'generate-seed', expect: '6985' }], { ...withSeed, before: [scenarioOf('7/backup')] }),
  wrong(7, 'a registered seed is gone: it is not registered again', '2.7-3', [begin('6985')], registered),
  wrong(8, 'the key is not deleted while its seed has no certificate', '2.4-7', [{ do: 'delete-key', kind: 'decoding', expect: '6985' }]),
  wrong(9, 'the certificate of the seed stays while its key is not on the card', '2.4-3', [{ do: 'delete', item: seed, expect: '6985' }], lost),
  wrong(10, 'a seed certificate is no key certificate for RECOVER BEGIN', '2.7-4', [{ do: 'recover-begin', embodiment: 2, what: 'key', item: seed, expect: '6A80' }], registered),
  scriptPoint('7/wallet', 'O', 11, {
    title: 'the certificate of a seed is not taken as that of a key', clause: clause([], ['2.7-3'], [13]), prepare: withSeed, commands: [begin('9000'), atSafe2, keyEnd],
    expect: { ...keptSeed, safe: 'one-stored' },
  }),
  scriptPoint('7/wallet', 'O', 12, {
    title: 'a key certificate is not presented as that of a seed', clause: clause([], ['2.7-4'], [13]), prepare: withSeed,
    commands: [...keyCertified, { do: 'seed-recover-begin', item: decoding, expect: '6985' }, { do: 'seed-recover-begin', expect: '6A82' }],
    expect: { ...leaves({ item: decoding, key: 'present', certificate: 'stored' }), safe: 'one-stored' },
  }),
  scriptPoint('7/wallet', 'O', 13, {
    title: 'CANCEL drops a begun registration of a seed; the seed stays and is registered under a new sequence', clause: clause([], ['2.4-8', '2.7-2'], [13]), prepare: withSeed,
    commands: [begin('9000', '$first'), { do: 'cancel', expect: '9000' }, { ...begin('9000'), check: [{ is: 'different', as: '$first' }] }, { do: 'cancel', expect: '9000' }],
    expect: keptSeed,
  }),
  scriptPoint('7/wallet', 'O', 14, {
    title: 'a key of its own drops the seed: it would not give that key', clause: clause([], ['2.7-1'], [13]), prepare: withSeed,
    commands: [{ do: 'generate-key', kind: 'decoding', expect: '9000' }, begin('6985')],
    expect: leaves({ item: seed, key: 'absent', derived: 'present', certificate: 'absent' }),
  }),
  scriptPoint('7/wallet', 'O', 15, {
    title: 'without PIN nothing is generated, registered or presented', clause: clause([], ['2.1'], [13]), prepare: { ...registered, pin: 'none' },
    commands: [{ do: 'generate-seed', expect: '6982' }, begin('6982'), { do: 'seed-recover-begin', expect: '6982' }],
  }),
  scriptPoint('7/wallet', 'O', 16, {
    title: 'values in embodiment 7 are encrypted under the public key only', clause: clause([], ['2.7-1'], [13]), prepare: withSeed,
    commands: [
      { do: 'register-begin', embodiment: 7, variant: 'common-key', item, hash: 'SHA-256', expect: '6A86' },
      { do: 'register-begin', embodiment: 7, variant: 'plain', item, hash: 'SHA-256', expect: '6A86' },
    ],
  }),
];

const foreign = (scenario: '7/seed-backup' | '7/seed-recover', at: StepId, object: 'certificate' | 'key-reply'): PlanPoint =>
  scenarioPoint(scenario, 'A', 90, {
    title: `${object} of another card handed over at ${at}`, clause: clause([at], ['2.7-3', '2.7-5'], [13]), fault: { fault: 'swap', at, object, by: 'foreign' },
    expect: refusedAtEnd(scenario, within(scenario, at), ['6A80', '6982'], { safe: 'any' }),
  });

/** Objects altered or exchanged on their way into the card. */
const meddled: readonly PlanPoint[] = [
  ...handedOver({ scenario: '7/seed-backup', object: 'certificate', compare: ['1-7'], rule: '2.7-3', rows: certificateRows('E2/8A') }),
  ...handedOver({ scenario: '7/backup', object: 'certificate', compare: ['2-4'], rule: '2.4-2', rows: certificateRows('E2/83') }),
  ...handedOver({ scenario: '7/seed-recover', object: 'key-reply', compare: ['3-5'], rule: '2.7-5', rows: keyReplyRows }),
  foreign('7/seed-backup', '1-6', 'certificate'), foreign('7/seed-recover', '3-5', 'key-reply'),
  scenarioPoint('7/seed-backup', 'A', 91, {
    title: 'certificate of a cancelled registration of the same seed at the first safe', clause: clause(['1-6', '1-7'], ['2.7-3'], [13]),
    prepare: ready('7/seed-backup', { setup: [begin('9000', '$other', 'safe'), { do: 'safe-register', request: '$other', expect: '200', save: '$old' }, { do: 'cancel', expect: '9000' }] }),
    fault: { fault: 'swap', at: '1-6', object: 'certificate', by: 'previous', with: '$old' }, expect: refusedAtEnd('7/seed-backup', ['1-7'], ['6985'], { safe: 'any' }),
  }),
];

/** Points of embodiment 7. */
export const seeds: readonly PlanPoint[] = [
  ...honest, ...disorder, ...meddled, ...atReservation([{ scenario: '7/seed-backup' }, { scenario: '7/backup' }]), ...afterReservation(scenarios),
  ...scenarios.flatMap(safeTrouble), ...scenarios.flatMap(resets), ...scenarios.flatMap(linkTrouble), ...scenarios.flatMap(repeats),
];
