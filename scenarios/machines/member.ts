import type {
  AdmissionObject, ConnectionObject, MemberPassword, MemberPorts, NoticeObject, OrderObject, RegistrationMethod,
} from '../member-ports.js';
import type { Failure, Outcome, StepId } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import { judgeCard } from './judge.js';
import type { Judged, Stop } from './judge.js';
import { operation } from './operations.js';
import type { Run, Settled } from './operations.js';
import { scenarioSetup } from './setup.js';
import { asks, ends, passes, start, when } from './states.js';
import type { CommonOptions } from './types.js';

/** How a registration or trade is to be run. Plain data. */
export interface MemberOptions extends CommonOptions {
  /** Default 1. */
  readonly method?: RegistrationMethod;
  /** False: password B is dropped. Default true. */
  readonly twoPasswords?: boolean;
  /** Seed typed by the member; absent: drawn at random by the card. */
  readonly seed?: string;
  readonly contents?: string;
  /** What the member enters at S11 and S13; default the right ones. */
  readonly enter?: { readonly a?: MemberPassword; readonly b?: MemberPassword };
  /** Yen; default 100. */
  readonly amount?: number;
}

/** What has been obtained so far. Plain data. */
export interface MemberProgress {
  readonly verificationKey?: string;
  readonly connection?: ConnectionObject;
  readonly admission?: AdmissionObject;
  readonly history?: readonly OrderObject[];
  readonly order?: OrderObject;
  readonly notice?: NoticeObject;
}

type MemberRun = Run<MemberPorts, MemberOptions, MemberProgress>;

const op = (carryOut: (run: MemberRun, first: StepId) => Promise<Settled<MemberProgress>>) => operation<MemberPorts, MemberOptions, MemberProgress>(carryOut);

function stopBy(step: StepId, { cause, text, sw, safeCode }: Failure): Stop {
  return { step, cause, text, ...sw !== undefined && { sw }, ...safeCode !== undefined && { safeCode } };
}

async function atCard<T>(run: MemberRun, first: StepId, call: Promise<Outcome<T>>, gain: (value: T) => MemberProgress = () => ({})): Promise<Settled<MemberProgress>> {
  const outcome = await call;
  const judged = judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace);
  return judged.stop || !outcome.ok ? { ...judged, progress: {} } : { ...judged, progress: gain(outcome.value) };
}

/** A command of the card, and what it leads to at the centre and back: whatever stops there stops this step. */
async function beyond<T>(judged: Judged, step: StepId, calls: () => Promise<Failure | T>): Promise<{ readonly judged: Judged; readonly value?: T }> {
  if (judged.stop) return { judged };
  const value = await calls();
  return isFailure(value) ? { judged: { evidence: judged.evidence, stop: stopBy(step, value) } } : { judged, value };
}

const isFailure = (value: unknown): value is Failure => typeof value === 'object' && value !== null && 'ok' in value && value.ok === false;

const passwords = op((run, first) => atCard(run, first, run.ports.card.passwords('A', run.options.twoPasswords === false ? undefined : 'B')));
const contents = op((run, first) => atCard(run, first, run.ports.card.contents(run.options.contents ?? 'name; address; date of birth')));
const seed = op((run, first) => atCard(run, first, run.ports.card.seed(run.options.seed), (verificationKey) => ({ verificationKey })));
const sign = op((run, first) => atCard(run, first, run.ports.card.sign(1)));
const signAtOnce = op((run, first) => atCard(run, first, run.ports.card.sign(2)));
const fetch = op((run, first) => atCard(run, first, run.ports.card.fetch(run.options.enter?.a ?? 'A')));

const connect = op(async (run, first) => {
  const opened = await run.ports.centre.connect();
  if (!opened.ok) return { evidence: [], stop: stopBy(first, opened), progress: {} };
  return atCard(run, first, run.ports.card.connect(opened.value), () => ({ connection: opened.value }));
});

/** The registration goes to the centre and its admission back to the card. */
const send = op(async (run, first) => {
  const { card, centre } = run.ports;
  const outcome = await card.send();
  const { judged, value } = await beyond<AdmissionObject>(judgeCard(run.scenario, first, outcome, card.hasTrace), first, async () => {
    if (!outcome.ok) return outcome;
    const admission = await centre.register(outcome.value);
    if (!admission.ok) return admission;
    const taken = await card.admitted(admission.value);
    return taken.ok ? admission.value : taken;
  });
  const key = run.progress.verificationKey;
  const foreign = value && key !== undefined && value.verificationKey !== key;
  const stop: Stop | undefined = foreign ? { step: first, cause: 'unexpected', text: 'the centre registered another verification key' } : undefined;
  return { ...judged, ...stop && { stop }, progress: value ? { admission: value } : {} };
});

const enterA = op((run, first) => atCard(run, first, run.ports.card.enterA(run.options.enter?.a ?? 'A')));
const history = op((run, first) => atCard(run, first, run.ports.card.history(), (entries) => ({ history: entries })));
const enterB = op((run, first) => atCard(run, first, run.ports.card.enterB(run.options.enter?.b ?? 'B')));

/** Order, connection, signed instruction, settlement, notice to the card. */
const pay = op(async (run, first) => {
  const { card, centre } = run.ports;
  const order = await centre.order(run.options.amount ?? 100);
  if (!order.ok) return { evidence: [], stop: stopBy(first, order), progress: {} };
  const opened = await centre.connect();
  if (!opened.ok) return { evidence: [], stop: stopBy(first, opened), progress: {} };
  const connected = await card.connect(opened.value);
  if (!connected.ok) return { evidence: [], stop: stopBy(first, connected), progress: {} };
  const outcome = await card.pay(order.value);
  const { judged, value } = await beyond<NoticeObject>(judgeCard(run.scenario, first, outcome, card.hasTrace), first, async () => {
    if (!outcome.ok) return outcome;
    const notice = await centre.pay(outcome.value);
    if (!notice.ok) return notice;
    const taken = await card.settled(notice.value);
    return taken.ok ? notice.value : taken;
  });
  return { ...judged, progress: { order: order.value, ...value && { notice: value } } };
});

/** Registration with the centre (steps S1 to S10); method 1 by S6 and S7, method 2 by S10. */
export const memberRegister = scenarioSetup.createMachine({
  id: 'member/1/register',
  context: ({ input }) => contextOf('member/1/register', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('S1', 'S2', 'S3', 'S6', 'S7', 'S8', 'S9', 'S10'),
    S1: asks('S1', passwords, 'S2'),
    S2: asks('S2', contents, 'S3'),
    S3: asks('S3', seed, 'S4'),
    S4: passes('S4', 'S5'),
    S5: passes('S5', 'S6', when('method', 2, 'S10')),
    S6: asks('S6', sign, 'S7'),
    S7: asks('S7', fetch, 'S8'),
    S8: asks('S8', connect, 'S9'),
    S9: asks('S9', send, 'done'),
    S10: asks('S10', signAtOnce, 'S8'),
    ...ends,
  },
});

/** Payment by signed instruction (steps S11 to S14). */
export const memberTrade = scenarioSetup.createMachine({
  id: 'member/1/trade',
  context: ({ input }) => contextOf('member/1/trade', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('S11', 'S12', 'S13', 'S14'),
    S11: asks('S11', enterA, 'S12'),
    S12: asks('S12', history, 'S13', when('twoPasswords', false, 'S14')),
    S13: asks('S13', enterB, 'S14'),
    S14: asks('S14', pay, 'done'),
    ...ends,
  },
});
