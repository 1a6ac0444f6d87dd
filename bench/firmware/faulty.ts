import { readFileSync } from 'node:fs';
import { loadImage } from '../../emulator/index.js';
import type { Image } from '../../emulator/index.js';
import type { InvariantId } from '../../scenarios/index.js';

/** How power cuts catch a faulty build. */
export interface CaughtByCut {
  /** Tear point in whose phase the power is cut. */
  readonly point: string;
  /** Weak-cell policy; `strong`: memories without weak cells. */
  readonly policy: string;
  /** 1: one cut is enough; 2: it takes a second one in the recovery from the first. */
  readonly depth: 1 | 2;
  readonly invariant: InvariantId;
  /** Last step that the card marked before the first cut. */
  readonly step: string;
  /** Words of the finding that only this fault explains. */
  readonly finding: string;
}

/** A firmware build with one planted fault, as devices/firmware/faulty.json describes it. */
export interface FaultyBuild {
  readonly name: string;
  readonly macro: string;
  /** System whose applet has the fault; absent: the backup system. */
  readonly system?: 'purse' | 'twin' | 'member';
  /** Step that goes wrong, by embodiment. */
  readonly steps: Readonly<Record<string, string>>;
  readonly clause: string;
  /** Of a system beside the backup: one of its own invariants, or the rule of its contract that a point shows broken. */
  readonly invariant: InvariantId | `V${number}` | `T${number}` | `rule ${number}`;
  readonly description: string;
  /** Absent where no cut within a phase is needed, or none shows it. */
  readonly tear?: CaughtByCut;
}

const folder = new URL('../../devices/firmware/', import.meta.url);

/** All faulty builds. */
export const faultyBuilds = (): readonly FaultyBuild[] =>
  JSON.parse(readFileSync(new URL('faulty.json', folder), 'utf8')) as readonly FaultyBuild[];

/** The image of a faulty build, or of the reference firmware without a name. */
export const firmwareImage = (build?: string): Image =>
  loadImage(readFileSync(new URL(`images/${build === undefined ? 'card' : `faulty/${build}`}.elf`, folder)));
