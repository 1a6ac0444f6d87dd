import { assign, createActor, fromPromise, setup } from 'xstate';
import type { EndCause } from '../machines/types.js';

/** What the user wants done when room is short (source, eleventh embodiment): go on after a backup by the conditions, interrupt, or go on after a backup of what is selected by hand. */
export type RoomChoice = 'continue' | 'interrupt' | 'by-hand';

/** How an attempt to put a new item on the card, or to recover one, went; bytes as the card tells them (DF01). */
export type Attempt =
  | { readonly is: 'done' }
  | { readonly is: 'short'; readonly needed: number; readonly free: number }
  | { readonly is: 'failed'; readonly text: string };

/** The hands of the terminal 160 while an item needs room. A rejected promise means that the bench itself failed. */
export interface RoomPorts {
  /** The new item or the recovery: all of it, from where it was suspended. */
  attempt(): Promise<Attempt>;
  /** The user is shown the shortage. */
  show(shortage: { readonly needed: number; readonly free: number }): void;
  /** Automatic backup by the stored conditions. */
  backup(): Promise<EndCause>;
  /** Backup and deletion of what the user selects. */
  byHand(): Promise<EndCause>;
}

/** How it ended. `suspended`: the item waits, the shortage has been shown (claim 24). Plain data. */
export interface RoomOutput {
  readonly end: 'done' | 'suspended' | 'failed';
  /** Room was made on the way (claim 21). */
  readonly madeRoom: boolean;
  readonly text: string;
}

interface Context { readonly ports: RoomPorts; readonly choice: RoomChoice; readonly shown: boolean; readonly madeRoom: boolean; readonly text: string }
interface Input { readonly ports: RoomPorts; readonly choice: RoomChoice }
interface MachineEvent { readonly type: string; readonly output?: unknown; readonly error?: unknown }

const ended = (end: RoomOutput['end']) => ({ type: 'final' as const, output: ({ context }: { context: Context }): RoomOutput => ({ end, madeRoom: context.madeRoom, text: context.text }) });
const broken = { target: 'failed', actions: { type: 'broke' as const } };

/**
 * A new item or a recovery that may find too little room (claims 21 and 24): attempt, show the shortage, do what the user
 * chooses, attempt again. Whatever goes wrong on the way leaves the item suspended, never lost.
 */
export const roomMachine = setup({
  types: { context: {} as Context, input: {} as Input, events: {} as MachineEvent, output: {} as RoomOutput },
  actors: {
    attempt: fromPromise<Attempt, RoomPorts>(({ input }) => input.attempt()),
    backup: fromPromise<EndCause, RoomPorts>(({ input }) => input.backup()),
    byHand: fromPromise<EndCause, RoomPorts>(({ input }) => input.byHand()),
  },
  guards: {
    is: ({ event }, { is }: { is: Attempt['is'] }) => (event.output as Attempt).is === is,
    chosen: ({ context }, { choice }: { choice: RoomChoice }) => context.choice === choice,
    went: ({ event }) => event.output === 'done',
  },
  actions: {
    tell: assign(({ context, event }) => {
      const { needed, free } = event.output as Extract<Attempt, { is: 'short' }>;
      context.ports.show({ needed, free });
      return { shown: true, text: `${needed} bytes are needed, ${free} are free` };
    }),
    made: assign({ madeRoom: true }),
    say: assign(({ event }) => ({ text: typeof event.output === 'string' ? `the backup ended in ${event.output}` : (event.output as { text?: string }).text ?? '' })),
    broke: assign(({ event }) => ({ text: event.error instanceof Error ? event.error.message : String(event.error) })),
  },
}).createMachine({
  id: 'room',
  context: ({ input }) => ({ ...input, shown: false, madeRoom: false, text: '' }),
  output: ({ event }) => (event as unknown as { readonly output: RoomOutput }).output,
  initial: 'attempt',
  states: {
    attempt: {
      invoke: {
        src: 'attempt', input: ({ context }) => context.ports, onError: broken,
        onDone: [
          { guard: { type: 'is', params: { is: 'done' } }, target: 'done' },
          { guard: { type: 'is', params: { is: 'short' } }, target: 'shown', actions: 'tell' },
          { target: 'failed', actions: 'say' },
        ],
      },
    },
    shown: {
      always: [
        { guard: { type: 'chosen', params: { choice: 'continue' } }, target: 'backup' },
        { guard: { type: 'chosen', params: { choice: 'by-hand' } }, target: 'byHand' },
        { target: 'suspended' },
      ],
    },
    backup: {
      invoke: { src: 'backup', input: ({ context }) => context.ports, onError: broken, onDone: [{ guard: 'went', target: 'resume', actions: 'made' }, { target: 'suspended', actions: 'say' }] },
    },
    byHand: {
      invoke: { src: 'byHand', input: ({ context }) => context.ports, onError: broken, onDone: [{ guard: 'went', target: 'resume', actions: 'made' }, { target: 'suspended', actions: 'say' }] },
    },
    resume: {
      invoke: {
        src: 'attempt', input: ({ context }) => context.ports, onError: broken,
        onDone: [
          { guard: { type: 'is', params: { is: 'done' } }, target: 'done' },
          { guard: { type: 'is', params: { is: 'short' } }, target: 'suspended', actions: 'tell' },
          { target: 'failed', actions: 'say' },
        ],
      },
    },
    done: ended('done'), suspended: ended('suspended'), failed: ended('failed'),
  },
});

/** Runs it to its end. */
export function makeRoom(ports: RoomPorts, choice: RoomChoice): Promise<RoomOutput> {
  const actor = createActor(roomMachine, { input: { ports, choice } });
  return new Promise((resolve, reject) => {
    actor.subscribe({ complete: () => { resolve(actor.getSnapshot().output as RoomOutput); }, error: reject });
    actor.start();
  });
}
