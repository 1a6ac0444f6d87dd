import { stepKey } from '../../reports/index.js';
import type { ConclusionEvent, MatrixEvent, PointRelatedEvent, RecordEvidence, RunEvent, StepEvent } from '../../reports/index.js';
import { catalogue, frames, lostPages, sentence, sourceClaims } from '../../scenarios/index.js';
import type { Capability, ListedPoint, Step } from '../../scenarios/index.js';

/** What a row of the matrix asks for. */
interface Asked extends Pick<MatrixEvent, 'row' | 'id' | 'text' | 'reconstructed' | 'claimed'> {
  /** True for a point about it. */
  readonly about: (point: ListedPoint) => boolean;
  /** True when points that stopped as they had to are evidence enough. */
  readonly stops?: boolean;
}

/** What a run has shown of one point. */
interface Shown {
  readonly point: ListedPoint;
  readonly passed: boolean;
  /** The run went through; a system whose runs have no such end says nothing of it. */
  readonly through: boolean;
  /** Steps done, by key, with how they were seen. */
  readonly steps: ReadonlyMap<string, ReadonlySet<RecordEvidence>>;
  /** How anything of the point was seen. */
  readonly seen: ReadonlySet<RecordEvidence>;
  /** Step at which it failed. */
  readonly failedAt?: string;
}

const kinds: readonly RecordEvidence[] = ['link', 'mark', 'safe', 'inferred'];

/** Embodiment of the backup system a point belongs to; undefined for other systems. */
function embodimentOf({ scenario }: ListedPoint): number | undefined {
  const number = Number(scenario.split('/')[0]);
  return Number.isInteger(number) ? number : undefined;
}

function shownOf(point: ListedPoint, events: readonly PointRelatedEvent[]): Shown {
  const steps = new Map<string, Set<RecordEvidence>>();
  const seen = new Set<RecordEvidence>();
  const verdict = events.find((event) => event.type === 'verdict');
  for (const event of events) {
    if (event.type === 'apdu') seen.add('link');
    if (event.type === 'safe') seen.add('safe');
    if (event.type !== 'step') continue;
    for (const kind of event.evidence) seen.add(kind);
    if (event.outcome !== 'done') continue;
    const key = stepKey(event);
    steps.set(key, new Set([...steps.get(key) ?? [], ...event.evidence]));
  }
  const failedAt = verdict?.verdict === 'fail' && verdict.step !== undefined ? { failedAt: verdict.step } : {};
  const through = verdict?.cause === undefined || verdict.cause === 'done';
  return { point, passed: verdict?.verdict === 'pass', through, steps, seen, ...failedAt };
}

const listed = (set: ReadonlySet<RecordEvidence>): RecordEvidence[] => kinds.filter((kind) => set.has(kind));

function rowOf({ row, id, text, reconstructed, claimed }: Asked, good: readonly Shown[], bad: readonly Shown[], seen: ReadonlySet<RecordEvidence>): MatrixEvent {
  const shown = good.length > 0 && seen.size > 0;
  return {
    type: 'matrix', row, id, text, reconstructed, claimed, scenarios: [...new Set(good.map(({ point }) => point.scenario))], evidence: listed(seen), points: good.map(({ point }) => point.id),
    failed: bad.map(({ point }) => point.id), verdict: bad.length > 0 ? 'fail' : shown ? 'pass' : 'no evidence',
  };
}

/** Key of a step of a scenario; undefined for scripts. */
function keyIn(scenario: string, step: string): string | undefined {
  const frame = frames.find(({ id }) => id === scenario);
  return frame && stepKey({ ...frame.system !== 'backup' && { system: frame.system }, embodiment: frame.embodiment, phase: frame.phase, step });
}

/** A step: shown by points that passed and in which it was done, failed by those that failed at it. */
function stepRow(asked: Asked, points: readonly Shown[]): MatrixEvent {
  const good = points.filter(({ passed, steps }) => passed && steps.has(asked.id));
  const bad = points.filter(({ failedAt, point }) => failedAt !== undefined && keyIn(point.scenario, failedAt) === asked.id);
  return rowOf(asked, good, bad, new Set(good.flatMap(({ steps }) => [...steps.get(asked.id) ?? []])));
}

/** A claim: shown by points about it that passed, one of which at least went through, and of which something was seen. */
function claimRow(asked: Asked, points: readonly Shown[]): MatrixEvent {
  const about = points.filter(({ point }) => asked.about(point));
  const passed = about.filter((one) => one.passed);
  const good = asked.stops === true || passed.some(({ through }) => through) ? passed : [];
  return rowOf(asked, good, about.filter((one) => !one.passed), new Set(good.flatMap(({ seen }) => [...seen])));
}

type Place = Pick<StepEvent, 'embodiment' | 'phase'> & { readonly system: string };

const claimedBy = (offered: readonly Capability[], { system, embodiment }: Pick<Place, 'system' | 'embodiment'>): boolean =>
  offered.some((one) => one === (system === 'backup' ? `embodiment-${embodiment}` : system));

function askedStep(row: 'step' | 'state', { system, embodiment, phase }: Place, step: Step, offered: readonly Capability[]): Asked {
  return {
    row, id: stepKey({ ...system !== 'backup' && { system }, embodiment, phase, step: step.id }), text: sentence(step).replace(' (reconstructed)', '').slice(step.id.length + 1),
    reconstructed: step.reconstructed === true, claimed: claimedBy(offered, { system, embodiment }), about: () => false,
  };
}

/** Steps of the catalogue, then the states that scenarios derive from them. */
function askedSteps(offered: readonly Capability[]): readonly Asked[] {
  const numbered = catalogue.flatMap((sequence) => sequence.steps.map((step) => askedStep('step', sequence, step, offered)));
  const known = new Set(numbered.map(({ id }) => id));
  const named = frames.flatMap((frame) => frame.steps.map((step) => askedStep('state', frame, step, offered)));
  return [...numbered, ...named.filter(({ id }) => !known.has(id))];
}

function askedClaims(offered: readonly Capability[]): readonly Asked[] {
  const anyOf = (embodiments: readonly number[]): boolean => embodiments.some((embodiment) => claimedBy(offered, { system: 'backup', embodiment }));
  const within = (embodiments: readonly number[], point: ListedPoint): boolean => embodiments.includes(embodimentOf(point) ?? 0);
  return [
    ...sourceClaims.map(({ number, text, reconstructed = false, stops = false, embodiments, joined = [] }): Asked => ({
      row: 'claim', id: String(number), text, reconstructed, stops, claimed: anyOf(embodiments),
      about: (point) => point.clause.claims.includes(number) && within([...embodiments, ...joined], point),
    })),
    ...lostPages.map(({ rule, text, embodiments }): Asked => ({
      row: 'source', id: rule, text, reconstructed: true, claimed: anyOf(embodiments), about: (point) => point.clause.rules.includes(rule) && within(embodiments, point),
    })),
  ];
}

/** Collects what points show and draws the matrix of all steps and claims from it. */
export class Matrix {
  readonly #points: Shown[] = [];

  /** Takes the events of one point; unsupported ones say nothing of any row. */
  take(point: ListedPoint, events: readonly PointRelatedEvent[]): void {
    const unsupported = events.some((event) => event.type === 'verdict' && event.verdict === 'unsupported');
    if (!unsupported) this.#points.push(shownOf(point, events));
  }

  /**
   * The rows, and what they come to.
   * @param statement name of the conformance statement
   * @param more further reasons against a certificate
   */
  events(offered: readonly Capability[], statement: string, more: readonly string[] = []): readonly RunEvent[] {
    const rows = [
      ...askedSteps(offered).map((asked) => stepRow(asked, this.#points)), ...askedClaims(offered).map((asked) => claimRow(asked, this.#points)),
    ];
    return [...rows, conclude(rows, statement, [...this.#unpassed(), ...more])];
  }

  #unpassed(): string[] {
    const bad = this.#points.filter(({ passed }) => !passed);
    return bad.length === 0 ? [] : [`${bad.length} points did not pass, the first is ${bad[0].point.id}`];
  }
}

const plural: Readonly<Record<MatrixEvent['row'], string>> = { step: 'step ids', state: 'named states', claim: 'claims', source: 'lost pages of the source' };

function conclude(rows: readonly MatrixEvent[], statement: string, more: readonly string[]): ConclusionEvent {
  const of = (row: MatrixEvent['row']): MatrixEvent[] => rows.filter((entry) => entry.row === row);
  const share = (row: MatrixEvent['row']) => ({ shown: of(row).filter(({ verdict }) => verdict === 'pass').length, all: of(row).length });
  const reasons = (Object.keys(plural) as MatrixEvent['row'][]).flatMap((row) => {
    const failed = of(row).filter(({ verdict }) => verdict === 'fail');
    const none = of(row).filter(({ verdict }) => verdict === 'no evidence');
    const open = none.filter(({ claimed }) => claimed);
    return [
      ...failed.length === 0 ? [] : [`${failed.length} ${plural[row]} failed: ${failed.map(({ id }) => id).join(', ')}`],
      ...open.length === 0 ? [] : [`${open.length} ${plural[row]} are claimed and have no evidence: ${open.map(({ id }) => id).join(', ')}`],
      ...none.length === open.length ? [] : [`${none.length - open.length} ${plural[row]} have no evidence and are not claimed`],
    ];
  });
  const all = [...reasons, ...more];
  return { type: 'conclusion', statement, certified: all.length === 0, steps: share('step'), states: share('state'), claims: share('claim'), reasons: all };
}
