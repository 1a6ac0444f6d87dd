import type { CardSession, EmulatedCard, Finding, Reply } from '../../devices/index.js';
import type { StepMark } from '../../scenarios/index.js';
import { apduFields, backupApplet } from './applet.js';
import type { CardLine, LineAnswer } from './card-line.js';

/** One exchange as it is recorded; cycles of the present power session. */
export interface LineExchange {
  readonly protocol: string;
  readonly command: Uint8Array;
  /** Data and status word; empty when there was no answer. */
  readonly answer: Uint8Array;
  readonly startedAt: number;
  readonly endedAt: number;
  /** True when the command's data must not be written down. */
  readonly secret: boolean;
}

/** What an emulated line tells besides its answers; called synchronously. */
export interface LineHooks {
  exchanged?(exchange: LineExchange): void;
  /** The card did something the transmission rules do not permit. */
  finding?(finding: Finding): void;
  /** A power session ends: what it has shown must be collected now. */
  ending?(): void;
}

const statusBytes = (sw: number): readonly number[] => [sw >> 8, sw & 0xff];
const cyclesOf = (moment: { readonly cycles?: number }): number => moment.cycles ?? 0;

/** A card line to an emulated card; `bringUp` powers it and selects the applet. */
export class EmulatedLine implements CardLine {
  readonly hasTrace = true;
  readonly card: EmulatedCard;
  readonly #hooks: LineHooks;
  /** Number of step marks of this power session already taken. */
  marksTaken = 0;

  constructor(card: EmulatedCard, hooks: LineHooks = {}) {
    this.card = card;
    this.#hooks = hooks;
  }

  get protocol(): 'T=0' | 'T=1' {
    return this.card.session?.protocol ?? 'T=1';
  }

  now(): number {
    return cyclesOf(this.card.now());
  }

  /** Powers the card on and selects the applet. Rejects with DeviceError. */
  async bringUp(): Promise<void> {
    await this.#start(() => this.card.open());
  }

  async reset(kind: 'cold' | 'warm'): Promise<void> {
    await this.#start(this.#again(kind));
  }

  /** Resets the card without selecting the applet. */
  async resetOnly(kind: 'cold' | 'warm'): Promise<void> {
    await this.#settle(this.#again(kind));
  }

  async transmit(command: Parameters<CardLine['transmit']>[0], secret = false): Promise<LineAnswer> {
    const { cla, ins, p1, p2, data } = command;
    const fields = apduFields(command, backupApplet);
    const shown = Uint8Array.of(cla, ins, p1, p2, ...(secret ? [] : data));
    return this.#exchange(shown, secret, () => this.card.transmit(fields));
  }

  transmitRaw(apdu: Uint8Array): Promise<LineAnswer> {
    return this.#exchange(apdu, false, () => this.card.transmit(apdu));
  }

  takeMarks(): readonly StepMark[] {
    const all = this.card.steps;
    const from = Math.min(this.marksTaken, all.length);
    this.marksTaken = all.length;
    return all.slice(from).map(({ embodiment, step, outcome, cycle }) => (
      { embodiment, id: `${step[0]}-${step[1]}`, outcome, cycle }
    ));
  }

  /** A card that has lost power can only be powered on again. */
  #again(kind: 'cold' | 'warm'): () => Promise<CardSession> {
    if (kind === 'warm' && this.card.session !== undefined) return () => this.card.reset('warm');
    this.#hooks.ending?.();
    return () => this.card.open();
  }

  async #settle(open: () => Promise<CardSession>): Promise<void> {
    const session = await open();
    this.marksTaken = this.card.steps.length;
    for (const finding of session.findings) this.#hooks.finding?.(finding);
  }

  async #start(open: () => Promise<CardSession>): Promise<void> {
    await this.#settle(open);
    const answer = await this.transmit(backupApplet.select);
    if (answer.sw === 0x9000) backupApplet.selected(answer.data);
    this.takeMarks();
  }

  async #exchange(command: Uint8Array, secret: boolean, send: () => Promise<Reply>): Promise<LineAnswer> {
    const startedAt = this.now();
    const tell = (answer: Uint8Array): void => {
      this.#hooks.exchanged?.({ protocol: this.protocol, command, answer, startedAt, endedAt: this.now(), secret });
    };
    try {
      const { data, sw, findings } = await send();
      tell(Uint8Array.of(...data, ...statusBytes(sw)));
      for (const finding of findings) this.#hooks.finding?.(finding);
      return { data, sw, startedAt, endedAt: this.now() };
    } catch (error) {
      tell(new Uint8Array(0));
      for (const finding of this.card.takeFindings()) this.#hooks.finding?.(finding);
      throw error;
    }
  }
}
