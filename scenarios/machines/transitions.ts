import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** A transition of a machine under a name that does not depend on a run. Plain data. */
export interface NamedTransition {
  /** For example `1-5: refused`, `1-4: reached`, `start: 1-13`, `1-1: next`, `S5: method=2`, `303: to 312`. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
}

interface GuardLike { readonly type: string; readonly params?: { readonly cause?: string; readonly at?: string; readonly option?: string; readonly value?: unknown; readonly to?: string } }

/** What makes a transition be taken, in a word. */
function wayOf(definition: AnyTransitionDefinition): string {
  const { eventType, guard } = definition as { readonly eventType: string; readonly guard?: unknown };
  if (eventType.startsWith('xstate.error.')) return 'aborted';
  if (eventType.startsWith('xstate.after.')) return 'patience';
  const { type, params } = (guard ?? { type: 'next' }) as GuardLike;
  if (type === 'turns') return `to ${params?.to ?? ''}`;
  return params?.cause ?? params?.at ?? (params?.option === undefined ? type : `${params.option}=${JSON.stringify(params.value)}`);
}

/** The name of a transition. */
export function transitionOf(definition: AnyTransitionDefinition): NamedTransition {
  const source = (definition.source as AnyStateNode).key;
  return { name: `${source}: ${wayOf(definition)}`, source, target: (definition.target as readonly AnyStateNode[] | undefined)?.[0]?.key ?? source };
}

/** Every transition of a machine, in the order of its states. */
export function transitionsOf(machine: AnyStateMachine): readonly NamedTransition[] {
  return Object.values(machine.states as Readonly<Record<string, AnyStateNode>>).flatMap((node) =>
    [...[...node.transitions.values()].flat(), ...node.always ?? []].map(transitionOf));
}
