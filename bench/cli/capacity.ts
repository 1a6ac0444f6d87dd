import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { levelTables, parseRecord } from '../../reports/index.js';
import { basicScenarioIds } from '../../scenarios/index.js';
import type { BasicScenarioId } from '../../scenarios/index.js';
import { COMMON_USAGE, usageError, wholeNumber } from '../campaign/options.js';
import type { CampaignTarget, OwnValues } from '../campaign/options.js';
import { capacityParts } from '../capacity/index.js';
import type { CapacityOptions, CapacityPart } from '../capacity/index.js';
import { campaignCommand } from './campaign.js';
import type { CertifyIo } from './certify.js';

/** Usage of `cardbench capacity`. */
export const CAPACITY_USAGE = `cardbench capacity [--scenario ID]... [--part PART]... [--cuts N]
  ${COMMON_USAGE}
Starts a scenario (${basicScenarioIds.join(', ')}; default all) from every level of
free memory around its need, in front of each of its steps, and says of each level what the firmware did, what is needed
and free, who holds the rest, and that no value was lost or doubled. PART is one of ${capacityParts.join(', ')} (default
all): levels of free room; claims 24 and 21; worn pages; least RAM; --cuts N power cuts (default 12, 0: none) a page short
of the need, at it, and a page above. Writes record.jsonl, units.jsonl, levels.txt, junit.xml, summary.txt and run.json to
--out (default cardbench-out).
Exit: 0 all passed, 1 a level failed, 2 usage or bad image, 3 a level was invalid or aborted, or stopped by Ctrl-C`;

const own = {
  scenario: { type: 'string', multiple: true, default: [] as string[] },
  part: { type: 'string', multiple: true, default: [] as string[] },
  cuts: { type: 'string', default: '12' },
} as const;

function chosen<T extends string>(name: string, known: readonly T[], asked: readonly string[]): readonly T[] {
  const strange = asked.find((word) => !known.some((one) => one === word));
  if (strange !== undefined) throw usageError(`--${name}: expected ${known.join(', ')}, got '${strange}'`);
  return asked.length === 0 ? known : known.filter((one) => asked.includes(one));
}

function optionsOf(target: CampaignTarget, values: OwnValues): CapacityOptions {
  const { scenario, part, cuts } = values as unknown as { scenario: readonly string[]; part: readonly string[]; cuts: string };
  return {
    ...target, scenarios: chosen<BasicScenarioId>('scenario', basicScenarioIds, scenario), parts: chosen<CapacityPart>('part', capacityParts, part),
    cuts: wholeNumber('cuts', cuts, 0, 100_000),
  };
}

/** The tables as a file of their own, drawn from the record. */
function tables(out: string): void {
  const record = parseRecord(readFileSync(join(out, 'record.jsonl'), 'utf8'));
  writeFileSync(join(out, 'levels.txt'), `${levelTables(record).join('\n').trimStart()}\n`);
}

/** Runs `cardbench capacity`; resolves to the exit code. */
export function capacityCommand(argv: readonly string[], io: CertifyIo): Promise<number> {
  return campaignCommand({ kind: 'capacity', usage: CAPACITY_USAGE, own, optionsOf, files: tables, tell: (record) => levelTables(record) }, argv, io);
}
