import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes } from '../codec/index.js';
import { sameSecret } from './owner.js';

/** What the authentication check storage means 153 holds of a device. */
export interface KnownDevice {
  /** 8 bytes. */
  readonly id: Uint8Array;
  /** 32 bytes, shared with the device. */
  readonly key: Uint8Array;
}

const mac = (label: string, { id, key }: KnownDevice, first: Uint8Array, second: Uint8Array): Uint8Array =>
  hmac(sha256, key, concat(textBytes(label), Uint8Array.of(0), id, first, second));

/** What the check 154 shows to a device that has given its challenge (docs/protocol.md 2.10). Challenges: 16 bytes each. */
export const checkProof = (device: KnownDevice, ofDevice: Uint8Array, ofCheck: Uint8Array): Uint8Array => mac('check1', device, ofDevice, ofCheck);

/** What a device shows to the check. */
export const deviceProof = (device: KnownDevice, ofCheck: Uint8Array, ofDevice: Uint8Array): Uint8Array => mac('devic1', device, ofCheck, ofDevice);

/** True when a proof is that of the device. */
export const provesDevice = (device: KnownDevice, ofCheck: Uint8Array, ofDevice: Uint8Array, proof: Uint8Array): boolean =>
  sameSecret(deviceProof(device, ofCheck, ofDevice), proof);
