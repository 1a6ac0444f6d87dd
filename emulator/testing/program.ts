import { disassemble } from '../cpu/disassemble.js';
import { findInstruction } from '../cpu/table.js';
import type { Image } from '../image/image.js';
import { encode } from './asm.js';

/** Every 16-bit encoding by its text: the disassembler turned round. Branches are encoded separately. */
const BY_TEXT: ReadonlyMap<string, number> = (() => {
  const map = new Map<string, number>();
  for (let half = 0; half < 0xe800; half++) {
    if (findInstruction(half, 0) === undefined) continue;
    const { text } = disassemble(half, 0, 0);
    if (!map.has(text)) map.set(text, half);
  }
  return map;
})();

const SPECIAL: Readonly<Record<string, number>> = { apsr: 0, ipsr: 5, msp: 8, psp: 9, primask: 16, control: 20 };
const WORD = /^\.word\s+(.*)$/;
const LOAD = /^ldr (r\d), =(.*)$/;
const BRANCH = /^(b(?:eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?|bl) (\w+)$/;

interface Line {
  readonly text: string;
  readonly address: number;
}

function sizeOf(text: string): number {
  return WORD.test(text) || /^(bl|msr|mrs|dsb|dmb|isb)\b/.test(text) || text.startsWith('.wide') ? 4 : 2;
}

function value(text: string, labels: ReadonlyMap<string, number>): number {
  const label = labels.get(text.replace(/^&/, ''));
  if (label !== undefined) return text.startsWith('&') ? label + 1 : label;
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`'${text}' is neither number nor label`);
  return number;
}

function branch(mnemonic: string, offset: number): number[] {
  if (mnemonic === 'bl') {
    const distance = offset >> 1;
    const s = (distance >> 23) & 1;
    const bit = (k: number): number => (~((distance >> k) & 1) ^ s) & 1;
    return [0xf000 | (s << 10) | ((distance >> 11) & 0x3ff), 0xd000 | (bit(22) << 13) | (bit(21) << 11) | (distance & 0x7ff)];
  }
  if (mnemonic === 'b') return encode('B', { i: (offset >> 1) & 0x7ff });
  return encode(mnemonic.toUpperCase(), { i: (offset >> 1) & 0xff });
}

function system(text: string): number[] | undefined {
  const [mnemonic, ...operands] = text.split(/[\s,]+/);
  const register = (name: string): number => Number(name.slice(1));
  if (mnemonic === 'msr') return encode('MSR', { s: SPECIAL[operands[0]], n: register(operands[1]) });
  if (mnemonic === 'mrs') return encode('MRS', { d: register(operands[0]), s: SPECIAL[operands[1]] });
  return ['dsb', 'dmb', 'isb'].includes(mnemonic) ? encode(mnemonic.toUpperCase(), { i: 15 }) : undefined;
}

function assembleLine({ text, address }: Line, labels: ReadonlyMap<string, number>, pool: ReadonlyMap<string, number>): number[] {
  const word = WORD.exec(text);
  if (word !== null) {
    const x = value(word[1], labels);
    return [x & 0xffff, (x >>> 16) & 0xffff];
  }
  if (text.startsWith('.half')) return [Number(text.slice(5))];
  if (text.startsWith('.wide')) return text.slice(5).trim().split(' ').map(Number);
  const load = LOAD.exec(text);
  if (load !== null) {
    const offset = (pool.get(load[2]) ?? 0) - ((address + 4) & ~3);
    return encode('LDR (literal)', { d: Number(load[1].slice(1)), i: offset >> 2 });
  }
  const jump = BRANCH.exec(text);
  if (jump !== null) return branch(jump[1], value(jump[2], labels) - address - 4);
  const half = BY_TEXT.get(text);
  const halves = half === undefined ? system(text) : [half];
  if (halves === undefined) throw new RangeError(`cannot assemble '${text}'`);
  return halves;
}

/** A small assembled program. */
export interface Program {
  readonly image: Image;
  /** Address of each label. */
  readonly labels: ReadonlyMap<string, number>;
}

/**
 * Assembles a test program at address 0: labels (`name:`), GNU-style instructions as the disassembler prints
 * them, branches to labels, `ldr rN, =number|&label` with a literal pool at the end, `.word`, `.half`, `.wide`.
 * `&label` is a label's address with the Thumb bit. `;` begins a comment, lines may be joined by `|`.
 */
export function assemble(source: string): Program {
  const labels = new Map<string, number>();
  const lines: Line[] = [];
  const pool = new Map<string, number>();
  let address = 0;
  for (const raw of source.split(/[\n|]/)) {
    const text = raw.replace(/;.*/, '').trim();
    if (text === '') continue;
    if (text.endsWith(':')) {
      labels.set(text.slice(0, -1), address);
      continue;
    }
    lines.push({ text, address });
    const load = LOAD.exec(text);
    if (load !== null) pool.set(load[2], 0);
    address += sizeOf(text);
  }
  address = (address + 3) & ~3;
  for (const key of pool.keys()) {
    pool.set(key, address);
    lines.push({ text: `.word ${key}`, address });
    address += 4;
  }
  const data = new Uint8Array(address);
  for (const line of lines) assembleLine(line, labels, pool).forEach((half, k) => data.set([half & 0xff, half >> 8], line.address + 2 * k));
  return { image: { format: 'bin', segments: [{ address: 0, data }], symbols: [], lines: [] }, labels };
}

/**
 * Vector table lines for `assemble`: 16 system exceptions and `irqs` interrupts; those not named go to a UDF
 * at the label `unexpected`, which is placed behind the table.
 * @param sp initial stack pointer
 * @param handlers label by exception number
 */
export function vectors(sp: number, handlers: Readonly<Record<number, string>>, irqs = 4): string {
  const words = Array.from({ length: 15 + irqs }, (_, k) => `.word &${handlers[k + 1] ?? 'unexpected'}`);
  return [`.word ${sp}`, ...words, 'unexpected:', 'udf #255'].join('\n');
}
