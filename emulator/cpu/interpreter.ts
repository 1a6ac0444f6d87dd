import type { Core } from './core.js';

/**
 * Runs instructions of the current segment until `core.left` is used up or one needs the slow code.
 *
 * Every quantity that changes is held in a local and written back at the end, and nothing is called: whatever
 * is not plain register, RAM, code or window work is handed back. Without calls the engine knows that no array
 * changes its shape inside the loop (measured: half again the speed). The flags are kept as in {@link Core}.
 * LDM, STM, PUSH, POP and a 32-cycle MULS whose cost passes the end of the slice are handed back undone,
 * so that the caller can see whether an interrupt abandons them.
 *
 * A compare or a SUBS followed by BEQ (79) or BNE (80) carries the branch out at once, as a second instruction with
 * its own cost and count, unless the slice ends between the two.
 * Numbers stand where names would be because only literals make a jump table: case labels are {@link KIND},
 * 0x20000000 is RAM_BASE, 37, 105, 106 and 107 are BX, STRADDLE, STACK and CODE_WRITTEN.
 *
 * @param ops the decoded form to follow: the segment's own, or a copy with marks at which to come back
 * @returns the packed instruction that the caller has to carry out or look at; -1 when the slice is used up
 */
/* eslint-disable max-lines-per-function, complexity, max-lines -- table: one switch, one case for each kind */
export function execute(core: Core, ops: Int32Array = core.seg.ops): number {
  const r = core.r;
  const seg = core.seg;
  const literals = seg.i32;
  const base = seg.base;
  const halves = seg.size >>> 1;
  const waits = seg.waitStates;
  const literalWaits = waits;
  const { window } = core;
  const window32 = window.i32;
  const window16 = window.u16;
  const window8 = window.u8;
  const windowBase = window.base;
  const windowBytes = window.region.onRead === undefined ? window.size : 0;
  const windowHalves = windowBytes >>> 1;
  const windowWords = windowBytes >>> 2;
  const ram32 = core.ram.i32;
  const ram16 = core.ram.u16;
  const ram8 = core.ramU8;
  const ramBytes = core.ram.size;
  const ramHalves = ramBytes >>> 1;
  const ramWords = ramBytes >>> 2;
  const code32 = core.code.i32;
  const code16 = core.code.u16;
  const code8 = core.codeU8;
  const codeBytes = core.code.size;
  const codeHalves = codeBytes >>> 1;
  const codeWords = codeBytes >>> 2;
  const dataWaits = core.code.waitStates;
  const taken = core.table.conditionalTaken - core.table.conditionalNotTaken;
  const codeFirst = core.ramCodeFirst;
  const codeCount = core.ramCodeWords;
  const spWatch = core.spWatch;
  let i = core.i;
  let left = core.left;
  let n = core.n;
  let z = core.z;
  let c = core.c;
  let v = core.v;
  let count = 0;
  let result = -1;
  let target = 0;
  loop: while (left > 0) {
    const op = ops[i];
    left = (left - ((op >>> 7) & 31)) | 0;
    i = (i + 1) | 0;
    count = (count + 1) | 0;
    switch (op & 127) {
      case 1: { // MOVS_REG
        const x = r[(op >>> 16) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 2: { // LSLS_IMM
        const a = r[(op >>> 16) & 15];
        const s = (op >>> 20);
        const x = a << s;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = (a >>> (32 - s)) & 1;
        break;
      }
      case 3: { // LSRS_IMM
        const a = r[(op >>> 16) & 15];
        const s = (op >>> 20);
        const x = a >>> s | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = (a >>> (s - 1)) & 1;
        break;
      }
      case 4: { // LSRS_32
        c = r[(op >>> 16) & 15] >>> 31;
        r[(op >>> 12) & 15] = 0;
        n = z = 0;
        break;
      }
      case 5: { // ASRS_IMM
        const a = r[(op >>> 16) & 15];
        const s = (op >>> 20);
        const x = a >> s;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = (a >>> (s - 1)) & 1;
        break;
      }
      case 6: { // ASRS_32
        const x = r[(op >>> 16) & 15] >> 31;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = x & 1;
        break;
      }
      case 7: { // ADDS_REG
        const a = r[(op >>> 16) & 15];
        const b = r[(op >>> 20) & 15];
        const x = (a + b) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = x >>> 0 < a >>> 0 ? 1 : 0;
        v = (a ^ x) & (b ^ x);
        break;
      }
      case 8: { // SUBS_REG
        const a = r[(op >>> 16) & 15];
        const b = r[(op >>> 20) & 15];
        const x = (a - b) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = a >>> 0 >= b >>> 0 ? 1 : 0;
        v = (a ^ b) & (a ^ x);
        break;
      }
      case 9: { // ADDS_IMM
        const a = r[(op >>> 16) & 15];
        const b = (op >>> 20);
        const x = (a + b) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = x >>> 0 < a >>> 0 ? 1 : 0;
        v = (a ^ x) & (b ^ x);
        break;
      }
      case 10: { // SUBS_IMM
        const a = r[(op >>> 16) & 15];
        const b = (op >>> 20);
        const x = (a - b) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = a >>> 0 >= b >>> 0 ? 1 : 0;
        v = (a ^ b) & (a ^ x);
        const next = ops[i];
        const fused = next & 127;
        if ((fused === 79 || fused === 80) && left > 0) {
        left = (left - ((next >>> 7) & 31)) | 0;
        i = (i + 1) | 0;
        count = (count + 1) | 0;
        if ((x === 0) === (fused === 79)) {
        i += next >> 12;
        left -= taken + (i & 1) * waits;
        }
        }
        break;
      }
      case 11: { // MOVS_IMM
        const x = (op >>> 20);
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 12: { // CMP_IMM
        const a = r[(op >>> 16) & 15];
        const b = (op >>> 20);
        const x = (a - b) | 0;
        n = z = x;
        c = a >>> 0 >= b >>> 0 ? 1 : 0;
        v = (a ^ b) & (a ^ x);
        const next = ops[i];
        const fused = next & 127;
        if ((fused === 79 || fused === 80) && left > 0) {
        left = (left - ((next >>> 7) & 31)) | 0;
        i = (i + 1) | 0;
        count = (count + 1) | 0;
        if ((x === 0) === (fused === 79)) {
        i += next >> 12;
        left -= taken + (i & 1) * waits;
        }
        }
        break;
      }
      case 13: { // ANDS
        const x = r[(op >>> 16) & 15] & r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 14: { // EORS
        const x = r[(op >>> 16) & 15] ^ r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 15: { // LSLS_REG
        const a = r[(op >>> 16) & 15];
        const s = r[(op >>> 20) & 15] & 255;
        let x = a;
        if (s !== 0) {
        x = s < 32 ? a << s : 0;
        c = s <= 32 ? (a >>> (32 - s)) & 1 : 0;
        }
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 16: { // LSRS_REG
        const a = r[(op >>> 16) & 15];
        const s = r[(op >>> 20) & 15] & 255;
        let x = a;
        if (s !== 0) {
        x = s < 32 ? a >>> s : 0;
        c = s <= 32 ? (a >>> (s - 1)) & 1 : 0;
        }
        x |= 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 17: { // ASRS_REG
        const a = r[(op >>> 16) & 15];
        const s = r[(op >>> 20) & 15] & 255;
        let x = a;
        if (s !== 0) {
        x = s < 32 ? a >> s : a >> 31;
        c = s < 32 ? (a >>> (s - 1)) & 1 : x & 1;
        }
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 18: { // ADCS
        const a = r[(op >>> 16) & 15];
        const b = r[(op >>> 20) & 15];
        const x = (a + b + c) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = ((a & b) | ((a | b) & ~x)) >>> 31;
        v = (a ^ x) & (b ^ x);
        break;
      }
      case 19: { // SBCS
        const a = r[(op >>> 16) & 15];
        const b = ~r[(op >>> 20) & 15];
        const x = (a + b + c) | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = ((a & b) | ((a | b) & ~x)) >>> 31;
        v = (a ^ x) & (b ^ x);
        break;
      }
      case 20: { // RORS
        const a = r[(op >>> 16) & 15];
        const s = r[(op >>> 20) & 15] & 255;
        let x = a;
        if (s !== 0) {
        x = (a >>> (s & 31)) | (a << (32 - (s & 31)));
        c = x >>> 31;
        }
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 21: { // TST
        n = z = r[(op >>> 16) & 15] & r[(op >>> 20) & 15];
        break;
      }
      case 22: { // RSBS
        const b = r[(op >>> 16) & 15];
        const x = -b | 0;
        r[(op >>> 12) & 15] = x;
        n = z = x;
        c = b === 0 ? 1 : 0;
        v = b & x;
        break;
      }
      case 23: { // CMP_REG
        const a = r[(op >>> 16) & 15];
        const b = r[(op >>> 20) & 15];
        const x = (a - b) | 0;
        n = z = x;
        c = a >>> 0 >= b >>> 0 ? 1 : 0;
        v = (a ^ b) & (a ^ x);
        const next = ops[i];
        const fused = next & 127;
        if ((fused === 79 || fused === 80) && left > 0) {
        left = (left - ((next >>> 7) & 31)) | 0;
        i = (i + 1) | 0;
        count = (count + 1) | 0;
        if ((x === 0) === (fused === 79)) {
        i += next >> 12;
        left -= taken + (i & 1) * waits;
        }
        }
        break;
      }
      case 24: { // CMN
        const a = r[(op >>> 16) & 15];
        const b = r[(op >>> 20) & 15];
        const x = (a + b) | 0;
        n = z = x;
        c = x >>> 0 < a >>> 0 ? 1 : 0;
        v = (a ^ x) & (b ^ x);
        break;
      }
      case 25: { // ORRS
        const x = r[(op >>> 16) & 15] | r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 26: { // MULS
        const x = Math.imul(r[(op >>> 16) & 15], r[(op >>> 20) & 15]);
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 104: { // MULS_32
        left -= 31;
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        left += 31;
        result = 105;
        break loop;
        }
        const x = Math.imul(r[(op >>> 16) & 15], r[(op >>> 20) & 15]);
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 27: { // BICS
        const x = r[(op >>> 16) & 15] & ~r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 28: { // MVNS
        const x = ~r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = x;
        n = z = x;
        break;
      }
      case 29: { // ADD_HI
        r[(op >>> 12) & 15] = r[(op >>> 16) & 15] + r[(op >>> 20) & 15];
        break;
      }
      case 30: { // MOV_HI
        r[(op >>> 12) & 15] = r[(op >>> 20) & 15];
        break;
      }
      case 31: { // ADD_SP_REG
        const sp = (r[13] + r[(op >>> 20) & 15]) & ~3;
        r[13] = sp;
        if (sp < spWatch) {
        result = 106;
        break loop;
        }
        break;
      }
      case 32: { // MOV_SP_REG
        const sp = r[(op >>> 20) & 15] & ~3;
        r[13] = sp;
        if (sp < spWatch) {
        result = 106;
        break loop;
        }
        break;
      }
      case 35: { // ADD_FROM_PC
        r[(op >>> 12) & 15] = (r[(op >>> 12) & 15] + base + i * 2 + 2) & ((op & 0xf000) === 0xd000 ? ~3 : ~0);
        break;
      }
      case 36: { // MOV_FROM_PC
        r[(op >>> 12) & 15] = (base + i * 2 + 2) & ((op & 0xf000) === 0xd000 ? ~3 : ~0);
        break;
      }
      case 55: { // ADR
        r[(op >>> 12) & 15] = base + ((i * 2 + 2) & ~3) + (op >>> 20);
        break;
      }
      case 56: { // ADD_RD_SP
        r[(op >>> 12) & 15] = r[13] + (op >>> 20);
        break;
      }
      case 57: { // ADD_SP_IMM
        r[13] += (op >>> 20);
        break;
      }
      case 58: { // SUB_SP_IMM
        const sp = (r[13] - (op >>> 20)) | 0;
        r[13] = sp;
        if (sp < spWatch) {
        result = 106;
        break loop;
        }
        break;
      }
      case 59: { // SXTH
        r[(op >>> 12) & 15] = (r[(op >>> 20) & 15] << 16) >> 16;
        break;
      }
      case 60: { // SXTB
        r[(op >>> 12) & 15] = (r[(op >>> 20) & 15] << 24) >> 24;
        break;
      }
      case 61: { // UXTH
        r[(op >>> 12) & 15] = r[(op >>> 20) & 15] & 0xffff;
        break;
      }
      case 62: { // UXTB
        r[(op >>> 12) & 15] = r[(op >>> 20) & 15] & 0xff;
        break;
      }
      case 63: { // REV
        const a = r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
        break;
      }
      case 64: { // REV16
        const a = r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = ((a & 0x00ff00ff) << 8) | ((a >>> 8) & 0x00ff00ff);
        break;
      }
      case 65: { // REVSH
        const a = r[(op >>> 20) & 15];
        r[(op >>> 12) & 15] = ((a << 24) >> 16) | ((a >>> 8) & 0xff);
        break;
      }
      case 39: { // LDR_LIT
        r[(op >>> 12) & 7] = literals[op >>> 15];
        left -= literalWaits;
        break;
      }
      case 40: { // LDR_LIT_FAR
        const a = (base + ((i * 2 + 2) & ~3) + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w < ramWords) r[(op >>> 12) & 15] = ram32[w];
        else {
        const k = ((a >>> 2) | (a << 30)) >>> 0;
        if (k < codeWords) {
        r[(op >>> 12) & 15] = code32[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 2) | (q << 30)) >>> 0;
        if (j < windowWords) r[(op >>> 12) & 15] = window32[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 41: { // STR_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w < ramWords) {
        ram32[w] = r[(op >>> 12) & 15];
        if ((w - codeFirst) >>> 0 < codeCount) {
        target = w;
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 42: { // STRH_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 1) | (o << 31)) >>> 0;
        if (w < ramHalves) {
        ram16[w] = r[(op >>> 12) & 15];
        if (((w >>> 1) - codeFirst) >>> 0 < codeCount) {
        target = (w >>> 1);
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 43: { // STRB_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = o >>> 0;
        if (w < ramBytes) {
        ram8[w] = r[(op >>> 12) & 15];
        if (((w >>> 2) - codeFirst) >>> 0 < codeCount) {
        target = (w >>> 2);
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 44: { // LDRSB_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = o >>> 0;
        if (w < ramBytes) r[(op >>> 12) & 15] = (ram8[w] << 24) >> 24;
        else {
        const k = a >>> 0;
        if (k < codeBytes) {
        r[(op >>> 12) & 15] = (code8[k] << 24) >> 24;
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = q >>> 0;
        if (j < windowBytes) r[(op >>> 12) & 15] = (window8[j] << 24) >> 24;
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 45: { // LDR_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w < ramWords) r[(op >>> 12) & 15] = ram32[w];
        else {
        const k = ((a >>> 2) | (a << 30)) >>> 0;
        if (k < codeWords) {
        r[(op >>> 12) & 15] = code32[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 2) | (q << 30)) >>> 0;
        if (j < windowWords) r[(op >>> 12) & 15] = window32[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 46: { // LDRH_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 1) | (o << 31)) >>> 0;
        if (w < ramHalves) r[(op >>> 12) & 15] = ram16[w];
        else {
        const k = ((a >>> 1) | (a << 31)) >>> 0;
        if (k < codeHalves) {
        r[(op >>> 12) & 15] = code16[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 1) | (q << 31)) >>> 0;
        if (j < windowHalves) r[(op >>> 12) & 15] = window16[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 47: { // LDRB_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = o >>> 0;
        if (w < ramBytes) r[(op >>> 12) & 15] = ram8[w];
        else {
        const k = a >>> 0;
        if (k < codeBytes) {
        r[(op >>> 12) & 15] = code8[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = q >>> 0;
        if (j < windowBytes) r[(op >>> 12) & 15] = window8[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 48: { // LDRSH_REG
        const a = (r[(op >>> 16) & 15] + r[(op >>> 20) & 15]) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 1) | (o << 31)) >>> 0;
        if (w < ramHalves) r[(op >>> 12) & 15] = (ram16[w] << 16) >> 16;
        else {
        const k = ((a >>> 1) | (a << 31)) >>> 0;
        if (k < codeHalves) {
        r[(op >>> 12) & 15] = (code16[k] << 16) >> 16;
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 1) | (q << 31)) >>> 0;
        if (j < windowHalves) r[(op >>> 12) & 15] = (window16[j] << 16) >> 16;
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 49: { // STR_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w < ramWords) {
        ram32[w] = r[(op >>> 12) & 15];
        if ((w - codeFirst) >>> 0 < codeCount) {
        target = w;
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 50: { // LDR_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w < ramWords) r[(op >>> 12) & 15] = ram32[w];
        else {
        const k = ((a >>> 2) | (a << 30)) >>> 0;
        if (k < codeWords) {
        r[(op >>> 12) & 15] = code32[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 2) | (q << 30)) >>> 0;
        if (j < windowWords) r[(op >>> 12) & 15] = window32[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 51: { // STRB_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = o >>> 0;
        if (w < ramBytes) {
        ram8[w] = r[(op >>> 12) & 15];
        if (((w >>> 2) - codeFirst) >>> 0 < codeCount) {
        target = (w >>> 2);
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 52: { // LDRB_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = o >>> 0;
        if (w < ramBytes) r[(op >>> 12) & 15] = ram8[w];
        else {
        const k = a >>> 0;
        if (k < codeBytes) {
        r[(op >>> 12) & 15] = code8[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = q >>> 0;
        if (j < windowBytes) r[(op >>> 12) & 15] = window8[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 53: { // STRH_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 1) | (o << 31)) >>> 0;
        if (w < ramHalves) {
        ram16[w] = r[(op >>> 12) & 15];
        if (((w >>> 1) - codeFirst) >>> 0 < codeCount) {
        target = (w >>> 1);
        result = 107;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 54: { // LDRH_IMM
        const a = (r[(op >>> 16) & 15] + (op >>> 20)) | 0;
        const o = a - 0x20000000;
        const w = ((o >>> 1) | (o << 31)) >>> 0;
        if (w < ramHalves) r[(op >>> 12) & 15] = ram16[w];
        else {
        const k = ((a >>> 1) | (a << 31)) >>> 0;
        if (k < codeHalves) {
        r[(op >>> 12) & 15] = code16[k];
        left -= dataWaits;
        } else {
        const q = a - windowBase;
        const j = ((q >>> 1) | (q << 31)) >>> 0;
        if (j < windowHalves) r[(op >>> 12) & 15] = window16[j];
        else {
        result = op;
        break loop;
        }
        }
        }
        break;
      }
      case 66: { // PUSH
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        result = 105;
        break loop;
        }
        const words = ((op >>> 12) & 15) + ((op >>> 28) & 1);
        const sp = (r[13] - words * 4) | 0;
        let w = (sp - 0x20000000) >>> 2;
        if (w + words <= ramWords && (w >= codeFirst + codeCount || w + words <= codeFirst)) {
        for (let list = (op >>> 20) & 255; list !== 0; list &= list - 1) ram32[w++] = r[31 - Math.clz32(list & -list)];
        if ((op & 0x10000000) !== 0) ram32[w] = r[14];
        r[13] = sp;
        if (sp < spWatch) {
        result = 106;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 67: { // POP
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        result = 105;
        break loop;
        }
        const words = (op >>> 12) & 15;
        let w = (r[13] - 0x20000000) >>> 2;
        if (w + words <= ramWords) {
        for (let list = (op >>> 20) & 255; list !== 0; list &= list - 1) r[31 - Math.clz32(list & -list)] = ram32[w++];
        r[13] += words * 4;
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 68: { // POP_PC
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        result = 105;
        break loop;
        }
        const words = ((op >>> 12) & 15) + 1;
        let w = (r[13] - 0x20000000) >>> 2;
        if (w + words <= ramWords) {
        for (let list = (op >>> 20) & 255; list !== 0; list &= list - 1) r[31 - Math.clz32(list & -list)] = ram32[w++];
        r[13] += words * 4;
        const t = ram32[w];
        const o = t - 1 - base;
        const k = ((o >>> 1) | (o << 31)) >>> 0;
        if (k < halves) {
        i = k;
        left -= (i & 1) * waits;
        } else {
        target = t;
        result = 37;
        break loop;
        }
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 69: { // STM
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        result = 105;
        break loop;
        }
        const words = (op >>> 12) & 15;
        const a = r[(op >>> 16) & 15];
        const o = a - 0x20000000;
        let w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w + words <= ramWords && (w >= codeFirst + codeCount || w + words <= codeFirst)) {
        for (let list = (op >>> 20) & 255; list !== 0; list &= list - 1) ram32[w++] = r[31 - Math.clz32(list & -list)];
        r[(op >>> 16) & 15] = a + words * 4;
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 70: { // LDM
        if (left < 0 && !core.force) {
        count--;
        i--;
        left += (op >>> 7) & 31;
        result = 105;
        break loop;
        }
        const words = (op >>> 12) & 15;
        const a = r[(op >>> 16) & 15];
        const o = a - 0x20000000;
        let w = ((o >>> 2) | (o << 30)) >>> 0;
        if (w + words <= ramWords) {
        r[(op >>> 16) & 15] = a + words * 4;
        for (let list = (op >>> 20) & 255; list !== 0; list &= list - 1) r[31 - Math.clz32(list & -list)] = ram32[w++];
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 71: { // NOP
        break;
      }
      case 37: { // BX
        const t = r[(op >>> 20) & 15];
        const o = t - 1 - base;
        const k = ((o >>> 1) | (o << 31)) >>> 0;
        if (k < halves) {
        i = k;
        left -= (i & 1) * waits;
        } else {
        target = t;
        result = op;
        break loop;
        }
        break;
      }
      case 34: { // MOV_PC
        const t = r[(op >>> 20) & 15];
        const k = (t - base) >>> 1;
        if (k < halves) {
        i = k;
        left -= (i & 1) * waits;
        } else {
        result = op;
        break loop;
        }
        break;
      }
      case 38: { // BLX
        const t = r[(op >>> 20) & 15];
        const o = t - 1 - base;
        const k = ((o >>> 1) | (o << 31)) >>> 0;
        r[14] = (base + i * 2) | 1;
        if (k < halves) {
        i = k;
        left -= (i & 1) * waits;
        } else {
        target = t;
        result = op;
        break loop;
        }
        break;
      }
      case 79: { // BEQ
        if (z === 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 80: { // BNE
        if (z !== 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 81: { // BCS
        if (c !== 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 82: { // BCC
        if (c === 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 83: { // BMI
        if (n < 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 84: { // BPL
        if (n >= 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 85: { // BVS
        if (v < 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 86: { // BVC
        if (v >= 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 87: { // BHI
        if (c !== 0 && z !== 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 88: { // BLS
        if (c === 0 || z === 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 89: { // BGE
        if ((n ^ v) >= 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 90: { // BLT
        if ((n ^ v) < 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 91: { // BGT
        if (z !== 0 && (n ^ v) >= 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 92: { // BLE
        if (z === 0 || (n ^ v) < 0) {
        i += op >> 12;
        left -= taken + (i & 1) * waits;
        }
        break;
      }
      case 94: { // B
        i += op >> 12;
        left -= (i & 1) * waits;
        break;
      }
      case 96: { // BL
        r[14] = (base + i * 2 + 2) | 1;
        i += op >> 12;
        left -= (i & 1) * waits;
        break;
      }
      case 100: { // BARRIER
        i++;
        break;
      }
      default:
        result = op;
        break loop;
    }
  }
  core.i = i;
  core.left = left;
  core.n = n;
  core.z = z;
  core.c = c;
  core.v = v;
  core.instructions += count;
  core.target = target;
  return result;
}
