import type { CertificateObject, Outcome, RequestObject, RetrievedObject, TwoSafePorts } from '../ports.js';
import { judgeCard, judgeSafe } from './judge.js';
import type { Judged } from './judge.js';
import { operation } from './operations.js';
import type { Operation, Run } from './operations.js';
import type { Progress, ScenarioOptions } from './types.js';

/** A run with a second safe. */
export type TwoSafesRun = Run<TwoSafePorts>;
type Gain<T> = (value: T) => Partial<Progress>;

/** An exchange with the card. */
export const card = <T>(call: (run: TwoSafesRun) => Promise<Outcome<T>>, gain: Gain<T>): Operation =>
  exchange(call, gain, (run, first, outcome) => judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace));

/** An exchange with a safe. */
export const safe = <T>(call: (run: TwoSafesRun) => Promise<Outcome<T>>, gain: Gain<T>): Operation =>
  exchange(call, gain, (run, first, outcome) => judgeSafe(run.scenario, first, outcome));

type Judge = (run: TwoSafesRun, first: Parameters<typeof judgeSafe>[1], outcome: Outcome<unknown>) => Judged;

const exchange = <T>(call: (run: TwoSafesRun) => Promise<Outcome<T>>, gain: Gain<T>, judge: Judge): Operation =>
  operation<TwoSafePorts, ScenarioOptions, Progress>(async (run, first) => {
    const outcome = await call(run);
    return { ...judge(run, first, outcome), progress: outcome.ok ? gain(outcome.value) : {} };
  });

/** Hash algorithm asked for. */
export const hashOf = ({ options }: TwoSafesRun): NonNullable<ScenarioOptions['hash']> => options.hash ?? 'SHA-256';

/** What the boundaries of the frame say is there. */
export const had = ({ progress }: TwoSafesRun): { handle: number; request: RequestObject; certificate: CertificateObject; object: RetrievedObject } =>
  progress as Required<Progress>;
