import {
  certificate as certificateCodec, equalBytes, keyIdOf, safeEntry, signerOf, toHex, uintOf, valueInformation,
} from '../codec/index.js';
import type { PublicKeyOps, SafeEntry, Signer } from '../codec/index.js';
import { createSafe, inProcessClient, memoryStore } from '../safe/index.js';
import type { KnownDevice, MemoryStore, OwnerPolicy, Peer, SafeClient, SafeKeys } from '../safe/index.js';
import * as records from '../safe/record.js';
import { isKeyKind } from '../../scenarios/index.js';
import type { AbstractPart, AbstractRecord, AbstractSafe } from '../../scenarios/index.js';
import type { RandomSource } from './random.js';

/** A safe of an emulated run: its logic in this process over a store that can be forked. */
export interface SafeDesk {
  readonly entry: SafeEntry;
  readonly client: SafeClient;
  readonly store: MemoryStore;
  readonly signer: Signer;
  readonly counterLimit: number;
  /** The safe's clock, milliseconds; only what a point does moves it. */
  readonly clock: { ms: number };
  /** The safe is stopped and started again on what it stores. */
  restart(): void;
  /** True when the key part stored under a record name is the key itself. */
  opens(name: string): boolean;
  /** Opens what is stored under a record name; undefined for tombstones. */
  item(name: string): Uint8Array | undefined;
  /** Of a safe that is served elsewhere. */
  readonly compartment?: DeskCompartment;
}

/** Where a served safe's desk really is. */
export interface DeskCompartment {
  /** Its address, with the state that the bench has of it. */
  ready(): Promise<string>;
  /** Takes over what it stores now. */
  follow(): Promise<void>;
  /** SHA-256 of the TLS certificate that it shows, where it is known. */
  readonly fingerprint?: string;
}

/** The safes' own connection, where the bench can stand between. */
export interface PeerWire {
  /** Stands around each message of the key safe to the other one; `pass` brings it there. */
  around?: ((message: Uint8Array, pass: (message: Uint8Array) => Promise<Uint8Array>) => Promise<Uint8Array>) | undefined;
  /** Who stands at the key safe presents the wrong information, whoever the scenario says. */
  impostor?: boolean;
}

/** What the bench knows of a registration that the safe cannot see. */
export interface KnownRegistration {
  readonly issueId: string;
  readonly quantity: number;
  readonly remaining: number;
  /** Id of the key that opens it, hexadecimal; absent in embodiment 1. */
  readonly keyId?: string;
  /** Of a piece. */
  readonly part?: AbstractPart;
  /** Of a bundle: everything in it. */
  readonly holds?: readonly { readonly issueId: string; readonly quantity: number; readonly remaining: number }[];
}

/** Settings of a desk. */
export interface DeskSettings {
  readonly issuers: readonly Uint8Array[];
  readonly emptyDigest: boolean;
  readonly allowLegacy: boolean;
  readonly counter?: { readonly limit: number; readonly at: number };
  /** See SafeSettings. */
  readonly owners?: OwnerPolicy;
  readonly authenticators?: readonly Uint8Array[];
  readonly devices?: readonly KnownDevice[];
  /** The safe it talks to, and whether it asks there or is asked. */
  readonly peer?: () => Peer & { readonly desk: SafeDesk };
}

/** A safe with keys drawn from `random`, an empty store in memory, and the settings given. */
export function createDesk(id: Uint8Array, random: RandomSource, settings: DeskSettings, ops: PublicKeyOps): SafeDesk {
  const signer = signerOf(random(32), ops);
  const keys: SafeKeys = { signer, agreement: random(32), store: random(32) };
  const store = memoryStore();
  const { counter, peer, ...rest } = settings;
  const counterLimit = counter?.limit ?? 0xffffffff;
  if (counter !== undefined)
    store.transaction((writer) => { writer.put(records.keys.counter, records.counterBytes(counter.at)); });
  const clock = { ms: 0 };
  const start = () => createSafe({ id, keys, store, settings: { ...rest, counterLimit }, ops, clock: () => clock.ms, ...peer && { peer } });
  const safe = start();
  let client = inProcessClient(safe);
  const item = (name: string): Uint8Array | undefined => {
    const sealed = store.get(records.keys.item(name));
    return sealed === undefined ? undefined : records.openItem(keys.store, name, sealed);
  };
  return {
    entry: safeEntry.decode(safe.identity()), client: through(() => client), store, signer, counterLimit, clock,
    restart() { client = inProcessClient(start()); },
    item, opens: (name) => partIsKey(store, name, item(name), ops),
  };
}

/** A client that stands for whichever there is at the time. */
const through = (now: () => SafeClient): SafeClient => ({
  register: (bytes) => now().register(bytes), retrieve: (bytes) => now().retrieve(bytes), receipt: (bytes) => now().receipt(bytes),
  registerOwned: (bytes) => now().registerOwned(bytes), retrieveSet: (bytes) => now().retrieveSet(bytes), answerPeer: (bytes) => now().answerPeer(bytes),
  owner: (operation, bytes) => now().owner(operation, bytes), identity: () => now().identity(), index: () => now().index(),
});

/** True when a key part that a store holds under a record name is the key itself. `item`: what is stored, opened. */
export function partIsKey(store: MemoryStore, name: string, item: Uint8Array | undefined, ops: PublicKeyOps): boolean {
  const record = store.get(records.keys.certificate(name));
  if (item === undefined || record === undefined) return false;
  const { digest } = certificateCodec.decode(records.decodeRecord(record).certificate);
  return digest.type === 'key' && equalBytes(keyIdOf(digest.keyKind, records.decodePart(item).part, ops), digest.keyId);
}

/** Which part of a divided key a record holds, from the record itself. */
function partOf(desk: SafeDesk, name: string, kind: string): Pick<AbstractRecord, 'part' | 'opens'> {
  const item = kind === 'key-part' ? desk.item(name) : undefined;
  if (item === undefined) return {};
  const { identity: { set, index, count }, division } = records.decodePart(item);
  return { part: { set, index, count, wanted: division.threshold }, ...desk.opens(name) ? { opens: true } : {} };
}

type ValueFacts = Pick<AbstractRecord, 'issueId' | 'quantity' | 'remaining' | 'keyId' | 'part' | 'holds'>;

function factsOf(desk: SafeDesk, name: string, kind: string, known: KnownRegistration | undefined): ValueFacts {
  if (kind === 'plain') {
    const item = desk.item(name);
    if (item !== undefined) {
      const { issueId, quantity, remaining } = valueInformation.decode(item);
      return { issueId: toHex(issueId), quantity, remaining };
    }
  }
  return known ?? {};
}

/** What a desk holds, as the invariants see it. `knownBy` tells what was registered under a card id and sequence. */
export function abstractSafe(
  desk: SafeDesk, knownBy: (cardId: string, sequence: number) => KnownRegistration | undefined,
): AbstractSafe {
  const list: AbstractRecord[] = [];
  for (const [key, bytes] of desk.store.range('certificate/')) {
    const record = records.decodeRecord(bytes);
    const { kind, counter, hash, cardId, sequence, digest } = certificateCodec.decode(record.certificate);
    const card = toHex(cardId);
    const about = { state: record.state, kind, counter, hash: toHex(hash), cardId: card, sequence };
    const keyId = digest.type === 'key' ? { keyId: toHex(digest.keyId), ...kind === 'key-part' && digest.keyKind === 'seed' ? { ofSeed: true } : {} } : {};
    const name = key.slice('certificate/'.length);
    const value = isKeyKind(kind) ? { ...keyId, ...partOf(desk, name, kind) } : factsOf(desk, name, kind, knownBy(card, sequence));
    list.push({ ...about, ...value });
  }
  const counter = desk.store.get(records.keys.counter);
  return {
    safeId: toHex(desk.entry.safeId), counter: counter === undefined ? 0 : uintOf(counter),
    counterLimit: desk.counterLimit, records: list,
  };
}
