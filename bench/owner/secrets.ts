import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes, uintBytes } from '../codec/index.js';
import { TEMPLATE_BYTES, methodNumber, ownerInformation } from '../safe/index.js';
import type { OwnerInformation, OwnerPolicy } from '../safe/index.js';
import type { OwnerChoice } from '../../scenarios/index.js';

/** How owners are authenticated in emulated runs: as by default, but for a password that is cheap to stretch. */
export const benchPolicy: OwnerPolicy = { scrypt: { logN: 8, r: 8, p: 1 }, threshold: 655, tries: 5, wait: 1000 };

const passwords = { password: 'Kirschbaum-1999', 'wrong-password': 'Kirschbaum-1998' } as const;

/** A template that looks like one and is always the same. */
function template(): Uint8Array {
  const blocks = Array.from({ length: TEMPLATE_BYTES / 32 }, (_, at) => sha256(concat(textBytes('owner template'), uintBytes(at, 1))));
  return concat(...blocks);
}

/** The same template with so many bits changed, spread evenly. */
function changed(bits: number): Uint8Array {
  const bytes = template();
  for (let at = 0; at < bits; at += 1) {
    const bit = Math.floor((at * 8 * TEMPLATE_BYTES) / bits);
    bytes[bit >> 3] ^= 0x80 >> (bit & 7);
  }
  return bytes;
}

/** What the owner enters, by its name. Secret. */
export function ownerSecret(choice: OwnerChoice, { threshold }: OwnerPolicy = benchPolicy): OwnerInformation {
  if (choice === 'password' || choice === 'wrong-password') return ownerInformation(1, textBytes(passwords[choice]));
  const bits = { template: 0, 'template-within': threshold, 'template-beyond': threshold + 1 }[choice];
  return ownerInformation(2, bits === 0 ? template() : changed(bits));
}

/** Method number (element CB) of what the owner enters. */
export const methodOf = ({ method }: OwnerInformation): number => methodNumber(method);
