import { Code, OP, TYPE, encodeModule, section } from './encoder.js';
import { comeBack, emitRegion } from './emit-region.js';
import type { Target } from './emitter.js';
import { HEAD } from './layout.js';
import { findRegion, type Reach, type Region } from './region.js';

const SECTION = { TYPE: 1, IMPORT: 2, FUNCTION: 3, EXPORT: 7, ELEMENT: 9, CODE: 10 } as const;
const FUNCREF = 0x70;

/** Type 0 is (packed budget, index) -> (), type 1 (slot, index) -> (). */
function types(): Code {
  return section((code) => {
    code.unsigned(2);
    for (const first of [TYPE.I64, TYPE.I32]) {
      code.byte(0x60);
      code.unsigned(2);
      code.byte(first);
      code.byte(TYPE.I32);
      code.unsigned(0);
    }
  });
}

function imports(): Code {
  return section((code) => {
    code.unsigned(2);
    code.name('e');
    code.name('m');
    code.byte(2);
    code.byte(0);
    code.unsigned(1);
    code.name('e');
    code.name('t');
    code.byte(1);
    code.byte(FUNCREF);
    code.byte(0);
    code.unsigned(1);
  });
}

function functions(kinds: readonly number[]): Code {
  return section((code) => {
    code.unsigned(kinds.length);
    for (const kind of kinds) code.unsigned(kind);
  });
}

/** Puts functions 0 to `count` - 1 into the table from `slot` on. */
function elements(slot: number, count: number): Code {
  return section((code) => {
    code.unsigned(1);
    code.unsigned(0);
    code.i32(slot);
    code.byte(OP.END);
    code.unsigned(count);
    for (let k = 0; k < count; k++) code.unsigned(k);
  });
}

function bodies(list: readonly Uint8Array[]): Code {
  return section((code) => {
    code.unsigned(list.length);
    for (const body of list) code.vector(body);
  });
}

/** What a machine needs before any translation: slot 0, which comes back, and `enter`, by which the machine goes in. */
export function baseModule(): Uint8Array {
  const leave = section((code) => {
    code.unsigned(0);
    comeBack(code);
    code.byte(OP.END);
  });
  const enter = section((code) => {
    code.unsigned(0);
    code.i32(0);
    code.memory(OP.I64_LOAD, HEAD.ACC);
    code.get(1);
    code.get(0);
    code.byte(OP.CALL_INDIRECT);
    code.unsigned(0);
    code.unsigned(0);
    code.byte(OP.END);
  });
  const exported = section((code) => {
    code.unsigned(1);
    code.name('enter');
    code.byte(0);
    code.unsigned(1);
  });
  return encodeModule([
    [SECTION.TYPE, types()], [SECTION.IMPORT, imports()], [SECTION.FUNCTION, functions([0, 1])], [SECTION.EXPORT, exported],
    [SECTION.ELEMENT, elements(0, 1)], [SECTION.CODE, bodies([leave.bytes, enter.bytes])],
  ]);
}

/** Regions translated one after the other into one module, which fills the table from `slot` on in their order. */
export class ModuleBuilder {
  readonly slot: number;
  readonly regions: Region[] = [];
  /** Heads of loops inside the regions. */
  readonly heads = new Set<number>();
  /** Entries that are heads of loops themselves. */
  readonly loops = new Set<number>();
  readonly #target: Target;
  readonly #bodies: Uint8Array[] = [];

  constructor(target: Target, slot: number) {
    this.#target = target;
    this.slot = slot;
  }

  /** Translates the region at `entry`. */
  add(entry: number, reach: Reach): Region {
    const region = findRegion(this.#target.source, entry, reach);
    const { body, heads } = emitRegion(this.#target, region);
    this.regions.push(region);
    this.#bodies.push(body);
    for (const head of heads) this.heads.add(head);
    if (heads.includes(entry)) this.loops.add(entry);
    return region;
  }

  /** The module's bytes. */
  encode(): Uint8Array {
    const count = this.#bodies.length;
    return encodeModule([
      [SECTION.TYPE, types()], [SECTION.IMPORT, imports()], [SECTION.FUNCTION, functions(this.#bodies.map(() => 0))],
      [SECTION.ELEMENT, elements(this.slot, count)], [SECTION.CODE, bodies(this.#bodies)],
    ]);
  }
}
