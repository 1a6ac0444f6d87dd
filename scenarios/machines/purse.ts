import type { Outcome, StepId } from '../ports.js';
import type {
  ChallengeAlternative, ChallengeObject, LogEntryObject, LogReceiptObject, PaymentObject, PursePorts, QueryObject, ServiceObject,
} from '../purse-ports.js';
import { contextOf, outputOf } from './context.js';
import type { Judged } from './judge.js';
import { operation } from './operations.js';
import type { Run, Settled } from './operations.js';
import { judgePurseCard, judgeThirdParty } from './purse-judge.js';
import { scenarioSetup } from './setup.js';
import { asks, ends, passes, start } from './states.js';
import type { CommonOptions } from './types.js';

/** How a transfer is to be run. Plain data. */
export interface PurseOptions extends CommonOptions {
  /** Yen. */
  readonly amount: number;
  /** Default `encrypted`. */
  readonly alternative?: ChallengeAlternative;
}

/** What has been obtained so far; enough to go on in another run. Plain data. */
export interface PurseProgress {
  readonly challenge?: ChallengeObject;
  readonly payment?: PaymentObject;
  readonly query?: QueryObject;
  readonly service?: ServiceObject;
  readonly entry?: LogEntryObject;
  readonly receipt?: LogReceiptObject;
}

type PurseRun = Run<PursePorts, PurseOptions, PurseProgress>;

/** What a run must have at this place; a resumed run that lacks it is a bug of the bench. */
function need<K extends keyof PurseProgress>({ scenario, progress }: PurseRun, name: K): NonNullable<PurseProgress[K]> {
  const value = progress[name];
  if (value === undefined) throw new Error(`${scenario} has no ${name} yet`);
  return value;
}

function settled<T>(judged: Judged, outcome: Outcome<T>, first: StepId, gain: (value: T) => PurseProgress, problem?: (value: T) => string | undefined): Settled<PurseProgress> {
  if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
  const text = problem?.(outcome.value);
  const step = judged.evidence.at(-1)?.step ?? first;
  return { evidence: judged.evidence, progress: gain(outcome.value), ...text !== undefined && { stop: { step, cause: 'unexpected' as const, text } } };
}

const op = (carryOut: (run: PurseRun, first: StepId) => Promise<Settled<PurseProgress>>) => operation<PursePorts, PurseOptions, PurseProgress>(carryOut);

const embodimentOf = ({ scenario }: PurseRun): 1 | 2 => (scenario === 'purse/1/transfer' ? 1 : 2);

const differs = <T>(what: string, found: T, wanted: T): string | undefined => (found === wanted ? undefined : `${what} is ${String(found)}, expected ${String(wanted)}`);

function entryProblem(run: PurseRun, entry: LogEntryObject): string | undefined {
  const { challenge, payment } = run.progress;
  return (challenge && (differs('the challenge id of the log entry', entry.challengeId, challenge.challengeId) ?? differs('the amount of the log entry', entry.amount, challenge.amount)))
    ?? (payment && differs('the payer of the log entry', entry.payerKey, payment.payerKey));
}

const challenge = op(async (run, first) => {
  const { ports: { payee }, options: { amount, alternative = 'encrypted' } } = run;
  const outcome = await payee.challenge(embodimentOf(run), alternative, amount);
  return settled(judgePurseCard(run.scenario, first, ['P-1'], outcome, payee.hasTrace), outcome, first,
    (value) => ({ challenge: value }), (value) => differs('the amount of the challenge', value.amount, amount));
});

const pay = op(async (run, first) => {
  const { payer } = run.ports;
  const outcome = await payer.pay(embodimentOf(run), need(run, 'challenge'));
  return settled(judgePurseCard(run.scenario, first, ['P-1', 'P-2'], outcome, payer.hasTrace), outcome, first, (payment) => ({ payment }));
});

const receive = op(async (run, first) => {
  const { payee } = run.ports;
  const outcome = await payee.receive(need(run, 'payment'));
  return settled(judgePurseCard(run.scenario, first, ['P-2', 'P-3', 'P-4', 'P-5'], outcome, payee.hasTrace), outcome, first,
    (entry) => ({ entry }), (entry) => entryProblem(run, entry));
});

const prepare = op(async (run, first) => {
  const { payee } = run.ports;
  const outcome = await payee.prepare(need(run, 'payment'));
  return settled(judgePurseCard(run.scenario, first, ['P-2', 'P-3', 'P-3a'], outcome, payee.hasTrace), outcome, first, (query) => ({ query }));
});

const query = op(async (run, first) => {
  const outcome = await run.ports.thirdparty.query(need(run, 'query'));
  return settled(judgeThirdParty(run.scenario, first, outcome), outcome, first, (service) => ({ service }));
});

const accept = op(async (run, first) => {
  const { payee } = run.ports;
  const outcome = await payee.accept(need(run, 'service'));
  return settled(judgePurseCard(run.scenario, first, ['P-3b', 'P-4', 'P-5'], outcome, payee.hasTrace), outcome, first,
    (entry) => ({ entry }), (entry) => entryProblem(run, entry));
});

/** The entry goes to the log, its receipt back to the card. A card that refuses the receipt stops the run at P-6. */
const log = op(async (run, first) => {
  const outcome = await run.ports.thirdparty.log(need(run, 'entry'));
  const judged = judgeThirdParty(run.scenario, first, outcome);
  if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
  const taken = await run.ports.payee.logTaken(outcome.value);
  const { evidence } = judged;
  if (taken.ok) return { evidence, progress: { receipt: outcome.value } };
  const { cause, text, sw } = taken;
  return { evidence, progress: { receipt: outcome.value }, stop: { step: 'P-6', cause, text: `LOG TAKEN: ${text}`, ...sw !== undefined && { sw } } };
});

/** Embodiment 1: payment between two cards (steps P-1 to P-6). */
export const purseTransfer = scenarioSetup.createMachine({
  id: 'purse/1/transfer',
  context: ({ input }) => contextOf('purse/1/transfer', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('P-1', 'P-2', 'P-3', 'P-5'),
    'P-1': asks('P-1', challenge, 'P-2'),
    'P-2': asks('P-2', pay, 'P-3'),
    'P-3': asks('P-3', receive, 'P-4'),
    'P-4': passes('P-4', 'P-5'),
    'P-5': asks('P-5', log, 'P-6'),
    'P-6': passes('P-6', 'done'),
    ...ends,
  },
});

/** Embodiment 2: the payee asks first whether the log can be taken (steps P-1 to P-6 with P-3a and P-3b). */
export const purseAskedTransfer = scenarioSetup.createMachine({
  id: 'purse/2/transfer',
  context: ({ input }) => contextOf('purse/2/transfer', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('P-1', 'P-2', 'P-3', 'P-3a', 'P-3b', 'P-5'),
    'P-1': asks('P-1', challenge, 'P-2'),
    'P-2': asks('P-2', pay, 'P-3'),
    'P-3': asks('P-3', prepare, 'P-3a'),
    'P-3a': asks('P-3a', query, 'P-3b'),
    'P-3b': asks('P-3b', accept, 'P-4'),
    'P-4': passes('P-4', 'P-5'),
    'P-5': asks('P-5', log, 'P-6'),
    'P-6': passes('P-6', 'done'),
    ...ends,
  },
});
