import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMON_USAGE, usageError, wholeNumber } from '../campaign/options.js';
import type { CampaignTarget, OwnValues } from '../campaign/options.js';
import { WorldFactory } from '../certify/factory.js';
import { loadSetup } from '../certify/setup.js';
import type { TearOptions } from '../tear/definition.js';
import { intervalTable } from '../tear/evidence.js';
import { TearError, tearPoint, tearPoints } from '../tear/index.js';
import { exhaustivePolicies, expandPolicies } from '../tear/policies.js';
import { timelineOf } from '../tear/timeline.js';
import { campaignCommand } from './campaign.js';
import { certifyCommand } from './certify.js';
import type { CertifyIo } from './certify.js';
import { cardScenarios, cardTearArguments } from './tear-cards.js';

/** Scenarios that have phases to cut, in protocol order. */
const withCuts: readonly string[] = [...new Set(tearPoints.map(({ scenario }) => scenario))];

/** Usage of `cardbench tear`. */
export const TEAR_USAGE = `cardbench tear [--scenario ID]... [--point ID]... [--depth 1|2] [--policies LIST] [--cells SEEDS] [--sample N] [--failures N]
  ${COMMON_USAGE}
Takes the power away at every cycle of a phase (${withCuts.join(', ')}; default all), judges
every memory this can leave under every weak-cell policy, and says with evidence that no value is lost or doubled.
--depth 2 cuts once more at every moment of each recovery. --policies is a list of new, old, flip (each weak cell alone),
unstable, random (eight seeds) or single ones such as random-3 (default all five). --cells 1,2,3 repeats all with other
cells. --sample cuts at N random cycles of each phase instead; so only for ${cardScenarios.join(', ')},
where each card is cut, and where there are two both (docs/channels.md). The cuts in one page operation are given up after N
different ways to fail (--failures, default 100; 0: never).
Writes record.jsonl, units.jsonl, intervals-*.csv, junit.xml, summary.txt and run.json to --out (default cardbench-out).
--resume goes on where a stopped run was left, --shard i/n runs one of n parts, --join DIR... draws one record of parts.
Exit: 0 no invariant broken, 1 broken, 2 usage or bad image, 3 could not be run, or stopped by Ctrl-C`;

const own = {
  scenario: { type: 'string', multiple: true, default: [] as string[] },
  point: { type: 'string', multiple: true, default: [] as string[] },
  depth: { type: 'string', default: '1' },
  policies: { type: 'string', default: exhaustivePolicies.join(',') },
  cells: { type: 'string' },
  sample: { type: 'string' },
  failures: { type: 'string', default: '100' },
} as const;

type Own = Readonly<{ scenario: readonly string[]; point: readonly string[]; depth: string; policies: string; failures: string; cells?: string; sample?: string }>;

function pointsOf(scenarios: readonly string[], points: readonly string[]): readonly string[] {
  const strange = scenarios.find((id) => !withCuts.some((known) => known === id));
  if (strange !== undefined) throw usageError(`--scenario: expected ${withCuts.join(', ')}, or with --sample and nothing but common options ${cardScenarios.join(', ')}, got '${strange}'`);
  const named = points.map((id) => tearPoint(id).id);
  const all = scenarios.length + points.length === 0;
  return tearPoints.filter(({ id, scenario }) => all || scenarios.includes(scenario) || named.includes(id)).map(({ id }) => id);
}

function optionsOf(target: CampaignTarget, values: OwnValues): TearOptions {
  const { scenario, point, depth, policies, cells, sample, failures } = values as unknown as Own;
  const names = policies.split(',').filter((name) => name !== '');
  try {
    expandPolicies(names, 1);
    return {
      ...target, points: pointsOf(scenario, point), depth: wholeNumber('depth', depth, 1, 2) as 1 | 2, policies: names,
      cells: cells === undefined ? [target.seed] : cells.split(',').map((seed) => wholeNumber('cells', seed, 0, 0xffffffff)),
      failures: wholeNumber('failures', failures, 0, 10_000_000),
      sample: sample === undefined ? undefined : wholeNumber('sample', sample, 1, 10_000_000),
    };
  } catch (error) {
    if (error instanceof TearError) throw usageError(error.message);
    throw error;
  }
}

/** Writes the list of intervals of each point: the evidence that every cycle is covered. */
async function evidence(out: string, target: CampaignTarget): Promise<void> {
  const options = target as TearOptions;
  if (options.sample !== undefined) return;
  const image = readFileSync(options.image);
  for (const seed of options.cells) {
    const factory = new WorldFactory(loadSetup({ ...options, seed }, image));
    for (const id of options.points) {
      const table = await timelineOf(factory, tearPoint(id)).then((timeline) => intervalTable(factory, timeline), () => undefined);
      if (table !== undefined) writeFileSync(join(out, `intervals-${seed}-${id}.csv`), table);
    }
  }
}

/** Runs `cardbench tear`; resolves to the exit code. */
export function tearCommand(argv: readonly string[], io: CertifyIo): Promise<number> {
  const cards = cardTearArguments(argv);
  if (cards !== undefined) return certifyCommand(cards, io);
  return campaignCommand({ kind: 'tear', usage: TEAR_USAGE, own, optionsOf, files: evidence }, argv, io);
}
