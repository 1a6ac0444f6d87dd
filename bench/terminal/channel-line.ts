import type { CardChannel, CardMark, CardSession, Finding, Reply } from '../../devices/index.js';
import type { StepId, StepMark } from '../../scenarios/index.js';
import { apduFields } from './applet.js';
import type { Applet } from './applet.js';
import type { CardLine, LineAnswer } from './card-line.js';

/** One exchange on a channel as it is recorded; times in ticks of the clock that the line was given. */
export interface ChannelExchange {
  readonly protocol: string;
  readonly command: Uint8Array;
  /** Data and status word; empty when there was no answer. */
  readonly answer: Uint8Array;
  readonly startedAt: number;
  readonly endedAt: number;
  /** True when the command's data must not be written down. */
  readonly secret: boolean;
}

/** Owner of the time on a line, and listener; called around everything that is sent. */
export interface ChannelTime {
  /** Present time in ticks. */
  now(): number;
  /** Runs one piece of work on the channel: time is made common before it and taken over after it. */
  spend<T>(work: () => Promise<T>): Promise<T>;
  /** The card is about to be powered on, or reset cold: its time begins anew. */
  begin(kind: 'cold' | 'warm'): void;
  exchanged?(exchange: ChannelExchange): void;
  finding?(finding: Finding): void;
}

/** Step numbers that stand for letters in the marks of the other systems: `P` (docs/purse.md 3.2), `S` (docs/member.md 3.1). */
const letterP = 0x50;
const letterS = 0x53;
/** Added to the hundreds of a step such as 310 (docs/twin.md 2.2). */
const hundreds = 0xc0;

/** The catalogue's id of a mark's two bytes: `1-15`, `310`, or `P-3a` and `S7` where the first is a letter. */
export function markId(step: string): StepId {
  const [a, b] = step.split('-').map(Number);
  if (a > hundreds && a < hundreds + 10) return `${(a - hundreds) * 100 + b}`;
  if (a === letterS) return `S${b}`;
  if (a !== letterP) return `${a}-${b}`;
  return b > 0x0f ? `P-${b.toString(16)}` : `P-${b}`;
}

const asStep = ({ embodiment, step, outcome, cycle }: CardMark): StepMark =>
  ({ embodiment, id: markId(step), outcome: outcome === 'done' ? 0 : 1, cycle });

/** A card line over any channel, emulated or real, for one applet. */
export class ChannelLine implements CardLine {
  readonly hasTrace: boolean;
  readonly channel: CardChannel;
  readonly #applet: Applet;
  readonly #time: ChannelTime;
  #marks: readonly StepMark[] = [];

  /** @param hasTrace true when step marks of the card reach the bench */
  constructor(channel: CardChannel, applet: Applet, time: ChannelTime, hasTrace: boolean) {
    this.channel = channel;
    this.#applet = applet;
    this.#time = time;
    this.hasTrace = hasTrace;
  }

  get protocol(): 'T=0' | 'T=1' {
    return this.channel.session?.protocol ?? 'T=1';
  }

  now(): number {
    return this.#time.now();
  }

  /** Powers the card on and selects the applet. Rejects with DeviceError. */
  async bringUp(): Promise<void> {
    await this.resetOnly('cold');
    await this.select();
  }

  async reset(kind: 'cold' | 'warm'): Promise<void> {
    await this.resetOnly(kind);
    await this.select();
  }

  /** Resets the card without selecting the applet; a card without power can only be powered on. */
  async resetOnly(kind: 'cold' | 'warm'): Promise<void> {
    const really = this.channel.session === undefined ? 'cold' : kind;
    const session: CardSession = await this.#time.spend(() => {
      this.#time.begin(really);
      return really === 'cold' ? this.channel.open() : this.channel.reset('warm');
    });
    this.#marks = [];
    for (const finding of session.findings) this.#time.finding?.(finding);
  }

  /** Takes the power away. */
  async close(): Promise<void> {
    await this.#time.spend(() => this.channel.close());
  }

  /** Selects the applet. A refusal is left to the commands that follow. */
  async select(): Promise<LineAnswer> {
    const answer = await this.transmit(this.#applet.select);
    if (answer.sw === 0x9000) this.#applet.selected(answer.data);
    this.takeMarks();
    return answer;
  }

  transmit(command: Parameters<CardLine['transmit']>[0], secret = false): Promise<LineAnswer> {
    const { cla, ins, p1, p2, data } = command;
    const fields = apduFields(command, this.#applet);
    return this.#exchange(Uint8Array.of(cla, ins, p1, p2, ...(secret ? [] : data)), secret, () => this.channel.transmit(fields));
  }

  transmitRaw(apdu: Uint8Array): Promise<LineAnswer> {
    return this.#exchange(apdu, false, () => this.channel.transmit(apdu));
  }

  takeMarks(): readonly StepMark[] {
    const marks = this.#marks;
    this.#marks = [];
    return marks;
  }

  async #exchange(command: Uint8Array, secret: boolean, send: () => Promise<Reply>): Promise<LineAnswer> {
    let startedAt = this.now();
    const tell = (answer: Uint8Array): void =>
      this.#time.exchanged?.({ protocol: this.protocol, command, answer, startedAt, endedAt: this.now(), secret });
    let began = false;
    try {
      const { data, sw, findings } = await this.#time.spend(() => {
        startedAt = this.now();
        began = true;
        return send();
      });
      this.#marks = [...this.#marks, ...this.channel.marks().map(asStep)];
      tell(Uint8Array.of(...data, sw >> 8, sw & 0xff));
      for (const finding of findings) this.#time.finding?.(finding);
      return { data, sw, startedAt, endedAt: this.now() };
    } catch (error) {
      if (began) this.#marks = [...this.#marks, ...this.channel.marks().map(asStep)];
      tell(new Uint8Array(0));
      throw error;
    }
  }
}
