import { EmulatorError } from '../errors.js';
import type { Image, ImageSegment } from './image.js';
import { sortSegments } from './segments.js';

const NEXT = 'write the file again';

function parseRecord(line: string, number: number): Uint8Array {
  const body = line.slice(1);
  if (line[0] !== ':' || body.length < 10 || body.length % 2 !== 0 || /[^0-9a-f]/i.test(body)) {
    throw new EmulatorError('IMAGE_FORMAT', `line ${number} is no Intel HEX record`, 'load it as ELF or binary');
  }
  const bytes = Uint8Array.from({ length: body.length / 2 }, (_, k) => Number.parseInt(body.slice(2 * k, 2 * k + 2), 16));
  if (bytes.length !== bytes[0] + 5) {
    throw new EmulatorError('IMAGE_TRUNCATED', `line ${number} announces ${bytes[0]} data bytes and has ${bytes.length - 5}`, NEXT);
  }
  const sum = bytes.reduce((total, byte) => total + byte, 0) & 0xff;
  if (sum !== 0) throw new EmulatorError('IMAGE_CHECKSUM', `line ${number} sums to 0x${sum.toString(16)}, expected 0`, NEXT);
  return bytes;
}

/** Joins records that follow each other without a gap. */
function collect(parts: readonly ImageSegment[]): ImageSegment[] {
  const joined: { address: number; data: number[] }[] = [];
  for (const { address, data } of parts) {
    const last = joined.at(-1);
    if (last !== undefined && last.address + last.data.length === address) last.data.push(...data);
    else joined.push({ address, data: [...data] });
  }
  return joined.map(({ address, data }) => ({ address, data: Uint8Array.from(data) }));
}

/**
 * Loads Intel HEX text (record types 0 to 5).
 * @throws EmulatorError IMAGE_FORMAT, IMAGE_TRUNCATED (also without an end record), IMAGE_CHECKSUM, IMAGE_EMPTY, IMAGE_OVERLAP
 */
export function loadHex(bytes: Uint8Array): Image {
  const parts: ImageSegment[] = [];
  let base = 0;
  let ended = false;
  new TextDecoder().decode(bytes).split(/\r?\n/).forEach((line, k) => {
    if (line === '' || ended) return;
    const record = parseRecord(line, k + 1);
    const data = record.subarray(4, -1);
    if (record[3] === 0) parts.push({ address: base + record[1] * 256 + record[2], data });
    else if (record[3] === 1) ended = true;
    else if (record[3] === 2) base = (data[0] * 256 + data[1]) * 16;
    else if (record[3] === 4) base = (data[0] * 256 + data[1]) * 65536;
    else if (record[3] > 5) throw new EmulatorError('IMAGE_FORMAT', `line ${k + 1} has record type ${record[3]}`, NEXT);
  });
  if (!ended) throw new EmulatorError('IMAGE_TRUNCATED', 'the Intel HEX file has no end record', NEXT);
  return { format: 'hex', segments: sortSegments(collect(parts)), symbols: [], lines: [] };
}
