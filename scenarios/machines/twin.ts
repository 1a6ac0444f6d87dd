import type { StatusWord, StepId } from '../ports.js';
import type { TwinFunction, TwinPin, TwinPorts, TwinPurpose, TwinTable } from '../twin-ports.js';
import type { Outcome } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import type { Judged, Stop } from './judge.js';
import { operation } from './operations.js';
import type { Run, Settled } from './operations.js';
import { scenarioSetup } from './setup.js';
import { asks, ends, passes, start, turns, when } from './states.js';
import { judgeCards, judgeDevice } from './twin-judge.js';
import type { CommonOptions, StepEvidence } from './types.js';

/** What the holder does at the device. Plain data. */
export interface TwinOptions extends CommonOptions {
  readonly function: TwinFunction;
  /** Device PIN; default right. */
  readonly devicePin?: TwinPin;
  /** Card PINs; default right. */
  readonly primaryPin?: TwinPin;
  readonly secondaryPin?: TwinPin;
  /** Step 405; default yes. */
  readonly confirm?: boolean;
}

/** Where a run has turned off the straight way, and why. Plain data. */
export interface TwinTurn {
  readonly step: string;
  readonly to: string;
}

/** What has been found so far. Plain data. */
export interface TwinProgress {
  readonly table?: TwinTable;
  /** Old primary number, from step 406. */
  readonly old?: string;
  /** The card's own part of step 407. */
  readonly listed?: StepEvidence;
  readonly turn?: TwinTurn;
  /** Step that was refused, and how; the run then goes its error way to the end. */
  readonly failed?: { readonly step: string; readonly text: string; readonly sw?: StatusWord; readonly code?: string };
}

type TwinRun = Run<TwinPorts, TwinOptions, TwinProgress>;
type Carry = (run: TwinRun, first: StepId) => Promise<Settled<TwinProgress>>;

const op = (carryOut: Carry) => operation<TwinPorts, TwinOptions, TwinProgress>(carryOut);

/** A refusal is no end: the run turns to a step of its error way. */
function turning(judged: Judged, to: string, progress: TwinProgress = {}): Settled<TwinProgress> {
  const { evidence, stop } = judged;
  if (!stop) return { evidence, progress };
  if (stop.cause !== 'refused') return { evidence, stop, progress: {} };
  const { step, text, sw, safeCode } = stop;
  return { evidence, progress: { turn: { step, to }, failed: { step, text, ...sw !== undefined && { sw }, ...safeCode !== undefined && { code: safeCode } } } };
}

/** The last step of an error way says what was refused and where. */
function stopped({ progress: { failed } }: TwinRun, step: StepId): Stop | undefined {
  if (!failed) return undefined;
  const { step: at, text, sw, code } = failed;
  return { step, cause: 'refused', text: `at ${at}: ${text}`, ...sw !== undefined && { sw }, ...code !== undefined && { safeCode: code } };
}

/** An act of the device. @param to where the run turns when it refuses; absent: it ends there */
const acts = (call: (run: TwinRun) => Promise<Outcome<unknown>>, to?: string) => op(async (run, first) => {
  const judged = judgeDevice(run.scenario, first, await call(run));
  return to === undefined ? { ...judged, progress: {} } : turning(judged, to);
});

const next = (step: StepId): StepId => `${Number(step) + 1}`;
const pinFor = (purpose: TwinPurpose, { primaryPin = 'right', secondaryPin = 'right' }: TwinOptions): TwinPin =>
  (purpose === 'backup-secondary' || purpose === 'promote' ? secondaryPin : primaryPin);

/** What the device itself sees in a table that the card let pass. */
function tableProblem(purpose: TwinPurpose, { cardNumber, primaryNumber, secondaryNumber }: TwinTable): string | undefined {
  if (purpose === 'backup-primary' && cardNumber !== primaryNumber) return 'the card lets itself pass as a primary card, its numbers say otherwise';
  if ((purpose === 'backup-secondary' || purpose === 'promote') && cardNumber !== secondaryNumber) return 'the card lets itself pass as a secondary card, its numbers say otherwise';
  return undefined;
}

/** Table of a card and the check of its numbers. */
const reads = (purpose: TwinPurpose, to: string) => op(async (run, first) => {
  const { device } = run.ports;
  const outcome = await device.read(purpose);
  const settled = turning(judgeCards(run.scenario, first, [first, next(first)], outcome, device.hasTrace), to, outcome.ok ? { table: outcome.value } : {});
  const problem = outcome.ok && !settled.stop ? tableProblem(purpose, outcome.value) : undefined;
  return problem === undefined ? settled : { ...settled, stop: { step: next(first), cause: 'unexpected' as const, text: problem } };
});

/** Card PIN and black list. @param blocked where the run turns when the card's tries are used up */
const verifies = (purpose: TwinPurpose, to: string, blocked = to) => op(async (run, first) => {
  const { device } = run.ports;
  const outcome = await device.verify(purpose, pinFor(purpose, run.options));
  const used = !outcome.ok && (outcome.sw === '63C0' || outcome.sw === '6983');
  return turning(judgeCards(run.scenario, first, [first, next(first)], outcome, device.hasTrace), used ? blocked : to);
});

/** Last word of the display; of an error way the end of the run. */
const shows = (text: string) => op(async (run, first) => {
  const outcome = await run.ports.device.show(run.progress.failed ? `error: ${run.progress.failed.text}` : text);
  const judged = judgeDevice(run.scenario, first, outcome);
  const stop = judged.stop ?? stopped(run, first);
  return { evidence: judged.evidence, progress: {}, ...stop && { stop } };
});

/** 109 and, at the limit, 110. */
const count = op(async (run, first) => {
  const outcome = await run.ports.device.countError();
  const { evidence, stop } = judgeDevice(run.scenario, first, outcome);
  const blocked = outcome.ok && outcome.value;
  const end = stop ?? stopped(run, blocked ? '110' : '109');
  return { evidence: blocked || stop ? evidence : evidence.slice(0, 1), progress: {}, ...end && { stop: end } };
});

/** 310 and 511: one card gives, the other stores, both mark. */
const copies = (call: (run: TwinRun) => Promise<Outcome<unknown>>, to: string) => op(async (run, first) =>
  turning(judgeCards(run.scenario, first, [first, first], await call(run), run.ports.device.hasTrace), to));

/** One card, one step. */
const atCard = (call: (run: TwinRun) => Promise<Outcome<unknown>>, to: string) => op(async (run, first) =>
  turning(judgeCards(run.scenario, first, [first], await call(run), run.ports.device.hasTrace), to));

/** 406, and with it the card's part of 407. */
const promotes = op(async (run, first) => {
  const { device } = run.ports;
  const outcome = await device.promote();
  const settled = turning(judgeCards(run.scenario, first, ['406', '407'], outcome, device.hasTrace), '410', outcome.ok ? { old: outcome.value } : {});
  const mark = outcome.marks.find(({ id, outcome: said }) => id === '407' && said === 0);
  return mark && outcome.ok ? { ...settled, progress: { ...settled.progress, listed: { step: '407', kinds: ['mark'], outcome: 'done', cycle: mark.cycle } } } : settled;
});

/** 407 at device and issuer; the card's mark came with 406. */
const reports = op(async (run, first) => {
  const judged = judgeDevice(run.scenario, first, await run.ports.device.report());
  const { listed } = run.progress;
  const evidence = judged.evidence.map((one): StepEvidence => (listed ? { ...listed, kinds: ['mark', 'safe'], outcome: one.outcome } : one));
  return turning({ ...judged, evidence }, '410');
});

const twinMachine = (id: `twin/1/${string}`, initial: string, states: Parameters<typeof scenarioSetup.createMachine>[0]['states']) => scenarioSetup.createMachine({
  id, context: ({ input }) => contextOf(id, input), output: ({ context }) => outputOf(context), initial, states: { ...states, ...ends },
});

/** Entry checks of the device (steps 101 to 110). */
export const twinStart = twinMachine('twin/1/start', 'start', {
  start: start('101', '103', '104', '105', '106', '107', '108', '109'),
  101: asks('101', acts(({ ports }) => ports.device.begin()), '102'),
  102: passes('102', '103'),
  103: asks('103', acts(({ ports, options }) => ports.device.enterPin(options.devicePin ?? 'right'), '109'), '104', turns('103', '109')),
  104: asks('104', acts(({ ports, options }) => ports.device.choose(options.function)), '105', when('function', 'promote', '108')),
  105: asks('105', atCard(({ ports }) => ports.device.compare('primary', false), '109'), '106', turns('105', '109')),
  106: asks('106', atCard(({ ports }) => ports.device.compare('secondary', false), '109'), '107', turns('106', '109')),
  107: asks('107', acts(({ ports }) => ports.device.route()), 'done'),
  108: asks('108', atCard(({ ports }) => ports.device.compare('secondary', true), '109'), 'done', turns('108', '109')),
  109: asks('109', count, '110'),
  110: passes('110', 'done'),
});

/** Backup of the primary card on the secondary card (steps 301 to 312). */
export const twinBackup = twinMachine('twin/1/backup', 'start', {
  start: start('301', '303', '305', '307', '309', '310', '311', '312'),
  301: asks('301', reads('backup-primary', '312'), '302', turns('301', '312')),
  302: passes('302', '303', turns('302', '312')),
  303: asks('303', verifies('backup-primary', '312'), '304', turns('303', '312')),
  304: passes('304', '305', turns('304', '312')),
  305: asks('305', reads('backup-secondary', '312'), '306', turns('305', '312')),
  306: passes('306', '307', turns('306', '312')),
  307: asks('307', verifies('backup-secondary', '312'), '308', turns('307', '312')),
  308: passes('308', '309', turns('308', '312')),
  309: asks('309', acts(({ ports }) => ports.device.allChecked(), '312'), '310', turns('309', '312')),
  310: asks('310', copies(({ ports }) => ports.device.copy(), '312'), '311', turns('310', '312')),
  311: asks('311', shows('backup done'), 'done'),
  312: asks('312', shows('error'), 'done'),
});

/** Promotion of the secondary card (steps 401 to 410). */
export const twinPromote = twinMachine('twin/1/promote', 'start', {
  start: start('401', '403', '405', '406', '407', '410'),
  401: asks('401', reads('promote', '410'), '402', turns('401', '410')),
  402: passes('402', '403', turns('402', '410')),
  403: asks('403', verifies('promote', '410'), '404', turns('403', '410')),
  404: passes('404', '405', turns('404', '410')),
  405: asks('405', acts(({ ports, options }) => ports.device.confirm(options.confirm ?? true), '410'), '406', turns('405', '410')),
  406: asks('406', promotes, '407', turns('406', '410')),
  407: asks('407', reports, '410', turns('407', '410')),
  410: asks('410', shows('the secondary card is the primary card now'), 'done'),
});

/** 501 and 502: an invalidated card is asked for its PIN at 508. */
const readsRestored = op(async (run, first) => {
  const { device } = run.ports;
  const outcome = await device.read('restore');
  const settled = turning(judgeCards(run.scenario, first, ['501', '502'], outcome, device.hasTrace), '507', outcome.ok ? { table: outcome.value } : {});
  if (settled.stop || !outcome.ok || outcome.value.cardNumber === outcome.value.primaryNumber) return settled;
  return { ...settled, progress: { ...settled.progress, turn: { step: '502', to: '508' } } };
});

/** An invalidated primary card comes back; a valid one with a wrong PIN or on the black list is invalidated (steps 501 to 511). */
export const twinRestore = twinMachine('twin/1/restore', 'start', {
  start: start('501', '503', '505', '506', '507', '508', '510', '511'),
  501: asks('501', readsRestored, '502', turns('501', '507')),
  502: passes('502', '503', turns('502', '508')),
  503: asks('503', verifies('restore', '506'), '504', turns('503', '506')),
  504: passes('504', '505', turns('504', '506')),
  505: asks('505', shows('the card is valid'), 'done'),
  506: asks('506', atCard(({ ports }) => ports.device.invalidate(), '507'), '507', turns('506', '507')),
  507: asks('507', shows('done'), 'done'),
  508: asks('508', verifies('invalidated', '507', '506'), '509', turns('508', '507'), turns('508', '506')),
  509: passes('509', '510', turns('509', '507'), turns('509', '506')),
  510: asks('510', acts(({ ports }) => ports.device.restorable(), '507'), '511', turns('510', '507')),
  511: asks('511', copies(({ ports }) => ports.device.restore(), '507'), '507', turns('511', '507')),
});
