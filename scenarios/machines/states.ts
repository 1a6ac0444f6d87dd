import type { Operation, OperationName } from './operations.js';
import type { Context } from './context.js';
import type { StateConfig, Task } from './setup.js';
import type { Boundary, ClaimState, EndCause, KeyClaimState } from './types.js';

const causes = ['refused', 'late', 'link', 'unexpected'] as const satisfies readonly EndCause[];

type Guard =
  | { readonly type: 'reachedWhole' | 'deletes'; readonly params: { readonly claim: ClaimState } }
  | { readonly type: 'reached' | 'more' }
  | { readonly type: 'turns'; readonly params: { readonly step: string; readonly to: string } }
  | { readonly type: 'chosen'; readonly params: { readonly option: string; readonly value: unknown } };

/** A way on from a step, taken when its guard holds. */
interface Branch {
  readonly guard: Guard;
  readonly target: string;
}

const seen = <S extends Boundary>(step: S) => [
  { type: 'note' as const, params: { step } }, { type: 'tell' as const, params: { step } },
];

/** The ways out of a step: to an end state where the exchange stops here, by a branch, else to the next state. */
function ways<S extends Boundary>(step: S, next: string, branches: readonly Branch[] = []) {
  return [
    ...causes.map((cause) => ({ guard: { type: 'stops' as const, params: { step, cause } }, target: cause, actions: seen(step) })),
    ...branches.map(({ guard, target }) => ({ guard, target, actions: seen(step) })),
    { target: next, actions: seen(step) },
  ];
}

/**
 * A step inside an exchange, or its answer: nothing is sent, the step's evidence is taken or the run ends here.
 * @param branches other ways on, tried in order before `next`
 */
export const passes = (step: Boundary, next: string, ...branches: readonly Branch[]): StateConfig => ({ always: ways(step, next, branches) });

/**
 * The first step of an exchange: calls the port, waits for the answer no longer than the options' patience.
 * @param operation the exchange: one of embodiments 1 and 2 by name, or a function
 */
export const asks = (step: Boundary, operation: OperationName | Exclude<ClaimState, KeyClaimState> | Operation, next: string, ...branches: readonly Branch[]): StateConfig => ({
  entry: [{ type: 'arrive' as const, params: { at: step } }, { type: 'tellBoundary' as const }],
  invoke: {
    src: 'exchange' as const,
    input: ({ context }: { context: Context }): Task => ({ run: context, operation, step }),
    onDone: ways(step, next, branches).map((way) => ({ ...way, actions: [{ type: 'settle' as const }, ...way.actions] })),
    onError: { target: 'aborted', actions: { type: 'broke' as const, params: { step } } },
  },
  after: { patience: { target: 'late', actions: { type: 'tooLate' as const, params: { step } } } },
});

/** The initial state: goes to the boundary where the run is taken up. */
export const start = (first: Boundary, ...others: readonly Boundary[]): StateConfig => ({
  always: [...others.map((at) => ({ guard: { type: 'startsAt' as const, params: { at } }, target: at })), { target: first }],
});

/** Branch of a list's answer: an earlier run has reached the goal, and nothing remains to be deleted. */
export const reachedWhole = (claim: ClaimState): Branch => ({ guard: { type: 'reachedWhole', params: { claim } }, target: 'done' });

/** Branch of a list's answer: an earlier run has reached the goal. */
export const reached = (target: string): Branch => ({ guard: { type: 'reached' }, target });

/** Branch of the last answer: the options ask for the deletion of claim 25 or 26. */
export const deletes = (claim: ClaimState, target: ClaimState): Branch => ({ guard: { type: 'deletes', params: { claim } }, target });

/** Branch by an option of the run. */
export const when = (option: string, value: unknown, target: string): Branch => ({ guard: { type: 'chosen', params: { option, value } }, target });

/** Branch of the last step of an item: there are more. */
export const more = (target: string): Branch => ({ guard: { type: 'more' }, target });
/** Branch by what the exchange has found at a step: its progress says that the run turns to another one. */
export const turns = (step: Boundary, to: string): Branch => ({ guard: { type: 'turns', params: { step, to } }, target: to });

const end = { type: 'final' as const, entry: 'finish' as const };

/** End states by cause. */
export const ends = { done: end, refused: end, late: end, link: end, unexpected: end, aborted: end };
