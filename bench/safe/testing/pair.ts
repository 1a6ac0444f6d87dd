import { nobleOps, ownedRegistration, registrationRequest, setRequest, certificate as certificateCodec, textBytes } from '../../codec/index.js';
import type { SafeEntry } from '../../codec/index.js';
import type { OwnerPolicy } from '../owner.js';
import type { PeerAsk } from '../peer.js';
import { createSafe } from '../safe.js';
import type { Safe, SafeKeys } from '../safe.js';
import { memoryStore } from '../store.js';
import type { MemoryStore } from '../store.js';
import { issuer } from './card.js';
import type { TestCard } from './card.js';

/** What an owner knows, and somebody else. */
export const right = 'seven quiet herons';
/** See {@link right}. */
export const wrong = 'seven quiet heroes';

/** Two safes that talk, with what lies between them. */
export interface Pair {
  readonly safe: Safe;
  readonly keySafe: Safe;
  readonly stores: { readonly safe: MemoryStore; readonly keySafe: MemoryStore };
  /** Stands between them where it is set. */
  around?: ((message: Uint8Array, pass: PeerAsk) => Promise<Uint8Array>) | undefined;
}

const idOf = (name: string): Uint8Array => textBytes(name.padEnd(8).slice(0, 8));
const entryOf = (id: Uint8Array, keys: SafeKeys): SafeEntry =>
  ({ safeId: id, verificationKey: keys.signer.publicKey, transportKey: nobleOps.agreementPublic(keys.agreement) });

/** At a small cost and without waiting: the clock stands still. */
const owners: OwnerPolicy = { scrypt: { logN: 8, r: 8, p: 1 }, threshold: 655, tries: 5, wait: 0 };

/** A pair over stores in memory. */
export function testPair(keys: SafeKeys, keySafeKeys: SafeKeys): Pair {
  const stores = { safe: memoryStore(), keySafe: memoryStore() };
  const [id, keyId] = [idOf('SAFE-164'), idOf('SAFE-165')];
  const common = { settings: { issuers: [issuer.publicKey], owners }, clock: () => 0 };
  const safe = createSafe({ ...common, id, keys, store: stores.safe, peer: () => ({ entry: entryOf(keyId, keySafeKeys) }) });
  const pass: PeerAsk = (message) => Promise.resolve().then(() => safe.answerPeer(message));
  const ask: PeerAsk = (message) => (pair.around ? pair.around(message, pass) : pass(message));
  const keySafe = createSafe({ ...common, id: keyId, keys: keySafeKeys, store: stores.keySafe, peer: () => ({ entry: entryOf(id, keys), ask }) });
  const pair: Pair = { safe, keySafe, stores };
  return pair;
}

/** 71 for a card's decoding key to a safe. */
export const owned = (card: TestCard, sequence: number, to: Pick<Safe, 'identity'>, password = right): Uint8Array =>
  ownedRegistration.encode({ method: 1, information: textBytes(password), request: registrationRequest.decode(card.key(sequence, 'decoding', to)) });

/** 72 for two certificates. */
export const asks = (key: Uint8Array, value: Uint8Array, password = right): Uint8Array =>
  setRequest.encode({ method: 1, information: textBytes(password), key: certificateCodec.decode(key), value: certificateCodec.decode(value) });
