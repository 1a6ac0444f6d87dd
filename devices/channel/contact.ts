import { DeviceError, isDeviceError } from '../errors.js';
import type { DeviceErrorCode } from '../errors.js';
import { overT0, overT1, transmitCommand } from '../iso7816/apdu-layer.js';
import type { ShortExchange } from '../iso7816/apdu-layer.js';
import { commandFields } from '../iso7816/apdu.js';
import type { Command, ResponseApdu } from '../iso7816/apdu.js';
import type { Finding } from '../iso7816/findings.js';
import { Line } from '../iso7816/line.js';
import { T0_LINE_LIMITS, T0Terminal, t0ConfigOf } from '../iso7816/t0.js';
import { initialT1State, T1Terminal, t1ConfigOf, t1LineLimits } from '../iso7816/t1.js';
import type { T1State } from '../iso7816/t1.js';
import type { LineState } from '../iso7816/line.js';
import { answerLine, commandLine, DEFAULT_SECRETS, failureLine } from './log.js';
import type { SecretRule } from './log.js';
import type { ChannelObserver, Moment } from './observer.js';
import type { BytePort, Ticks } from './port.js';
import { RawAccess } from './raw.js';
import { settle } from './settle.js';
import type { Settled, SettleOptions } from './settle.js';
import { drive, wait } from './steps.js';
import type { Steps } from './steps.js';
import type { CardChannel, CardMark, CardSession, Reply } from './types.js';

/** Errors after which the card has no power and the channel is closed. */
const POWER_LOST: ReadonlySet<DeviceErrorCode> = new Set(['CARD_POWER_CUT', 'CARD_REMOVED', 'CARD_FAULT']);

/** Settings of a {@link ContactChannel}; all have defaults. */
export interface ContactOptions extends SettleOptions {
  /** Which commands carry secrets; default {@link DEFAULT_SECRETS}. */
  readonly secret?: SecretRule;
  /** Source of step marks; default none. */
  readonly marks?: () => readonly CardMark[];
  /** Called before each command, for example to forget older marks. */
  readonly beforeCommand?: () => void;
}

/** Saved state of a {@link ContactChannel}: plain data. */
export interface ContactState {
  readonly session: CardSession | undefined;
  readonly t1: T1State | undefined;
  readonly line: LineState;
  readonly origin: Ticks;
}

/** A card on a {@link BytePort}, spoken to by ISO/IEC 7816-3. */
export class ContactChannel implements CardChannel {
  readonly name: string;
  /** Raw access for hostile tests: blocks and characters past the protocol layer. */
  readonly raw: RawAccess;
  readonly #port: BytePort;
  readonly #options: ContactOptions;
  readonly #observers = new Set<ChannelObserver>();
  readonly #hub: ChannelObserver;
  readonly #line: Line;
  #session: CardSession | undefined;
  #t1: T1Terminal | undefined;
  #exchange: ShortExchange | undefined;
  #origin: Ticks;
  #busy = false;

  constructor(port: BytePort, options: ContactOptions = {}) {
    this.name = port.name;
    this.#port = port;
    this.#options = options;
    this.#hub = this.#makeHub();
    this.#line = new Line(port, this.#hub);
    this.#origin = port.clock.unit === 'ms' ? port.now() : 0;
    this.raw = new RawAccess(this.#line, (work) => this.#alone(() => this.#open(work)));
  }

  get session(): CardSession | undefined {
    return this.#session;
  }

  /** Protocol state of T=1 (sequence bits, IFSC, IFSD); undefined under T=0. */
  get t1(): T1State | undefined {
    return this.#t1?.state;
  }

  /** Findings of the last exchange if it failed; those of a successful one are in its reply. */
  takeFindings(): Finding[] {
    return this.#line.takeFindings();
  }

  now(): Moment {
    return this.#moment(this.#port.now());
  }

  open(): Promise<CardSession> {
    return this.reset('cold');
  }

  reset(kind: 'cold' | 'warm'): Promise<CardSession> {
    return this.#alone(() => {
      if (kind === 'warm' && !this.#session) throw new DeviceError('CHANNEL_CLOSED', { what: 'a warm reset needs a powered card' });
      return this.#start(kind);
    });
  }

  transmit(command: Command): Promise<Reply> {
    return this.#alone(() => this.#open(() => this.#transmit(command)));
  }

  close(): Promise<void> {
    return this.#alone(() => this.#stop());
  }

  observe(observer: ChannelObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  marks(): readonly CardMark[] {
    return this.#options.marks?.() ?? [];
  }

  /** Protocol state between exchanges. @throws DeviceError CHANNEL_BUSY within one */
  save(): ContactState {
    if (this.#busy) throw new DeviceError('CHANNEL_BUSY', { what: 'an exchange is running; its state cannot be saved' });
    return { session: this.#session, t1: this.#t1?.state, line: this.#line.save(), origin: this.#origin };
  }

  /** Takes a saved state back; the port must be restored to the same moment. @throws DeviceError CHANNEL_BUSY */
  load(state: ContactState): void {
    if (this.#busy) throw new DeviceError('CHANNEL_BUSY', { what: 'an exchange is running; its state cannot be replaced' });
    this.#origin = state.origin;
    this.#line.load(state.line);
    this.#session = state.session;
    this.#install(state.session, state.t1);
  }

  *#start(kind: 'cold' | 'warm'): Steps<CardSession> {
    this.#session = undefined;
    const riseAt = yield* wait(this.#port.reset(kind));
    this.#hub.reset?.(kind, this.#moment(riseAt));
    this.#line.takeFindings();
    const settled: Settled = yield* settle(this.#line, riseAt, this.#options);
    const { atr, protocol, F, D, t1 } = settled;
    this.#session = {
      atr, protocol, F, D,
      startedAt: this.#moment(riseAt),
      endedAt: this.now(),
      findings: this.#line.takeFindings(),
    };
    this.#install(this.#session, t1);
    return this.#session;
  }

  /** Puts the terminal of a session in place. */
  #install(session: CardSession | undefined, t1: T1State | undefined): void {
    this.#t1 = undefined;
    this.#exchange = undefined;
    if (!session) return;
    const { atr, protocol, F, D } = session;
    if (protocol === 'T=0') {
      this.#line.limits = T0_LINE_LIMITS;
      this.#exchange = overT0(new T0Terminal(this.#line, t0ConfigOf(atr, D)));
      return;
    }
    const config = { ...t1ConfigOf(atr, F, D), ...this.#options.t1 };
    this.#line.limits = t1LineLimits(atr);
    this.#t1 = new T1Terminal(this.#line, config, t1 ?? initialT1State(config));
    this.#exchange = overT1(this.#t1);
  }

  *#transmit(command: Command): Steps<Reply> {
    const fields = commandFields(command);
    const secret = (this.#options.secret ?? DEFAULT_SECRETS)(fields);
    this.#options.beforeCommand?.();
    this.#line.takeFindings();
    const startedAt = this.now();
    this.#hub.apdu?.({ direction: 'to-card', line: commandLine(this.#session?.protocol ?? '', fields, secret), at: startedAt });
    this.#line.secret = secret;
    try {
      const answer = yield* this.#exchangeNow(fields);
      const endedAt = this.now();
      this.#hub.apdu?.({ direction: 'from-card', line: answerLine(answer.data, answer.sw, endedAt.ms - startedAt.ms), at: endedAt });
      return { ...answer, startedAt, endedAt, findings: this.#line.takeFindings() };
    } catch (error) {
      const at = this.now();
      if (isDeviceError(error)) this.#hub.apdu?.({ direction: 'from-card', line: failureLine(error.code, at.ms - startedAt.ms), at });
      throw error;
    } finally {
      this.#line.secret = false;
    }
  }

  #exchangeNow(fields: ReturnType<typeof commandFields>): Steps<ResponseApdu> {
    if (!this.#exchange) throw new DeviceError('CHANNEL_CLOSED', { what: 'the channel is not open' });
    return transmitCommand(this.#line, this.#exchange, fields);
  }

  *#stop(): Steps<void> {
    if (!this.#session) return;
    this.#session = undefined;
    this.#install(undefined, undefined);
    yield* wait(this.#port.powerOff());
    this.#hub.reset?.('off', this.now());
  }

  #open<T>(work: () => Steps<T>): Steps<T> {
    if (!this.#session) throw new DeviceError('CHANNEL_CLOSED', { what: 'the channel is not open' });
    return work();
  }

  /** Runs one piece of work at a time; what it throws is rejected. */
  async #alone<T>(work: () => Steps<T>): Promise<T> {
    if (this.#busy) throw new DeviceError('CHANNEL_BUSY', { what: 'another exchange is running' });
    this.#busy = true;
    try {
      return await drive(work());
    } catch (error) {
      if (isDeviceError(error) && POWER_LOST.has(error.code)) {
        this.#session = undefined;
        this.#install(undefined, undefined);
      }
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  #moment(ticks: Ticks): Moment {
    const { unit, perMs } = this.#port.clock;
    const ms = Math.round(((ticks - this.#origin) / perMs) * 1e6) / 1e6;
    return unit === 'cycle' ? { cycles: ticks, ms } : { ms };
  }

  #makeHub(): ChannelObserver {
    const all = this.#observers;
    return {
      apdu: (event) => all.forEach((o) => o.apdu?.(event)),
      block: (event) => all.forEach((o) => o.block?.(event)),
      character: (event) => all.forEach((o) => o.character?.(event)),
      finding: (finding) => all.forEach((o) => o.finding?.(finding)),
      reset: (kind, at) => all.forEach((o) => o.reset?.(kind, at)),
    };
  }
}
