import { playTape, TapeRecorder } from '../../devices/index.js';
import type { LinkTape } from '../../devices/index.js';
import type { Chip, EepromState, NvmState, PageOperation } from '../../emulator/index.js';
import type { World } from '../world/world.js';
import type { RecoveryMeasure } from './judge.js';
import type { CutPolicy } from './policies.js';
import { PathRecorder } from './recorder.js';

/** How many boots are kept to be played again. */
const KEPT = 4;

/** A boot that went as one before. */
export interface PlayedBoot {
  readonly measure: RecoveryMeasure;
  /** What a power-off after it leaves. */
  readonly left: NvmState;
  /** Everything that depended on torn pages. */
  readonly recorder: PathRecorder;
  /** Pages written in the boot. */
  readonly written: readonly number[];
}

interface Take {
  readonly tape: LinkTape;
  readonly atrClocks: number;
}

/** Hears of each page operation of a played boot when it has begun. */
export type OperationListener = (operation: PageOperation, state: () => EepromState) => void;

/**
 * Boots memories the quick way: plays the terminal's side of an earlier boot to the chip. As long as the card gives back
 * the same characters at the same cycles the terminal would have done the same, so nothing else need be run.
 */
export class BootPlayer {
  readonly #chip: Chip;
  #takes: Take[] = [];

  /** `world` is one of the worlds that are booted; its card is used up. */
  constructor(world: World) {
    this.#chip = world.card.chip;
  }

  /** Begins to record the next boot of a world; call the result when it has gone well. */
  record(world: World): (atrClocks: number) => void {
    const { port } = world.card;
    const recorder = new TapeRecorder();
    port.tape = recorder;
    return (atrClocks) => {
      port.tape = undefined;
      this.#takes = [{ tape: recorder.tape(world.card.chip.now), atrClocks }, ...this.#takes].slice(0, KEPT);
    };
  }

  /** Boots `nvm` when it goes as an earlier boot; undefined: it does not, or the chip reports a violation. */
  play(nvm: NvmState, policy: CutPolicy, torn: ReadonlySet<number>, began?: OperationListener): PlayedBoot | undefined {
    for (const take of this.#takes) {
      const played = this.#playOne(take, nvm, policy, torn, began);
      if (played === undefined) continue;
      if (take !== this.#takes[0]) this.#takes = [take, ...this.#takes.filter((other) => other !== take)];
      return played;
    }
    return undefined;
  }

  #playOne({ tape, atrClocks }: Take, nvm: NvmState, policy: CutPolicy, torn: ReadonlySet<number>, began?: OperationListener): PlayedBoot | undefined {
    const chip = this.#chip;
    const { eeprom } = chip;
    const recorder = new PathRecorder(torn, policy);
    eeprom.watch(new Set(), undefined);
    eeprom.onStart(undefined);
    const same = playTape(chip, nvm, policy.first, tape, () => {
      if (recorder.open) recorder.attachChip(eeprom, policy.first);
      if (began) eeprom.onStart((operation) => { began(operation, () => eeprom.snapshot()); });
    });
    eeprom.onStart(undefined);
    if (!same || chip.violations.length > 0) return undefined;
    const { writes } = eeprom;
    const measure = { atrClocks, pages: writes.length, cycles: writes.at(-1)?.end ?? 0 };
    const written = writes.map(({ page }) => page);
    return { measure, left: chip.powerCut(), recorder, written };
  }
}
