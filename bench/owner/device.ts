import type { Finding } from '../../devices/index.js';
import type { ChipProfile, CryptoCache, Image, Translations } from '../../emulator/index.js';
import type { Failure, Outcome } from '../../scenarios/index.js';
import { CodecError, concat, fromHex, paths, textBytes, writeTlv } from '../codec/index.js';
import type { KnownDevice } from '../safe/index.js';
import type { Applet } from '../terminal/applet.js';
import type { ChannelExchange, ChannelLine } from '../terminal/channel-line.js';
import { linkFailure } from '../terminal/outcome.js';
import { CardBench } from '../world/card-bench.js';
import type { BenchState } from '../world/card-bench.js';
import type { SlotCard } from '../world/card-slot.js';
import { BenchError } from '../world/errors.js';
import { formattedSlot } from '../world/formatted-slot.js';
import { SlotWatch } from '../world/slot-watch.js';

/** AID of the authentication device. */
export const deviceAid: Uint8Array = fromHex('F0 43 41 52 44 44 45 56 49 43 45');

/** A command of the device (docs/protocol.md 2.10) with its name. */
export interface DeviceCommand {
  readonly name: string;
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
}

const none = new Uint8Array(0);
const command = (name: string, ins: number, data: Uint8Array = none, tag = 0): DeviceCommand => ({ name, cla: 0x80, ins, p1: tag >> 8, p2: tag & 0xff, data });

/** The commands of docs/protocol.md 2.10. */
export const deviceCommands = {
  identity: () => command('GET DATA id', 0xca, none, 0xdf60),
  put: ({ id, key }: KnownDevice) => command('PUT DATA id and key', 0xda, concat(id, key), 0xdf60),
  challenge: () => command('CHALLENGE', 0x10),
  authenticate: (challenge: Uint8Array, proof: Uint8Array) => command('AUTHENTICATE', 0x12, concat(challenge, proof)),
} as const;

/** The applet: SELECT answers 6F {84 AID}. */
export const deviceApplet: Applet = {
  select: { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: deviceAid },
  selected(data) {
    const expected = writeTlv(0x6f, writeTlv(0x84, deviceAid));
    if (data.length !== expected.length || !data.every((byte, at) => byte === expected[at]))
      throw new CodecError('ELEMENT_VALUE', 'SELECT of the authentication device did not answer its AID');
  },
  expectsData: (_, ins) => ins !== 0xda,
};

/** Which device is in the reader: the owner's, one that no check knows, one with the owner's id and another key. */
export type DeviceKind = 'right' | 'unknown' | 'forged';

const key = (last: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => (at * 29 + last) & 0xff);
/** What the devices hold. Keys are secret. */
export const devicesOf: Readonly<Record<DeviceKind, KnownDevice>> = {
  right: { id: textBytes('DEVICE-1'), key: key(3) }, unknown: { id: textBytes('DEVICE-9'), key: key(5) }, forged: { id: textBytes('DEVICE-1'), key: key(7) },
};

/** What a device is made from. */
export interface DeviceParts {
  readonly image: Image;
  readonly profile: ChipProfile;
  readonly seed: number;
  readonly protocol: 'T=0' | 'T=1';
  readonly cryptoCache: CryptoCache;
  readonly translations?: Translations;
}

/** What is told of a device while it is used. */
export interface DeviceHooks {
  exchanged?(exchange: ChannelExchange): void;
  finding?(finding: Finding): void;
}

const wrong = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** A second card on a channel of its own, with the authentication applet, in reader 151. */
export class DeviceCard {
  hooks: DeviceHooks = {};
  readonly #bench: CardBench<'device'>;
  #removed = false;
  #watch: SlotWatch | undefined;

  private constructor(card: SlotCard) {
    this.#bench = new CardBench({
      cards: { device: card },
      hooks: { exchanged: (_, exchange) => this.hooks.exchanged?.(exchange), finding: (_, finding) => this.hooks.finding?.(finding), ending: (role) => this.#watch?.hooks.ending(role) },
    });
  }

  /** A device of a kind, personalised. Rejects with BenchError BENCH_PERSONALISE. */
  static async make(kind: DeviceKind, { seed, ...parts }: DeviceParts): Promise<DeviceCard> {
    const device = new DeviceCard(await formattedSlot({ ...parts, seed: seed + 1 }, deviceApplet, ' of the device'));
    await device.line.bringUp();
    const { sw } = await device.line.transmit(deviceCommands.put(devicesOf[kind]), true);
    if (sw !== 0x9000) throw new BenchError('BENCH_PERSONALISE', `PUT DATA of the device was answered ${wrong(sw)}`);
    await device.line.reset('cold');
    return device;
  }

  /** The line to it. */
  get line(): ChannelLine {
    return this.#bench.slot('device').line;
  }

  /** Ticks of the clock of its slot. */
  get now(): number {
    return this.#bench.now;
  }

  /** Watches from here on what its chip does not permit, for the point of an id. */
  watch(point: string): SlotWatch {
    return this.#watch = new SlotWatch(point, this.#bench);
  }

  /** Takes it out of the reader. */
  async remove(): Promise<void> {
    await this.line.close();
    this.#removed = true;
  }

  save(): BenchState & { readonly removed: boolean } {
    return { ...this.#bench.save(), removed: this.#removed };
  }

  restore({ removed, ...state }: ReturnType<DeviceCard['save']>): void {
    this.#bench.restore(state);
    this.#removed = removed;
  }

  /** Its id and a challenge (F7) for a card that wants a path. */
  async hello(cardId: Uint8Array): Promise<Outcome<{ readonly bytes: Uint8Array }>> {
    const id = await this.#ask(deviceCommands.identity());
    if (!id.ok) return id;
    const challenge = await this.#ask(deviceCommands.challenge());
    return challenge.ok ? told(() => paths.hello.encode({ cardId, deviceId: id.value, challenge: challenge.value })) : challenge;
  }

  /** Its proof (F9) for a check that has proved itself (F8). */
  async prove(cardId: Uint8Array, check: Uint8Array): Promise<Outcome<{ readonly bytes: Uint8Array }>> {
    const answer = await this.#ask({ ...deviceCommands.authenticate(none, none), data: contentsOf(check) });
    if (!answer.ok) return answer;
    const id = await this.#ask(deviceCommands.identity());
    return id.ok ? told(() => paths.deviceProof.encode({ cardId, deviceId: id.value, proof: answer.value })) : id;
  }

  async #ask(sent: DeviceCommand): Promise<Outcome<Uint8Array>> {
    if (this.#removed) return failure('link', 'the device has been removed');
    try {
      const { sw, data } = await this.line.transmit(sent);
      this.line.takeMarks();
      return sw === 0x9000 ? { ok: true, value: data, marks: [] } : { ...failure('refused', `the device answered ${sent.name} with ${wrong(sw)}`), sw: wrong(sw) };
    } catch (error) {
      return linkFailure(error, []);
    }
  }
}

/** What stands in the elements of an F8, whatever it is: the device judges it. */
const contentsOf = (check: Uint8Array): Uint8Array => concat(check.slice(4, 20), check.slice(22));

const failure = (cause: Failure['cause'], text: string): Failure => ({ ok: false, cause, text, marks: [] });

/** An object put together from what a device said; undecodable answers are `unexpected`. */
function told(encode: () => Uint8Array): Outcome<{ readonly bytes: Uint8Array }> {
  try {
    return { ok: true, value: { bytes: encode() }, marks: [] };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return failure('unexpected', `${error.code}: ${error.message}`);
  }
}
