import { CHIP_MAP, flipRam, flipRegister, skipInstruction } from '../../emulator/index.js';
import type { FaultyCell, Flip, Skip } from '../../emulator/index.js';
import type { World } from '../world/world.js';
import type { PhaseFacts } from './ready.js';
import { registerName } from './spec.js';
import type { Disturbance } from './spec.js';

/** Whether a disturbance really took place, and by what it is seen. */
export interface Proof {
  readonly fired: boolean;
  readonly text: string;
}

/** A disturbance that waits for its cycle. */
export interface Armed {
  /** Ends what does not last by itself. */
  disarm(): void;
  /** What is known of it now. */
  proof(): Proof;
}

const notReached: Proof = { fired: false, text: 'its cycle was not reached' };
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** Where the core stands, for people. */
function place(world: World, pc: number): string {
  return `${hex(pc)}${suffix(world.card.chip.machine.symbolAt(pc)?.name)}`;
}
const suffix = (name: string | undefined): string => (name === undefined ? '' : ` (${name})`);

/** A flipped bit: before and after differ, and the core has executed something since. */
class ArmedFlip implements Armed {
  readonly #world: World;
  readonly #what: string;
  #flip: Flip | undefined;
  #instructions = 0;
  #place = '';

  constructor(world: World, cycle: number, what: string, flip: () => Flip | undefined) {
    this.#world = world;
    this.#what = what;
    const { machine } = world.card.chip;
    world.card.port.probeAt([cycle], () => {
      this.#place = place(world, machine.pc);
      this.#flip = flip();
      this.#instructions = machine.instructions;
    });
  }

  disarm(): void {
    this.#world.card.port.probeAt([], () => undefined);
  }

  proof(): Proof {
    if (this.#flip === undefined) return notReached;
    const { before, after, cycle } = this.#flip;
    const { machine } = this.#world.card.chip;
    const went = machine.instructions - this.#instructions;
    const text = `cycle ${cycle} at ${this.#place}: ${this.#what} ${hex(before)} -> ${hex(after)}, ${went} instructions after it`;
    return { fired: before !== after && (went > 0 || machine.core.lockedUp), text };
  }
}

/** Skipped instructions: each with address and disassembly. */
class ArmedSkip implements Armed {
  readonly #world: World;
  readonly #count: number;
  readonly #skipped: Skip[] = [];
  #reached = false;

  constructor(world: World, cycle: number, count: number) {
    this.#world = world;
    this.#count = count;
    world.card.port.probeAt([cycle], () => {
      this.#reached = true;
      for (let i = 0; i < count; i += 1) {
        const skip = skipInstruction(world.card.chip.machine);
        if (skip === undefined) return;
        this.#skipped.push(skip);
      }
    });
  }

  disarm(): void {
    this.#world.card.port.probeAt([], () => undefined);
  }

  proof(): Proof {
    if (!this.#reached) return notReached;
    const list = this.#skipped.map(({ cycle, pc, text }) => `${place(this.#world, pc)} ${text} at cycle ${cycle}`).join('; ');
    const fired = this.#skipped.length === this.#count;
    return { fired, text: fired ? `skipped ${list}` : `${this.#skipped.length} of ${this.#count} instructions could be skipped: the core slept` };
  }
}

/** How often a defective cell has shown: reads that differed and operations that failed. */
export function cellShows(cells: readonly FaultyCell[]): Proof {
  if (cells.length === 0) return notReached;
  const [{ page, bit, wrongReads, failedOperations }] = cells;
  return {
    fired: wrongReads + failedOperations > 0,
    text: `cell ${bit} of page ${page}: ${wrongReads} reads gave the wrong value, ${failedOperations} page operations did not read back`,
  };
}

function armCell(world: World, what: Extract<Disturbance, { kind: 'worn' | 'stuck' | 'drift' }>): Armed {
  const { eeprom } = world.card.chip;
  const { page, bit } = what;
  const present = (): 0 | 1 => ((eeprom.bytes[page * eeprom.pageBytes + (bit >> 3)] >> (bit & 7)) & 1) as 0 | 1;
  world.card.port.probeAt([what.cycle], () => {
    if (what.kind === 'drift') eeprom.defect(page, bit, { charge: what.lost / 1000 });
    else eeprom.defect(page, bit, { stuck: what.kind === 'worn' ? present() : what.value });
  });
  return { disarm: () => { world.card.port.probeAt([], () => undefined); }, proof: () => cellShows(eeprom.faulty) };
}

/** A supply that falls and recovers, or power that goes: the cycles of both edges. */
class ArmedBrownout implements Armed {
  readonly #world: World;
  readonly #what: Extract<Disturbance, { kind: 'brownout' }>;
  #fell: number | undefined;
  #rose: number | undefined;

  constructor(world: World, what: Extract<Disturbance, { kind: 'brownout' }>) {
    this.#world = world;
    this.#what = what;
    const { chip, port } = world.card;
    const second = what.cycle + what.after;
    port.probeAt(what.end === 'recover' ? [what.cycle, second] : [what.cycle], (cycle) => {
      const good = cycle !== what.cycle;
      chip.setSupply(good);
      if (chip.supplyGood !== good) return;
      if (good) this.#rose = chip.now;
      else this.#fell = chip.now;
    });
    if (what.end !== 'recover') world.card.cutAt(second, what.end);
  }

  disarm(): void {
    const { chip, port } = this.#world.card;
    port.probeAt([], () => undefined);
    if (!chip.powered) return;
    this.#world.card.cutAt(undefined);
    chip.setSupply(true);
  }

  proof(): Proof {
    const { cycle, after, end } = this.#what;
    if (this.#fell === undefined) return notReached;
    const gone = this.#world.card.chip.powered ? undefined : this.#world.card.port.save().cutDone;
    const second = end === 'recover' ? this.#rose : gone;
    const text = `supply fell at cycle ${this.#fell}, ${end === 'recover' ? 'recovered' : `power went (${end})`} at ${second ?? 'no cycle of the run'}`;
    return { fired: second !== undefined && second >= cycle + after, text };
  }
}

/** A changed clock: the shortest distance of two leading edges of the card, undisturbed and after the change. */
class ArmedClock implements Armed {
  readonly #world: World;
  readonly #undisturbed: number;
  readonly #expected: number;
  /** Permitted distances against the usual one: a character repeated under T=0 comes 13.5 etu after itself, not 12. */
  readonly #distances: readonly number[];
  readonly #release: () => void;
  #changed: number | undefined;
  #shortest = Infinity;

  constructor(world: World, what: Extract<Disturbance, { kind: 'clock' }>, undisturbed: number) {
    this.#world = world;
    this.#undisturbed = undisturbed;
    this.#expected = world.parts.profile.card.hz / what.hz;
    this.#distances = world.line.protocol === 'T=0' ? [1, 13.5 / 12] : [1];
    const { port } = world.card;
    port.probeAt([what.cycle], () => {
      port.setClock(what.hz, what.terminal === 'follows');
      this.#changed = what.cycle;
    });
    this.#release = this.#listen();
  }

  #listen(): () => void {
    let last: number | undefined;
    return this.#world.card.observe({
      character: ({ direction, at }) => {
        const ours = direction === 'from-card' && this.#changed !== undefined && at >= this.#changed;
        if (ours && last !== undefined && at > last) this.#shortest = Math.min(this.#shortest, at - last);
        last = ours ? at : undefined;
      },
    });
  }

  disarm(): void {
    this.#release();
    this.#world.card.port.probeAt([], () => undefined);
  }

  proof(): Proof {
    if (this.#changed === undefined) return notReached;
    const where = `clock changed at cycle ${this.#changed}`;
    if (!Number.isFinite(this.#shortest)) return { fired: false, text: `${where}; the card sent no two characters in a row after it` };
    const ratio = this.#shortest / this.#undisturbed;
    const text = `${where}: edges of the card ${this.#undisturbed} cycles apart before, ${this.#shortest} after (factor ${ratio.toFixed(3)}, expected ${this.#expected.toFixed(3)})`;
    const fits = this.#distances.some((distance) => Math.abs(ratio / this.#expected / distance - 1) < 0.02);
    return { fired: fits, text };
  }
}

function armNoise(world: World, what: Extract<Disturbance, { kind: 'noise' }>): Armed {
  const { card } = world;
  card.disturb(what.faults);
  let fired = card.fired;
  return {
    disarm() {
      ({ fired } = card);
      card.disturb([]);
    },
    proof() {
      const list = fired.map(({ detail, at }) => `${detail} at cycle ${at}`);
      return { fired: list.length > 0, text: `${list.length} of ${what.faults.length} fired${list.length > 0 ? `: ${list.join('; ')}` : ''}` };
    },
  };
}

/** Prepares a disturbance in a powered world; it takes place while the phase runs. */
export function arm(world: World, what: Disturbance, facts: Pick<PhaseFacts, 'cardEdges'>): Armed {
  const { machine } = world.card.chip;
  switch (what.kind) {
    case 'flip': return new ArmedFlip(world, what.cycle, `${registerName(what.register)} bit ${what.bit}`, () => flipRegister(machine, what.register, what.bit));
    case 'ram': return new ArmedFlip(world, what.cycle, `RAM ${hex(CHIP_MAP.ram + what.offset)} bit ${what.bit}`, () => flipRam(machine, CHIP_MAP.ram + what.offset, what.bit));
    case 'skip': return new ArmedSkip(world, what.cycle, what.count);
    case 'worn': case 'stuck': case 'drift': return armCell(world, what);
    case 'brownout': return new ArmedBrownout(world, what);
    case 'clock': return new ArmedClock(world, what, facts.cardEdges);
    case 'noise': return armNoise(world, what);
  }
}
