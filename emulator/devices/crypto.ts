import type { Cycles, DeviceHost } from '../types.js';
import type { CryptoProfile } from '../profiles/schema.js';
import type { CryptoCache } from './crypto-cache.js';
import { OPERATIONS, type Operands, type Operation } from './crypto-operations.js';
import { Peripheral } from './peripheral.js';

/** Register offsets. */
export const CRYPTO_REGISTER = { CMD: 0, STATUS: 4, IE: 8, SRC: 12, DST: 16, KEY: 20, LEN: 24, AUX: 28 } as const;
/** Bits of STATUS. */
export const CRYPTO_STATUS = { BUSY: 1, DONE: 2, ERR: 4, RESULT: 8 } as const;

const IRQ = 3;
const STATE_BYTES = 32;
const NOTHING = new Uint8Array(0);

interface CryptoState {
  status: number;
  ie: number;
  src: number;
  dst: number;
  key: number;
  len: number;
  aux: number;
  /** Running command, its destination, operands (never changed) and last cycle. */
  command: number;
  target: number;
  operands: Operands | undefined;
  endAt: Cycles;
  /** RAM that must not change while busy, as it was at the start. */
  watched: readonly Area[];
}

interface Area {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What the coprocessor sees of the chip. */
export interface CryptoConfig {
  readonly profile: CryptoProfile;
  readonly cache: CryptoCache;
  /** RAM, where results may go. */
  readonly ramBase: number;
  readonly ramBytes: number;
  /** Reads as a bus master at a cycle (weak EEPROM cells by policy); undefined when any byte is unmapped. */
  readonly load: (address: number, length: number, now: Cycles) => Uint8Array | undefined;
}

/**
 * The crypto coprocessor. Operands are taken when CMD is written; the result is computed and stored when the
 * operation ends. Violations: CRYPTO_BUSY, CRYPTO_COMMAND (no such command), CRYPTO_LENGTH, CRYPTO_ADDRESS,
 * CRYPTO_TOUCHED (an operand or the result area was changed in RAM while busy; the operands are those at the start).
 */
export class Crypto extends Peripheral {
  readonly name = 'CRYPTO';
  readonly base = 0x40005000;
  readonly #config: CryptoConfig;
  #s: CryptoState = fresh();
  #level = false;

  /** `host` is the machine it sits in. */
  constructor(host: DeviceHost, config: CryptoConfig) {
    super(host);
    this.#config = config;
  }

  /** STATUS changes with the end of the operation only. See {@link Device.stableUntil}. */
  stableUntil(offset: number, now: Cycles): Cycles {
    return offset === CRYPTO_REGISTER.STATUS ? Infinity : now;
  }

  override nextEvent(): Cycles {
    return this.#s.endAt;
  }

  override onEvent(now: Cycles): void {
    const s = this.#s;
    const operation = OPERATIONS.get(s.command);
    if (s.endAt > now || operation === undefined || s.operands === undefined) return;
    this.#checkUntouched(operation);
    const outcome = operation.run(s.operands, this.#config.cache);
    s.endAt = Infinity;
    s.operands = undefined;
    s.watched = [];
    s.status = CRYPTO_STATUS.DONE;
    if (outcome === undefined) s.status |= CRYPTO_STATUS.ERR;
    if (outcome?.valid === true) s.status |= CRYPTO_STATUS.RESULT;
    if (outcome?.output !== undefined) this.host.pokeRam(s.target, outcome.output);
    this.#update();
  }

  reset(): void {
    this.#s = fresh();
    this.#update();
  }

  snapshot(): unknown {
    return { ...this.#s };
  }

  restore(state: unknown): void {
    this.#s = { ...(state as CryptoState) };
    this.#level = this.#wanted();
  }

  protected override readRegister(offset: number): number {
    const s = this.#s;
    switch (offset) {
      case CRYPTO_REGISTER.CMD: return this.badRead(offset, true);
      case CRYPTO_REGISTER.STATUS: return s.status;
      case CRYPTO_REGISTER.IE: return s.ie;
      case CRYPTO_REGISTER.SRC: return s.src;
      case CRYPTO_REGISTER.DST: return s.dst;
      case CRYPTO_REGISTER.KEY: return s.key;
      case CRYPTO_REGISTER.LEN: return s.len;
      case CRYPTO_REGISTER.AUX: return s.aux;
      default: return this.badRead(offset, false);
    }
  }

  protected override writeRegister(offset: number, value: number, now: Cycles): void {
    const s = this.#s;
    switch (offset) {
      case CRYPTO_REGISTER.CMD: this.#command(value, now); break;
      case CRYPTO_REGISTER.STATUS: s.status &= ~(value & (CRYPTO_STATUS.DONE | CRYPTO_STATUS.ERR)); break;
      case CRYPTO_REGISTER.IE: s.ie = value & CRYPTO_STATUS.DONE; break;
      case CRYPTO_REGISTER.SRC: s.src = value; break;
      case CRYPTO_REGISTER.DST: s.dst = value; break;
      case CRYPTO_REGISTER.KEY: s.key = value; break;
      case CRYPTO_REGISTER.LEN: s.len = value; break;
      case CRYPTO_REGISTER.AUX: s.aux = value; break;
      default: this.badWrite(offset, false);
    }
    this.#update();
  }

  #command(command: number, now: Cycles): void {
    const s = this.#s;
    if ((s.status & CRYPTO_STATUS.BUSY) !== 0) return this.#fail('CRYPTO_BUSY', `command ${command} while busy`);
    const operation = OPERATIONS.get(command);
    if (operation === undefined) return this.#fail('CRYPTO_COMMAND', `no command ${command}`);
    const wrongMultiple = s.len % operation.multiple !== 0 || (operation.multiple > 1 && s.len === 0);
    if (operation.src === 'LEN' && (wrongMultiple || s.len > operation.max)) {
      return this.#fail('CRYPTO_LENGTH', `${operation.name}: LEN ${s.len}`);
    }
    const operands = this.#capture(operation, now);
    if (operands === undefined) return this.#fail('CRYPTO_ADDRESS', `${operation.name}: an operand or the result is not in memory`);
    s.status = CRYPTO_STATUS.BUSY;
    s.command = command;
    s.target = s.dst;
    s.operands = operands;
    s.watched = this.#areas(operation);
    s.endAt = now + operation.cycles(this.#config.profile, operation.src === 'LEN' ? s.len : 0);
    this.host.reschedule();
  }

  /** Operands, or undefined when any area is not in memory or DST is not in RAM. */
  #capture(operation: Operation, now: Cycles): Operands | undefined {
    const s = this.#s;
    const dst = length(operation.dst, s.len);
    if (dst > 0 && !this.#inRam(s.dst, dst)) return undefined;
    const key = this.#load(s.key, operation.key, now);
    const src = this.#load(s.src, length(operation.src, s.len), now);
    const aux = this.#load(s.aux, operation.aux, now);
    const state = this.#load(s.dst, operation.state ? STATE_BYTES : 0, now);
    if (key === undefined || src === undefined || aux === undefined || state === undefined) return undefined;
    return { key, src, aux, state };
  }

  /** The parts of RAM that the operation uses, with their content. */
  #areas(operation: Operation): Area[] {
    const s = this.#s;
    const used: [number, number][] = [
      [s.key, operation.key], [s.src, length(operation.src, s.len)], [s.aux, operation.aux], [s.dst, length(operation.dst, s.len)],
    ];
    return used.flatMap(([address, bytes]) => {
      const content = bytes > 0 && this.#inRam(address, bytes) ? this.host.peek(address, bytes) : undefined;
      return content === undefined ? [] : [{ address, bytes: content }];
    });
  }

  #checkUntouched(operation: Operation): void {
    for (const { address, bytes } of this.#s.watched) {
      const now = this.host.peek(address, bytes.length);
      const at = bytes.findIndex((byte, i) => now?.[i] !== byte);
      if (at >= 0) this.host.violation('CRYPTO_TOUCHED', `${this.name}: ${operation.name}: an area in use was changed while busy`, address + at);
    }
  }

  #load(address: number, bytes: number, now: Cycles): Uint8Array | undefined {
    return bytes === 0 ? NOTHING : this.#config.load(address, bytes, now);
  }

  #inRam(address: number, bytes: number): boolean {
    const { ramBase, ramBytes } = this.#config;
    return address >= ramBase && address + bytes <= ramBase + ramBytes;
  }

  #fail(code: string, detail: string): void {
    this.#s.status |= CRYPTO_STATUS.ERR;
    this.refuse(code, detail, CRYPTO_REGISTER.CMD);
  }

  #wanted(): boolean {
    const s = this.#s;
    return s.ie !== 0 && (s.status & (CRYPTO_STATUS.DONE | CRYPTO_STATUS.ERR)) !== 0;
  }

  #update(): void {
    const level = this.#wanted();
    if (level === this.#level) return;
    this.#level = level;
    this.host.irq.set(IRQ, level);
  }
}

function length(of: number | 'LEN', len: number): number {
  return of === 'LEN' ? len : of;
}

function fresh(): CryptoState {
  return {
    status: 0, ie: 0, src: 0, dst: 0, key: 0, len: 0, aux: 0, command: 0, target: 0, operands: undefined, endAt: Infinity, watched: [],
  };
}
