import {
  certificate as certificateCodec, equalBytes, keyReply, ownedRegistration, registrationRequest, returnedSet, setRequest, signed,
} from '../codec/index.js';
import type { SetRequest } from '../codec/index.js';
import { SafeError } from './errors.js';
import { authenticateOwner, enrolledOwner, ownerInformation, ownerKey, ownerSetting, renamedOwner } from './owner.js';
import type { OwnerPolicy } from './owner.js';
import { askPeer, peerOf } from './peer.js';
import type { PeerEnd } from './peer.js';
import { recordName } from './record.js';
import type { StoreWriter } from './store.js';
import { wellFormed } from './well-formed.js';

/** What the key safe of embodiment 12 works with beside its end of the connection. */
export interface OwnedKeys extends PeerEnd {
  readonly policy: OwnerPolicy;
  /** Milliseconds of the safe's clock. */
  readonly now: () => number;
  /** As Safe.retrieve. */
  readonly retrieve: (certificate: Uint8Array) => Uint8Array;
  /** Registers, and stores more in the same change when it is new. */
  readonly register: (request: Uint8Array, also: (writer: StoreWriter, name: string) => void) => { readonly certificate: Uint8Array; readonly fresh: boolean };
}

/** Name under which an owner is enrolled before the name of the record is known. */
const unnamed = 'new';

/**
 * Registers a key with the owner's authentication information as a set: 71 -> E6. The same again gives the same
 * certificate; with other information it is a wrong attempt.
 * @throws SafeError those of register and of authenticateOwner; `SAFE_CONFLICT` the key was registered without an owner
 */
export function registerOwned(safe: OwnedKeys, bytes: Uint8Array): Uint8Array {
  const { method, information, request } = wellFormed(() => ownedRegistration.decode(bytes));
  if (request.item.type !== 'key') throw new SafeError('SAFE_BAD_OBJECT', 'owner authentication belongs to a key here');
  const owner = ownerInformation(method, information);
  const setting = ownerSetting(safe);
  const made = enrolledOwner(unnamed, owner, setting);
  const { certificate, fresh } = safe.register(registrationRequest.encode(request), (writer, name) => {
    writer.put(ownerKey(name), renamedOwner(unnamed, name, made, setting));
  });
  const name = recordName(certificateCodec.decode(certificate));
  if (!fresh && safe.store.get(ownerKey(name)) === undefined) throw new SafeError('SAFE_CONFLICT', 'the key is registered without owner authentication');
  if (!fresh) authenticateOwner(safe.store, name, owner, safe.now(), setting);
  return certificate;
}

/** Certificates that fit together: the key here, the value at the other safe, of one card. */
function checkSet(safe: OwnedKeys, { key, value }: SetRequest): void {
  const { entry } = peerOf(safe);
  if (key.kind !== 'key' || value.kind !== 'registered') throw new SafeError('SAFE_BAD_OBJECT', 'expected the certificates of a key and of a registered value');
  if (!equalBytes(value.safeId, entry.safeId)) throw new SafeError('SAFE_UNPAIRED', 'the value is not at the safe this one speaks to');
  if (!signed.certificate.verify(value, {}, entry.verificationKey, safe.ops)) throw new SafeError('SAFE_BAD_SIGNATURE', 'the certificate of the value does not verify');
  if (!equalBytes(key.cardId, value.cardId)) throw new SafeError('SAFE_BAD_OBJECT', 'value and key are not of one card');
}

/**
 * Gives key and value together to the owner: 72 -> 73. The key is this safe's; the ciphertext is fetched from the paired
 * one, and not kept.
 * @throws SafeError those of retrieve, authenticateOwner and askPeer
 */
export async function retrieveSet(safe: OwnedKeys, bytes: Uint8Array): Promise<Uint8Array> {
  const asked = wellFormed(() => setRequest.decode(bytes));
  const owner = ownerInformation(asked.method, asked.information);
  checkSet(safe, asked);
  const key = keyReply.decode(safe.retrieve(certificateCodec.encode(asked.key)));
  authenticateOwner(safe.store, recordName(asked.key), owner, safe.now(), ownerSetting(safe));
  const value = await askPeer(safe, { method: asked.method, key: asked.key, value: asked.value });
  return returnedSet.encode({ key, value });
}
