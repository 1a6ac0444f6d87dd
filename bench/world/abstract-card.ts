import { toHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { decode, publicSideOf } from '../nvm/index.js';
import type { NvmContents, NvmEntry } from '../nvm/index.js';
import type {
  AbstractCard, AbstractCertificate, AbstractCertificateState, AbstractValue, AbstractValueState,
} from '../../scenarios/index.js';

function valueOf(entry: NvmEntry): AbstractValue[] {
  if (entry.class !== 'A') return [];
  const { handle, object } = entry;
  const state = entry.state.toLowerCase() as AbstractValueState;
  if (object === undefined) {
    const bare = state === 'reserved' || state === 'deleting';
    return [{ handle, issueId: '', informationClass: 0, state, quantity: 0, remaining: 0, readable: bare }];
  }
  const { issueId, infoClass, quantity, remaining } = object;
  return [{ handle, issueId: toHex(issueId), informationClass: infoClass, state, quantity, remaining, readable: true, ...(entry.kind === 'bundle' && entry.place ? { bundle: entry.place.set } : {}) }];
}

function certificateOf(entry: NvmEntry): AbstractCertificate[] {
  if (entry.class !== 'B') return [];
  const { handle, object, sequence, hash, kind } = entry;
  const state = entry.state.toLowerCase() as AbstractCertificateState;
  if (object === undefined) {
    const bare = state === 'reserved' || state === 'deleting';
    return [{ handle, safeId: '', counter: 0, hash, kind: kind ?? 'plain', cardId: '', sequence, state, readable: bare }];
  }
  return [{
    handle, safeId: toHex(object.safeId), counter: object.counter, hash: toHex(object.hash), kind: object.kind,
    cardId: toHex(object.cardId), sequence: object.sequence, state, readable: true,
  }];
}

/**
 * What a card's memory holds, read by the second decoder and without its bytes. A card without identity is called by
 * the id it is going to have.
 */
export function abstractCard(
  memory: Uint8Array, ops: PublicKeyOps, contents: NvmContents = decode(memory), blankId = '',
): AbstractCard {
  const { state, entries, cardId } = contents;
  const { decodingKeyId, commonKeyId, seedKeyId } = publicSideOf(memory, ops);
  return {
    cardId: cardId ?? blankId,
    values: entries.flatMap(valueOf),
    certificates: entries.flatMap(certificateOf),
    sequence: state?.lastSequence ?? 0,
    loadNumber: state?.lastLoadNumber ?? 0,
    pinTries: state?.pinTries ?? 0,
    keys: {
      ...(decodingKeyId === undefined ? {} : { decoding: decodingKeyId }),
      ...(commonKeyId === undefined ? {} : { common: commonKeyId }),
      ...(seedKeyId === undefined ? {} : { seed: seedKeyId }),
    },
  };
}
