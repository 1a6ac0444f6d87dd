import { ScenarioError } from '../errors.js';
import raw from './steps.json' with { type: 'json' };

/** One numbered step of a protocol source. */
export interface Step {
  /** Unique within its sequence; ids are law. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: 'request' | 'reply' | 'act';
  readonly text: string;
  /** True where the source text is illegible and was rebuilt from the parallel steps of embodiment 2. */
  readonly reconstructed?: boolean;
  /** Of a named state: the step of another embodiment that it is derived from. */
  readonly basis?: string;
}

/** A sequence of steps. */
export interface Sequence {
  readonly system: string;
  readonly systemName: string;
  readonly embodiment: number;
  readonly phase: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Where a step can be seen from outside (protocol.md 4): on the card link, at the safe's interface, or nowhere. */
export type SeenAt = 'link' | 'safe' | 'inside';

type Fields = Readonly<Record<string, unknown>>;

const broken = (where: string, what: string): ScenarioError =>
  new ScenarioError('CATALOGUE_FORMAT', `${where}: ${what}`, 'Nothing was read; restore the catalogue file');

function text(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw broken(where, `${name} must be a text`);
}

function parseStep(value: Fields, where: string): Step {
  const id = text(value, 'id', where);
  const kind = text(value, 'kind', where);
  if (kind !== 'request' && kind !== 'reply' && kind !== 'act') throw broken(where, `kind ${kind} is none of request, reply, act`);
  const step = { id, from: text(value, 'from', where), to: text(value, 'to', where), kind, text: text(value, 'text', where) } as const;
  return value['reconstructed'] === true ? { ...step, reconstructed: true } : step;
}

function parseSequence(value: Fields, index: number): Sequence {
  const where = `sequence ${index}`;
  const { embodiment, steps } = value;
  if (typeof embodiment !== 'number') throw broken(where, 'embodiment must be a number');
  if (!Array.isArray(steps) || steps.length === 0) throw broken(where, 'steps must be a list');
  const parsed = steps.map((step: Fields, at) => parseStep(step, `${where}, step ${at}`));
  if (new Set(parsed.map(({ id }) => id)).size !== parsed.length) throw broken(where, 'a step id occurs twice');
  return {
    system: text(value, 'system', where), systemName: text(value, 'systemName', where), embodiment,
    phase: text(value, 'phase', where), title: text(value, 'title', where), steps: parsed,
  };
}

/**
 * Reads a step catalogue.
 * @throws ScenarioError `CATALOGUE_FORMAT` naming the sequence and step at fault
 */
export function parseCatalogue(value: unknown): readonly Sequence[] {
  const sequences = (value as { sequences?: unknown } | null)?.sequences;
  if (!Array.isArray(sequences)) throw broken('catalogue', 'sequences must be a list');
  return sequences.map((sequence: Fields, index) => parseSequence(sequence, index));
}

/** The whole catalogue, of all systems and embodiments. */
export const catalogue: readonly Sequence[] = parseCatalogue(raw);

/**
 * The sequence of a phase.
 * @param system default `backup`
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export function sequence(embodiment: number, phase: string, system = 'backup'): Sequence {
  const found = catalogue.find((entry) => entry.system === system && entry.embodiment === embodiment && entry.phase === phase);
  if (found) return found;
  throw new ScenarioError('CATALOGUE_UNKNOWN', `the catalogue has no ${system} ${embodiment}/${phase}`,
    `Known: ${catalogue.map((entry) => `${entry.system} ${entry.embodiment}/${entry.phase}`).join(', ')}`);
}

/**
 * The steps of a phase in order.
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export const steps = (embodiment: number, phase: string, system = 'backup'): readonly Step[] =>
  sequence(embodiment, phase, system).steps;

/** A step as a sentence: `2-10 safe -> terminal: ...`; rebuilt texts say so. */
export const sentence = ({ id, from, to, text: what, reconstructed }: Step): string => `${id} ${from} -> ${to}: ${what}${reconstructed ? ' (reconstructed)' : ''}`;

/**
 * One step as a sentence.
 * @throws ScenarioError `CATALOGUE_UNKNOWN`
 */
export function stepText(embodiment: number, phase: string, id: string, system = 'backup'): string {
  const step = steps(embodiment, phase, system).find((entry) => entry.id === id);
  if (!step) throw new ScenarioError('CATALOGUE_UNKNOWN', `${system} ${embodiment}/${phase} has no step ${id}`,
    `Its steps are ${steps(embodiment, phase, system).map((entry) => entry.id).join(', ')}`);
  return sentence(step);
}

/** Where a step of the backup system can be seen (protocol.md 4); `safe2` and the like are safes. */
export function seenAt(step: Pick<Step, 'from' | 'to'>): SeenAt {
  const ends = [step.from, step.to];
  if (ends.some((end) => end.startsWith('safe'))) return 'safe';
  return ends.includes('terminal') ? 'link' : 'inside';
}
