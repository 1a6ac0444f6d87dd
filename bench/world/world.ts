import { sha256 } from '@noble/hashes/sha2.js';
import { commands, concat, textBytes, toHex, uintBytes } from '../codec/index.js';
import type { BackedKey, LoadObject, PublicKeyOps, ValueInformation } from '../codec/index.js';
import { emulatedCard } from '../../devices/index.js';
import type { CardSnapshot, EmulatedCard, Finding } from '../../devices/index.js';
import type { ChipProfile, CryptoCache, Image, NvmState, Translations, WeakPolicy } from '../../emulator/index.js';
import { decode, pageMap } from '../nvm/index.js';
import type { NvmContents, NvmEntry, NvmValue, PageMap } from '../nvm/index.js';
import { samples } from '../../scenarios/index.js';
import type {
  AbstractLedgerEntry, AbstractWorld, ConditionPorts, OwnerPorts, OwnerSafePort, PinChoice, SafePort, SampleName, SetPorts, TalkPorts,
} from '../../scenarios/index.js';
import type { DeviceCard } from '../owner/device.js';
import type { OwnerMeans } from '../owner/means.js';
import { devicePort, ownerMeansPort, ownerSafePort } from '../owner/ports.js';
import { ownerSecret } from '../owner/secrets.js';
import { newestFrom } from '../safe/index.js';
import type { StoreSnapshot } from '../safe/index.js';
import type { ChannelExchange } from '../terminal/channel-line.js';
import { createCardPort, verifyCommand } from '../terminal/card-port.js';
import type { TerminalKnowledge } from '../terminal/card-port.js';
import { EmulatedLine } from '../terminal/emulated-line.js';
import type { LineExchange } from '../terminal/emulated-line.js';
import { createKeySafePort, createSafePort } from '../terminal/safe-port.js';
import type { SafeExchange } from '../terminal/safe-port.js';
import { abstractCard } from './abstract-card.js';
import { BenchError } from './errors.js';
import type { Issuer } from './issuer.js';
import { abstractSafe } from './safes.js';
import type { KnownRegistration, PeerWire, SafeDesk } from './safes.js';

/** Digits behind the names of {@link PinChoice}; `ask` has none. */
export const pins: Readonly<Record<Exclude<PinChoice, 'ask'>, string>> = {
  right: '246810', wrong: '135791', short: '246', long: '2468102468102', 'not-digits': '24a810', new: '97531',
};

/** What a world tells while it runs; called synchronously. */
export interface WorldHooks {
  exchanged?(exchange: LineExchange): void;
  safe?(exchange: SafeExchange): void;
  finding?(finding: Finding): void;
  /** A message between owner information input means 145 and authentication means 149. */
  owner?(message: Uint8Array): void;
  /** An exchange with the authentication device. */
  device?(exchange: ChannelExchange): void;
  /** A power session ends: what the card has shown so far must be collected. */
  ending?(world: World): void;
}

/** Everything a world is made from. */
export interface WorldParts {
  readonly profile: ChipProfile;
  readonly image: Image;
  readonly seed: number;
  readonly protocol: 'T=0' | 'T=1';
  readonly nvm?: NvmState;
  readonly policy?: WeakPolicy;
  readonly cryptoCache: CryptoCache;
  /** Translated code shared with other worlds. */
  readonly translations?: Translations;
  readonly ops: PublicKeyOps;
  readonly cardId: Uint8Array;
  readonly issuer: Issuer;
  readonly safes: { readonly safe: SafeDesk; readonly other: SafeDesk; readonly unknown: SafeDesk; readonly wire: PeerWire };
  /** Means 145, 148 and 149 at the terminal. */
  readonly means: OwnerMeans;
  /** Authentication device in reader 151, where the point has one. */
  readonly device?: DeviceCard;
  readonly hooks?: WorldHooks;
}

const registrationInstructions: ReadonlySet<number> = new Set([0x12, 0x14, 0x32, 0x36, 0x3c, 0x58, 0x70]);

/** One card, its safes and its issuer, with a terminal between them: everything of one emulated run. */
export class World {
  readonly parts: WorldParts;
  readonly card: EmulatedCard;
  readonly line: EmulatedLine;
  /** Honest ports to the card and to its safes. */
  readonly ports: SetPorts & TalkPorts & OwnerPorts & ConditionPorts;
  /** Issue ids in hexadecimal of the names the plan gives to values. */
  readonly names = new Map<string, string>();
  readonly #ledger = new Map<string, AbstractLedgerEntry>();
  readonly #registrations = new Map<number, KnownRegistration>();
  /**
   * Called before the bench looks into the card's memory. `whole`: every byte counts; otherwise a page that holds no
   * readable object counts only by being erased or not.
   */
  onLook: ((whole: boolean) => void) | undefined = undefined;
  /** Secret of owner information input means 145. */
  readonly #inputSecret: Uint8Array;
  #muted = false;
  #seen: { readonly mark: string; readonly contents: NvmContents } | undefined;

  constructor(parts: WorldParts) {
    this.parts = parts;
    const { profile, image, seed, protocol, nvm, policy, cryptoCache, translations, hooks } = parts;
    this.card = emulatedCard({
      profile, image, seed, protocol, cryptoCache,
      ...(translations === undefined ? {} : { translations }),
      ...(nvm === undefined ? {} : { nvm }), ...(policy === undefined ? {} : { policy }),
    });
    this.line = new EmulatedLine(this.card, {
      exchanged: (exchange) => { this.#exchanged(exchange); },
      finding: (finding) => { if (!this.#muted) hooks?.finding?.(finding); },
      ending: () => hooks?.ending?.(this),
    });
    const safePort = ({ entry, client }: SafeDesk): SafePort =>
      createSafePort(entry.safeId, client, (exchange) => { if (!this.#muted) hooks?.safe?.(exchange); });
    if (parts.device) parts.device.hooks = { exchanged: (exchange) => { if (!this.#muted) hooks?.device?.(exchange); }, finding: (finding) => { if (!this.#muted) hooks?.finding?.(finding); } };
    this.#inputSecret = sha256(concat(textBytes('owner input'), uintBytes(seed, 4)));
    const { safe, other, wire } = parts.safes;
    const safe2 = createKeySafePort(safePort(other), other.client, {
      tell: (exchange) => { if (!this.#muted) hooks?.safe?.(exchange); }, taken: () => newestFrom(safe.store, other.entry.safeId),
      information: (choice) => ownerSecret(wire.impostor === true ? 'wrong-password' : choice),
    });
    this.ports = { card: createCardPort(this.line, this.knowledge), safe: this.#ownerSafe(safe, safePort(safe)), safe2, ...this.#ownerPorts(safe) };
  }

  #ownerSafe({ entry, client }: SafeDesk, port: SafePort): OwnerSafePort {
    const { cardId, ops, hooks } = this.parts;
    return ownerSafePort(port, { entry, client, cardId, ops, secret: this.#inputSecret, tell: (exchange) => { if (!this.#muted) hooks?.safe?.(exchange); } });
  }

  #ownerPorts({ entry }: SafeDesk): Pick<OwnerPorts, 'owner' | 'device'> {
    const { cardId, ops, means, hooks } = this.parts;
    const input = { means, ops, secret: this.#inputSecret, tap: (message: Uint8Array) => hooks?.owner?.(message) };
    return {
      owner: ownerMeansPort(input, { cardId, safeId: entry.safeId }),
      device: devicePort(() => this.device, cardId, (ticks) => this.#idle(ticks)),
    };
  }

  /** The authentication device. Throws BenchError BENCH_PREPARE when the point has none. */
  get device(): DeviceCard {
    const { device } = this.parts;
    if (device === undefined) throw new BenchError('BENCH_PREPARE', 'the point was made without an authentication device');
    return device;
  }

  /** The card idles while something else takes its time. */
  async #idle(ticks: number): Promise<void> {
    if (this.card.session !== undefined && ticks > 0) await this.card.runTo(this.line.now() + ticks);
  }

  /** What the terminal knows beside the card's answers. */
  get knowledge(): TerminalKnowledge {
    return { pin: (choice) => pinDigits(choice), issueIdOf: (handle) => this.issueIdOf(handle) };
  }

  /** Card id in hexadecimal. */
  get cardId(): string {
    return toHex(this.parts.cardId);
  }

  /** The card's memory as it is now (weak cells of a cut with their old value). Holds secrets. */
  memory(): Uint8Array {
    return this.#look(true);
  }

  #look(whole: boolean): Uint8Array {
    this.onLook?.(whole);
    return this.card.chip.eeprom.bytes;
  }

  /** The decoded memory; decoded anew only after a page was written. */
  contents(): NvmContents {
    const { eeprom } = this.card.chip;
    const mark = `${eeprom.sessions}/${eeprom.writes.length}/${eeprom.faulty.length}`;
    if (this.#seen?.mark !== mark) this.#seen = { mark, contents: decode(this.#look(false)) };
    return this.#seen.contents;
  }

  /** Who holds which page, and what is free. */
  room(): PageMap {
    return pageMap(this.#look(false));
  }

  /** Powers the card, selects the applet and presents the right PIN unless told otherwise. */
  async open(pin: 'verified' | 'none' = 'verified'): Promise<void> {
    await this.line.bringUp();
    if (pin === 'verified') await this.verify();
  }

  /** Resets the card, selects the applet and presents the right PIN. */
  async reset(kind: 'cold' | 'warm', pin: 'verified' | 'none' = 'verified'): Promise<void> {
    await this.line.reset(kind);
    if (pin === 'verified') await this.verify();
  }

  /** Presents the right PIN; a refusal is left to the commands that follow. */
  async verify(): Promise<void> {
    await this.line.transmit(verifyCommand(pinDigits('right')), true);
    this.line.takeMarks();
  }

  /** The load object for a sample under the next load number plus `ahead`. */
  loadObject(sample: SampleName, options: { ahead?: number; otherCard?: boolean; issueId?: Uint8Array } = {}): LoadObject {
    const { issuer, cardId } = this.parts;
    const value: ValueInformation = { ...samples[sample], issueId: options.issueId ?? issuer.newIssueId() };
    const number = (this.contents().state?.lastLoadNumber ?? 0) + (options.ahead ?? 1);
    const to = options.otherCard === true ? cardId.map((byte) => byte ^ 0x5a) : cardId;
    return issuer.loadObject(to, number, value);
  }

  /** Loads a sample under a name. Throws BenchError BENCH_PREPARE when the card refuses. */
  async load(name: string, sample: SampleName): Promise<void> {
    const object = this.loadObject(sample);
    const { sw } = await this.line.transmit(commands.load(object));
    if (sw !== 0x9000)
      throw new BenchError('BENCH_PREPARE', `LOAD of ${sample} was answered ${sw.toString(16).toUpperCase()}`);
    this.book(object.value);
    this.names.set(name, toHex(object.value.issueId));
  }

  /** Enters an issued value into the issuer's book. */
  book(value: ValueInformation): void {
    const issueId = toHex(value.issueId);
    const { quantity, remaining } = value;
    this.#ledger.set(issueId, { issueId, quantity, remaining, spentQuantity: 0, spentAmount: 0 });
  }

  /** Books what was taken in for a value. */
  spend(issueId: string, quantity: number, amount: number): void {
    const entry = this.#ledger.get(issueId);
    if (entry === undefined) return;
    const { spentQuantity, spentAmount } = entry;
    this.#ledger.set(issueId, { ...entry, spentQuantity: spentQuantity + quantity, spentAmount: spentAmount + amount });
  }

  /** Marks a value as taken back or replaced by the issuer. */
  withdraw(issueId: string): void {
    const entry = this.#ledger.get(issueId);
    if (entry !== undefined) this.#ledger.set(issueId, { ...entry, withdrawn: true });
  }

  /** The index entry behind a handle. */
  entry(handle: number): NvmEntry | undefined {
    return this.contents().entries.find((entry) => entry.handle === handle);
  }

  /** Handle of the value with this issue id, or of its certificate; undefined when the card has none. */
  handleOf(issueId: string, what: 'value' | 'certificate'): number | undefined {
    const wanted = what === 'value' ? 'A' : 'B';
    this.#observe();
    return this.contents().entries
      .find((entry) => entry.class === wanted && entry.object !== undefined && (this.#issueIdIn(entry) === issueId || this.#holds(entry, issueId)))
      ?.handle;
  }

  /** Handle of the certificate of a key or seed, if there is one. */
  keyCertificate(kind: BackedKey): number | undefined {
    return this.contents().entries.find((entry) => entry.class === 'B' && entry.object?.digest.type === 'key'
      && entry.object.digest.keyKind === kind)?.handle;
  }

  /** Issue id of the value behind a handle. */
  issueIdOf(handle: number): string | undefined {
    this.#observe();
    const entry = this.entry(handle);
    return entry && this.#issueIdIn(entry);
  }

  /** What was registered by this card under a sequence. */
  registration(cardId: string, sequence: number): KnownRegistration | undefined {
    return cardId === this.cardId ? this.#registrations.get(sequence) : undefined;
  }

  /** Issuer's book, card and safes as the invariants see them. */
  abstract(): AbstractWorld {
    this.#observe();
    const { safes, ops } = this.parts;
    const known = (cardId: string, sequence: number) => this.registration(cardId, sequence);
    return {
      cards: [abstractCard(this.#look(false), ops, this.contents(), this.cardId)],
      safes: [safes.safe, safes.other].map((desk) => abstractSafe(desk, known)),
      ledger: [...this.#ledger.values()],
      lostLog: [],
    };
  }

  /** A copy of what the bench itself knows, for a fork. */
  knows(): WorldKnowledge {
    return { names: new Map(this.names), ledger: new Map(this.#ledger), registrations: new Map(this.#registrations) };
  }

  /** Takes over what another world's bench knew. */
  learn(from: WorldKnowledge): void {
    for (const [name, id] of from.names) this.names.set(name, id);
    for (const [id, entry] of from.ledger) this.#ledger.set(id, entry);
    for (const [sequence, entry] of from.registrations) this.#registrations.set(sequence, entry);
  }

  /** True while something is only rehearsed. */
  get rehearsing(): boolean {
    return this.#muted;
  }

  /**
   * Runs something and takes card and safes back to where they were; nothing of it is told to the hooks. For finding
   * out when something will happen.
   */
  async rehearse<T>(run: () => Promise<T>): Promise<T> {
    const before = this.save();
    this.#muted = true;
    try {
      return await run();
    } finally {
      this.#muted = false;
      this.restore(before);
    }
  }

  /** Card, safes and the bench's own book, between exchanges. @throws DeviceError CHANNEL_BUSY within one */
  save(): WorldState {
    const { safe, other } = this.parts.safes;
    return {
      card: this.card.snapshot(), safe: safe.store.snapshot(), other: other.store.snapshot(), knows: this.knows(),
      marksTaken: this.line.marksTaken, means: this.parts.means.save(), clocks: [safe.clock.ms, other.clock.ms],
      ...this.parts.device && { device: this.parts.device.save() },
    };
  }

  /** Takes a state of this world back, as often as wanted. @throws DeviceError CHANNEL_BUSY within an exchange */
  restore(state: WorldState): void {
    const { safe, other } = this.parts.safes;
    this.card.restore(state.card);
    safe.store.restore(state.safe);
    other.store.restore(state.other);
    [safe.clock.ms, other.clock.ms] = state.clocks;
    this.parts.means.restore(state.means);
    if (state.device) this.device.restore(state.device);
    this.line.marksTaken = state.marksTaken;
    this.#seen = undefined;
    for (const book of [this.names, this.#ledger, this.#registrations]) book.clear();
    this.learn(state.knows);
  }

  #exchanged(exchange: LineExchange): void {
    if (this.#muted) return;
    if (registrationInstructions.has(exchange.command[1])) this.#observe();
    this.parts.hooks?.exchanged?.(exchange);
  }

  /** True for the certificate of a bundle that holds the value. */
  #holds(entry: NvmEntry, issueId: string): boolean {
    return entry.class === 'B' && (this.#registrations.get(entry.sequence)?.holds ?? []).some((held) => held.issueId === issueId);
  }

  #issueIdIn(entry: NvmEntry): string | undefined {
    if (entry.class === 'A') return entry.object && toHex(entry.object.issueId);
    return this.#registrations.get(entry.sequence)?.issueId;
  }

  #observe(): void {
    for (const entry of this.contents().entries) {
      if (entry.class !== 'A' || entry.object === undefined || entry.sequence === 0) continue;
      if (entry.state === 'ACTIVE' || this.#registrations.has(entry.sequence)) continue;
      this.#register(entry);
    }
  }

  #register(entry: NvmValue): void {
    const { object, place, kind, sequence } = entry;
    if (object === undefined) return;
    const of = (value: ValueInformation) => ({ issueId: toHex(value.issueId), quantity: value.quantity, remaining: value.remaining });
    const known = { ...of(object), ...this.#keyOf(entry) };
    if (place === undefined) {
      this.#registrations.set(sequence, known);
    } else if (kind === 'piece') {
      const { set, count, wanted } = place;
      for (let index = 1; index <= count; index += 1) this.#registrations.set(set + index - 1, { ...known, part: { set, index, count, wanted } });
    } else if (kind === 'coupled') {
      const of = this.contents().entries.find((other) => other.class === 'B' && other.kind === kind && other.place?.set === sequence);
      if (of?.place) this.#registrations.set(sequence, { ...known, part: { set: sequence, index: 1, count: of.place.count, wanted: of.place.wanted } });
    } else {
      const all = this.contents().entries.flatMap((other) =>
        (other.class === 'A' && other.place?.set === place.set && other.kind === kind && other.object !== undefined ? [other] : []));
      const first = all.find((other) => other.place?.index === 1)?.object;
      if (all.length === place.count && first !== undefined)
        this.#registrations.set(sequence, { ...known, ...of(first), holds: all.map((other) => of(other.object ?? object)) });
    }
  }

  #keyOf(entry: NvmEntry): { keyId?: string } {
    if (entry.variant === 0) return {};
    const { keys } = abstractCard(this.#look(false), this.parts.ops, this.contents());
    const keyId = entry.variant === 1 ? keys.decoding : keys.common;
    return keyId === undefined ? {} : { keyId };
  }
}

/** A world between two exchanges, see {@link World.save}. */
export interface WorldState {
  readonly card: CardSnapshot;
  readonly safe: StoreSnapshot;
  readonly other: StoreSnapshot;
  readonly knows: WorldKnowledge;
  readonly marksTaken: number;
  /** Attempts counted by authentication means 149. */
  readonly means: unknown;
  /** Clocks of the safes, milliseconds. */
  readonly clocks: readonly [number, number] | readonly number[];
  readonly device?: ReturnType<DeviceCard['save']>;
}

/** What the bench of a world knows beside card and safes. */
export interface WorldKnowledge {
  readonly names: ReadonlyMap<string, string>;
  readonly ledger: ReadonlyMap<string, AbstractLedgerEntry>;
  readonly registrations: ReadonlyMap<number, KnownRegistration>;
}

/** The digits behind a name; undefined for `ask`. */
export function pinDigits(choice: PinChoice): string | undefined {
  return choice === 'ask' ? undefined : pins[choice];
}
