import { deviceAt, loadSlow, storeSlow } from './bus.js';
import type { Core } from './core.js';
import { KIND_MASK } from './decode.js';
import { KIND } from './kinds.js';
import { skipPolling } from './poll.js';
import type { AccessSize } from '../types.js';

interface Access {
  readonly size: AccessSize;
  readonly store: boolean;
  readonly signed: boolean;
  readonly address: 'register' | 'immediate' | 'literal';
}

const load = (size: AccessSize, address: Access['address'], signed = false): Access => ({ size, store: false, signed, address });
const store = (size: AccessSize, address: Access['address']): Access => ({ size, store: true, signed: false, address });

const ACCESSES: ReadonlyMap<number, Access> = new Map([
  [KIND.LDR_LIT_FAR, load(4, 'literal')],
  [KIND.STR_REG, store(4, 'register')],
  [KIND.STRH_REG, store(2, 'register')],
  [KIND.STRB_REG, store(1, 'register')],
  [KIND.LDRSB_REG, load(1, 'register', true)],
  [KIND.LDR_REG, load(4, 'register')],
  [KIND.LDRH_REG, load(2, 'register')],
  [KIND.LDRB_REG, load(1, 'register')],
  [KIND.LDRSH_REG, load(2, 'register', true)],
  [KIND.STR_IMM, store(4, 'immediate')],
  [KIND.LDR_IMM, load(4, 'immediate')],
  [KIND.STRB_IMM, store(1, 'immediate')],
  [KIND.LDRB_IMM, load(1, 'immediate')],
  [KIND.STRH_IMM, store(2, 'immediate')],
  [KIND.LDRH_IMM, load(2, 'immediate')],
]);

function addressOf(core: Core, op: number, form: Access['address']): number {
  if (form === 'literal') return (core.seg.base + ((core.i * 2 + 2) & ~3) + (op >>> 20)) | 0;
  const base = core.r[(op >>> 16) & 15];
  return (base + (form === 'register' ? core.r[(op >>> 20) & 15] : op >>> 20)) | 0;
}

/** Carries out a single load or store outside plain memory; false when `op` is something else. */
export function accessSlow(core: Core, op: number): boolean {
  const access = ACCESSES.get(op & KIND_MASK);
  if (access === undefined) return false;
  const { size, signed } = access;
  const address = addressOf(core, op, access.address);
  const d = (op >>> 12) & 15;
  if (access.store) {
    storeSlow(core, address, size, core.r[d]);
    return true;
  }
  const value = loadSlow(core, address, size);
  const device = deviceAt(core, address >>> 0);
  if (device?.stableUntil !== undefined && core.fault === '' && core.left > 0) {
    skipPolling(core, device, (address >>> 0) - device.base, value);
  }
  const shift = signed ? 32 - 8 * size : 0;
  if (core.fault === '') core.r[d] = (value << shift) >> shift;
  return true;
}
