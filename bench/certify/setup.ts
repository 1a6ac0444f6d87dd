import { sha256 } from '@noble/hashes/sha2.js';
import { basename } from 'node:path';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { Image } from '../../emulator/index.js';
import type { RecordHeader } from '../../reports/index.js';
import { planId } from '../../scenarios/index.js';
import { textBytes, toHex } from '../codec/index.js';
import type { TestSetup } from './factory.js';
import { toolVersion } from './options.js';
import type { CertifyOptions } from './options.js';

/** The implementation under test by the options. Throws EmulatorError, ChipError when image or profile do not do. */
export function loadSetup(options: Pick<CertifyOptions, 'chip' | 'overrides' | 'seed' | 'protocol'>, image: Uint8Array): TestSetup {
  return {
    image: loadImage(image), profile: loadProfile(options.chip, [...options.overrides]), seed: options.seed, protocol: options.protocol,
  };
}

const RAM_BASE = 0x20000000;

/** What an image takes of code memory, and its variables of RAM where it has symbols. */
function sizesOf({ segments, symbols }: Image): { readonly codeBytes: number; readonly staticRamBytes?: number } {
  const ends = symbols.filter(({ kind, address, size }) => kind === 'object' && address >= RAM_BASE && size > 0).map(({ address, size }) => address + size - RAM_BASE);
  return { codeBytes: segments.reduce((sum, { data }) => sum + data.length, 0), ...ends.length > 0 && { staticRamBytes: Math.max(...ends) } };
}

/** Header of a record: everything that decides the run, and nothing of this machine. */
export function headerOf(
  options: Pick<CertifyOptions, 'image' | 'chip' | 'overrides' | 'seed' | 'protocol'>, image: Uint8Array, setup: TestSetup, plan = planId,
): Omit<RecordHeader, 'type' | 'format' | 'version'> {
  return {
    tool: toolVersion(),
    firmware: { image: basename(options.image), sha256: toHex(sha256(image)).toLowerCase(), ...sizesOf(setup.image) },
    chip: {
      profile: basename(options.chip), overrides: toHex(sha256(textBytes(JSON.stringify(options.overrides)))).toLowerCase(), coreHz: setup.profile.cpu.hz,
    },
    seed: options.seed, protocol: options.protocol, plan,
  };
}
