import type { AnyStateMachine } from 'xstate';
import { exchangeOf } from '../catalogue/registry.js';
import type { OwnerChoice, OwnerEmbodiment, OwnerPorts } from '../owner-ports.js';
import type { Outcome, ScenarioId, StepId } from '../ports.js';
import { judgeAway, judgeCard, judgeSafe } from './judge.js';
import type { Judged } from './judge.js';
import { operation } from './operations.js';
import type { Operation, Run } from './operations.js';
import { exchange, machine } from './sets.js';
import { asks, deletes, passes, reached, reachedWhole, start } from './states.js';
import type { Boundary, Progress, ScenarioOptions } from './types.js';

type OwnerRun = Run<OwnerPorts>;
type Judge = (run: OwnerRun, first: StepId, outcome: Outcome<unknown>) => Judged;

const op = (judge: Judge) => <T>(call: (run: OwnerRun, had: Required<Progress>) => Promise<Outcome<T>>, gain: (value: T) => Partial<Progress>): Operation =>
  operation<OwnerPorts, ScenarioOptions, Progress>(async (run, first) => {
    const outcome = await call(run, run.progress as Required<Progress>);
    const judged = judge(run, first, outcome);
    return { ...judged, progress: outcome.ok && !judged.stop ? gain(outcome.value) : {} };
  });

const card = op((run, first, outcome) => judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace));
const safe = op((run, first, outcome) => judgeSafe(run.scenario, first, outcome));
const device = op((run, first, outcome) => judgeAway(run.scenario, first, outcome, 'link'));

const choiceOf = ({ options }: OwnerRun): OwnerChoice => options.owner ?? 'password';
/** What a registration begins with: the kind of information that is registered, in its true form. */
const registered = (run: OwnerRun): OwnerChoice => (choiceOf(run).startsWith('template') ? 'template' : 'password');
/** On recovery the certificate names the value that is asked for. */
const forWhat = ({ scenario, progress }: OwnerRun) => (scenario.endsWith('recover') ? progress.certificate : undefined);

const enrol = safe((run) => run.ports.safe.enrol(registered(run)), (grant) => ({ grant }));
const present = safe((run, { certificate }) => run.ports.safe.present(certificate, choiceOf(run)), (grant) => ({ grant }));
const challenge = safe((run) => run.ports.safe.ownerChallenge(), (carried) => ({ carried }));
const authenticate = safe((run, { carried }) => run.ports.owner.authenticate(carried, choiceOf(run), run.options.ownerTransport ?? 'common-key'), (result) => ({ carried: result }));
const result = safe((run, { carried }) => run.ports.safe.ownerResult(carried, forWhat(run)), (grant) => ({ grant }));
const hello = device((run) => run.ports.device.hello(), (carried) => ({ carried }));
const check = safe((run, { carried }) => run.ports.safe.deviceHello(carried), (proof) => ({ carried: proof }));
const prove = device((run, { carried }) => run.ports.device.prove(carried), (proof) => ({ carried: proof }));
const proved = safe((run, { carried }) => run.ports.safe.deviceProof(carried, forWhat(run)), (grant) => ({ grant }));

/** What the states `ID@WHO` do, in the order of the frame. */
const authentications = (embodiment: OwnerEmbodiment, recovers: boolean): readonly (readonly [string, Operation])[] => ({
  8: [['owner', recovers ? present : enrol]] as const,
  9: [['challenge', challenge], ['149', authenticate], ['owner', result]] as const,
  10: [['device', hello], ['check', check], ['proof', prove], ['owner', proved]] as const,
}[embodiment]);

/** What the terminal can read of a request was not sealed; such a request goes no further. */
const registerBegin = (embodiment: OwnerEmbodiment): Operation => operation<OwnerPorts, ScenarioOptions, Progress>(async (run, first) => {
  const { handle, grant } = run.progress as Required<Progress>;
  const outcome = await run.ports.card.pathRegister(embodiment, handle, run.options.hash ?? 'SHA-256', grant);
  const judged = judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace);
  if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
  const request = outcome.value;
  if (request.digest === undefined) return { ...judged, progress: { request } };
  const step = exchangeOf(run.scenario, first).at(-1) ?? first;
  return { evidence: judged.evidence, stop: { step, cause: 'unexpected', text: 'the value is in clear in the request for a path' }, progress: {} };
});
const register = safe((run, { grant, request }) => run.ports.safe.registerOver(grant, request), (certificate) => ({ certificate }));
const retrieve = safe((run, { grant, certificate }) => run.ports.safe.retrieveOver(grant, certificate), (object) => ({ object }));
const recoverEnd = (embodiment: OwnerEmbodiment): Operation => card((run, { handle, object }) =>
  run.ports.card.pathRecover(embodiment, handle, object), (stored) => ({ stored }));

type States = ReturnType<typeof exchange>;

/** The states of all exchanges with those who authenticate the owner, then `next`. */
function authenticated(phase: 1 | 2, numbers: readonly [number, number], all: readonly (readonly [string, Operation])[], next: string): States {
  const entry = (at: number): string => (at < all.length ? `${phase}-${numbers[0]}@${all[at][0]}` : next);
  return Object.assign({}, ...all.map(([at, does], i) => exchange(at, phase, numbers, does, entry(i + 1)))) as States;
}

/** Registration: the owner is authenticated, then the value goes over the path that the safe has opened (docs/protocol.md 4.1). */
function backup(embodiment: OwnerEmbodiment): AnyStateMachine {
  const all = authentications(embodiment, false);
  const first = `1-10@${all[0][0]}`;
  const id: ScenarioId = `${embodiment}/backup`;
  return machine(id, {
    start: start('1-1', ...all.map(([at]): Boundary => `1-10@${at}`), '1-5', '1-10', '1-13', 'claim-25'),
    ...exchange('', 1, [1, 4], 'listValues', first),
    '1-4': passes('1-4', first, reachedWhole('claim-25'), reached('claim-25')),
    ...authenticated(1, [10, 12], all, '1-5'),
    ...exchange('', 1, [5, 9], registerBegin(embodiment), '1-10'),
    ...exchange('', 1, [10, 12], register, '1-13'),
    ...exchange('', 1, [13, 16], 'registerEnd', 'done'),
    '1-16': passes('1-16', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
  });
}

/** Recovery: the owner is authenticated for the value of a certificate, then it comes back over the path. */
function recover(embodiment: OwnerEmbodiment): AnyStateMachine {
  const all = authentications(embodiment, true);
  const id: ScenarioId = `${embodiment}/recover`;
  return machine(id, {
    start: start('2-1', '2-5', ...all.map(([at]): Boundary => `2-9@${at}`), '2-9', '2-11', 'claim-26-receipt', 'claim-26-safe', 'claim-26-delete'),
    ...exchange('', 2, [1, 4], 'listCertificates', '2-5'),
    '2-4': passes('2-4', '2-5', reachedWhole('claim-26-receipt'), reached('claim-26-receipt')),
    ...exchange('', 2, [5, 8], 'recoverBegin', `2-9@${all[0][0]}`),
    ...authenticated(2, [9, 10], all, '2-9'),
    ...exchange('', 2, [9, 10], retrieve, '2-11'),
    ...exchange('', 2, [11, 15], recoverEnd(embodiment), 'done'),
    '2-15': passes('2-15', 'done', deletes('claim-26-receipt', 'claim-26-receipt')),
    'claim-26-receipt': asks('claim-26-receipt', 'claim-26-receipt', 'claim-26-safe'),
    'claim-26-safe': asks('claim-26-safe', 'claim-26-safe', 'claim-26-delete'),
    'claim-26-delete': asks('claim-26-delete', 'claim-26-delete', 'done'),
  });
}

/** The machines of embodiments 8, 9 and 10, in the order of their frames. */
export const ownerMachines: readonly AnyStateMachine[] = ([8, 9, 10] as const).flatMap((embodiment) => [backup(embodiment), recover(embodiment)]);
