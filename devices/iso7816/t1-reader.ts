import type { Character, Ticks } from '../channel/port.js';
import type { Steps } from '../channel/steps.js';
import { edcLength } from './edc.js';
import type { Line } from './line.js';
import { decodeBlock, describeBlock } from './t1-block.js';
import type { BlockFault, T1Block } from './t1-block.js';
import type { T1Config } from './t1.js';

/** A block of the card, or why there is none. */
export type BlockReading = { readonly block: T1Block } | { readonly fault: BlockFault };

/** Shortest listening time after a broken block, in etu. */
const MIN_QUIET_ETU = 100;

interface RawBlock {
  bytes: number[];
  from: Ticks;
  to: Ticks;
  parityOk: boolean;
  fault?: BlockFault;
}

function take(raw: RawBlock, character: Character): void {
  if (raw.bytes.length === 0) raw.from = character.at;
  raw.bytes.push(character.byte);
  raw.to = character.at;
  raw.parityOk &&= character.parityOk;
}

/** Length of the block begun in `bytes`, or of its prologue while LEN is not known. */
function wantedLength(bytes: readonly number[], config: T1Config): number {
  return bytes.length < 3 ? 3 : 3 + bytes[2] + edcLength(config.edc);
}

/** First character within BWT, each further one within CWT (ISO/IEC 7816-3, 11.4.3). */
function* readRaw(line: Line, config: T1Config, waitFactor: number): Steps<RawBlock> {
  const raw: RawBlock = { bytes: [], from: 0, to: 0, parityOk: true };
  const bwt = { code: 'BWT_EXCEEDED', clause: '11.4.3', etu: config.bwtEtu * waitFactor, since: line.lastSent } as const;
  const first = yield* line.expect(bwt);
  if (!first.character) return { ...raw, fault: 'silent' };
  take(raw, first.character);
  if (first.late) raw.fault = 'late';
  while (raw.bytes.length < wantedLength(raw.bytes, config)) {
    if (raw.bytes.length === 3 && raw.bytes[2] === 0xff) return { ...raw, fault: raw.fault ?? 'length' };
    const cwt = { code: 'CWT_EXCEEDED', clause: '11.4.3', etu: config.cwtEtu, since: raw.to } as const;
    const next = yield* line.expect(cwt, Math.max(config.cwtEtu, MIN_QUIET_ETU));
    if (!next.character) return { ...raw, fault: raw.fault ?? 'truncated' };
    take(raw, next.character);
    if (next.late) raw.fault ??= 'late';
  }
  return raw;
}

function judge(raw: RawBlock, config: T1Config, ifsd: number): BlockReading {
  if (raw.fault) return { fault: raw.fault };
  if (!raw.parityOk) return { fault: 'parity' };
  const block = decodeBlock(Uint8Array.from(raw.bytes), config.edc);
  if (typeof block === 'string') return { fault: block };
  const nad = ((config.nad & 7) << 4) | ((config.nad >> 4) & 7);
  if ((block.nad & 0x77) !== nad) return { fault: 'nad' };
  if (block.type === 'I' && block.inf.length > ifsd) return { fault: 'length' };
  return { block };
}

/**
 * Reads one block of the card. What is not a valid block in time is a finding; after it the line is
 * listened to until the card has been quiet for the character waiting time.
 */
export function* readBlock(line: Line, config: T1Config, ifsd: number, waitFactor: number): Steps<BlockReading> {
  const raw = yield* readRaw(line, config, waitFactor);
  const reading = judge(raw, config, ifsd);
  if ('block' in reading) {
    line.block('from-card', 'T=1', Uint8Array.from(raw.bytes), describeBlock(reading.block), true, raw.from, raw.to);
    return reading;
  }
  line.find({
    code: 'BLOCK_INVALID',
    rule: 'line',
    clause: '11.6.3',
    at: raw.bytes.length > 0 ? raw.to : line.port.now(),
    detail: `${raw.bytes.length} characters, ${reading.fault}`,
  });
  if (raw.bytes.length > 0) {
    line.block('from-card', 'T=1', Uint8Array.from(raw.bytes), reading.fault, false, raw.from, raw.to);
    yield* line.drain(Math.max(config.cwtEtu, MIN_QUIET_ETU));
  }
  return reading;
}
