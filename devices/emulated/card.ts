import { createChip, loadImage, loadProfile } from '../../emulator/index.js';
import type { Chip, ChipConfig, ChipProfile, ChipSnapshot, ChipUsage, CutKind, Image, NvmState, StepMark, Violation } from '../../emulator/index.js';
import { ContactChannel } from '../channel/contact.js';
import type { ContactOptions, ContactState } from '../channel/contact.js';
import { DisturbedPort } from '../channel/fault.js';
import type { DisturbedState, FiredFault, LinkFault } from '../channel/fault.js';
import type { CardMark } from '../channel/types.js';
import { EmulatedPort } from './port.js';
import type { EmulatedPortState, NextSession } from './port.js';

/** What an emulated card is made from. */
export interface EmulatedCardOptions extends Omit<ContactOptions, 'marks' | 'beforeCommand'> {
  /** Name or path of a chip profile, or the profile itself. */
  readonly profile: string | ChipProfile;
  /** Overrides of the profile, for example `ram.bytes=3072`; only with a name or path. */
  readonly set?: readonly string[];
  /** Firmware: ELF, Intel HEX or raw bytes, or a loaded image. */
  readonly image: Uint8Array | Image;
  /** Fixes cells, wear, random numbers and link faults; default 1. */
  readonly seed?: number;
  /** Memory left by an earlier session; default: new. */
  readonly nvm?: NvmState | Uint8Array;
  readonly policy?: ChipConfig['policy'];
  readonly cryptoCache?: ChipConfig['cryptoCache'];
  /** How the firmware is run, and translated code shared with other cards. */
  readonly engine?: ChipConfig['engine'];
  readonly translations?: ChipConfig['translations'];
  /** Disturbances of the link. */
  readonly faults?: readonly LinkFault[];
}

/** Card, link and terminal in one value: structured-clonable. */
export interface CardSnapshot {
  readonly chip: ChipSnapshot;
  readonly port: EmulatedPortState;
  readonly link: DisturbedState;
  readonly channel: ContactState;
}

/** A card channel to a chip in this process. Its time is the chip's: cycles since power-on. */
export class EmulatedCard extends ContactChannel {
  readonly chip: Chip;
  readonly port: EmulatedPort;
  readonly #disturbed: DisturbedPort;

  /** Use {@link emulatedCard}. */
  constructor(port: EmulatedPort, disturbed: DisturbedPort, options: ContactOptions) {
    super(disturbed, {
      ...options,
      marks: () => port.chip.steps.slice(port.markFrom).map(markOf),
      beforeCommand: () => port.beginCommand(),
    });
    this.chip = port.chip;
    this.port = port;
    this.#disturbed = disturbed;
  }

  /** All step marks since power-on. */
  get steps(): readonly StepMark[] {
    return this.chip.steps;
  }

  /** What the firmware did that the chip does not permit, since power-on. */
  get violations(): readonly Violation[] {
    return this.chip.violations;
  }

  /** Link faults that have fired since the channel was made or `disturb` was called. */
  get fired(): readonly FiredFault[] {
    return this.#disturbed.fired;
  }

  /** What the session has used of the chip. */
  usage(): ChipUsage {
    return this.chip.usage();
  }

  /** Replaces the link faults; characters and blocks are counted from here. */
  disturb(faults: readonly LinkFault[]): void {
    this.#disturbed.arm(faults);
  }

  /**
   * The power goes at `cycle` of this power session (of the next one while the card is off), in the middle
   * of an exchange if need be: what runs then rejects with CARD_POWER_CUT. Undefined takes it back.
   * @throws DeviceError DEVICE_UNSUPPORTED when the cycle has passed
   */
  cutAt(cycle: number | undefined, kind?: CutKind): void {
    this.port.cutAt(cycle, kind);
  }

  /** Lets the card run to `cycle` with nothing on the line. Rejects with CARD_POWER_CUT, CARD_FAULT. */
  async runTo(cycle: number): Promise<void> {
    await this.raw.idle(cycle);
  }

  /** Takes the power away, if it is not gone, and gives what is left of the memory. */
  async powerOff(kind?: CutKind): Promise<NvmState> {
    const nvm = this.port.takeNvm(kind);
    await this.close();
    return nvm;
  }

  /** Says with what memory and weak-cell policy the next `open` begins. */
  prepare(next: NextSession): void {
    this.port.prepare(next);
  }

  /** Saves card, link and terminal together. @throws DeviceError CHANNEL_BUSY within an exchange */
  snapshot(): CardSnapshot {
    return { channel: this.save(), chip: this.chip.snapshot(), port: this.port.save(), link: this.#disturbed.save() };
  }

  /**
   * Takes a snapshot back, also one of another card with the same profile, image and seed.
   * @throws DeviceError CHANNEL_BUSY within an exchange; ChipError SNAPSHOT_MISMATCH
   */
  restore(snapshot: CardSnapshot): void {
    this.load(snapshot.channel);
    this.chip.restore(snapshot.chip);
    this.port.load(snapshot.port);
    this.#disturbed.load(snapshot.link);
  }
}

function markOf({ cycle, embodiment, step, outcome }: StepMark): CardMark {
  return { cycle, embodiment, step: `${step[0]}-${step[1]}`, outcome: outcome === 0 ? 'done' : 'refused' };
}

/** The port of a new emulated chip, for those who bring their own framing. */
export function emulatedPort(options: EmulatedCardOptions): EmulatedPort {
  const { profile, set, image, seed, nvm, policy, cryptoCache, engine, translations } = options;
  const config: ChipConfig = {
    profile: typeof profile === 'string' ? loadProfile(profile, set) : profile,
    image: image instanceof Uint8Array ? loadImage(image) : image,
    ...(seed === undefined ? {} : { seed }),
    ...(nvm === undefined ? {} : { eeprom: nvm }),
    ...(policy === undefined ? {} : { policy }),
    ...(cryptoCache === undefined ? {} : { cryptoCache }),
    ...(engine === undefined ? {} : { engine }),
    ...(translations === undefined ? {} : { translations }),
  };
  return new EmulatedPort(createChip(config));
}

/**
 * A card channel to a new emulated chip; call `open()` to power it on.
 *
 * @throws ChipError, EmulatorError when profile, image or memory do not fit
 * @example
 * const card = emulatedCard({ profile: 'c2010', image: readFileSync('card.elf'), seed: 7, protocol: 'T=1' });
 * await card.open();
 * const { sw } = await card.transmit(Uint8Array.of(0x00, 0xa4, 0x04, 0x00));
 */
export function emulatedCard(options: EmulatedCardOptions): EmulatedCard {
  const port = emulatedPort(options);
  return new EmulatedCard(port, new DisturbedPort(port, options.faults ?? [], options.seed ?? 1), options);
}
