import { fromHex, safeEntry, signerOf } from '../codec/index.js';
import { decodeEntries, encodeEntries } from './entries.js';
import { SafeError } from './errors.js';
import type { PeerAccess } from './http-server.js';
import type { Peer, PeerAsk } from './peer.js';
import { askOver } from './peer-link.js';
import { createSafe } from './safe.js';
import type { Safe, SafeKeys, SafeSettings } from './safe.js';
import type { SafeStore, StoreReader, StoreWriter } from './store.js';
import { wellFormed } from './well-formed.js';

/** Id and secret keys of a compartment in hexadecimal: 8, 32, 32, 32 bytes. */
export interface CompartmentKeys {
  readonly id: string;
  /** Ed25519 seed. */
  readonly signing: string;
  /** X25519 private key. */
  readonly agreement: string;
  /** AES-256 key of the store. */
  readonly store: string;
}

/** The other safe of a compartment. */
export interface CompartmentPeer {
  /** Its entry ED in hexadecimal. */
  readonly entry: string;
  /** Its address; left out: it may ask here, and is not asked. */
  readonly url?: string;
  /** SHA-256 of the TLS certificate it shows; left out: its messages prove it alone. */
  readonly fingerprint?: string;
}

/** Makes what asks a safe at an address whose TLS certificate has a SHA-256, where one is given. */
export type AskAt = (url: string, fingerprint: string | undefined) => PeerAsk;

/** What a compartment is opened with; what is left out is as a safe has it by default. */
export interface CompartmentSettings extends Omit<SafeSettings, 'issuers' | 'authenticators' | 'devices'> {
  /** Issuers' public keys in hexadecimal. */
  readonly issuers?: readonly string[];
  /** Public keys of authentication means in hexadecimal. */
  readonly authenticators?: readonly string[];
  /** Authentication devices, ids (8) and keys (32) in hexadecimal. */
  readonly devices?: readonly { readonly id: string; readonly key: string }[];
  /** Left out: those of the serving safe. */
  readonly keys?: CompartmentKeys;
  /** The compartment it talks to; left out: none. */
  readonly peer?: CompartmentPeer;
}

/** Empty safes beside the one that is served, for test benches: each with records, counter and settings of its own. */
export interface Compartments {
  /** Opens one and gives its name. Throws SafeError SAFE_BAD_OBJECT, SAFE_SETUP for settings that do not do. */
  open(settings: CompartmentSettings): string;
  /** The safe of a name. Throws SafeError SAFE_UNKNOWN. */
  safe(name: string): Safe;
  /** Who may ask for its peer. Throws SafeError SAFE_UNKNOWN. */
  peerAccess(name: string): PeerAccess;
  /** Everything a compartment stores, items sealed ({@link encodeEntries}). Throws SafeError SAFE_UNKNOWN. */
  entries(name: string): Uint8Array;
  /** Puts these entries in the place of all that is stored. Throws SafeError SAFE_UNKNOWN, SAFE_BAD_OBJECT. */
  load(name: string, entries: Uint8Array): void;
  /** Sets a compartment's clock, milliseconds; it stands still otherwise. Throws SafeError SAFE_UNKNOWN. */
  setClock(name: string, ms: number): void;
  /** Stops the safe of a compartment and starts it again on what it stores. Throws SafeError SAFE_UNKNOWN. */
  restart(name: string): void;
  /** Removes a compartment with all it stores. Throws SafeError SAFE_UNKNOWN. */
  drop(name: string): void;
}

const folder = 'compartment/';

/** The part of a store whose keys begin with `prefix`, as a store of its own; closing it leaves the whole open. */
export function storeWithin(store: SafeStore, prefix: string): SafeStore {
  const reading = (from: StoreReader): StoreReader => ({
    get: (key) => from.get(prefix + key),
    * range(start) {
      for (const [key, value] of from.range(prefix + start)) yield [key.slice(prefix.length), value] as const;
    },
  });
  const writing = (to: StoreWriter): StoreWriter => ({
    ...reading(to),
    put: (key, value) => { to.put(prefix + key, value); },
    delete: (key) => { to.delete(prefix + key); },
  });
  let open = true;
  const usable = (): SafeStore => {
    if (!open) throw new SafeError('SAFE_STORE', 'the store is closed');
    return store;
  };
  return {
    get: (key) => reading(usable()).get(key),
    range: (start) => reading(usable()).range(start),
    transaction: (run) => usable().transaction((writer) => run(writing(writer))),
    close() {
      open = false;
      return Promise.resolve();
    },
  };
}

function replaceAll(store: SafeStore, entries: readonly (readonly [string, Uint8Array])[]): void {
  store.transaction((writer) => {
    for (const [key] of [...writer.range('')]) writer.delete(key);
    for (const [key, value] of entries) writer.put(key, value);
  });
}

function keysOf({ id, signing, agreement, store }: CompartmentKeys): { id: Uint8Array; keys: SafeKeys } {
  return { id: fromHex(id), keys: { signer: signerOf(fromHex(signing)), agreement: fromHex(agreement), store: fromHex(store) } };
}

function peerOf({ entry, url, fingerprint }: CompartmentPeer, askAt: AskAt): () => Peer {
  const peer: Peer = { entry: safeEntry.decode(fromHex(entry)), ...url !== undefined && { ask: askAt(url, fingerprint) } };
  return () => peer;
}

/** What a compartment's safe is made of beside its settings. */
interface Beside {
  readonly own: { readonly id: Uint8Array; readonly keys: SafeKeys };
  readonly store: SafeStore;
  readonly askAt: AskAt;
  readonly clock: () => number;
}

function safeOf({ keys, peer, issuers = [], authenticators = [], devices = [], ...rest }: CompartmentSettings, { own, store, askAt, clock }: Beside): Safe {
  return wellFormed(() => createSafe({
    ...(keys === undefined ? own : keysOf(keys)), store, clock,
    settings: {
      ...rest, issuers: issuers.map(fromHex), authenticators: authenticators.map(fromHex),
      devices: devices.map(({ id, key }) => ({ id: fromHex(id), key: fromHex(key) })),
    },
    ...peer && { peer: peerOf(peer, askAt) },
  }));
}

/** Compartments of a safe with this id and these keys, inside its store; what an earlier process left there is removed. */
export function createCompartments(own: { readonly id: Uint8Array; readonly keys: SafeKeys }, store: SafeStore, askAt: AskAt = askOver()): Compartments {
  replaceAll(storeWithin(store, folder), []);
  interface Open { safe: Safe; readonly start: () => Safe; readonly store: SafeStore; readonly access: PeerAccess; readonly clock: { ms: number } }
  const open = new Map<string, Open>();
  let last = 0;
  const known = (name: string): Open => {
    const found = open.get(name);
    if (found === undefined) throw new SafeError('SAFE_UNKNOWN', 'no compartment of this name');
    return found;
  };
  return {
    open(settings) {
      const name = String(last + 1);
      const inside = storeWithin(store, `${folder}${name}/`);
      const { peer } = settings;
      const access: PeerAccess = peer === undefined ? undefined : peer.fingerprint === undefined ? 'anyone' : { fingerprint: peer.fingerprint };
      const clock = { ms: 0 };
      const start = (): Safe => safeOf(settings, { own, store: inside, askAt, clock: () => clock.ms });
      open.set(name, { safe: start(), start, store: inside, access, clock });
      last += 1;
      return name;
    },
    safe: (name) => known(name).safe,
    peerAccess: (name) => known(name).access,
    entries: (name) => encodeEntries(known(name).store.range('')),
    load: (name, entries) => { replaceAll(known(name).store, decodeEntries(entries)); },
    setClock(name, ms) { known(name).clock.ms = ms; },
    restart(name) {
      const found = known(name);
      found.safe = found.start();
    },
    drop(name) {
      replaceAll(known(name).store, []);
      open.delete(name);
    },
  };
}
