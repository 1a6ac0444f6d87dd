import { frameOf } from '../catalogue/registry.js';
import type { CertificateEntry, ScenarioId, ValueEntry } from '../ports.js';
import type { ListRule } from '../catalogue/frame.js';
import type { ScenarioOptions, Selection } from './types.js';

/** Outcome of the user's choice from a list. */
export type Choice =
  | { readonly is: 'chosen'; readonly entry: ValueEntry | CertificateEntry }
  /** An earlier run has reached the goal; the entry is absent when it was deleted. */
  | { readonly is: 'already'; readonly entry?: ValueEntry | CertificateEntry }
  | { readonly is: 'absent'; readonly text: string };

type Entry = ValueEntry | CertificateEntry;

const same = <T>(wanted: T | undefined, found: T | undefined): boolean => wanted === undefined || wanted === found;

function matches(entry: Entry, select: Selection): boolean {
  return same(select.handle, entry.handle) && same(select.issueId, entry.issueId)
    && same(select.informationClass, entry.digest.informationClass) && same(select.name, entry.digest.name)
    && same(select.kind, 'kind' in entry ? entry.kind : undefined)
    && (select.states === undefined || select.states.includes(entry.state));
}

const nothing: ListRule = { work: [] };

/** States a scenario can work on, and the state its goal leaves. */
const statesOf = (scenario: ScenarioId): ListRule => frameOf(scenario).list ?? nothing;

/** True when the entry is of the kind the scenario handles; an express `kind` of the selection overrides it. */
function fits(scenario: ScenarioId, options: ScenarioOptions, entry: Entry): boolean {
  const { kind } = statesOf(scenario);
  if (kind === undefined || options.select?.kind !== undefined) return true;
  if (!('kind' in entry) || entry.kind !== kind) return false;
  return kind !== 'key' || entry.keyKind === undefined || same(options.keyKind, entry.keyKind);
}

/**
 * Chooses from a list as the user would. With `select.states` the entry is taken whatever its state, so that a plan can
 * ask for what must be refused.
 */
export function choose(scenario: ScenarioId, options: ScenarioOptions, entries: readonly Entry[]): Choice {
  const select = options.select ?? {};
  const found = entries.filter((entry) => matches(entry, select) && fits(scenario, options, entry));
  const { work, goal } = statesOf(scenario);
  const express = select.states !== undefined;
  const workable = found.find((entry) => express || work.includes(entry.state));
  if (workable) return { is: 'chosen', entry: workable };
  const reached = options.select ? found.find((entry) => entry.state === goal) : undefined;
  if (reached) return { is: 'already', entry: reached };
  if (options.absentMeansDone === true && found.length === 0) return { is: 'already' };
  return { is: 'absent', text: `none of the ${entries.length} listed entries is what was to be chosen` };
}
