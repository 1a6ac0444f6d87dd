import { exchanges, frameOf } from '../catalogue/registry.js';
import type { ScenarioOptions } from '../machines/types.js';
import type { OwnerEmbodiment } from '../owner-ports.js';
import type { ScenarioId, StepId } from '../ports.js';
import { certificateRows, handedOver } from './altered.js';
import type { Alteration, Fault, ObjectName, Place } from './faults.js';
import { clause, completes, midway, ready, scenarioOf, scenarioPoint, scriptPoint, within } from './frames.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { Expectation, PlanPoint, Preparation } from './types.js';

const embodiments: readonly OwnerEmbodiment[] = [8, 9, 10];
const scenarios: readonly ScenarioId[] = embodiments.flatMap((embodiment): ScenarioId[] => [`${embodiment}/backup`, `${embodiment}/recover`]);
const all = (scenario: ScenarioId): StepId[] => exchanges(scenario).flat();
const ruleOf = (scenario: ScenarioId): string => (frameOf(scenario).embodiment === 10 ? '2.10' : '2.9');
/** The card made ready with what a scenario needs, whatever else. */
const made = (scenario: ScenarioId, more: Partial<Preparation> = {}, options: ScenarioOptions = {}): Preparation => ready(scenario, more, options);

interface Nominal {
  readonly title: string;
  readonly only?: readonly ScenarioId[];
  readonly claims?: readonly number[];
  readonly options?: ScenarioOptions;
  /** Options of the registration before a recovery, where they are others. */
  readonly before?: ScenarioOptions;
  readonly prepare?: Partial<Preparation>;
  readonly fault?: Fault;
}

const deleted: ScenarioOptions = { deleteAfterRegistration: true, deleteAfterRecovery: true };
const attempts = (at: 'safe' | '149', times: number, pause: 'long' | 'none', restart = false): Extract<Fault, { fault: 'meanwhile' }>['how'] =>
  ({ act: 'attempts', at, times, pause, ...restart && { restart } });

/** What goes through. Numbers follow the order: only append. Table. */
const nominals: readonly Nominal[] = [
  { title: 'as usual' },
  { title: 'and deleted where it was (claims 25, 26)', claims: [25, 26], options: deleted },
  { title: 'over T=0', prepare: { transport: 'T=0' } },
  { title: 'by a template that differs as far as it may', only: ['8/backup', '8/recover', '9/recover'], options: { owner: 'template-within' } },
  { title: 'the owner\'s information under a temporary common key', only: ['9/backup', '9/recover'], claims: [16], options: { ownerTransport: 'common-key' } },
  { title: 'the owner\'s information under the public key of means 149', only: ['9/backup', '9/recover'], claims: [17], options: { ownerTransport: 'public-key' } },
  { title: 'after four wrong passwords with time in between', only: ['8/recover'], fault: { fault: 'meanwhile', before: '2-9@owner', how: attempts('safe', 4, 'long') } },
  { title: 'after four wrong passwords with time in between', only: ['9/backup'], fault: { fault: 'meanwhile', before: '1-10@149', how: attempts('149', 4, 'long') } },
];

/** Points 20 and up: the value comes back though the decoding key is lost. */
const keyLost: readonly PlanPoint[] = embodiments.map((embodiment) => {
  const scenario: ScenarioId = `${embodiment}/recover`;
  return scenarioPoint(scenario, 'N', 20, {
    title: 'the value comes back though the card has lost its decoding key', clause: clause(all(scenario), [ruleOf(scenario)], frameOf(scenario).covers),
    prepare: made(scenario, { before: [scenarioOf(`${embodiment}/backup`, { deleteAfterRegistration: true }), scenarioOf('2/key-backup', { deleteAfterRegistration: true })] }),
    expect: completes(scenario),
  });
});

const honest: readonly PlanPoint[] = scenarios.flatMap((scenario) => nominals.flatMap(({ title, only, claims = [], options = {}, prepare, fault }, at) => {
  if (only && !only.includes(scenario)) return [];
  const tombstone = scenario.endsWith('recover') && options.deleteAfterRecovery;
  return [scenarioPoint(scenario, 'N', 1 + at, {
    title: `${frameOf(scenario).title}, ${title}`, clause: clause(all(scenario), [ruleOf(scenario)], [...frameOf(scenario).covers, ...claims]), options, ...fault && { fault },
    needs: prepare?.transport ? [prepare.transport] : [], prepare: made(scenario, prepare, options), expect: completes(scenario, tombstone ? { safe: 'tombstone' } : {}),
  })];
}));

/** Something wrong: where the run ends and by what. */
interface Wrong {
  readonly scenario: ScenarioId;
  readonly title: string;
  readonly at: readonly StepId[];
  readonly end?: Expectation['end'];
  readonly sw?: readonly string[];
  readonly code?: string;
  readonly fault?: Fault;
  readonly options?: ScenarioOptions;
  readonly prepare?: Partial<Preparation>;
  readonly retry?: Expectation['retry'];
  /** The registration had begun on the card. */
  readonly begun?: boolean;
  readonly safe?: Expectation['safe'];
}

const flip = (bit = 0): Alteration => ({ how: 'flip', bit });
const alter = (at: Place, object: ObjectName, element: string, how: Alteration = flip()): Fault => ({ fault: 'alter', at, object, element, how });
const meanwhile = (before: Place, how: Extract<Fault, { fault: 'meanwhile' }>['how']): Fault => ({ fault: 'meanwhile', before, how });

/** What may be wrong with the grant of a path, whoever was authenticated. */
const grants = (scenario: ScenarioId): readonly Wrong[] => [
  { scenario, title: 'a grant with a bad signature', at: ['1-7'], sw: ['6982'], fault: alter('1-5', 'grant', '92') },
  { scenario, title: 'a grant of another path than was signed', at: ['1-7'], sw: ['6982'], fault: alter('1-5', 'grant', 'C9') },
  { scenario, title: 'a grant for another card', at: ['1-7'], sw: ['6A80'], fault: alter('1-5', 'grant', '93') },
  { scenario, title: 'a grant of a safe that the card does not know', at: ['1-7'], sw: ['6A82'], fault: alter('1-5', 'grant', '9A') },
  { scenario, title: 'a grant without its safe', at: within(scenario, '1-5'), sw: ['6A80'], fault: alter('1-5', 'grant', '9A', { how: 'remove' }) },
  { scenario, title: 'a grant cut short', at: within(scenario, '1-5'), sw: ['6A80', '6700'], fault: alter('1-5', 'grant', 'whole', { how: 'truncate', bytes: 1 }) },
  { scenario, title: 'a sealed value altered on its way', at: ['1-11'], code: 'SAFE_BAD_SIGNATURE', fault: alter('1-10', 'request', 'F1/91', flip(400)), begun: true },
  { scenario, title: 'a sealed value under another sequence', at: ['1-11'], code: 'SAFE_BAD_SIGNATURE', fault: alter('1-10', 'request', '94', { how: 'add', amount: 1 }), begun: true },
  { scenario, title: 'a sealed value with the credential of another card', at: ['1-11'], code: 'SAFE_BAD_SIGNATURE', fault: alter('1-10', 'request', 'F1/E9/93'), begun: true },
  { scenario, title: 'a registration over a path that another one has closed', at: ['1-11'], code: 'SAFE_PATH', fault: meanwhile('1-10', { act: 'another-path' }), begun: true },
  { scenario, title: 'a registration over a path that is too old', at: ['1-11'], code: 'SAFE_PATH', fault: meanwhile('1-10', { act: 'wait' }), begun: true },
];

/** What may be wrong with what comes back over a path. */
const replies = (scenario: ScenarioId): readonly Wrong[] => [
  { scenario, title: 'a reply with a bad signature', at: ['2-12'], sw: ['6982'], fault: alter('2-11', 'path-reply', '92') },
  { scenario, title: 'a reply whose sealed value was altered', at: ['2-12'], sw: ['6982'], fault: alter('2-11', 'path-reply', '91', flip(400)) },
  { scenario, title: 'a reply of another path', at: ['2-12'], sw: ['6982'], fault: alter('2-11', 'path-reply', 'C9') },
  { scenario, title: 'a reply with an empty value', at: within(scenario, '2-11'), sw: ['6A80'], fault: alter('2-11', 'path-reply', '91', { how: 'set', bytes: '' }) },
  { scenario, title: 'a reply cut short', at: within(scenario, '2-11'), sw: ['6A80', '6700'], fault: alter('2-11', 'path-reply', 'whole', { how: 'truncate', bytes: 1 }) },
  { scenario, title: 'a recovery over a path that another one has closed', at: ['2-10'], code: 'SAFE_PATH', fault: meanwhile('2-9', { act: 'another-path' }) },
  { scenario, title: 'a recovery over a path that is too old', at: ['2-10'], code: 'SAFE_PATH', fault: meanwhile('2-9', { act: 'wait' }) },
];

const atSafe = { scenario: '8/recover', at: ['2-10@owner'], code: 'SAFE_OWNER_WRONG', retry: 'refused' } as const;
const template = { before: [scenarioOf('8/backup', { owner: 'template' })] } as const;

/** Embodiment 8. Numbers follow the order, from 20: only append. Table. */
const atTheSafe: readonly Wrong[] = [
  { ...atSafe, title: 'a wrong password', options: { owner: 'wrong-password' } },
  { ...atSafe, title: 'a template one bit beyond the threshold', options: { owner: 'template-beyond' }, prepare: template },
  { ...atSafe, title: 'a template where a password is registered', options: { owner: 'template' } },
  { ...atSafe, title: 'the right password at once after a wrong one', code: 'SAFE_OWNER_WAIT', fault: meanwhile('2-9@owner', attempts('safe', 1, 'none')) },
  { ...atSafe, title: 'the right password after five wrong ones', code: 'SAFE_OWNER_LOCKED', fault: meanwhile('2-9@owner', attempts('safe', 5, 'long')) },
  { ...atSafe, title: 'the right password after five wrong ones and a restart of the safe', code: 'SAFE_OWNER_LOCKED', fault: meanwhile('2-9@owner', attempts('safe', 5, 'long', true)) },
  { ...atSafe, title: 'a certificate with a bad signature', code: 'SAFE_BAD_SIGNATURE', fault: alter('2-9@owner', 'certificate', '92'), retry: 'completes' },
];

const atMeans = { scenario: '9/backup', at: ['1-11@149'], code: 'SAFE_OWNER_WRONG', retry: 'refused' } as const;
const result = { scenario: '9/backup', at: ['1-11@owner'], code: 'SAFE_BAD_SIGNATURE' } as const;

/** Embodiment 9. */
const atTheTerminal: readonly Wrong[] = [
  { ...atMeans, title: 'a wrong password', options: { owner: 'wrong-password' } },
  { ...atMeans, title: 'a wrong password under the public key', options: { owner: 'wrong-password', ownerTransport: 'public-key' } },
  { ...atMeans, title: 'a template one bit beyond the threshold', options: { owner: 'template-beyond' } },
  { ...atMeans, title: 'the right password at once after a wrong one', code: 'SAFE_OWNER_WAIT', fault: meanwhile('1-10@149', attempts('149', 1, 'none')) },
  { ...atMeans, title: 'the right password after five wrong ones', code: 'SAFE_OWNER_LOCKED', fault: meanwhile('1-10@149', attempts('149', 5, 'long')) },
  { ...result, title: 'a result with a bad signature', fault: alter('1-10@owner', 'owner-result', '92') },
  { ...result, title: 'a result about another owner', fault: alter('1-10@owner', 'owner-result', 'CE') },
  { ...result, title: 'a result of means that the safe does not know', fault: alter('1-10@owner', 'owner-result', '9D') },
  { ...result, title: 'a result about another challenge', fault: alter('1-10@owner', 'owner-result', 'CA') },
  { ...result, title: 'a result about another card', code: 'SAFE_PATH', fault: alter('1-10@owner', 'owner-result', '93') },
  { ...result, title: 'a result without a signature', code: 'SAFE_BAD_OBJECT', fault: alter('1-10@owner', 'owner-result', '92', { how: 'remove' }) },
  { ...result, title: 'a result that answers another challenge than the safe\'s', code: 'SAFE_PATH', fault: alter('1-10@149', 'challenge', 'CA') },
  { scenario: '9/backup', title: 'no result', at: ['1-10@owner'], end: ['link'], fault: { fault: 'skip', steps: ['1-10@owner'] } },
  { ...atMeans, scenario: '9/recover', title: 'a wrong password', at: ['2-10@149'], options: { owner: 'wrong-password' } },
  { scenario: '9/recover', title: 'a result with a bad signature', at: ['2-10@owner'], code: 'SAFE_BAD_SIGNATURE', fault: alter('2-9@owner', 'owner-result', '92') },
  { scenario: '9/recover', title: 'a result for a value that a password at the safe opens', at: ['2-10@owner'], code: 'SAFE_OWNER_WRONG', prepare: { before: [scenarioOf('8/backup')] }, retry: 'refused' },
];

const device = { scenario: '10/backup', at: ['1-11@proof'], sw: ['6982'] } as const;

/** Embodiment 10. */
const byDevice: readonly Wrong[] = [
  { scenario: '10/backup', title: 'a device that the check does not know', at: ['1-11@check'], code: 'SAFE_OWNER_WRONG', prepare: { device: 'unknown' }, retry: 'refused' },
  { ...device, title: 'a device with the owner\'s id and another key', prepare: { device: 'forged' }, retry: 'refused' },
  { ...device, title: 'a check that cannot prove itself', fault: alter('1-10@proof', 'check-proof', 'CD') },
  { ...device, title: 'a check with another challenge than it proved', fault: alter('1-10@proof', 'check-proof', 'CA') },
  { ...device, title: 'the device\'s challenge altered on its way to the check', fault: alter('1-10@check', 'device-hello', 'CA') },
  { scenario: '10/backup', title: 'another device\'s id on its way to the check', at: ['1-11@check'], code: 'SAFE_OWNER_WRONG', fault: alter('1-10@check', 'device-hello', 'CF') },
  { scenario: '10/backup', title: 'a device that cannot prove itself', at: ['1-11@owner'], code: 'SAFE_OWNER_WRONG', fault: alter('1-10@owner', 'device-proof', 'CD') },
  { scenario: '10/backup', title: 'the proof of another device', at: ['1-11@owner'], code: 'SAFE_PATH', fault: alter('1-10@owner', 'device-proof', 'CF') },
  { scenario: '10/backup', title: 'no proof of the device', at: ['1-10@owner'], end: ['link'], fault: { fault: 'skip', steps: ['1-10@owner'] } },
  { scenario: '10/backup', title: 'the device is removed before it proves itself', at: ['1-10@proof', '1-12@proof'], end: ['link'], fault: meanwhile('1-10@proof', { act: 'remove-device' }), retry: 'none' },
  { scenario: '10/recover', title: 'a device that the check does not know', at: ['2-10@check'], code: 'SAFE_OWNER_WRONG', prepare: { device: 'unknown', before: [scenarioOf('8/backup')] }, retry: 'refused' },
  { scenario: '10/recover', title: 'a check that cannot prove itself', at: ['2-10@proof'], sw: ['6982'], fault: alter('2-9@proof', 'check-proof', 'CD') },
  { scenario: '10/recover', title: 'the device is removed before it proves itself', at: ['2-9@proof', '2-10@proof'], end: ['link'], fault: meanwhile('2-9@proof', { act: 'remove-device' }), retry: 'none' },
  { scenario: '10/recover', title: 'a device for a value that a password at the safe opens', at: ['2-10@owner'], code: 'SAFE_OWNER_WRONG', prepare: { before: [scenarioOf('8/backup')] }, retry: 'refused' },
];

function wrongPoint(wrong: Wrong, number: number): PlanPoint {
  const { scenario, title, at, end = ['refused'], sw, code, fault, options = {}, prepare, retry = 'completes', begun, safe } = wrong;
  const registers = scenario.endsWith('backup');
  return scenarioPoint(scenario, 'X', number, {
    title, clause: clause(at, [ruleOf(scenario)]), options, prepare: made(scenario, prepare), ...fault && { fault },
    expect: {
      end, at, ...sw && { sw }, ...code !== undefined && { safeCode: [code] },
      card: registers && !begun ? { is: 'unchanged' } : midway(scenario), safe: safe ?? (registers ? 'nothing-stored' : 'unchanged'), retry,
    },
  });
}

/** Numbers those of one scenario from `first`. */
const numbered = (wrongs: readonly Wrong[], first: number): readonly PlanPoint[] => {
  const counts = new Map<ScenarioId, number>();
  return wrongs.map((wrong) => {
    const number = counts.get(wrong.scenario) ?? first;
    counts.set(wrong.scenario, number + 1);
    return wrongPoint(wrong, number);
  });
};

/** An object that is good once, presented again: refused, and the run goes on by the first. */
const replays: readonly PlanPoint[] = ([
  ['9/backup', '1-10@owner', 'the result of an authentication'], ['10/backup', '1-10@proof', 'the proof of the check to the device'], ['10/backup', '1-10@owner', 'the proof of the device'],
  ['10/recover', '2-9@proof', 'the proof of the check to the device'],
] as const).map(([scenario, at, what], index) => scenarioPoint(scenario, 'X', 80 + index, {
  title: `${what} is good once`, clause: clause(within(scenario, at), [ruleOf(scenario)]), prepare: made(scenario), fault: { fault: 'replay', at }, expect: completes(scenario),
}));

const certificate = { do: 'recover-begin', embodiment: 8, what: 'value', item: '$item.certificate', expect: '9000', save: '$certificate' } as const;
const registered: Preparation = ready('8/recover');

/** Direct commands and requests. */
const direct: readonly PlanPoint[] = [
  scriptPoint('8/path', 'O', 1, {
    title: 'the certificate alone gets nothing from the safe', clause: clause([], ['3.1'], [14, 38]), prepare: registered,
    commands: [certificate, { do: 'safe-retrieve', certificate: '$certificate', expect: 'SAFE_OWNER_NEEDED' }, { do: 'cancel', item: '$item.certificate', expect: '9000' }],
  }),
  scriptPoint('8/path', 'O', 2, {
    title: 'a value in clear is neither given nor taken', clause: clause([], ['2.9']), prepare: registered,
    commands: [
      { do: 'register-begin', embodiment: 8, variant: 'plain', item: '$other', hash: 'SHA-256', expect: '6A86' }, certificate,
      { do: 'recover-end', embodiment: 8, item: '$item.certificate', object: { hex: 'E100' }, expect: '6A86' }, { do: 'cancel', item: '$item.certificate', expect: '9000' },
    ],
  }),
];

/** Points of embodiments 8, 9 and 10. */
export const owners: readonly PlanPoint[] = [
  ...honest, ...keyLost,
  ...embodiments.flatMap((embodiment) => [...numbered(grants(`${embodiment}/backup`), 1), ...numbered(replies(`${embodiment}/recover`), 1)]),
  ...numbered(atTheSafe, 20), ...numbered(atTheTerminal, 20), ...numbered(byDevice, 20), ...replays, ...direct,
  ...handedOver({ scenario: '8/backup', object: 'certificate', compare: ['1-15'], rule: '2.4-2', rows: certificateRows('E2/83') }),
  ...scenarios.flatMap(safeTrouble), ...(['8/backup', '8/recover'] as const).flatMap(resets), ...scenarios.flatMap(repeats),
  ...(['8/backup', '8/recover'] as const).flatMap(linkTrouble),
  ...(['9/backup', '9/recover', '10/backup', '10/recover'] as const).flatMap((scenario) => resets(scenario).filter(({ fault }) => fault?.fault === 'reset' && fault.after.includes('@'))),
];
