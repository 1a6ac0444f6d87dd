import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, deriveKeyPair, nobleOps, openGcm, openOwner, paths, resultMessage, sealGcm, sealOwner, signerOf, textBytes, toHex } from '../codec/index.js';
import type { PublicKeyOps, Signer } from '../codec/index.js';
import { SafeError, authenticateOwner, enrolledOwner, memoryStore, ownerInformation, ownerKey } from '../safe/index.js';
import type { MemoryStore, OwnerInformation, OwnerPolicy, OwnerSetting } from '../safe/index.js';
import type { OwnerTransport } from '../../scenarios/index.js';
import type { RandomSource } from '../world/random.js';
import { methodOf } from './secrets.js';

/** Owner under whom the information is stored. */
const owner = 'owner';

/** What an owner is asked to be authenticated for. */
export interface Question {
  readonly cardId: Uint8Array;
  readonly safeId: Uint8Array;
  /** Of the safe (16). */
  readonly challenge: Uint8Array;
}

/** Tells every message between owner information input means 145 and authentication means 149; for those who look for leaks. */
export type MeansTap = (message: Uint8Array) => void;

/** Owner authentication information storage means 148 and owner authentication means 149 (docs/protocol.md 3.2). */
export class OwnerMeans {
  /** Ed25519: results count by it. */
  readonly signer: Signer;
  /** X25519, for claim 17. */
  readonly publicKey: Uint8Array;
  readonly #agreement: Uint8Array;
  readonly #setting: OwnerSetting;
  readonly #ops: PublicKeyOps;
  /** Storage means 148. */
  readonly #store: MemoryStore = memoryStore();
  readonly #clock: () => number;
  readonly #information: () => readonly OwnerInformation[];

  /** @param information what is registered for each method; asked for, and stretched, when somebody first presents something */
  constructor(random: RandomSource, policy: OwnerPolicy, information: () => readonly OwnerInformation[], clock: () => number, ops: PublicKeyOps = nobleOps) {
    this.signer = signerOf(random(32), ops);
    this.#agreement = random(32);
    this.publicKey = ops.agreementPublic(this.#agreement);
    this.#setting = { policy, secret: random(32), storeKey: random(32) };
    this.#clock = clock;
    this.#ops = ops;
    this.#information = information;
  }

  save(): unknown {
    return this.#store.snapshot();
  }

  restore(state: unknown): void {
    this.#store.restore(state as ReturnType<MemoryStore['snapshot']>);
  }

  /** What a result names the owner by: nothing of the owner can be computed from it. */
  get reference(): Uint8Array {
    return sha256(concat(textBytes('cardbench owner reference v1'), Uint8Array.of(0), this.signer.publicKey, textBytes(owner)));
  }

  /** The first message of a temporary common key (claim 16): an X25519 key for this question alone, signed. */
  offer(question: Question): Uint8Array {
    const key = this.#ops.agreementPublic(this.#temporary(question));
    return concat(key, this.signer.sign(offeredMessage(question, key)));
  }

  /** Owner information under the temporary common key (answered key (32) || AES-128-GCM) or, without one, under the public key. Throws SafeError. */
  authenticate(question: Question, transport: OwnerTransport, method: number, message: Uint8Array): Uint8Array {
    const { cardId, safeId, challenge } = question;
    const bytes = this.#open(question, transport, method, message);
    const information = ownerInformation(method, bytes);
    this.#enrol();
    authenticateOwner(this.#store, nameOf(information), information, this.#clock(), this.#setting);
    const result = { cardId, safeId, challenge, reference: this.reference, verificationKey: this.signer.publicKey };
    return paths.result.encode({ ...result, signature: this.signer.sign(resultMessage(result)) });
  }

  /** Registers the owner where that is not done: in most worlds nobody asks, and a password is costly to stretch. */
  #enrol(): void {
    const missing = this.#information().filter((one) => this.#store.get(ownerKey(nameOf(one))) === undefined);
    if (missing.length === 0) return;
    this.#store.transaction((writer) => {
      for (const one of missing) writer.put(ownerKey(nameOf(one)), enrolledOwner(nameOf(one), one, this.#setting));
    });
  }

  #temporary(question: Question): Uint8Array {
    return deriveKeyPair(hkdf(sha256, this.#agreement, textBytes('cardbench temporary key v1'), concat(question.cardId, question.safeId, question.challenge), 32));
  }

  #open(question: Question, transport: OwnerTransport, method: number, message: Uint8Array): Uint8Array {
    try {
      if (transport === 'public-key') return openOwner({ ...question, to: this.publicKey, method }, message, this.#agreement, this.#ops);
      const key = commonKey(question, this.#ops.agree(this.#temporary(question), message.slice(0, 32)));
      return openGcm(key, nonce, Uint8Array.of(method), message.slice(32));
    } catch (cause) {
      throw new SafeError('SAFE_BAD_OBJECT', 'the owner information does not open', { cause });
    }
  }
}

const nameOf = ({ method }: OwnerInformation): string => `${owner} ${method}`;
const nonce = new Uint8Array(12);
const offeredMessage = ({ cardId, safeId, challenge }: Question, key: Uint8Array): Uint8Array =>
  concat(textBytes('cardbench temporary offer v1'), Uint8Array.of(0), cardId, safeId, challenge, key);
const commonKey = ({ cardId, safeId, challenge }: Question, shared: Uint8Array): Uint8Array =>
  hkdf(sha256, shared, textBytes('cardbench temporary common key v1'), concat(cardId, safeId, challenge), 16);

/** Owner information input means 145: asks means 149 whose keys it knows. */
export interface OwnerInput {
  readonly means: OwnerMeans;
  readonly ops: PublicKeyOps;
  readonly tap: MeansTap;
  /** Secret of this input, from which its keys are derived: one for each question. */
  readonly secret: Uint8Array;
}

/**
 * The result of an authentication. With a temporary common key both sides give a key for this question alone; with the
 * public key the information is sealed for it. Throws SafeError.
 */
export function askMeans({ means, ops, tap, secret }: OwnerInput, question: Question, information: OwnerInformation, transport: OwnerTransport): Uint8Array {
  const method = methodOf(information);
  const own = deriveKeyPair(hkdf(sha256, secret, concat(question.challenge, sha256(information.bytes)), textBytes(`cardbench owner input v1 ${transport}`), 32));
  const asked = (message: Uint8Array): Uint8Array => {
    tap(message);
    const result = means.authenticate(question, transport, method, message);
    tap(result);
    return result;
  };
  if (transport === 'public-key') return asked(sealOwner({ ...question, to: means.publicKey, method }, information.bytes, means.publicKey, own, ops));
  const offer = means.offer(question);
  tap(offer);
  const key = offer.slice(0, 32);
  if (!ops.verify(means.signer.publicKey, offeredMessage(question, key), offer.slice(32)))
    throw new SafeError('SAFE_BAD_SIGNATURE', `the temporary key is not that of ${toHex(means.signer.publicKey).slice(0, 8)}`);
  return asked(concat(ops.agreementPublic(own), sealGcm(commonKey(question, ops.agree(own, key)), nonce, Uint8Array.of(method), information.bytes)));
}
