import { parseArgs } from 'node:util';
import { sampledCutRunners } from '../certify/runner.js';

const cutPoints = sampledCutRunners.flatMap((runner) => runner.points({ cuts: 1 }));

/** Scenarios whose cuts can only be sampled: those with several cards, and edits of a card's own. */
export const cardScenarios: readonly string[] = [...new Set(cutPoints.map(({ scenario }) => scenario))];

const texts = ['chip', 'protocol', 'seed', 'jobs', 'out'] as const;

/**
 * The command line of `cardbench certify` that cuts the cards at sampled moments, when `tear` was asked for
 * nothing else; undefined when it was asked for anything that those cuts do not have.
 */
export function cardTearArguments(argv: readonly string[]): readonly string[] | undefined {
  const { values, positionals } = parsed(argv) ?? {};
  if (!values || !positionals) return undefined;
  const { scenario, sample, set, json } = values;
  if (scenario.length === 0 || sample === undefined || !scenario.every((id) => cardScenarios.includes(id))) return undefined;
  const points = cutPoints.filter((point) => scenario.includes(point.scenario));
  return [
    ...positionals, '--cuts', sample, ...points.flatMap(({ id }) => ['--point', id]), ...set.flatMap((one) => ['--set', one]), ...json ? ['--json'] : [],
    ...texts.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]])),
  ];
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv], allowPositionals: true,
      options: {
        scenario: { type: 'string', multiple: true, default: [] as string[] }, sample: { type: 'string' }, set: { type: 'string', multiple: true, default: [] as string[] },
        json: { type: 'boolean', default: false }, chip: { type: 'string' }, protocol: { type: 'string' }, seed: { type: 'string' }, jobs: { type: 'string' }, out: { type: 'string' },
      },
    });
  } catch {
    return undefined;
  }
}
