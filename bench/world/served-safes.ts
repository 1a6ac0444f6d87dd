import { certificate as certificateCodec, equalBytes, safeEntry, signerOf, toHex } from '../codec/index.js';
import type { CertificateKind, PublicKeyOps, SafeEntry } from '../codec/index.js';
import { SafeError, fingerprintOf, httpClient, memoryStore, operatorClient, pinnedCertificate } from '../safe/index.js';
import type { CompartmentKeys, CompartmentSettings, Entry, HttpClientOptions, MemoryStore, OperatorClient, SafeClient } from '../safe/index.js';
import * as records from '../safe/record.js';
import { BenchError } from './errors.js';
import type { RandomSource } from './random.js';
import { partIsKey } from './safes.js';
import type { DeskCompartment, DeskSettings, SafeDesk } from './safes.js';

/** Where a safe is served and what the bench may do there; plain data. */
export interface SafeAddress {
  readonly url: string;
  /** Content of the safe's `keys/operator.token`. */
  readonly token: string;
  /** PEM certificate to trust. */
  readonly ca?: string;
  /** SHA-256 of the TLS certificate to trust, in hexadecimal. */
  readonly fingerprint?: string;
  /** Whose id and keys the compartments have: those the bench draws from its seed, or the served safe's own. */
  readonly keys: 'bench' | 'own';
}

/** A served safe of which the bench makes desks: each a compartment of its own. */
export interface ServedSafe {
  /** Id and public keys of the safe itself. */
  readonly entry: SafeEntry;
  readonly address: SafeAddress;
  /** A desk like one in this process; its compartment is opened at the first request. Parameters as {@link createDesk}. */
  readonly desk: (id: Uint8Array, random: RandomSource, settings: DeskSettings, ops: PublicKeyOps) => SafeDesk;
  /** What went wrong between bench and safe since the last call: no verdict can be given on what ran meanwhile. */
  trouble(): BenchError | undefined;
  /** Drops the compartments opened so far. Rejects with BenchError BENCH_SAFE. */
  release(): Promise<void>;
}

/** Refusals that a safe in this process could give too; anything else is the network's or the served safe's fault. */
const genuine: ReadonlySet<string> = new Set([
  'SAFE_BAD_OBJECT', 'SAFE_BAD_SIGNATURE', 'SAFE_UNKNOWN', 'SAFE_CONFLICT', 'SAFE_TOMBSTONE', 'SAFE_TOO_LARGE', 'SAFE_LEGACY_HASH',
  'SAFE_OWNER_WRONG', 'SAFE_OWNER_WAIT', 'SAFE_OWNER_LOCKED', 'SAFE_OWNER_NEEDED', 'SAFE_PATH',
  'SAFE_UNPAIRED', 'SAFE_REPLAY', 'SAFE_PEER',
]);

/** True for a refusal by the safe's own rules; trouble between two served safes is none. */
const isGenuine = (error: unknown): error is SafeError => error instanceof SafeError && genuine.has(error.code)
  && !(error.code === 'SAFE_PEER' && /SAFE_(UNREACHABLE|TIMEOUT|BAD_ANSWER|BUSY|STORE)/.test(error.message));

const benchError = (url: string, error: unknown): BenchError => {
  const text = error instanceof SafeError ? `${error.code}: ${error.message}` : String(error);
  return new BenchError('BENCH_SAFE', `the safe at ${new URL(url).origin}: ${text}`);
};

interface Access {
  readonly address: SafeAddress;
  readonly options: HttpClientOptions;
  readonly operator: OperatorClient;
  /** Notes and gives what went wrong. */
  readonly failed: (error: unknown) => BenchError;
  readonly opened: string[];
}

interface MirrorParts {
  readonly access: Access;
  readonly settings: () => Promise<CompartmentSettings>;
  /** The safe that is asked meanwhile. */
  readonly peer: DeskSettings['peer'];
  readonly mirror: MemoryStore;
  /** Called with a client of the compartment when the mirror has taken over a state. */
  readonly taken: (client: SafeClient) => Promise<void>;
}

/** A desk's way to a served safe. What is done to its clock and its run is told before the next request. */
type Mirrored = Pick<SafeDesk, 'client' | 'clock' | 'restart'> & { readonly compartment: DeskCompartment };

function same(entries: readonly Entry[], mirror: MemoryStore): boolean {
  const known = [...mirror.range('')];
  return known.length === entries.length && known.every(([key, value], at) => key === entries[at][0] && equalBytes(value, entries[at][1]));
}

function takeOver(entries: readonly Entry[], mirror: MemoryStore): void {
  if (same(entries, mirror)) return;
  mirror.restore({ root: undefined });
  mirror.transaction((writer) => { for (const [key, value] of entries) writer.put(key, value); });
}

type Ask = <T>(run: (client: SafeClient) => Promise<T>) => Promise<T>;

/** A client that asks so; where the other safe is asked too, it begins with the bench's state of it and then takes over what came of it. */
function clientBy(ask: Ask, peer: DeskSettings['peer']): SafeClient {
  const together = async <T>(run: () => Promise<T>): Promise<T> => {
    const other = peer?.().desk.compartment;
    await other?.ready();
    try {
      return await run();
    } finally {
      await other?.follow();
    }
  };
  return {
    register: (bytes) => ask((there) => there.register(bytes)),
    retrieve: (bytes) => ask((there) => there.retrieve(bytes)),
    receipt: (bytes) => ask((there) => there.receipt(bytes)),
    registerOwned: (bytes) => ask((there) => there.registerOwned(bytes)),
    retrieveSet: (bytes) => together(() => ask((there) => there.retrieveSet(bytes))),
    answerPeer: (bytes) => ask((there) => there.answerPeer(bytes)),
    owner: (operation, bytes) => ask((there) => there.owner(operation, bytes)),
    identity: () => ask((there) => there.identity()),
    index: () => ask((there) => there.index()),
  };
}

/**
 * A client whose compartment follows a store in this process: before a request it gets the store's state where that was
 * changed or restored, after it the store takes over what the compartment holds. So the bench can look into, fork and take
 * back a served safe as one of its own.
 */
function mirroredClient({ access, settings, peer, mirror, taken }: MirrorParts): Mirrored {
  const { operator, options, failed, opened } = access;
  const clock = { ms: 0 };
  let compartment: { readonly url: string; readonly client: SafeClient } | undefined;
  let there: unknown;
  let told = { ms: 0, restarts: 0 };
  let restarts = 0;
  const ready = async (): Promise<{ readonly url: string; readonly client: SafeClient }> => {
    if (compartment === undefined) {
      const url = await operator.open(await settings());
      opened.push(url);
      compartment = { url, client: httpClient({ ...options, url }) };
    }
    const { url } = compartment;
    if (mirror.snapshot().root !== there) await operator.load(url, mirror.range(''));
    if (told.restarts !== restarts) await operator.restart(url);
    if (told.ms !== clock.ms) await operator.setClock(url, clock.ms);
    told = { ms: clock.ms, restarts };
    return compartment;
  };
  const infrastructure = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw error instanceof BenchError ? error : failed(error);
    }
  };
  const follow = (url: string, client: SafeClient): Promise<void> => infrastructure(async () => {
    takeOver(await operator.entries(url), mirror);
    there = mirror.snapshot().root;
    await taken(client);
  });
  const ask: Ask = async (run) => {
    const { url, client } = await infrastructure(ready);
    try {
      return await run(client);
    } catch (error) {
      if (isGenuine(error)) throw error;
      throw failed(error);
    } finally {
      await follow(url, client);
    }
  };
  const client = clientBy(ask, peer);
  return { client, clock, restart() { restarts += 1; }, compartment: {
    ready: async () => (await infrastructure(ready)).url,
    follow: async () => { if (compartment !== undefined) await follow(compartment.url, compartment.client); },
    ...fingerprintAt(access.address),
  } };
}

/** SHA-256 of the TLS certificate of a served safe, where the bench was told one. */
function fingerprintAt({ ca, fingerprint }: SafeAddress): { readonly fingerprint?: string } {
  if (fingerprint !== undefined) return { fingerprint };
  return ca === undefined ? {} : { fingerprint: fingerprintOf(ca) };
}

/** Settings of a compartment with its peer, whose own compartment is opened first where this one asks there. */
async function withPeer(settings: CompartmentSettings, peer: DeskSettings['peer']): Promise<CompartmentSettings> {
  if (peer === undefined) return settings;
  const { entry, desk: { compartment }, ask } = peer();
  const url = ask === undefined ? undefined : await compartment?.ready();
  const fingerprint = compartment?.fingerprint;
  return { ...settings, peer: { entry: toHex(safeEntry.encode(entry)), ...url !== undefined && { url }, ...fingerprint !== undefined && { fingerprint } } };
}

function settingsOf({ counter, issuers, emptyDigest, allowLegacy, owners, authenticators = [], devices = [] }: DeskSettings): CompartmentSettings {
  return {
    emptyDigest, allowLegacy, issuers: issuers.map(toHex), authenticators: authenticators.map(toHex),
    devices: devices.map(({ id, key }) => ({ id: toHex(id), key: toHex(key) })),
    ...owners && { owners }, ...(counter === undefined ? {} : { counterLimit: counter.limit }),
  };
}

/** An empty store, with the counter where the settings begin. */
function storeAt(counter: DeskSettings['counter']): MemoryStore {
  const store = memoryStore();
  if (counter !== undefined)
    store.transaction((writer) => { writer.put(records.keys.counter, records.counterBytes(counter.at)); });
  return store;
}

/** A served safe's clock and process are its own: points that need them are left out. */
/** A compartment with id and keys of the bench's: what it stores can be opened here. */
function benchDesk(access: Access, id: Uint8Array, random: RandomSource, settings: DeskSettings, ops: PublicKeyOps): SafeDesk {
  const [signing, agreement, storeKey] = [random(32), random(32), random(32)];
  const keys: CompartmentKeys = { id: toHex(id), signing: toHex(signing), agreement: toHex(agreement), store: toHex(storeKey) };
  const signer = signerOf(signing, ops);
  const store = storeAt(settings.counter);
  const item = (name: string): Uint8Array | undefined => {
    const sealed = store.get(records.keys.item(name));
    return sealed === undefined ? undefined : records.openItem(storeKey, name, sealed);
  };
  return {
    entry: { safeId: id, verificationKey: signer.publicKey, transportKey: ops.agreementPublic(agreement) },
    ...mirroredClient({ access, settings: () => withPeer({ ...settingsOf(settings), keys }, settings.peer), peer: settings.peer, mirror: store, taken: () => Promise.resolve() }),
    store, signer, counterLimit: settings.counter?.limit ?? 0xffffffff, item, opens: (name) => partIsKey(store, name, item(name), ops),
  };
}

/** Kind of the object that a record stands for. */
function kindAt(store: MemoryStore, name: string): CertificateKind | undefined {
  const record = store.get(records.keys.certificate(name));
  return record && certificateCodec.decode(records.decodeRecord(record).certificate).kind;
}

/** Parts of keys lie sealed under the safe's own key: whether they are apart cannot be judged, so no verdict is given. */
const unseen = (): BenchError => new BenchError('BENCH_SAFE', 'the bench cannot see key parts at a safe with keys of its own: serve it with --safe-keys bench');

/** A compartment with the safe's own keys: a plain value it stores is seen by retrieving it with its certificate. */
function ownDesk(access: Access, entry: SafeEntry, settings: DeskSettings): SafeDesk {
  const store = storeAt(settings.counter);
  const seen = new Map<string, Uint8Array>();
  const taken = async (client: SafeClient): Promise<void> => {
    for (const [key, bytes] of store.range('certificate/')) {
      const name = key.slice('certificate/'.length);
      const { state, certificate } = records.decodeRecord(bytes);
      if (state === 'held' && !seen.has(name) && certificateCodec.decode(certificate).kind === 'plain')
        seen.set(name, await client.retrieve(certificate));
    }
  };
  return {
    entry, ...mirroredClient({ access, settings: () => withPeer(settingsOf(settings), settings.peer), peer: settings.peer, mirror: store, taken }), store,
    signer: {
      publicKey: entry.verificationKey,
      sign() { throw new BenchError('BENCH_SAFE', 'the bench does not know the keys of a served safe'); },
    },
    counterLimit: settings.counter?.limit ?? 0xffffffff,
    item: (name) => {
      if (store.get(records.keys.item(name)) === undefined) return undefined;
      if (kindAt(store, name) === 'key-part') throw unseen();
      return seen.get(name);
    },
    opens: () => { throw unseen(); },
  };
}

/** Milliseconds for an exchange: long, because what is late here says nothing of the card. */
const timeoutMs = 60_000;

async function trusted({ url, token, ca, fingerprint }: SafeAddress): Promise<HttpClientOptions> {
  const trust = ca ?? (fingerprint === undefined ? undefined : await pinnedCertificate(url, fingerprint));
  return { url, operatorToken: token, timeoutMs, ...(trust === undefined ? {} : { ca: trust }) };
}

/**
 * Connects to a served safe and makes sure that compartments can be opened there. Rejects with BenchError BENCH_SAFE when
 * it cannot be reached or trusted, the token is not the operator's, or it is served without compartments.
 */
export async function connectSafe(address: SafeAddress): Promise<ServedSafe> {
  try {
    const options = await trusted(address);
    const operator = operatorClient(options);
    const entry = safeEntry.decode(await httpClient(options).identity());
    await operator.drop(await operator.open({}));
    return servedSafe(address, options, operator, entry);
  } catch (error) {
    throw benchError(address.url, error);
  }
}

function servedSafe(address: SafeAddress, options: HttpClientOptions, operator: OperatorClient, entry: SafeEntry): ServedSafe {
  let trouble: BenchError | undefined;
  const opened: string[] = [];
  const failed = (error: unknown): BenchError => (trouble = benchError(address.url, error));
  const access: Access = { address, options, operator, failed, opened };
  return {
    entry, address,
    desk: (id, random, settings, ops) =>
      (address.keys === 'own' ? ownDesk(access, entry, settings) : benchDesk(access, id, random, settings, ops)),
    trouble() {
      const last = trouble;
      trouble = undefined;
      return last;
    },
    async release() {
      try {
        for (let url = opened.pop(); url !== undefined; url = opened.pop()) await operator.drop(url);
      } catch (error) {
        throw benchError(address.url, error);
      }
    },
  };
}
