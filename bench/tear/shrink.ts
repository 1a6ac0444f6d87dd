import type { WorldFactory } from '../certify/factory.js';
import { BenchError } from '../world/errors.js';
import { isDeviceError } from '../../devices/index.js';
import { TearError } from './errors.js';
import { Exhaust } from './exhaust.js';
import type { Part } from './exhaust.js';
import { leanPoint } from './points.js';
import { policyFamilies } from './policies.js';
import type { Breach, UnitReport } from './tally.js';
import { timelineOf } from './timeline.js';
import type { Timeline } from './timeline.js';

/** Breaches of a unit that are shrunk; the others keep their case. */
const SHRUNK = 3;

/** The lean form of the timeline's point, when its phase goes through the same page operations. */
async function leanExhaust(factory: WorldFactory, timeline: Timeline): Promise<Exhaust | undefined> {
  const point = leanPoint(timeline.point);
  if (point === undefined) return undefined;
  try {
    const lean = await timelineOf(factory, point);
    return lean.operations.length === timeline.operations.length ? new Exhaust(factory, lean) : undefined;
  } catch (error) {
    if (error instanceof BenchError || error instanceof TearError || isDeviceError(error)) return undefined;
    throw error;
  }
}

/** The cycle of the lean run that lies as far into the same operation. */
function mapped(cycle: number, part: Part, from: Timeline, to: Timeline): number {
  return part === 'rest' ? cycle : to.operations[part].start + cycle - from.operations[part].start;
}

async function leaner(exhaust: Exhaust, timeline: Timeline, part: Part, breach: Breach): Promise<Breach> {
  const [depth] = breach.rank;
  const families = [...new Set(breach.rank.slice(1, 1 + depth).map((rank) => policyFamilies[rank]))].filter((family) => family !== 'strong');
  const cycle = breach.rank[1 + depth];
  const { breaches } = await exhaust.run(part, {
    policies: families.length > 0 ? families : ['new'], depth: depth === 2 ? 2 : 1, failures: 1,
    sample: depth === 2 ? [mapped(cycle, part, timeline, exhaust.timeline)] : undefined,
  });
  const found = breaches.find(({ invariant }) => invariant === breach.invariant);
  return found === undefined ? breach : { ...breach, first: found.first };
}

/**
 * Looks for each breach of a part on a card that holds nothing but what the phase needs, and names that case instead
 * where the same invariant breaks there.
 */
export async function shrink(factory: WorldFactory, timeline: Timeline, part: Part, report: UnitReport): Promise<UnitReport> {
  if (report.breaches.length === 0) return report;
  const exhaust = await leanExhaust(factory, timeline);
  if (exhaust === undefined) return report;
  const breaches: Breach[] = [];
  for (const [at, breach] of report.breaches.entries()) breaches.push(at < SHRUNK ? await leaner(exhaust, timeline, part, breach) : breach);
  return { ...report, breaches };
}
