import type { Cycles, DeviceHost, ResetKind } from '../types.js';
import { halfEtus, makeEtu, type Etu } from './etu.js';
import { decodeFrame, encodeFrame, sampleFrame } from './frame.js';
import type { ContactLink, IncomingCharacter } from './link.js';
import { Peripheral } from './peripheral.js';

/** Bits of STATUS and IE. */
export const UART_STATUS = { RXNE: 1, TXE: 2, TC: 4, PERR: 8, OVR: 16, TXERR: 32, RXBUSY: 64, WTO: 128 } as const;
/** Register offsets. */
export const UART_REGISTER = { CTRL: 0, STATUS: 4, DATA: 8, FD: 12, GT: 16, RETRY: 20, IE: 24, WT: 28 } as const;

const INTERRUPTS = 0xbf;
const IRQ = 0;
const FD_RESET = 372 | (1 << 16);
/** Moments after the leading edge, in half etu. */
const CHARACTER_END = 20;
const ERROR_START = 21;
const ERROR_SEEN = 22;
const ERROR_END = 23;
const REPEAT = 27;

/** What the shift registers do next. */
type Stage = 'idle' | 'end' | 'error-start' | 'error-seen' | 'repeat' | 'guard';

/** All of the UART's state; flat, so that a shallow copy is a deep one. */
interface UartState {
  ctrl: number;
  sticky: number;
  rxne: boolean;
  rxData: number;
  fd: number;
  gt: number;
  retry: number;
  ie: number;
  wt: number;
  wtAt: Cycles;
  txData: number;
  txFull: boolean;
  txStage: Stage;
  txAt: Cycles;
  txByte: number;
  txStart: Cycles;
  txEtu: Etu;
  txRepeat: number;
  txOrdinal: number;
  txT1: boolean;
  rxStage: Stage;
  rxAt: Cycles;
  rxByte: number;
  rxParityOk: boolean;
  rxStart: Cycles;
  rxEtu: Etu;
  rxIndex: number;
  lineFree: Cycles;
  /** Contact clock, Hz. */
  cardHz: number;
}

/** Clocks that fix the etu. */
export interface UartConfig {
  readonly coreHz: number;
  readonly cardHz: number;
}

/**
 * The card's ISO/IEC 7816-3 UART. Violations: UART_TX_OVERRUN (DATA written while TXE = 0), UART_DISABLED (DATA
 * written while not enabled), and those of {@link Peripheral}.
 */
export class Uart extends Peripheral {
  readonly name = 'UART';
  readonly base = 0x40001000;
  readonly #config: UartConfig;
  readonly #link: ContactLink;
  #s: UartState;
  #next: Cycles = Infinity;
  #level = false;

  /** `link` is the other end of the line. */
  constructor(host: DeviceHost, config: UartConfig, link: ContactLink) {
    super(host);
    this.#config = config;
    this.#link = link;
    this.#s = this.#fresh(0);
  }

  /** The contact clock changes: the next character either way has the new etu, and so has the next waiting time. Power-on resets it. */
  setCardHz(hz: number): void {
    this.#s.cardHz = hz;
  }

  /** To be called when the link's queue has changed. */
  lineChanged(): void {
    this.#plan();
  }

  /** STATUS changes with events only. See {@link Device.stableUntil}. */
  stableUntil(offset: number, now: Cycles): Cycles {
    return offset === UART_REGISTER.STATUS ? Infinity : now;
  }

  override nextEvent(): Cycles {
    return this.#next;
  }

  override onEvent(now: Cycles): void {
    const s = this.#s;
    for (let at = this.#earliest(); at <= now; at = this.#earliest()) {
      if (s.rxAt === at) this.#stepReceiver();
      else if (s.txAt === at) this.#stepTransmitter();
      else if (s.wtAt === at) this.#expire();
      else this.#arrival();
    }
    this.#update();
  }

  reset(kind: ResetKind, now: Cycles): void {
    const { cardHz } = this.#s;
    this.#s = this.#fresh(now);
    if (kind !== 'power-on') this.#s.cardHz = cardHz;
    this.#update();
  }

  snapshot(): unknown {
    return { ...this.#s };
  }

  restore(state: unknown): void {
    this.#s = { ...(state as UartState) };
    this.#level = this.#wanted();
    this.#plan();
  }

  protected override readRegister(offset: number): number {
    const s = this.#s;
    switch (offset) {
      case UART_REGISTER.CTRL: return s.ctrl;
      case UART_REGISTER.STATUS: return this.#status();
      case UART_REGISTER.DATA: return this.#readData();
      case UART_REGISTER.FD: return s.fd;
      case UART_REGISTER.GT: return s.gt;
      case UART_REGISTER.RETRY: return s.retry;
      case UART_REGISTER.IE: return s.ie;
      case UART_REGISTER.WT: return s.wt;
      default: return this.badRead(offset, false);
    }
  }

  protected override writeRegister(offset: number, value: number, now: Cycles): void {
    const s = this.#s;
    switch (offset) {
      case UART_REGISTER.CTRL: s.ctrl = this.#within(offset, value, 0, 7, s.ctrl); break;
      case UART_REGISTER.STATUS: s.sticky &= ~value; break;
      case UART_REGISTER.DATA: this.#writeData(value & 0xff, now); break;
      case UART_REGISTER.FD: this.#writeFD(value); break;
      case UART_REGISTER.GT: s.gt = this.#within(offset, value, 11, 266, s.gt); break;
      case UART_REGISTER.RETRY: s.retry = this.#within(offset, value, 0, 7, s.retry); break;
      case UART_REGISTER.IE: s.ie = value & INTERRUPTS; break;
      case UART_REGISTER.WT: s.wt = value; this.#startWaiting(now); break;
      default: this.badWrite(offset, false);
    }
    this.#update();
  }

  #fresh(now: Cycles): UartState {
    const etu = makeEtu(372, 1, this.#config.coreHz, this.#config.cardHz);
    return {
      ctrl: 0, sticky: 0, rxne: false, rxData: 0, fd: FD_RESET, gt: 12, retry: 3, ie: 0, wt: 0, wtAt: Infinity,
      txData: 0, txFull: false, txStage: 'idle', txAt: Infinity, txByte: 0, txStart: 0, txEtu: etu, txRepeat: 0,
      txOrdinal: 0, txT1: false,
      rxStage: 'idle', rxAt: Infinity, rxByte: 0, rxParityOk: true, rxStart: 0, rxEtu: etu, rxIndex: 0, lineFree: now,
      cardHz: this.#config.cardHz,
    };
  }

  #etu(): Etu {
    return makeEtu(this.#s.fd & 0xffff, (this.#s.fd >>> 16) & 0xff, this.#config.coreHz, this.#s.cardHz);
  }

  #status(): number {
    const s = this.#s;
    return s.sticky
      | (s.rxne ? UART_STATUS.RXNE : 0)
      | (s.txFull ? 0 : UART_STATUS.TXE)
      | (!s.txFull && s.txStage === 'idle' ? UART_STATUS.TC : 0)
      | (s.rxStage === 'end' ? UART_STATUS.RXBUSY : 0);
  }

  #within(offset: number, value: number, low: number, high: number, old: number): number {
    if (value >= low && value <= high) return value;
    this.badValue(offset, value);
    return old;
  }

  #readData(): number {
    this.#s.rxne = false;
    this.#update();
    return this.#s.rxData;
  }

  #writeFD(value: number): void {
    if ((value & 0xffff) === 0 || (value & 0xff0000) === 0 || value >= 0x1000000) this.badValue(UART_REGISTER.FD, value);
    else this.#s.fd = value;
  }

  #writeData(byte: number, now: Cycles): void {
    const s = this.#s;
    if ((s.ctrl & 1) === 0) return this.refuse('UART_DISABLED', 'a byte written to a UART that is not enabled', UART_REGISTER.DATA);
    if (s.txFull) return this.refuse('UART_TX_OVERRUN', 'a byte written while TXE = 0 is lost', UART_REGISTER.DATA);
    s.txData = byte;
    s.txFull = true;
    if (s.txStage === 'idle') this.#load(now);
  }

  /** Moves DATA to the shift register: the leading edge is at `start`. */
  #load(start: Cycles): void {
    const s = this.#s;
    s.txFull = false;
    s.txByte = s.txData;
    s.txRepeat = 0;
    this.#lead(start);
  }

  #lead(start: Cycles): void {
    const s = this.#s;
    s.txStart = start;
    s.txEtu = this.#etu();
    s.txT1 = (s.ctrl & 2) !== 0;
    this.#tx('end', CHARACTER_END);
    if (s.rxStage !== 'idle') this.#collide();
  }

  #tx(stage: Stage, halves: number): void {
    this.#s.txStage = stage;
    this.#s.txAt = this.#s.txStart + halfEtus(this.#s.txEtu, halves);
  }

  #stepTransmitter(): void {
    const s = this.#s;
    switch (s.txStage) {
      case 'end':
        s.txOrdinal = this.#link.cardSent(encodeFrame(s.txByte, (s.ctrl & 4) !== 0), s.txEtu, s.txStart, s.txAt, s.txRepeat);
        if (s.txT1) {
          this.#link.errorFor(s.txOrdinal);
          this.#tx('guard', 2 * s.gt);
        } else this.#tx('error-start', ERROR_START);
        break;
      case 'error-start':
        if (this.#link.errorFor(s.txOrdinal)) this.#tx('error-seen', ERROR_SEEN);
        else this.#tx('guard', 2 * s.gt);
        break;
      case 'error-seen':
        if (s.txRepeat < s.retry) this.#tx('repeat', REPEAT);
        else {
          s.sticky |= UART_STATUS.TXERR;
          this.#tx('guard', REPEAT);
        }
        break;
      case 'repeat':
        s.txRepeat++;
        this.#lead(s.txAt);
        break;
      case 'guard': this.#release(); break;
      case 'idle': break;
    }
  }

  #release(): void {
    const s = this.#s;
    const free = s.txAt;
    s.txStage = 'idle';
    s.txAt = Infinity;
    if (s.txFull) this.#load(free);
  }

  #arrival(): void {
    const incoming = this.#link.arrive();
    if (incoming === undefined) return;
    const s = this.#s;
    const { index, start } = incoming;
    if ((s.ctrl & 1) === 0) return this.#link.report({ kind: 'unheard', index, start });
    const sending = s.txStage !== 'idle' && (s.txStage !== 'guard' || start < s.txStart + halfEtus(s.txEtu, CHARACTER_END));
    if (sending || s.rxStage === 'end' || start < s.lineFree) return this.#link.report({ kind: 'collision', index, start });
    this.#receive(incoming);
  }

  #receive(incoming: IncomingCharacter): void {
    const s = this.#s;
    s.rxEtu = this.#etu();
    const seen = sampleFrame(incoming.levels, incoming.etu, s.rxEtu);
    const decoded = decodeFrame(seen.levels, (s.ctrl & 4) !== 0);
    s.rxByte = decoded.byte;
    s.rxParityOk = decoded.parityOk && seen.framed;
    s.rxStart = incoming.start;
    s.rxIndex = incoming.index;
    s.rxStage = 'end';
    s.rxAt = incoming.start + halfEtus(s.rxEtu, CHARACTER_END);
    this.#startWaiting(incoming.start);
  }

  #stepReceiver(): void {
    const s = this.#s;
    if (s.rxStage === 'error-start') return this.#signalError();
    const t1 = (s.ctrl & 2) !== 0;
    if (!s.rxParityOk) s.sticky |= UART_STATUS.PERR;
    if (s.rxParityOk || t1) this.#deliver();
    if (s.rxParityOk || t1) {
      s.rxStage = 'idle';
      s.rxAt = Infinity;
    } else {
      s.rxStage = 'error-start';
      s.rxAt = s.rxStart + halfEtus(s.rxEtu, ERROR_START);
    }
  }

  #deliver(): void {
    const s = this.#s;
    if (s.rxne) {
      s.sticky |= UART_STATUS.OVR;
    } else {
      s.rxData = s.rxByte;
      s.rxne = true;
    }
  }

  #signalError(): void {
    const s = this.#s;
    const end = s.rxStart + halfEtus(s.rxEtu, ERROR_END);
    s.lineFree = end;
    const start = s.rxAt;
    s.rxStage = 'idle';
    s.rxAt = Infinity;
    this.#link.report({ kind: 'error-signal', index: s.rxIndex, start, end });
  }

  /** The card begins to send into a character that is arriving: that one is lost. */
  #collide(): void {
    const s = this.#s;
    this.#link.report({ kind: 'collision', index: s.rxIndex, start: s.rxStart });
    s.rxStage = 'idle';
    s.rxAt = Infinity;
  }

  #startWaiting(from: Cycles): void {
    const s = this.#s;
    s.wtAt = s.wt === 0 ? Infinity : from + halfEtus(this.#etu(), 2 * s.wt);
  }

  #expire(): void {
    this.#s.wtAt = Infinity;
    this.#s.sticky |= UART_STATUS.WTO;
  }

  #earliest(): Cycles {
    const s = this.#s;
    return Math.min(s.rxAt, s.txAt, s.wtAt, this.#link.nextArrival());
  }

  #wanted(): boolean {
    return (this.#status() & this.#s.ie) !== 0;
  }

  #update(): void {
    const level = this.#wanted();
    if (level !== this.#level) {
      this.#level = level;
      this.host.irq.set(IRQ, level);
    }
    this.#plan();
  }

  #plan(): void {
    const next = this.#earliest();
    if (next === this.#next) return;
    this.#next = next;
    this.host.reschedule();
  }
}
