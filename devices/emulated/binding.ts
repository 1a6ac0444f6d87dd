import type {
  BindingInterface, BindingPortInterface, OpenOptions, PortInfo, PortStatus, SetOptions, UpdateOptions,
} from '@serialport/bindings-interface' with { 'resolution-mode': 'require' };
import type { Ticks } from '../channel/port.js';
import type { StreamClock } from '../serial/clock.js';
import type { EmulatedPort } from './port.js';

/** Error of an operation that ended because the port was closed, as `@serialport/stream` wants it. */
class CanceledError extends Error {
  readonly canceled = true;
}

interface PendingRead {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
  readonly resolve: (result: { buffer: Buffer; bytesRead: number }) => void;
  readonly reject: (error: Error) => void;
}

const GUARD_ETU = 12;

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Time of the binding: goes on while the card is off, and never back, though the card's cycles start anew. */
class BindingTime {
  readonly #card: EmulatedPort;
  #base: Ticks = 0;

  constructor(card: EmulatedPort) {
    this.#card = card;
  }

  now(): Ticks {
    return this.#base + this.#card.now();
  }

  /** The cycle of the card at `moment`. */
  cardCycle(moment: Ticks): Ticks {
    return moment - this.#base;
  }

  /** Time passes without the card. */
  skipTo(moment: Ticks): void {
    this.#base += Math.max(0, Math.ceil(moment - this.now()));
  }

  /** Runs `change`, which may start the card's cycles anew. */
  across(change: () => void): void {
    const before = this.now();
    change();
    this.skipTo(before);
  }
}

/**
 * One open emulated serial port: RTS is RST, DTR is VCC. Virtual time passes only in `write` and in the
 * clock's `wait`; bytes are delivered one by one at the cycle at which they are complete. With parity
 * `even`, a character of wrong parity is dropped, as Linux does for a real port (IGNPAR).
 */
export class EmulatedBindingPort implements BindingPortInterface {
  readonly openOptions: Required<OpenOptions>;
  isOpen = true;
  readonly #card: EmulatedPort;
  readonly #time: BindingTime;
  #baudRate: number;
  #power = false;
  #reset = false;
  #read: PendingRead | undefined;
  #bytes: number[] = [];
  /** Resolves when the stream has taken what was delivered and reads again. */
  #taken: (() => void) | undefined;
  #awaitingNextRead = false;
  #failure: Error | undefined;
  #setClosed: () => void = () => undefined;
  /** Resolves when the stream has closed the port. */
  readonly #closed = new Promise<void>((resolve) => { this.#setClosed = resolve; });

  constructor(card: EmulatedPort, time: BindingTime, options: OpenOptions) {
    this.#card = card;
    this.#time = time;
    this.#baudRate = options.baudRate;
    this.openOptions = {
      dataBits: 8, lock: true, stopBits: 2, parity: 'even', rtscts: false, xon: false, xoff: false, xany: false, hupcl: true,
      ...options,
    };
  }

  /** Lets virtual time pass until `moment` or the next byte, and waits until that byte has been taken. */
  async advance(moment: Ticks): Promise<void> {
    if (!this.#power || this.#failure) {
      this.#time.skipTo(moment);
      return;
    }
    try {
      const character = this.#card.receive(this.#time.cardCycle(moment) - 10 * this.#card.etu());
      if (character && (character.parityOk || this.openOptions.parity === 'none')) this.#bytes.push(character.byte);
    } catch (error) {
      this.#fail(asError(error));
      return this.#closed;
    }
    await this.#deliver();
  }

  async #deliver(): Promise<void> {
    if (this.#bytes.length === 0) return;
    const taken = new Promise<void>((resolve) => { this.#taken = resolve; });
    this.#serve();
    await taken;
  }

  #serve(): void {
    const read = this.#read;
    if (!read || this.#bytes.length === 0) return;
    this.#read = undefined;
    const bytes = this.#bytes.splice(0, read.length);
    read.buffer.set(bytes, read.offset);
    this.#awaitingNextRead = true;
    read.resolve({ buffer: read.buffer, bytesRead: bytes.length });
  }

  /** The card or its power has gone: to the stream that is an unplugged device. */
  #fail(error: Error): void {
    this.#failure = error;
    this.#read?.reject(error);
    this.#read = undefined;
  }

  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    if (!this.isOpen) return Promise.reject(new CanceledError('the port is closed'));
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#read = { buffer, offset, length, resolve, reject };
      if (this.#awaitingNextRead) {
        this.#awaitingNextRead = false;
        this.#taken?.();
        this.#taken = undefined;
      }
      this.#serve();
    });
  }

  write(buffer: Buffer): Promise<void> {
    if (!this.isOpen) return Promise.reject(new CanceledError('the port is closed'));
    if (!this.#power) return Promise.resolve();
    try {
      this.#card.send(buffer, { guardEtu: GUARD_ETU });
      return Promise.resolve();
    } catch (error) {
      this.#fail(asError(error));
      return Promise.reject(asError(error));
    }
  }

  close(): Promise<void> {
    this.isOpen = false;
    this.#read?.reject(new CanceledError('the port was closed'));
    this.#read = undefined;
    this.#taken?.();
    this.#setClosed();
    if (this.openOptions.hupcl) this.#setPower(false);
    return Promise.resolve();
  }

  update({ baudRate }: UpdateOptions): Promise<void> {
    this.#baudRate = baudRate;
    this.#card.configure(ratesFor(this.#card.cardHz, baudRate));
    return Promise.resolve();
  }

  #fresh = true;

  set({ rts = true, dtr = true }: SetOptions): Promise<void> {
    try {
      this.#setPower(dtr);
      if (this.#power && rts && !this.#reset) {
        this.#time.across(() => void this.#card.reset(this.#fresh ? 'cold' : 'warm'));
        this.#fresh = false;
        this.#bytes = [];
        this.#card.configure(ratesFor(this.#card.cardHz, this.#baudRate));
      }
      this.#reset = rts;
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  #setPower(on: boolean): void {
    if (this.#power && !on) {
      this.#card.powerOff();
      this.#reset = false;
    }
    if (on && !this.#power) this.#fresh = true;
    this.#power = on;
  }

  get(): Promise<PortStatus> {
    return Promise.resolve({ cts: this.#power, dsr: this.#power, dcd: this.#power });
  }

  getBaudRate(): Promise<{ baudRate: number }> {
    return Promise.resolve({ baudRate: this.#baudRate });
  }

  flush(): Promise<void> {
    this.#bytes = [];
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }
}

/** F and D whose etu fits a baud rate at the contact clock: D = 1 and the nearest F, or F = 372 and D where that is exact. */
function ratesFor(cardHz: number, baudRate: number): { F: number; D: number } {
  for (const D of [1, 2, 4, 8, 12, 16, 20, 32, 64]) {
    for (const F of [372, 512, 558, 744, 768, 1024, 1116, 1488, 1536, 1860, 2048]) {
      if (Math.round((cardHz * D) / F) === baudRate) return { F, D };
    }
  }
  return { F: Math.max(1, Math.round(cardHz / baudRate)), D: 1 };
}

/** A binding with one emulated card in it: `new SerialPortStream({ binding, path: 'card', baudRate: 9600 })`. */
export class EmulatedBinding implements BindingInterface<EmulatedBindingPort> {
  readonly #card: EmulatedPort;
  readonly #path: string;
  readonly #time: BindingTime;
  #open: EmulatedBindingPort | undefined;
  /** The card's time, for `StreamPort`. */
  readonly clock: StreamClock;

  constructor(card: EmulatedPort, path = 'card') {
    this.#card = card;
    this.#path = path;
    this.#time = new BindingTime(card);
    this.clock = {
      ...card.clock,
      uncertainty: Math.ceil(card.clock.perMs / 1000),
      now: () => this.#time.now(),
      wait: async (moment) => {
        if (this.#open?.isOpen) await this.#open.advance(moment);
        else this.#time.skipTo(moment);
      },
    };
  }

  list(): Promise<PortInfo[]> {
    const unknown = { serialNumber: undefined, pnpId: undefined, locationId: undefined, productId: undefined, vendorId: undefined };
    return Promise.resolve([{ path: this.#path, manufacturer: 'cardbench', ...unknown }]);
  }

  open(options: OpenOptions): Promise<EmulatedBindingPort> {
    if (options.path !== this.#path) return Promise.reject(new Error(`No such device: ${options.path}`));
    if (this.#open?.isOpen) return Promise.reject(new Error(`${options.path} is locked: it is open already`));
    this.#open = new EmulatedBindingPort(this.#card, this.#time, options);
    return Promise.resolve(this.#open);
  }
}
