import { commandName, toHex } from '../codec/index.js';
import type { CommandName } from '../codec/index.js';
import { isOutgoing } from './t0-wire.js';

/** A command as the card has to understand it, chain put together. */
export interface Understood {
  readonly name: CommandName;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
}

/** What one APDU is to the card: part of a chain, a fetch, a command, or nothing it may carry out. */
export type Meaning = { readonly what: 'link' | 'fetch' | 'nothing' } | { readonly what: 'command'; readonly command: Understood };

const chaining = 0x10;
const otherClassBits = 0x60;
/** Commands that work without VERIFY on an operational card (docs/protocol.md 2.1). */
const withoutPin: ReadonlySet<CommandName> = new Set(['SELECT', 'GET RESPONSE', 'VERIFY', 'GET DATA', 'LOAD', 'CORRECT']);

/** Lc and data of a short APDU; undefined when its length is that of no case (ISO/IEC 7816-3, 12.1.2). */
function dataOf(apdu: Uint8Array, protocol: 'T=0' | 'T=1'): Uint8Array | undefined {
  if (protocol === 'T=0') {
    const lc = isOutgoing(apdu[0] ?? 0, apdu[1] ?? 0) ? 0 : apdu[4] ?? 0;
    return Uint8Array.from({ length: lc }, (_, i) => apdu[5 + i] ?? 0);
  }
  if (apdu.length < 4) return undefined;
  if (apdu.length <= 5) return new Uint8Array(0);
  const lc = apdu[4];
  return lc > 0 && (apdu.length === 5 + lc || apdu.length === 6 + lc) ? apdu.slice(5, 5 + lc) : undefined;
}

/** What a card must know of a session: begun chain, PIN presented. Written from docs/protocol.md 2.1. */
export class SessionModel {
  verified: boolean;
  /** Digits that VERIFY must be given. */
  pin: string;
  readonly #protocol: 'T=0' | 'T=1';
  #chain: { readonly header: string; readonly data: readonly number[] } | undefined;

  constructor(protocol: 'T=0' | 'T=1', verified: boolean, pin: string) {
    this.#protocol = protocol;
    this.verified = verified;
    this.pin = pin;
  }

  /** Takes in an APDU as it is sent. */
  meaning(apdu: Uint8Array): Meaning {
    const data = dataOf(apdu, this.#protocol);
    const [cla = 0, ins = 0, p1 = 0, p2 = 0] = apdu;
    const header = toHex(Uint8Array.of(cla & ~chaining, ins, p1, p2));
    const before = this.#chain?.header === header ? this.#chain.data : [];
    this.#chain = undefined;
    if (data === undefined) return { what: 'nothing' };
    if (cla === 0 && ins === 0xc0) return { what: 'fetch' };
    const all = [...before, ...data];
    if ((cla & otherClassBits) === 0 && (cla & chaining) !== 0) {
      this.#chain = { header, data: all };
      return { what: 'link' };
    }
    const name = commandName(cla & ~chaining, ins);
    if (name === undefined || (cla & chaining) !== 0) return { what: 'nothing' };
    return { what: 'command', command: { name, p1, p2, data: Uint8Array.from(all) } };
  }

  /** What is wrong with carrying out a command now. */
  objection({ name, data }: Understood, operational: boolean): string | undefined {
    if (operational && !this.verified && !withoutPin.has(name)) return `${name} was carried out without the PIN`;
    if (name === 'VERIFY' && new TextDecoder().decode(data) !== this.pin) return 'a wrong PIN was accepted';
    return undefined;
  }

  /** Takes in how a command was answered; `tried`: a PIN was compared and found wrong (63Cx). */
  note({ name, data }: Understood, done: boolean, tried: boolean): void {
    if (name === 'VERIFY' && done) this.verified = true;
    if (name === 'VERIFY' && tried && data.length > 0) this.verified = false;
    if (name === 'SELECT' && done) this.verified = false;
    if (name === 'CHANGE REFERENCE DATA' && done) this.pin = new TextDecoder().decode(data);
  }
}

/** Commands that any stretch of characters could be, taken at every position: for input below the level of commands. */
export function namesWithin(bytes: Uint8Array): readonly CommandName[] {
  const names = new Set<CommandName>();
  for (let i = 0; i + 1 < bytes.length; i += 1) {
    const name = commandName(bytes[i], bytes[i + 1]);
    if (name !== undefined) names.add(name);
  }
  return [...names];
}
