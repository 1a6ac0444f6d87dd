import type { SerialPortStream } from '@serialport/stream';
import { DeviceError } from '../errors.js';
import { RESET_LINE } from '../channel/port.js';
import type { BytePort, Character, LineSettings, PortClock, PortFeatures, SendOptions, SendOutcome, Ticks } from '../channel/port.js';
import type { StreamClock } from './clock.js';

/** How the contacts RST and VCC are wired to the serial port. */
export interface StreamWiring {
  /** Control line that is high while RST is high; absent: the card cannot be reset by the line. */
  readonly resetLine?: 'rts' | 'dtr';
  /** Control line that is high while VCC is on. */
  readonly powerLine?: 'rts' | 'dtr';
  /** For boards without control lines: resets the board by other means. */
  readonly pulse?: (kind: 'cold' | 'warm') => Promise<void>;
  /** What is sent comes back (one I/O contact on both wires): it is read and compared. */
  readonly echo?: boolean;
}

/** Settings of a {@link StreamPort}. */
export interface StreamPortOptions extends StreamWiring {
  readonly clock: StreamClock;
  /** Contact clock in Hz: baud rate = cardHz * D / F; default 3,571,200 (9600 bit/s at F = 372). */
  readonly cardHz?: number;
  /** Set to keep the baud rate whatever F and D are, as on a pty. */
  readonly fixedBaud?: boolean;
  /** Length of RST low, in ms; default 1. */
  readonly resetMs?: number;
}

type Callback = (error?: Error | null) => void;

/** etu from the leading edge of a character to the moment its byte is delivered. */
const CHARACTER_ETU = 10;
/** etu a serial port takes for a character with parity and two stop bits, and with one. */
const NATURAL_GUARD_ETU = 12;

const later = (start: (done: Callback) => void): Promise<void> =>
  new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));

/**
 * A card behind a serial port: any `SerialPortStream`, of a real or an emulated binding. It neither sees
 * nor gives the T=0 error signal; characters of wrong parity are lost in the driver.
 */
export class StreamPort implements BytePort {
  readonly name: string;
  readonly clock: PortClock;
  readonly features: PortFeatures;
  readonly cardHz: number;
  line: LineSettings = RESET_LINE;
  readonly #stream: SerialPortStream;
  readonly #options: StreamPortOptions;
  readonly #clock: StreamClock;
  #queue: Character[] = [];
  #wake: AbortController | undefined;
  #gone: DeviceError | undefined;

  /** `stream` must be open. */
  constructor(stream: SerialPortStream, options: StreamPortOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#clock = options.clock;
    this.clock = options.clock;
    this.name = stream.path;
    this.cardHz = options.cardHz ?? 3_571_200;
    const wired = options.resetLine !== undefined || options.pulse !== undefined;
    this.features = { parity: false, errorSignal: false, warmReset: wired, power: options.powerLine !== undefined };
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('close', (error: Error | null) => this.#onGone(error ?? undefined));
    stream.on('error', (error: Error) => this.#onGone(error));
  }

  etu(): Ticks {
    return (this.line.F / this.line.D / this.cardHz) * 1000 * this.#clock.perMs;
  }

  now(): Ticks {
    return this.#clock.now();
  }

  async configure(change: Partial<LineSettings>): Promise<void> {
    const old = this.line;
    this.line = { ...old, ...change };
    if (this.#options.fixedBaud || old.F * this.line.D === this.line.F * old.D) return;
    const baudRate = Math.round((this.cardHz * this.line.D) / this.line.F);
    await this.#guarded(() => later((done) => this.#stream.update({ baudRate }, done)));
  }

  async reset(kind: 'cold' | 'warm'): Promise<Ticks> {
    this.#needDevice();
    const { resetLine, powerLine, pulse, resetMs = 1 } = this.#options;
    await this.configure(RESET_LINE);
    this.#queue = [];
    if (pulse) await pulse(kind);
    else if (resetLine) {
      const cold = kind === 'cold' && powerLine !== undefined;
      await this.#set({ [resetLine]: false, ...(powerLine ? { [powerLine]: !cold } : {}) });
      await this.idle(this.now() + resetMs * this.#clock.perMs);
      if (cold) await this.#set({ [resetLine]: false, [powerLine]: true });
      this.#queue = [];
      await this.#set({ [resetLine]: true, ...(powerLine ? { [powerLine]: true } : {}) });
    } else {
      throw new DeviceError('DEVICE_UNSUPPORTED', {
        what: `${this.name} has no line that resets the card`,
        next: 'name the control line (resetLine) or a way to reset the board (pulse)',
      });
    }
    return this.now();
  }

  async powerOff(): Promise<void> {
    const { resetLine, powerLine } = this.#options;
    if (this.#gone || !resetLine) return;
    await this.#set({ [resetLine]: false, ...(powerLine ? { [powerLine]: false } : {}) });
  }

  async send(bytes: Uint8Array, options: SendOptions): Promise<SendOutcome> {
    this.#needDevice();
    if (options.badParity && options.badParity.length > 0) {
      throw new DeviceError('DEVICE_UNSUPPORTED', { what: 'a serial port cannot send wrong parity' });
    }
    if (options.notBefore !== undefined) await this.idle(options.notBefore);
    const firstEdge = this.now();
    const wire = this.#toWire(bytes);
    if (options.guardEtu <= NATURAL_GUARD_ETU) await this.#write(wire);
    else {
      for (let i = 0; i < wire.length; i++) {
        await this.idle(firstEdge + i * options.guardEtu * this.etu());
        await this.#write(wire.subarray(i, i + 1));
      }
    }
    if (this.#options.echo) await this.#takeEcho(bytes);
    const computed = firstEdge + (bytes.length - 1) * Math.max(options.guardEtu, NATURAL_GUARD_ETU) * this.etu();
    return { accepted: bytes.length, signalled: false, firstEdge, lastEdge: computed };
  }

  async receive(deadline: Ticks): Promise<Character | undefined> {
    const until = deadline + CHARACTER_ETU * this.etu() + this.#clock.uncertainty;
    while (this.#queue.length === 0 && this.now() < until) {
      this.#needDevice();
      await this.#waitUntil(until);
    }
    this.#needDevice();
    const next = this.#queue[0];
    return next && next.at <= deadline ? this.#queue.shift() : undefined;
  }

  async idle(moment: Ticks): Promise<void> {
    while (this.now() < moment) {
      this.#needDevice();
      await this.#waitUntil(moment);
    }
    this.#needDevice();
  }

  /** Closes the serial port. */
  async close(): Promise<void> {
    if (this.#gone || !this.#stream.isOpen) return;
    await later((done) => this.#stream.close(done));
  }

  async #waitUntil(moment: Ticks): Promise<void> {
    const wake = new AbortController();
    this.#wake = wake;
    await this.#clock.wait(moment, wake.signal);
    this.#wake = undefined;
  }

  /** Inverse convention: bits reversed and complemented, which a serial port does not do by itself. */
  #toWire(bytes: Uint8Array): Buffer {
    return Buffer.from(this.line.convention === 'inverse' ? bytes.map(invert) : bytes);
  }

  #onData(chunk: Buffer): void {
    const end = this.#clock.now();
    const first = end - (CHARACTER_ETU + (chunk.length - 1) * NATURAL_GUARD_ETU) * this.etu();
    chunk.forEach((raw, i) => {
      const byte = this.line.convention === 'inverse' ? invert(raw) : raw;
      this.#queue.push({ byte, parityOk: true, at: first + i * NATURAL_GUARD_ETU * this.etu() });
    });
    this.#wake?.abort();
  }

  #onGone(cause: Error | undefined): void {
    this.#gone ??= new DeviceError('CARD_REMOVED', { what: `the serial port ${this.name} has gone (${cause?.message ?? 'closed'})`, cause });
    this.#wake?.abort();
  }

  #needDevice(): void {
    if (this.#gone) throw this.#gone;
  }

  async #takeEcho(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      const echo = await this.receive(this.now() + 50 * this.etu() + 10 * this.#clock.uncertainty);
      if (echo?.byte !== byte) throw new DeviceError('CARD_LINK', { what: 'what was sent did not come back unchanged (echo)' });
    }
  }

  #write(bytes: Buffer): Promise<void> {
    return this.#guarded(async () => {
      await later((done) => void this.#stream.write(bytes, undefined, (error) => done(error)));
      await later((done) => this.#stream.drain(done));
    });
  }

  #set(lines: { rts?: boolean; dtr?: boolean }): Promise<void> {
    return this.#guarded(() => later((done) => this.#stream.set({ brk: false, cts: false, dsr: false, dtr: false, rts: false, ...lines }, done)));
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    this.#needDevice();
    try {
      await work();
    } catch (cause) {
      this.#needDevice();
      throw new DeviceError('CARD_LINK', { what: `${this.name}: ${(cause as Error).message}`, cause });
    }
  }
}

function invert(byte: number): number {
  let out = 0;
  for (let bit = 0; bit < 8; bit++) out |= ((byte >> bit) & 1) << (7 - bit);
  return ~out & 0xff;
}
