import type { Cycles, DeviceHost } from '../types.js';
import { Peripheral } from './peripheral.js';

/** Register offsets. */
export const TRACE_REGISTER = { STEP: 0, EVENT: 4, PUTC: 8, EXIT: 12 } as const;

/** A step mark of the protocol, as the firmware wrote it. */
export interface StepMark {
  readonly cycle: Cycles;
  /** Bits 31-24. */
  readonly embodiment: number;
  /** Step id: [1, 15] is 1-15. */
  readonly step: readonly [number, number];
  /** 0 done, 1 refused. */
  readonly outcome: number;
}

/** A free word of the firmware. */
export interface TraceEvent {
  readonly cycle: Cycles;
  readonly word: number;
}

interface TraceState {
  readonly steps: readonly StepMark[];
  readonly events: readonly TraceEvent[];
  readonly console: Uint8Array;
}

/** The trace port: step marks, events, console, end of run. Resets leave what was recorded; a power-on clears it. */
export class Trace extends Peripheral {
  readonly name = 'TRACE';
  readonly base = 0x40006000;
  #steps: StepMark[] = [];
  #events: TraceEvent[] = [];
  #console = new Uint8Array(256);
  #length = 0;

  /** `host` is the machine it sits in. */
  constructor(host: DeviceHost) {
    super(host);
  }

  /** Step marks in order. */
  get steps(): readonly StepMark[] { return this.#steps; }
  /** Event words in order. */
  get events(): readonly TraceEvent[] { return this.#events; }
  /** Bytes written to PUTC so far. */
  get console(): Uint8Array { return this.#console.slice(0, this.#length); }

  reset(kind: string): void {
    if (kind !== 'power-on') return;
    this.#steps = [];
    this.#events = [];
    this.#length = 0;
  }

  snapshot(): unknown {
    return { steps: this.#steps.slice(), events: this.#events.slice(), console: this.console };
  }

  restore(state: unknown): void {
    const { steps, events, console } = state as TraceState;
    this.#steps = steps.slice();
    this.#events = events.slice();
    if (console.length > this.#console.length) this.#console = new Uint8Array(console.length * 2);
    this.#console.set(console);
    this.#length = console.length;
  }

  protected override readRegister(offset: number): number {
    return this.badRead(offset, offset <= TRACE_REGISTER.EXIT);
  }

  protected override writeRegister(offset: number, value: number, now: Cycles): void {
    switch (offset) {
      case TRACE_REGISTER.STEP:
        this.#steps.push({ cycle: now, embodiment: value >>> 24, step: [(value >>> 16) & 0xff, (value >>> 8) & 0xff], outcome: value & 0xff });
        break;
      case TRACE_REGISTER.EVENT: this.#events.push({ cycle: now, word: value }); break;
      case TRACE_REGISTER.PUTC: this.#put(value & 0xff); break;
      case TRACE_REGISTER.EXIT: this.host.exit(value); break;
      default: this.badWrite(offset, false);
    }
  }

  #put(byte: number): void {
    if (this.#length === this.#console.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#console);
      this.#console = larger;
    }
    this.#console[this.#length++] = byte;
  }
}
