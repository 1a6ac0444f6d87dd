import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCampaign } from '../campaign.js';
import type { CampaignResult } from '../campaign.js';
import { certifyOptions } from '../options.js';
import { inlinePool } from '../pool.js';
import { headerOf, loadSetup } from '../setup.js';

/** Certifies in this process, on c2010 and without power cuts unless arguments of `cardbench certify` say otherwise. @param out folder for the record */
export function certifyInto(out: string, ...argv: readonly string[]): Promise<CampaignResult> {
  const options = certifyOptions(['--jobs', '1', '--cuts', '0', ...argv, '--out', out]);
  const image = readFileSync(options.image);
  return runCampaign({
    options, header: headerOf(options, image, loadSetup(options, image)), pool: inlinePool(options), stopped: () => false,
    progress: () => ({ step: () => undefined, end: () => undefined }),
  });
}

/** Arguments that choose points. */
export const points = (...ids: readonly string[]): string[] => ids.flatMap((id) => ['--point', id]);

/** Path of a faulty build. */
export const faultyPath = (name: string): string => fileURLToPath(new URL(`../../../devices/firmware/images/faulty/${name}.elf`, import.meta.url));
