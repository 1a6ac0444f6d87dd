import { CodecError, concat, textBytes } from '../codec/index.js';
import { TwinError } from './errors.js';
import { numberBytes, numberOf } from './objects.js';
import { counted, openMessage, sealMessage, sessionOf } from './session.js';

/** What device and management terminal tell each other (docs/twin.md 5.1): INS of the message. */
export const linkIns = { invalidated: 0x50, promoted: 0x52, restored: 0x54, unblock: 0x60, list: 0x62, withdraw: 0x64, secondary: 0x66, restore: 0x68 } as const;
/** Name of a message. */
export type LinkMessage = keyof typeof linkIns;

/**
 * The link between a backup device and the issuer's management terminal: one session for each exchange, of challenges of
 * both ends, under the key of the device. What is not genuine is not acted upon.
 */
export class ManagementLink {
  readonly #key: Uint8Array;
  readonly #challenge: () => Uint8Array;
  /** False: the link is down. */
  available = true;
  /** For tests of what crosses: set for the next message, which takes it away. */
  tamper: ((bytes: Uint8Array) => Uint8Array) | undefined;

  constructor(key: Uint8Array, challenge: () => Uint8Array) {
    this.#key = key;
    this.#challenge = challenge;
  }

  /**
   * Carries one message and its acknowledgement.
   * @param act what the receiver does with the opened message
   * @throws TwinError LINK_DOWN, LINK_ALTERED, or what the receiver throws
   */
  carry(message: LinkMessage, data: Uint8Array, act: (data: Uint8Array) => void): void {
    if (!this.available) throw new TwinError('LINK_DOWN', 'the management terminal cannot be reached');
    const session = counted(sessionOf(this.#key, 'link', this.#challenge(), this.#challenge()));
    const head = { ins: linkIns[message], p1: 0 };
    const sealed = sealMessage(session, 'command', head, data);
    const arrived = this.tamper?.(sealed) ?? sealed;
    this.tamper = undefined;
    act(this.#genuine(() => openMessage(session, 'command', head, arrived)));
    this.#genuine(() => openMessage(session, 'answer', head, sealMessage(session, 'answer', head, textBytes('ok'))));
  }

  #genuine<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      if (error instanceof CodecError) throw new TwinError('LINK_ALTERED', 'a message of the management link is not genuine');
      throw error;
    }
  }
}

/** Numbers of a message, one behind the other. */
export const numbersBytes = (...numbers: readonly string[]): Uint8Array => concat(...numbers.map(numberBytes));
/** Reads them. */
export const numbersOf = (bytes: Uint8Array): readonly string[] => Array.from({ length: bytes.length / 8 }, (_, at) => numberOf(bytes.slice(at * 8, at * 8 + 8)));
