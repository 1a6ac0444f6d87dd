import { assign, fromPromise, setup } from 'xstate';
import type { StepId } from '../ports.js';
import { DEFAULT_PATIENCE, outputOf } from './context.js';
import type { Context } from './context.js';
import type { Stop } from './judge.js';
import { claims, operations } from './operations.js';
import type { Operation, OperationName, Run, Settled } from './operations.js';
import type { Boundary, ClaimState, EndCause, KeyClaimState, ScenarioInput, ScenarioOutput } from './types.js';

/** One exchange to be carried out: what, for which step, with what is known. */
export interface Task {
  readonly run: Run;
  readonly operation: OperationName | Exclude<ClaimState, KeyClaimState> | Operation;
  readonly step: Boundary;
}

const isClaim = (name: OperationName | Exclude<ClaimState, KeyClaimState>): name is Exclude<ClaimState, KeyClaimState> => name in claims;

const perform = async ({ run, operation, step }: Task): Promise<Settled> => {
  if (typeof operation === 'function') return operation(run, step as StepId);
  return isClaim(operation) ? claims[operation](run) : operations[operation](run, step as StepId);
};

/** XState's own events; a machine is sent none from outside. */
export interface MachineEvent {
  readonly type: string;
  readonly output?: unknown;
  readonly error?: unknown;
}

/** The stop of the exchange that has just come back, or of the one whose steps are being walked. */
function stopAhead(context: Context, event: MachineEvent): Stop | undefined {
  const settled = event.output as Settled | undefined;
  return settled ? settled.stop : context.stop;
}

/** Whether an earlier run has reached the goal, and on which item, with what an exchange has just brought. */
function reachedAhead(context: Context, event: MachineEvent): { readonly already: boolean; readonly handle: number | undefined } {
  const settled = event.output as Settled | undefined;
  return { already: context.already || settled?.already === true, handle: settled?.progress.handle ?? context.progress.handle };
}

/** Where an exchange has found that the run turns: in what has just come back, else in what is known. */
function turnAhead(context: Context, event: MachineEvent): { readonly step: string; readonly to: string } | undefined {
  const progress = ((event.output as Settled | undefined)?.progress ?? context.progress) as { readonly turn?: { readonly step: string; readonly to: string } };
  return progress.turn;
}

const deletes = ({ options }: Context, claim: ClaimState): boolean =>
  (claim === 'claim-25' ? options.deleteAfterRegistration : options.deleteAfterRecovery) === true;

/** Parameter of the actions that belong to one step. */
export interface StepParams {
  readonly step: Boundary;
}

/** Takes over what an exchange brought. */
const settle = assign<Context, MachineEvent, undefined, MachineEvent, never>(({ context, event }) => {
  const { evidence, progress, already, stop } = event.output as Settled;
  return {
    ahead: evidence, progress: { ...context.progress, ...progress }, already: context.already || already === true,
    ...stop && { stop },
  };
});

/** Makes the evidence of a step final once its state has been reached. */
const note = assign<Context, MachineEvent, StepParams, MachineEvent, never>(({ context }, { step }) => ({
  evidence: [...context.evidence, ...context.ahead.filter((entry) => entry.step === step)],
  ahead: context.ahead.filter((entry) => entry.step !== step),
}));

const arrive = assign<Context, MachineEvent, { readonly at: Boundary }, MachineEvent, never>((_, { at }) => ({ at }));

const tooLate = assign<Context, MachineEvent, StepParams, MachineEvent, never>(({ context }, { step }) => ({
  stop: { step, cause: 'late' as const, text: `no answer within ${context.options.patience ?? DEFAULT_PATIENCE} ms` },
}));

const broke = assign<Context, MachineEvent, StepParams, MachineEvent, never>(({ event }, { step }) => ({
  stop: { step, cause: 'aborted' as const, text: event.error instanceof Error ? event.error.message : String(event.error) },
}));

/** The common part of all machines: one exchange actor, guards that look at the stop, actions that gather evidence. */
export const scenarioSetup = setup({
  types: {
    context: {} as Context,
    events: {} as MachineEvent,
    input: {} as ScenarioInput,
    output: {} as ScenarioOutput,
  },
  actors: { exchange: fromPromise<Settled, Task>(({ input }) => perform(input)) },
  delays: { patience: ({ context }) => context.options.patience ?? DEFAULT_PATIENCE },
  guards: {
    stops: ({ context, event }, { step, cause }: { step: Boundary; cause: EndCause }) => {
      const stop = stopAhead(context, event);
      return stop?.step === step && stop.cause === cause;
    },
    startsAt: ({ context }, { at }: { at: Boundary }) => context.at === at,
    reached: ({ context, event }) => reachedAhead(context, event).already,
    reachedWhole: ({ context, event }, { claim }: { claim: ClaimState }) => {
      const { already, handle } = reachedAhead(context, event);
      return already && (handle === undefined || !deletes(context, claim));
    },
    more: ({ context, event }) => ((event.output as Settled | undefined)?.progress.queue ?? context.progress.queue ?? []).length > 0,
    turns: ({ context, event }, { step, to }: { step: string; to: string }) => {
      const turn = turnAhead(context, event);
      return turn?.step === step && turn.to === to;
    },
    chosen: ({ context }, { option, value }: { option: string; value: unknown }) => (context.options as Readonly<Record<string, unknown>>)[option] === value,
    deletes: ({ context }, { claim }: { claim: ClaimState }) => deletes(context, claim),
  },
  actions: {
    settle, note, arrive, tooLate, broke,
    tell: ({ context }, { step }: { step: Boundary }) => {
      const evidence = context.evidence.find((entry) => entry.step === step);
      if (evidence) context.listener?.({ type: 'step', scenario: context.scenario, evidence });
    },
    tellBoundary: ({ context }) =>
      context.listener?.({ type: 'boundary', scenario: context.scenario, resume: { at: context.at, ...context.progress } }),
    finish: ({ context }) => context.listener?.({ type: 'end', output: outputOf(context) }),
  },
});

/** The configuration of one state of these machines. */
export type StateConfig = Parameters<typeof scenarioSetup.createStateConfig>[0];
