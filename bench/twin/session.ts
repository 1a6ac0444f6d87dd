import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, openGcm, sealGcm, textBytes, uintBytes } from '../codec/index.js';

/** Who is at the other end of a card's session (P1 of OPEN); `link`: the session between device and management terminal. */
export type SessionRole = 'device' | 'issuer' | 'link';
/** P1 of OPEN. */
export const roleBytes: Readonly<Record<SessionRole, number>> = { device: 1, issuer: 2, link: 3 };

/** Bytes of a challenge. */
export const CHALLENGE = 16;

/** A session as one of its ends has it. Plain data. */
export interface Session {
  readonly key: Uint8Array;
  /** Of the last message; from 1. */
  readonly counter: number;
}

/** INS, P1 and P2 of the message, which its tag covers. */
export interface MessageHead {
  readonly ins: number;
  readonly p1: number;
}

/** Key of a session from both challenges (docs/twin.md 1.2). */
export function sessionOf(key: Uint8Array, role: SessionRole, own: Uint8Array, other: Uint8Array): Session {
  const mac = hmac(sha256, key, concat(textBytes('cardbench twin session v1'), Uint8Array.of(0, roleBytes[role]), own, other));
  return { key: mac.slice(0, 16), counter: 0 };
}

const nonce = (direction: 'command' | 'answer', counter: number): Uint8Array => concat(Uint8Array.of(direction === 'command' ? 0 : 1), new Uint8Array(9), uintBytes(counter, 2));
const aad = ({ ins, p1 }: MessageHead): Uint8Array => Uint8Array.of(ins, p1, 0);

/** The session as it is for its next message. */
export const counted = ({ key, counter }: Session): Session => ({ key, counter: counter + 1 });

/** A sealed message of a session. */
export const sealMessage = ({ key, counter }: Session, direction: 'command' | 'answer', head: MessageHead, data: Uint8Array): Uint8Array =>
  sealGcm(key, nonce(direction, counter), aad(head), data);

/** Opens one. Throws CodecError CRYPTO_OPEN. */
export const openMessage = ({ key, counter }: Session, direction: 'command' | 'answer', head: MessageHead, sealed: Uint8Array): Uint8Array =>
  openGcm(key, nonce(direction, counter), aad(head), sealed);
