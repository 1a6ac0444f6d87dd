import { TapePlayer, TapeRecorder } from '../../devices/index.js';
import type { LinkTape, TapePosition } from '../../devices/index.js';
import type { Chip, ChipSnapshot, EepromState, NvmState, PageOperation } from '../../emulator/index.js';
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

/** A boot up to where something first depends on a torn page: the same for all memories of a kind. */
interface Prefix {
  readonly take: Take;
  readonly state: ChipSnapshot;
  readonly position: TapePosition;
}

/** Hears of each page operation of a played boot when it has begun. */
export type OperationListener = (operation: PageOperation, state: () => EepromState) => void;

/** What is booted. */
export interface BootCase {
  readonly nvm: NvmState;
  readonly policy: CutPolicy;
  readonly torn: ReadonlySet<number>;
  /** The same object for memories that differ in their torn pages only. */
  readonly kind: object;
  readonly began?: OperationListener;
}

/**
 * Boots memories the quick way: plays the terminal's side of an earlier boot to the chip. As long as the card gives back
 * the same characters at the same cycles the terminal would have done the same, so nothing else need be run. What comes
 * before the first dependence on a torn page is run once for each kind of memory and restored from then on.
 */
export class BootPlayer {
  readonly #chip: Chip;
  #takes: Take[] = [];
  #prefixes = new WeakMap<object, Prefix>();

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

  /** Boots a memory when it goes as an earlier boot; undefined: it does not, or the chip reports a violation. */
  play(boot: BootCase): PlayedBoot | undefined {
    for (const take of this.#takes) {
      const played = this.#playOne(take, boot);
      if (played === undefined) continue;
      if (take !== this.#takes[0]) this.#takes = [take, ...this.#takes.filter((other) => other !== take)];
      return played;
    }
    return undefined;
  }

  #playOne(take: Take, boot: BootCase): PlayedBoot | undefined {
    const { torn, policy, kind, began } = boot;
    const prefix = this.#prefixes.get(kind);
    const known = prefix?.take === take ? prefix : undefined;
    this.#power(boot, known);
    const chip = this.#chip;
    const recorder = new PathRecorder(torn, policy);
    if (recorder.open) recorder.attachChip(chip.eeprom, policy.first);
    if (began) chip.eeprom.onStart((operation) => { began(operation, () => chip.eeprom.snapshot()); });
    const same = new TapePlayer(chip, take.tape, known?.position).play();
    chip.eeprom.onStart(undefined);
    chip.eeprom.watch(new Set(), undefined);
    if (!same || chip.violations.length > 0) return undefined;
    const { writes } = chip.eeprom;
    const measure = { atrClocks: take.atrClocks, pages: writes.length, cycles: writes.at(-1)?.end ?? 0 };
    const played = { measure, recorder, written: writes.map(({ page }) => page), left: chip.powerCut() };
    if (prefix === undefined) this.#keepPrefix(take, boot, recorder);
    return played;
  }

  /** Begins the session of a memory: from power-on, or from a prefix, before which nothing depended on it. */
  #power({ nvm, policy }: BootCase, prefix: Prefix | undefined): void {
    const chip = this.#chip;
    if (prefix !== undefined) {
      chip.restore(prefix.state);
      chip.eeprom.powerOn(nvm, policy.first);
      return;
    }
    if (chip.powered) chip.powerCut();
    chip.powerOn(nvm, policy.first);
  }

  #keepPrefix(take: Take, boot: BootCase, { steps }: PathRecorder): void {
    const event = steps.find((step) => step.event.kind !== 'power-on')?.event;
    if (event === undefined || (event.kind !== 'read' && event.kind !== 'start')) return;
    this.#power(boot, undefined);
    const player = new TapePlayer(this.#chip, take.tape);
    const { eeprom } = this.#chip;
    if (!player.play(event.now) || eeprom.writes.length > 0 || eeprom.operation !== undefined || this.#chip.now > event.now) return;
    this.#prefixes.set(boot.kind, { take, state: this.#chip.snapshot(), position: player.position });
  }
}
