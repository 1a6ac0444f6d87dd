import { concat, textBytes, uintBytes } from './bytes.js';
import { bundle, certificate, credential, keyObject, keyPart, keyPartReply, keyReply, loadObject, piece, receipt, registeredValue } from './objects.js';
import type {
  Certificate, Credential, KeyObject, KeyReply, LoadObject, Receipt, RegisteredValue,
} from './objects.js';
import { nobleOps } from './ops.js';
import type { PublicKeyOps } from './ops.js';
import type { Bundle, KeyPart, KeyPartReply, ValuePiece } from './pieces.js';
import type { ObjectCodec } from './schema.js';

/** Signs a message; the key behind it never shows. */
export interface Signer {
  /** Ed25519 public key (32). */
  readonly publicKey: Uint8Array;
  /** Ed25519 signature (64) of a message. */
  sign(message: Uint8Array): Uint8Array;
}

/** A signer of an Ed25519 seed (32). */
export function signerOf(seed: Uint8Array, ops: PublicKeyOps = nobleOps): Signer {
  const own = seed.slice();
  return { publicKey: ops.signingPublic(own), sign: (message) => ops.sign(own, message) };
}

/** One kind of signed object (docs/protocol.md 1.3): `C` is what the signature covers beside the object itself. */
export interface SignedKind<T extends { signature: Uint8Array }, C> {
  /** Label || 00 || context || elements before 92. */
  message(object: Omit<T, 'signature'>, context: C): Uint8Array;
  /** The object with its signature. */
  sign(object: Omit<T, 'signature'>, context: C, signer: Signer): T;
  /** True when the signature verifies under the key. */
  verify(object: T, context: C, publicKey: Uint8Array, ops?: PublicKeyOps): boolean;
}

function signedKind<T extends { signature: Uint8Array }, C>(
  label: string, codec: ObjectCodec<T>, contextBytes: (context: C) => Uint8Array,
): SignedKind<T, C> {
  const message = (object: Omit<T, 'signature'>, context: C): Uint8Array =>
    concat(textBytes(label), Uint8Array.of(0), contextBytes(context), codec.encodeUnsigned(object));
  return {
    message,
    sign: (object, context, signer) => ({ ...object, signature: signer.sign(message(object, context)) }) as T,
    verify: (object, context, publicKey, ops = nobleOps) =>
      ops.verify(publicKey, message(object, context), object.signature),
  };
}

/** Context of E3: card id (8) and sequence. */
export interface CardContext {
  readonly cardId: Uint8Array;
  readonly sequence: number;
}
/** Context of E5: the card's, and the safe (8) the key goes to. */
export interface KeyObjectContext extends CardContext {
  readonly safeId: Uint8Array;
}
/** Context of E8: as E5, and the counter of the certificate. */
export interface KeyReplyContext extends KeyObjectContext {
  readonly counter: number;
}
/** Context of the objects that carry everything themselves. */
export type NoContext = Readonly<Record<string, never>>;

const cardBytes = (context: CardContext): Uint8Array => concat(context.cardId, uintBytes(context.sequence, 4));
const noBytes = (): Uint8Array => new Uint8Array(0);

/** The signed objects of docs/protocol.md 1.3. */
export const signed = {
  registeredValue: signedKind<RegisteredValue, CardContext>('cardbench 203 v1', registeredValue, cardBytes),
  keyObject: signedKind<KeyObject, KeyObjectContext>(
    'cardbench key v1', keyObject, (context) => concat(cardBytes(context), context.safeId),
  ),
  certificate: signedKind<Certificate, NoContext>('cardbench certificate v1', certificate, noBytes),
  keyReply: signedKind<KeyReply, KeyReplyContext>(
    'cardbench key reply v1', keyReply,
    (context) => concat(cardBytes(context), context.safeId, uintBytes(context.counter, 4)),
  ),
  piece: signedKind<ValuePiece, CardContext>('cardbench piece v1', piece, cardBytes),
  bundle: signedKind<Bundle, CardContext>('cardbench bundle v1', bundle, cardBytes),
  keyPart: signedKind<KeyPart, KeyObjectContext>(
    'cardbench key part v1', keyPart, (context) => concat(cardBytes(context), context.safeId),
  ),
  keyPartReply: signedKind<KeyPartReply, KeyReplyContext>(
    'cardbench part reply v1', keyPartReply,
    (context) => concat(cardBytes(context), context.safeId, uintBytes(context.counter, 4)),
  ),
  credential: signedKind<Credential, NoContext>('cardbench credential v1', credential, noBytes),
  receipt: signedKind<Receipt, NoContext>('cardbench receipt v1', receipt, noBytes),
  loadObject: signedKind<LoadObject, NoContext>('cardbench load v1', loadObject, noBytes),
} as const;
