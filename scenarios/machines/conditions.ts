import { figureDate } from '../conditions/condition.js';
import type { ConditionPorts, ExtractedValue, StepId } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import { judgeCard } from './judge.js';
import { atCard, atSafe, need, operation } from './operations.js';
import type { Operation, Run, Settled } from './operations.js';
import { scenarioSetup } from './setup.js';
import { asks, ends, more, passes, reached, start } from './states.js';
import type { Progress, ScenarioOptions } from './types.js';

type ConditionRun = Run<ConditionPorts>;

const on = (carryOut: (run: ConditionRun, first: StepId) => Promise<Settled>): Operation =>
  operation<ConditionPorts, ScenarioOptions, Progress>(carryOut);

/** The value under way. */
const head = (run: ConditionRun): ExtractedValue | undefined => need(run, 'queue')[0];

/** The certificate of the value under way is stored already: it only has to make room. */
const kept = (run: ConditionRun): boolean => head(run)?.state === 'deposited';
const nothing: Settled = { evidence: [], progress: {} };

/** All pages of the backup object list; each is a command and judged alone. */
const extract = on(async (run, first) => {
  const { ports: { card }, options: { condition = 0, date = figureDate } } = run;
  const queue: ExtractedValue[] = [];
  for (let from: number | undefined; ;) {
    const outcome = await card.extract(condition, date, from);
    const judged = judgeCard(run.scenario, first, outcome, card.hasTrace);
    if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
    queue.push(...outcome.value.entries);
    const { next } = outcome.value;
    if (next === undefined) return { evidence: judged.evidence, progress: { queue }, already: queue.length === 0 };
    if (from !== undefined && next <= from)
      return { ...judged, progress: {}, stop: { step: '2-5', cause: 'unexpected', text: `the list goes back from position ${from} to ${next}` } };
    from = next;
  }
});

const begin = on(async (run, first) => {
  const { variant = 'public-key', hash = 'SHA-256' } = run.options;
  const handle = head(run)?.handle ?? 0;
  if (kept(run)) return { ...nothing, progress: { handle } };
  return atCard(run, first, run.ports.card.registerBegin(11, variant, handle, hash), (request) => ({ progress: { handle, request } }));
});

const register = on(async (run, first) => (kept(run) ? nothing
  : atSafe(run, first, run.ports.safe.register(need(run, 'request')), (certificate) => ({ progress: { certificate } }))));

const store = on(async (run, first) => (kept(run) ? nothing
  : atCard(run, first, run.ports.card.registerEnd(11, 'value', need(run, 'certificate')), (stored) => ({ progress: { stored } }))));

const end = on(async (run, first) => atCard(run, first, run.ports.card.backupEnd(head(run)?.handle ?? 0),
  () => ({ progress: { queue: need(run, 'queue').slice(1) } })));

/** Embodiment 11, automatic backup by condition (steps 2-1 to 2-11; 2-6 to 2-11 once for each value extracted). */
export const autoBackup = scenarioSetup.createMachine({
  id: '11/auto-backup',
  context: ({ input }) => contextOf('11/auto-backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('2-1', '2-6', '2-8', '2-10', '2-11'),
    '2-1': asks('2-1', extract, '2-2'),
    '2-2': passes('2-2', '2-3'),
    '2-3': passes('2-3', '2-4'),
    '2-4': passes('2-4', '2-5'),
    '2-5': passes('2-5', '2-6', reached('done')),
    '2-6': asks('2-6', begin, '2-7'),
    '2-7': passes('2-7', '2-8'),
    '2-8': asks('2-8', register, '2-9'),
    '2-9': passes('2-9', '2-10'),
    '2-10': asks('2-10', store, '2-11'),
    '2-11': asks('2-11', end, 'done', more('2-6')),
    ...ends,
  },
});
