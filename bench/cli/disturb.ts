import type { CompleteRecord } from '../../reports/index.js';
import { COMMON_USAGE, usageError, wholeNumber } from '../campaign/options.js';
import type { CampaignTarget, OwnValues } from '../campaign/options.js';
import { referenceStatement } from '../certify/options.js';
import { statementFor } from '../certify/statement.js';
import { disturbKinds, disturbPoints } from '../disturb/index.js';
import type { DisturbKind, DisturbOptions } from '../disturb/index.js';
import { campaignCommand } from './campaign.js';
import type { CampaignCommand } from './campaign.js';
import type { CertifyIo } from './certify.js';

/** Scenarios that are disturbed, in protocol order. */
const disturbed: readonly string[] = [...new Set(disturbPoints.map(({ scenario }) => scenario))];

/** Usage of `cardbench disturb`. */
export const DISTURB_USAGE = `cardbench disturb ${COMMON_USAGE}
  [--scenario ID]... [--kinds LIST] [--count N] [--ics FILE]
Disturbs the phases of the scenarios (default: all; ${disturbed.join(', ')}) by N faults of each kind
(default 50) that are proved to have taken place: ${disturbKinds.join(', ')} (docs/faults.md).
flip, ram and skip are attacks: they give a verdict only when --ics claims fault-resistance.
Exit: 0 pass, 1 an invariant was broken, 2 usage or bad image, 3 invalid, aborted or stopped`;

const own = {
  scenario: { type: 'string', multiple: true, default: [] as string[] },
  kinds: { type: 'string', default: disturbKinds.join(',') },
  count: { type: 'string', default: '50' },
  ics: { type: 'string' },
} as const;

function kindsOf(text: string): DisturbKind[] {
  return text.split(',').map((name) => {
    const found = disturbKinds.find((kind) => kind === name.trim());
    if (found === undefined) throw usageError(`--kinds: there is no '${name}'; there are ${disturbKinds.join(', ')}`);
    return found;
  });
}

function pointsOf(scenarios: readonly string[]): string[] {
  const strange = scenarios.find((name) => !disturbed.some((id) => id === name));
  if (strange !== undefined) throw usageError(`--scenario: there is no '${strange}'; there are ${disturbed.join(', ')}`);
  return disturbPoints.filter(({ scenario }) => scenarios.length === 0 || scenarios.includes(scenario)).map(({ id }) => id);
}

function optionsOf(target: CampaignTarget, values: OwnValues): DisturbOptions {
  const { scenario, kinds, count, ics } = values as { scenario: string[]; kinds: string; count: string; ics?: string };
  return {
    ...target, points: pointsOf(scenario), kinds: kindsOf(kinds), count: wholeNumber('count', count, 1, 1_000_000),
    offered: statementFor(target.image, ics, referenceStatement).offered,
  };
}

/** How often each outcome came, one line for each kind at each point. */
function tell({ events }: CompleteRecord): string[] {
  const tallies = events.flatMap((event) => (event.type === 'fault' && event.cycle === undefined ? [`${event.point}: ${event.text}`] : []));
  return ['', 'Disturbances', ...tallies];
}

const command: CampaignCommand = { kind: 'disturb', usage: DISTURB_USAGE, own, optionsOf, tell };

/** Runs `cardbench disturb`; resolves to the exit code. */
export function disturbCommand(argv: readonly string[], io: CertifyIo): Promise<number> {
  return campaignCommand(command, argv, io);
}
