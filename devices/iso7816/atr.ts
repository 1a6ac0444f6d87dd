import { DeviceError } from '../errors.js';
import type { Convention } from '../channel/port.js';
import { hexByte, toHex } from './hex.js';
import { DEFAULT_TA1, ratesOf } from './rates.js';
import type { Rates } from './rates.js';

/** T=0 parameters of an ATR (ISO/IEC 7816-3, 10.2). */
export interface T0Parameters {
  /** Waiting time integer, from TC2; default 10. */
  readonly WI: number;
}

/** T=1 parameters of an ATR (ISO/IEC 7816-3, 11.4). */
export interface T1Parameters {
  /** Bytes the card takes in one block, from the first TA for T=1; default 32. */
  readonly ifsc: number;
  /** Block and character waiting time integers, from the first TB for T=1; default 4 and 13. */
  readonly bwi: number;
  readonly cwi: number;
  /** Error detection code, from the first TC for T=1; default LRC. */
  readonly edc: 'LRC' | 'CRC';
}

/** A decoded answer to reset (ISO/IEC 7816-3, clause 8). */
export interface Atr {
  /** All characters, TS as 3B or 3F. */
  readonly bytes: Uint8Array;
  readonly convention: Convention;
  /** Interface bytes by level: `ta[0]` is TA1. Absent ones are undefined. */
  readonly ta: readonly (number | undefined)[];
  readonly tb: readonly (number | undefined)[];
  readonly tc: readonly (number | undefined)[];
  readonly td: readonly (number | undefined)[];
  /** Protocols offered, each once, in order; 15 is not a protocol and is not listed. */
  readonly protocols: readonly number[];
  /** The protocol used without PPS: that of TA2, or the first offered. */
  readonly defaultProtocol: number;
  /** Rates named by TA1 (default 372, 1); undefined when TA1 is reserved. */
  readonly rates: Rates | undefined;
  /** Extra guard time integer N from TC1 (0 to 255; default 0). */
  readonly extraGuard: number;
  /** Present when TA2 is: the card is in specific mode and takes no PPS. */
  readonly specificMode?: {
    readonly protocol: number;
    /** The mode can change after a warm reset. */
    readonly changeable: boolean;
    /** Rates are known by agreement, not by TA1. */
    readonly implicitRates: boolean;
  };
  readonly t0: T0Parameters;
  readonly t1: T1Parameters;
  readonly historical: Uint8Array;
  readonly tck?: number;
}

/** Longest ATR, TS included (ISO/IEC 7816-3, 8.2.1). */
export const ATR_MAX_LENGTH = 33;

interface Shape {
  ta: (number | undefined)[];
  tb: (number | undefined)[];
  tc: (number | undefined)[];
  td: (number | undefined)[];
  /** Offset of the first historical byte. */
  historicalAt: number;
  total: number;
  protocols: number[];
}

const popCount4 = (nibble: number): number => [1, 2, 4, 8].filter((bit) => nibble & bit).length;

/** Walks the TD chain; undefined as long as `bytes` does not hold all of it. */
function shapeOf(bytes: ArrayLike<number>): Shape | undefined {
  if (bytes.length < 2) return undefined;
  const shape: Shape = { ta: [], tb: [], tc: [], td: [], historicalAt: 2, total: 0, protocols: [] };
  const t0 = bytes[1];
  let tck = false;
  let follow = t0 >> 4;
  let at = 2;
  while (follow) {
    if (bytes.length < at + popCount4(follow)) return undefined;
    const take = (bit: number): number | undefined => (follow & bit ? (bytes[at++]) : undefined);
    shape.ta.push(take(1));
    shape.tb.push(take(2));
    shape.tc.push(take(4));
    const td = take(8);
    shape.td.push(td);
    if (td !== undefined) {
      shape.protocols.push(td & 15);
      tck ||= (td & 15) !== 0;
    }
    follow = td === undefined ? 0 : td >> 4;
  }
  shape.historicalAt = at;
  shape.total = at + (t0 & 15) + (tck ? 1 : 0);
  return shape;
}

/** Number of characters of the whole ATR, TS included; undefined until enough of it is known. */
export function atrLength(bytes: ArrayLike<number>): number | undefined {
  return shapeOf(bytes)?.total;
}

function bad(what: string, bytes: ArrayLike<number>): DeviceError {
  return new DeviceError('CARD_BAD_ATR', { what: `${what} (ATR ${toHex(Array.from(bytes))})` });
}

/** The interface bytes that belong to protocol `t`: those after the first TD (i >= 2) that names it. */
function specificLevel(shape: Shape, t: number): number | undefined {
  for (let level = 1; level < shape.td.length; level++) {
    const td = shape.td[level];
    if (td !== undefined && (td & 15) === t) return level + 1;
  }
  return undefined;
}

function t1Parameters(shape: Shape): T1Parameters {
  const level = specificLevel(shape, 1);
  const ta = level === undefined ? undefined : shape.ta[level];
  const tb = level === undefined ? undefined : shape.tb[level];
  const tc = level === undefined ? undefined : shape.tc[level];
  return {
    ifsc: ta ?? 32,
    bwi: tb === undefined ? 4 : tb >> 4,
    cwi: tb === undefined ? 13 : tb & 15,
    edc: tc !== undefined && tc & 1 ? 'CRC' : 'LRC',
  };
}

function checkFrame(bytes: Uint8Array, shape: Shape | undefined): Shape {
  if (bytes[0] !== 0x3b && bytes[0] !== 0x3f) throw bad(`TS is ${hexByte(bytes[0] ?? 0)}, not 3B or 3F`, bytes);
  if (!shape || bytes.length < shape.total) throw bad(`ends after ${bytes.length} characters`, bytes);
  if (bytes.length > shape.total) throw bad(`has ${bytes.length - shape.total} characters too many`, bytes);
  if (shape.total > ATR_MAX_LENGTH) throw bad(`is ${shape.total} characters long, permitted are ${ATR_MAX_LENGTH}`, bytes);
  return shape;
}

function checkTck(bytes: Uint8Array, hasTck: boolean): void {
  if (!hasTck) return;
  let sum = 0;
  for (let i = 1; i < bytes.length; i++) sum ^= bytes[i];
  if (sum !== 0) {
    const expected = hexByte(sum ^ bytes[bytes.length - 1]);
    throw bad(`TCK is ${hexByte(bytes[bytes.length - 1])}, expected ${expected}`, bytes);
  }
}

function specificModeOf(ta2: number): NonNullable<Atr['specificMode']> {
  return { protocol: ta2 & 15, changeable: (ta2 & 0x80) === 0, implicitRates: (ta2 & 0x10) !== 0 };
}

/**
 * Decodes a complete ATR (ISO/IEC 7816-3, clause 8).
 *
 * @throws DeviceError CARD_BAD_ATR when TS, length or TCK is wrong. Contents that are merely not
 * permitted are left to `checkAtr`.
 */
export function parseAtr(bytes: Uint8Array): Atr {
  const shape = checkFrame(bytes, shapeOf(bytes));
  const hasTck = shape.protocols.some((t) => t !== 0);
  checkTck(bytes, hasTck);
  const ta2 = shape.ta[1];
  const offered = [...new Set(shape.protocols.filter((t) => t !== 15))];
  const protocols = offered.length > 0 ? offered : [0];
  const end = shape.historicalAt + (bytes[1] & 15);
  return {
    bytes: Uint8Array.from(bytes),
    convention: bytes[0] === 0x3f ? 'inverse' : 'direct',
    ta: shape.ta,
    tb: shape.tb,
    tc: shape.tc,
    td: shape.td,
    protocols,
    defaultProtocol: ta2 === undefined ? protocols[0] : ta2 & 15,
    rates: ratesOf(shape.ta[0] ?? DEFAULT_TA1),
    extraGuard: shape.tc[0] ?? 0,
    ...(ta2 === undefined ? {} : { specificMode: specificModeOf(ta2) }),
    t0: { WI: shape.tc[1] ?? 10 },
    t1: t1Parameters(shape),
    historical: bytes.slice(shape.historicalAt, end),
    ...(hasTck ? { tck: bytes[bytes.length - 1] } : {}),
  };
}
