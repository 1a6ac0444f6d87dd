import { frameOf } from '../catalogue/registry.js';
import type { KeyKind, ScenarioId, StepId, Variant } from '../ports.js';
import { certificateRows, handedOver, keyReplyRows } from './altered.js';
import { clause, completes, item, leaves, other, scenarioOf, scenarioPoint, scriptPoint, twoValues } from './frames.js';
import { begin, finish } from './scripts.js';
import type { ScriptCommand } from './script.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { PlanPoint, Preparation } from './types.js';

const scenarios: readonly ScenarioId[] = ['3/backup', '3/recover', '3/key-backup', '3/key-recover'];
const all = (scenario: ScenarioId): StepId[] => frameOf(scenario).steps.map(({ id }) => id as StepId);
const gone = { deleteAfterRegistration: true } as const;
const two: Preparation = { ...twoValues, safes: 2 };

/** Nothing goes wrong. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  ...scenarios.map((scenario) => scenarioPoint(scenario, 'N', 1, {
    title: `${frameOf(scenario).title}`, clause: clause(all(scenario), ['2.8'], [6]), expect: completes(scenario),
  })),
  scenarioPoint('3/recover', 'N', 2, {
    title: 'key lost, got back from the second safe, then the value from the first', clause: clause(all('3/recover'), ['2.8-3'], [6]),
    prepare: { ...two, before: [scenarioOf('3/backup', gone), scenarioOf('3/key-backup', gone), scenarioOf('3/key-recover')] }, expect: completes('3/recover'),
  }),
  scenarioPoint('3/backup', 'N', 2, {
    title: 'a value goes to the first safe after its key went to the second', clause: clause(all('3/backup'), ['2.8-2'], [6]),
    prepare: { ...two, before: [scenarioOf('3/key-backup')] }, expect: completes('3/backup'),
  }),
  scenarioPoint('3/key-backup', 'N', 2, {
    title: 'a key goes to the second safe after a value went to the first', clause: clause(all('3/key-backup'), ['2.8-1'], [6]),
    prepare: { ...two, before: [scenarioOf('3/backup')] }, expect: completes('3/key-backup'),
  }),
];

const key = (kind: KeyKind, safe: 'safe' | 'other-safe', expect: string): ScriptCommand =>
  ({ do: 'key-register-begin', embodiment: 3, kind, safe, hash: 'SHA-256', expect, save: '$key' });
const certified = (safe: 'safe' | 'other-safe'): readonly ScriptCommand[] => [
  { do: 'safe-register', request: '$key', safe, expect: '200', save: '$keyCertificate' },
  { do: 'register-end', embodiment: 3, what: 'key', certificate: '$keyCertificate', expect: '9000' },
];
const value = (variant: Variant, safe: 'safe' | 'other-safe', sw: string): readonly ScriptCommand[] => [
  { ...begin(3, item, '$request'), variant }, { do: 'safe-register', request: '$request', safe, expect: '200', save: '$certificate' }, finish(3, '$certificate', sw),
] as readonly ScriptCommand[];
const pending = leaves({ item, value: 'pending', certificate: 'absent' });
const deposited = leaves({ item, value: 'deposited', certificate: 'stored' });

/** Key and value are kept apart, whichever comes first. Numbers are never given anew. */
const apartness: readonly PlanPoint[] = [
  ...(['public-key', 'common-key'] as const).flatMap((variant, at): PlanPoint[] => {
    const kind = variant === 'public-key' ? 'decoding' : 'common';
    return [
      scriptPoint('3/apart', 'O', 1 + 10 * at, {
        title: `the ${kind} key is not given to the safe that holds a value under it`, clause: clause([], ['2.8-1'], [6]), needs: variant === 'common-key' ? [variant] : [],
        prepare: two, commands: [...value(variant, 'safe', '9000'), key(kind, 'safe', '6985')], expect: { ...deposited, safe: 'one-stored' },
      }),
      scriptPoint('3/apart', 'O', 2 + 10 * at, {
        title: `a certificate of the safe that holds the ${kind} key is not taken for a value under it`, clause: clause([], ['2.8-2'], [6]), needs: variant === 'common-key' ? [variant] : [],
        prepare: two, commands: [key(kind, 'other-safe', '9000'), ...certified('other-safe'), ...value(variant, 'other-safe', '6985'), { do: 'cancel', item, expect: '9000' }],
        expect: { ...leaves({ item, value: 'active' }, { item: kind === 'decoding' ? '$decoding' : '$common', key: 'present', certificate: 'stored' }), safe: 'any' },
      }),
      scriptPoint('3/apart', 'O', 3 + 10 * at, {
        title: `nor of the safe the ${kind} key is on its way to`, clause: clause([], ['2.8-2'], [6]), needs: variant === 'common-key' ? [variant] : [],
        prepare: two, commands: [key(kind, 'other-safe', '9000'), ...value(variant, 'other-safe', '6985')], expect: { ...pending, safe: 'one-stored' },
      }),
      scriptPoint('3/apart', 'O', 4 + 10 * at, {
        title: `the other key than the ${kind} one may go to the safe of the value`, clause: clause([], ['2.8-1'], [6]), needs: ['common-key'],
        prepare: two, commands: [...value(variant, 'safe', '9000'), key(kind === 'decoding' ? 'common' : 'decoding', 'safe', '9000'), { do: 'cancel', expect: '9000' }],
        expect: { ...deposited, safe: 'one-stored' },
      }),
    ];
  }),
  scriptPoint('3/apart', 'O', 20, {
    title: 'once the value is back its safe may hold the key', clause: clause([], ['2.8-1'], [6]),
    prepare: { ...two, before: [scenarioOf('3/backup'), scenarioOf('3/recover')] }, commands: [key('decoding', 'safe', '9000'), { do: 'cancel', expect: '9000' }],
  }),
  scriptPoint('3/apart', 'O', 21, {
    title: 'a value that is RECOVERING still counts', clause: clause([], ['2.8-1'], [6]), prepare: { ...two, before: [scenarioOf('3/backup', {}, other)] },
    commands: [{ do: 'recover-begin', embodiment: 3, what: 'value', item: '$other.certificate', expect: '9000' }, key('decoding', 'safe', '6985'), { do: 'cancel', item: '$other.certificate', expect: '9000' }],
  }),
];

/** Points of embodiment 3. */
export const apart: readonly PlanPoint[] = [
  ...honest, ...apartness,
  ...handedOver({ scenario: '3/backup', object: 'certificate', compare: ['1-15'], rule: '2.4-2', rows: certificateRows('E2/83') }),
  ...handedOver({ scenario: '3/key-backup', object: 'certificate', compare: ['3-9', '3-10'], rule: '2.4-7', rows: certificateRows('E2/8A') }),
  ...handedOver({ scenario: '3/key-recover', object: 'key-reply', compare: ['4-12'], rule: '2.4-7', rows: keyReplyRows }),
  ...scenarios.flatMap(safeTrouble), ...scenarios.flatMap(resets), ...scenarios.flatMap(linkTrouble), ...scenarios.flatMap(repeats),
];
