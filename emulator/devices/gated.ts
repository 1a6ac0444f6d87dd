import type { AccessSize, Cycles, Device, DeviceHost, ResetKind } from '../types.js';

/**
 * A device behind a clock gate: while `clocked()` is false its registers read 0 and ignore writes, each a violation
 * UNCLOCKED. What is already running inside goes on.
 */
export class GatedDevice implements Device {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly #inner: Device;
  readonly #host: DeviceHost;
  readonly #clocked: () => boolean;

  /** Puts `inner` behind the gate. */
  constructor(inner: Device, host: DeviceHost, clocked: () => boolean) {
    this.name = inner.name;
    this.base = inner.base;
    this.size = inner.size;
    this.#inner = inner;
    this.#host = host;
    this.#clocked = clocked;
  }

  /** See {@link Device.read}. */
  read(offset: number, size: AccessSize, now: Cycles): number {
    return this.#clocked() ? this.#inner.read(offset, size, now) : this.#refuse('read', offset);
  }

  /** See {@link Device.write}. */
  write(offset: number, size: AccessSize, value: number, now: Cycles): void {
    if (this.#clocked()) this.#inner.write(offset, size, value, now);
    else this.#refuse('write', offset);
  }

  /** See {@link Device.stableUntil}. */
  stableUntil(offset: number, now: Cycles): Cycles {
    return this.#clocked() ? (this.#inner.stableUntil?.(offset, now) ?? now) : now;
  }

  /** See {@link Device.nextEvent}. */
  nextEvent(): Cycles { return this.#inner.nextEvent(); }
  /** See {@link Device.onEvent}. */
  onEvent(now: Cycles): void { this.#inner.onEvent(now); }
  /** See {@link Device.reset}. */
  reset(kind: ResetKind, now: Cycles): void { this.#inner.reset(kind, now); }
  /** See {@link Device.snapshot}. */
  snapshot(): unknown { return this.#inner.snapshot(); }
  /** See {@link Device.restore}. */
  restore(state: unknown): void { this.#inner.restore(state); }

  #refuse(what: string, offset: number): number {
    this.#host.violation('UNCLOCKED', `${this.name}: ${what} at offset 0x${offset.toString(16)} while its clock is off`, this.base + offset);
    return 0;
  }
}
