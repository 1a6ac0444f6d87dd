import { edcLength, edcOf } from './edc.js';
import type { Edc } from './edc.js';

/** Functions of an S-block (ISO/IEC 7816-3, 11.3.2.2). */
export type SFunction = 'RESYNCH' | 'IFS' | 'ABORT' | 'WTX';

/** A T=1 block without its epilogue (ISO/IEC 7816-3, 11.3). */
export type T1Block =
  | { readonly type: 'I'; readonly nad: number; readonly ns: 0 | 1; readonly more: boolean; readonly inf: Uint8Array }
  | { readonly type: 'R'; readonly nad: number; readonly nr: 0 | 1; readonly error: 0 | 1 | 2 }
  | { readonly type: 'S'; readonly nad: number; readonly fn: SFunction; readonly response: boolean; readonly inf: Uint8Array };

/** Why received bytes are not a block. */
export type BlockFault = 'edc' | 'parity' | 'length' | 'nad' | 'pcb' | 'silent' | 'late' | 'truncated';

const S_FUNCTIONS: readonly SFunction[] = ['RESYNCH', 'IFS', 'ABORT', 'WTX'];
const S_INF_LENGTH: Readonly<Record<SFunction, number>> = { RESYNCH: 0, IFS: 1, ABORT: 0, WTX: 1 };
const EMPTY = new Uint8Array(0);

function pcbOf(block: T1Block): number {
  if (block.type === 'I') return (block.ns << 6) | (block.more ? 0x20 : 0);
  if (block.type === 'R') return 0x80 | (block.nr << 4) | block.error;
  return 0xc0 | (block.response ? 0x20 : 0) | S_FUNCTIONS.indexOf(block.fn);
}

/** The bytes of a block, epilogue included. */
export function encodeBlock(block: T1Block, edc: Edc): Uint8Array {
  const inf = block.type === 'R' ? EMPTY : block.inf;
  const body = [block.nad, pcbOf(block), inf.length, ...inf];
  return Uint8Array.from([...body, ...edcOf(edc, body)]);
}

function decodeR(nad: number, pcb: number, length: number): T1Block | BlockFault {
  if (pcb & 0x2c || (pcb & 3) === 3) return 'pcb';
  if (length !== 0) return 'length';
  return { type: 'R', nad, nr: pcb & 0x10 ? 1 : 0, error: (pcb & 3) as 0 | 1 | 2 };
}

function decodeS(nad: number, pcb: number, inf: Uint8Array): T1Block | BlockFault {
  const fn = S_FUNCTIONS[pcb & 0x1f];
  if (fn === undefined) return 'pcb';
  if (inf.length !== S_INF_LENGTH[fn]) return 'length';
  return { type: 'S', nad, fn, response: (pcb & 0x20) !== 0, inf };
}

/** Decodes complete bytes of a block, or says what is wrong with them. */
export function decodeBlock(bytes: Uint8Array, edc: Edc): T1Block | BlockFault {
  const epilogue = edcLength(edc);
  if (bytes.length < 3 + epilogue || bytes.length !== 3 + bytes[2] + epilogue || bytes[2] === 0xff) return 'length';
  const body = bytes.subarray(0, bytes.length - epilogue);
  if (edcOf(edc, body).some((byte, i) => byte !== bytes[body.length + i])) return 'edc';
  const nad = bytes[0];
  const pcb = bytes[1];
  const inf = bytes.slice(3, body.length);
  if ((pcb & 0x80) === 0) return pcb & 0x1f ? 'pcb' : { type: 'I', nad, ns: pcb & 0x40 ? 1 : 0, more: (pcb & 0x20) !== 0, inf };
  return (pcb & 0x40) === 0 ? decodeR(nad, pcb, inf.length) : decodeS(nad, pcb, inf);
}

const R_ERRORS = ['', ' EDC', ' other'] as const;

/** For people: `I(0,1) 32` (N(S), M, bytes), `R(1) EDC`, `S(WTX request 02)`. */
export function describeBlock(block: T1Block): string {
  if (block.type === 'I') return `I(${block.ns},${block.more ? 1 : 0}) ${block.inf.length}`;
  if (block.type === 'R') return `R(${block.nr})${R_ERRORS[block.error]}`;
  const value = block.inf.length > 0 ? ` ${block.inf[0].toString(16).padStart(2, '0').toUpperCase()}` : '';
  return `S(${block.fn} ${block.response ? 'response' : 'request'}${value})`;
}
