import { fromHex, memoOps, textBytes } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { CryptoCache } from '../../emulator/index.js';
import type { ChipProfile, Image, NvmState, WeakPolicy } from '../../emulator/index.js';
import type { Preparation } from '../../scenarios/index.js';
import { createIssuer } from '../world/issuer.js';
import { personalise } from '../world/personalise.js';
import { seededRandom } from '../world/random.js';
import { createDesk } from '../world/safes.js';
import type { SafeDesk } from '../world/safes.js';
import { pins, World } from '../world/world.js';
import type { WorldHooks, WorldParts } from '../world/world.js';

/** The implementation under test and the conditions of a campaign. */
export interface TestSetup {
  readonly image: Image;
  readonly profile: ChipProfile;
  /** Fixes chip, keys, random numbers: equal seeds give equal records. */
  readonly seed: number;
  /** Transmission protocol of points that do not choose one. */
  readonly protocol: 'T=0' | 'T=1';
}

/** Settings a card is personalised with. */
type Personality = Pick<Preparation, 'settings' | 'safes' | 'counter' | 'transport' | 'lifeCycle'>;

const cardId = fromHex('CB00000000000001');
const safeIds = { safe: textBytes('SAFE-A01'), other: textBytes('SAFE-B02'), unknown: textBytes('SAFE-X99') };

/** Makes worlds with personalised cards; the personalisation of equal settings is done once and its memory reused. */
export class WorldFactory {
  readonly setup: TestSetup;
  readonly ops: PublicKeyOps = memoOps();
  readonly cryptoCache = new CryptoCache();
  readonly #personalised = new Map<string, NvmState>();

  constructor(setup: TestSetup) {
    this.setup = setup;
  }

  /** A world ready to be opened. Throws BenchError BENCH_PERSONALISE, DeviceError when the card cannot be made ready. */
  async world(personality: Personality, hooks: WorldHooks = {}): Promise<World> {
    if (personality.lifeCycle === 'blank') return new World({ ...this.#parts(personality), hooks });
    return new World({ ...this.#parts(personality), nvm: await this.#memoryOf(personality), hooks });
  }

  /** A world around an existing memory, for cuts and forks. */
  worldWith(personality: Personality, nvm: NvmState, hooks: WorldHooks = {}, policy?: WeakPolicy): World {
    return new World({ ...this.#parts(personality), nvm, hooks, ...(policy === undefined ? {} : { policy }) });
  }

  #parts(personality: Personality): WorldParts {
    const { image, profile, seed, protocol } = this.setup;
    const issuer = createIssuer(seededRandom(seed, 'issuer'), this.ops);
    return {
      image, profile, seed, protocol: personality.transport ?? protocol, cryptoCache: this.cryptoCache, ops: this.ops,
      cardId, issuer, safes: this.#safes(personality, issuer.publicKey),
    };
  }

  #safes({ settings, counter }: Personality, issuerKey: Uint8Array): WorldParts['safes'] {
    const desk = (name: keyof typeof safeIds): SafeDesk => createDesk(safeIds[name], seededRandom(this.setup.seed, name), {
      issuers: [issuerKey],
      emptyDigest: settings?.emptyDigest ?? false,
      allowLegacy: settings?.legacyHashes ?? false,
      ...(counter === undefined ? {} : { counter }),
    }, this.ops);
    return { safe: desk('safe'), other: desk('other'), unknown: desk('unknown') };
  }

  async #memoryOf(personality: Personality): Promise<NvmState> {
    const { settings, safes = 1 } = personality;
    const key = JSON.stringify([settings?.emptyDigest ?? false, settings?.legacyHashes ?? false, safes]);
    const known = this.#personalised.get(key);
    if (known !== undefined) return known;
    const world = new World(this.#parts(personality));
    const { issuer, safes: desks } = world.parts;
    await world.open('none');
    await personalise(world.line, issuer, {
      cardId, pin: pins.right, safes: safes === 2 ? [desks.safe.entry, desks.other.entry] : [desks.safe.entry],
      settings: { emptyDigest: settings?.emptyDigest ?? false, allowLegacy: settings?.legacyHashes ?? false },
    });
    const nvm = await world.card.powerOff();
    this.#personalised.set(key, nvm);
    return nvm;
  }
}
