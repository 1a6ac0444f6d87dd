import type { ClaimState } from '../machines/types.js';
import type { HashAlgorithm, PinChoice, StepId } from '../ports.js';
import type { Ref } from './script.js';

/** A step of the catalogue or a deletion of claims 25 and 26. */
export type Place = StepId | ClaimState;

/** Objects that cross between the parties (protocol.md 1.2). */
export type ObjectName =
  | 'request' | 'certificate' | 'value' | 'registered-value' | 'key-object' | 'key-reply' | 'receipt' | 'load' | 'list'
  /** Of embodiments 8, 9 and 10 (docs/protocol.md 2.9, 3.1). */
  | 'grant' | 'challenge' | 'owner-result' | 'device-hello' | 'check-proof' | 'device-proof' | 'path-reply';

/** What is done to the bytes of an element or of a whole object. Lengths of enclosing templates are made to fit. */
export type Alteration =
  | { readonly how: 'flip'; /** Bit from the start of the content, most significant first; negative from the end. */ readonly bit: number }
  | { readonly how: 'set'; /** Hexadecimal. */ readonly bytes: string }
  | { readonly how: 'add'; /** Added to the big-endian number. */ readonly amount: number }
  | { readonly how: 'truncate'; /** Bytes cut off at the end. */ readonly bytes: number }
  | { readonly how: 'extend'; /** Zero bytes appended. */ readonly bytes: number }
  | { readonly how: 'remove' }
  | { readonly how: 'duplicate' }
  | { readonly how: 'reorder'; /** Exchanged with the element that follows. */ readonly with: 'next' }
  | { readonly how: 'length-form'; /** The same length in a longer form than BER needs. */ readonly form: '81' | '82' };

/**
 * Alters an object as it crosses at a step: an answer's object between sender and terminal, a request's between
 * terminal and receiver.
 */
export interface AlterFault {
  readonly fault: 'alter';
  readonly at: Place;
  readonly object: ObjectName;
  /** Tags from the outermost template inward, such as `E2/83`; `whole` is the object itself; `trailing` is behind it. */
  readonly element: string;
  readonly how: Alteration;
  /** Sign the altered object again with the rightful key, so that only the altered content can be at fault. */
  readonly resign?: boolean;
}

/** Puts another, in itself well-formed object in the place of the right one. */
export interface SwapFault {
  readonly fault: 'swap';
  readonly at: Place;
  readonly object: ObjectName;
  /**
   * `previous`: an older object of the same item; `foreign`: of another card; `other-item`: of another item of this
   * card; `unknown-safe`: from a safe the card does not know, correctly signed; `other-safe`: from a known second safe;
   * `other-kind`: of the other embodiment or a key.
   */
  readonly by: 'previous' | 'foreign' | 'other-item' | 'unknown-safe' | 'other-safe' | 'other-kind';
  /** The object to put in, where the preparation's setup saved one; otherwise the bench makes it. */
  readonly with?: Ref;
}

/** Misbehaviour of the safe at its interface. */
export interface SafeFault {
  readonly fault: 'safe';
  readonly at: Place;
  /**
   * `unreachable`: no connection; `late`: stores, answers after the terminal's patience; `lost-answer`: stores, the
   * answer never arrives; `twice`: the same answer two times; `wrong-record`: the object of another record; `error`:
   * answers `status` and `code`; `garbage`: a body that is no object; `forgets`: the record is not found this time. For
   * `wrong-record` the answer is the object saved as `with`.
   */
  readonly how: 'unreachable' | 'late' | 'lost-answer' | 'twice' | 'wrong-record' | 'error' | 'garbage' | 'forgets'
    /** The request is sent to the other of two safes instead. */
    | 'misdirected';
  readonly status?: number;
  readonly code?: string;
  readonly with?: Ref;
}

/** Takes power (cold) or pulls RST (warm) once the step is done; steps inside the card need its trace port. */
export interface ResetFault {
  readonly fault: 'reset';
  readonly after: Place;
  readonly kind: 'warm' | 'cold';
}

/** Loses the command before the card saw it, or the answer after the card gave it; the terminal sees a broken link. */
export interface LinkFault {
  readonly fault: 'link';
  readonly at: Place;
  readonly how: 'lost-command' | 'lost-answer' | 'parity-once' | 'parity-always' | 'noise-byte';
}

/** Sends the command that begins at the step several times. */
export interface RepeatFault {
  readonly fault: 'repeat';
  readonly step: Place;
  /** Total number of times. */
  readonly times: number;
}

/** Leaves out the commands that begin at the steps. */
export interface SkipFault {
  readonly fault: 'skip';
  readonly steps: readonly Place[];
}

/** Presents a PIN before the step instead of the right one. */
export interface PinFault {
  readonly fault: 'pin';
  readonly before: Place;
  readonly choice: PinChoice | 'none';
  readonly times: number;
}

/** Fills the card's memory just before the step, with loaded values of the issuer's making. */
export interface MemoryFault {
  readonly fault: 'memory';
  readonly before: Place;
  /** What is left: `pages` of EEPROM, `bytes` of data, or index `entries`; the others stay ample. */
  readonly left: { readonly pages: number } | { readonly bytes: number } | { readonly entries: number };
}

/** Sends raw command APDUs just before the step. */
export interface ApduFault {
  readonly fault: 'apdu';
  readonly before: Place;
  readonly commands: readonly { /** Hexadecimal. */ readonly apdu: string; readonly expect: readonly string[] }[];
}

/** Another use of the same item while the scenario is under way. */
export interface MeanwhileFault {
  readonly fault: 'meanwhile';
  readonly before: Place;
  readonly how:
    | { readonly act: 'use'; readonly quantity: number }
    | { readonly act: 'cancel' }
    | { readonly act: 'delete-listed' }
    | { readonly act: 'begin'; readonly hash: HashAlgorithm }
    | { readonly act: 'select' }
    /** Wrong passwords at the safe or at authentication means 149, with time in between or not; then the safe is started anew. */
    | { readonly act: 'attempts'; readonly at: 'safe' | '149'; readonly times: number; readonly pause: 'long' | 'none'; readonly restart?: boolean }
    /** Longer than a path is good. */
    | { readonly act: 'wait' }
    /** Another path is opened for the same card. */
    | { readonly act: 'another-path' }
    | { readonly act: 'remove-device' };
}

/** The exchange that begins at the step is sent a second time with the same object, and must be refused then. */
export interface ReplayFault {
  readonly fault: 'replay';
  readonly at: Place;
}

/** Trouble on the safes' own connection (embodiment 12), while the key safe asks the other for a ciphertext. */
export interface PeerFault {
  readonly fault: 'peer';
  readonly at: Place;
  /**
   * `unreachable`: the other safe; `lost-answer`: it takes the message, its reply never arrives; `replayed`: the message
   * comes a second time; `old-reply`: the reply to an earlier message comes instead; `stranger`: a safe that is not
   * paired asks; `impostor`: one that gives itself out for the paired one; `no-owner`: the paired safe asks without having
   * authenticated an owner; `forged`, `other-value`: the other safe replies, rightly signed, with an altered ciphertext or
   * that of another value.
   */
  readonly how: 'unreachable' | 'lost-answer' | 'replayed' | 'altered-request' | 'altered-reply' | 'old-reply' | 'stranger' | 'impostor' | 'no-owner' | 'forged' | 'other-value';
}

/** Wrong owner information at a safe that authenticates owners; `then`: the rightful owner comes behind. */
export interface OwnerFault {
  readonly fault: 'owner';
  readonly at: Place;
  readonly times: number;
  readonly then?: 'right';
}

/** Everything a plan point can do to a run. Pure data: the bench carries it out and says whether it did. */
export type Fault =
  | AlterFault | SwapFault | SafeFault | ResetFault | LinkFault | RepeatFault | SkipFault | PinFault | MemoryFault
  | ApduFault | MeanwhileFault | ReplayFault | PeerFault | OwnerFault;
