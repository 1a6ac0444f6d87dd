import { fromHex, memoOps, textBytes } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { CryptoCache, Translations } from '../../emulator/index.js';
import type { ChipProfile, Image, NvmState, WeakPolicy } from '../../emulator/index.js';
import type { Preparation } from '../../scenarios/index.js';
import { fillMemory } from '../world/fill.js';
import type { RoomLeft } from '../world/fill.js';
import { createIssuer } from '../world/issuer.js';
import { personalise } from '../world/personalise.js';
import { seededRandom } from '../world/random.js';
import { createDesk } from '../world/safes.js';
import type { DeskSettings, PeerWire, SafeDesk } from '../world/safes.js';
import { pins, World } from '../world/world.js';
import type { WorldHooks, WorldKnowledge, WorldParts } from '../world/world.js';
import type { ServedSafes } from './served.js';
import { DeviceCard, devicesOf } from '../owner/device.js';
import type { DeviceKind } from '../owner/device.js';
import { OwnerMeans } from '../owner/means.js';
import { benchPolicy, ownerSecret } from '../owner/secrets.js';

/** The implementation under test and the conditions of a campaign. */
export interface TestSetup {
  readonly image: Image;
  readonly profile: ChipProfile;
  /** Fixes chip, keys, random numbers: equal seeds give equal records. */
  readonly seed: number;
  /** Transmission protocol of points that do not choose one. */
  readonly protocol: 'T=0' | 'T=1';
}

/** What a card is filled with beforehand: many small values, so that entries run out, or large ones, so that pages do. */
export type Bulk = 'entries' | 'pages';

/** Settings a card is personalised with. */
export type Personality = Pick<Preparation, 'settings' | 'safes' | 'counter' | 'transport' | 'lifeCycle' | 'device'> & { readonly bulk?: Bulk | undefined };

/** What a bulk leaves free: enough for the values and objects of any point. */
const bulkLeaves: Readonly<Record<Bulk, RoomLeft>> = { entries: { entries: 28 }, pages: { pages: 72 } };

/** Issue ids of bulk values are counted from here, those of a point's own values from 1. */
const bulkIssueIds = 1_000_000;

interface Prepared {
  readonly nvm: NvmState;
  readonly knows: WorldKnowledge;
}

const cardId = fromHex('CB00000000000001');
const safeIds = { safe: textBytes('SAFE-A01'), other: textBytes('SAFE-B02'), unknown: textBytes('SAFE-X99') };

/** The safes of a world; the second one talks to the first over a connection of their own. */
function paired(desk: (name: keyof typeof safeIds, peer?: DeskSettings['peer']) => SafeDesk): WorldParts['safes'] {
  const wire: PeerWire = {};
  const pass = (message: Uint8Array): Promise<Uint8Array> => safe.client.answerPeer(message);
  const safe: SafeDesk = desk('safe', () => ({ entry: other.entry, desk: other }));
  const other: SafeDesk = desk('other', () => ({ entry: safe.entry, desk: safe, ask: (message) => (wire.around ? wire.around(message, pass) : pass(message)) }));
  return { safe, other, unknown: desk('unknown'), wire };
}

/** Makes worlds with personalised cards; the personalisation of equal settings is done once and its memory reused. */
export class WorldFactory {
  readonly setup: TestSetup;
  readonly ops: PublicKeyOps = memoOps();
  readonly cryptoCache = new CryptoCache();
  /** Translated firmware, shared by all worlds of the factory. */
  readonly translations = new Translations();
  /** Safes that are served elsewhere, by the part they play. */
  readonly served: ServedSafes;
  readonly #personalised = new Map<string, Prepared>();
  readonly #devices = new Map<DeviceKind, { readonly device: DeviceCard; readonly fresh: ReturnType<DeviceCard['save']> }>();

  constructor(setup: TestSetup, served: ServedSafes = {}) {
    this.setup = setup;
    this.served = served;
  }

  /** A world ready to be opened. Throws BenchError BENCH_PERSONALISE, DeviceError when the card cannot be made ready. */
  async world(personality: Personality, hooks: WorldHooks = {}): Promise<World> {
    const { device: kind } = personality;
    if (kind !== undefined) await this.#insert(kind);
    if (personality.lifeCycle === 'blank') return new World({ ...this.#parts(personality), hooks });
    const { nvm, knows } = await this.#prepared(personality);
    const world = new World({ ...this.#parts(personality), nvm, hooks });
    world.learn(knows);
    return world;
  }

  /** A world around an existing memory, for cuts and forks. */
  worldWith(personality: Personality, nvm: NvmState, hooks: WorldHooks = {}, policy?: WeakPolicy): World {
    const inserted = personality.device && this.#devices.get(personality.device);
    if (inserted) inserted.device.restore(inserted.fresh);
    return new World({ ...this.#parts(personality), nvm, hooks, ...(policy === undefined ? {} : { policy }) });
  }

  #parts(personality: Personality, firstIssueId = 0): WorldParts {
    const { image, profile, seed, protocol } = this.setup;
    const issuer = createIssuer(seededRandom(seed, 'issuer'), this.ops, firstIssueId);
    return {
      image, profile, seed, protocol: personality.transport ?? protocol, cryptoCache: this.cryptoCache, translations: this.translations, ops: this.ops,
      cardId, issuer, ...this.#owners(personality, issuer.publicKey),
    };
  }

  /** Makes the device of a kind once, and takes it to where it has just been powered. */
  async #insert(kind: DeviceKind): Promise<void> {
    const { image, profile, seed, protocol } = this.setup;
    const known = this.#devices.get(kind);
    const device = known?.device ?? await DeviceCard.make(kind, { image, profile, seed, protocol, cryptoCache: this.cryptoCache, translations: this.translations });
    const fresh = known?.fresh ?? device.save();
    this.#devices.set(kind, { device, fresh });
    device.restore(fresh);
  }

  /** Means at the terminal, the safes that know them, and the device in the reader. */
  #owners(personality: Personality, issuerKey: Uint8Array): Pick<WorldParts, 'means' | 'safes' | 'device'> {
    const clock = { now: (): number => 0 };
    const information = () => [ownerSecret('password'), ownerSecret('template')];
    const means = new OwnerMeans(seededRandom(this.setup.seed, 'owner means'), benchPolicy, information, () => clock.now(), this.ops);
    const safes = this.#safes(personality, issuerKey, means.signer.publicKey);
    clock.now = () => safes.safe.clock.ms;
    const found = personality.device && this.#devices.get(personality.device);
    return { means, safes, ...found && { device: found.device } };
  }

  #safes({ settings, counter }: Personality, issuerKey: Uint8Array, authenticator: Uint8Array): WorldParts['safes'] {
    const deskSettings: DeskSettings = {
      issuers: [issuerKey],
      emptyDigest: settings?.emptyDigest ?? false,
      allowLegacy: settings?.legacyHashes ?? false,
      owners: benchPolicy, authenticators: [authenticator], devices: [devicesOf.right],
      ...(counter === undefined ? {} : { counter }),
    };
    const desk = (name: keyof typeof safeIds, peer?: DeskSettings['peer']): SafeDesk => {
      const make = name === 'unknown' ? undefined : this.served[name]?.desk;
      return (make ?? createDesk)(safeIds[name], seededRandom(this.setup.seed, name), { ...deskSettings, ...peer && { peer } }, this.ops);
    };
    return paired((name, peer) => desk(name, peer));
  }

  async #prepared(personality: Personality): Promise<Prepared> {
    const { settings, safes = 1, bulk } = personality;
    const key = JSON.stringify([settings?.emptyDigest ?? false, settings?.legacyHashes ?? false, safes, bulk]);
    const known = this.#personalised.get(key);
    if (known !== undefined) return known;
    const made = bulk === undefined ? await this.#personalise(personality) : await this.#fill(personality, bulk);
    this.#personalised.set(key, made);
    return made;
  }

  async #personalise(personality: Personality): Promise<Prepared> {
    const { settings, safes = 1 } = personality;
    const world = new World(this.#parts(personality));
    const { issuer, safes: desks } = world.parts;
    await world.open('none');
    await personalise(world.line, issuer, {
      cardId, pin: pins.right, safes: safes === 2 ? [desks.safe.entry, desks.other.entry] : [desks.safe.entry],
      settings: { emptyDigest: settings?.emptyDigest ?? false, allowLegacy: settings?.legacyHashes ?? false },
    });
    return { nvm: await world.card.powerOff(), knows: world.knows() };
  }

  async #fill(personality: Personality, bulk: Bulk): Promise<Prepared> {
    const { nvm } = await this.#prepared({ ...personality, bulk: undefined });
    const world = new World({ ...this.#parts(personality, bulkIssueIds), nvm });
    await world.open();
    await fillMemory(world, bulkLeaves[bulk]);
    return { nvm: await world.card.powerOff(), knows: world.knows() };
  }
}
