import { KIND } from '../cpu/kinds.js';
import { DATA, type Handler } from './emit-data.js';
import { MEMORY, intoNext, popWithPc } from './emit-memory.js';
import { Emitter, FLAG, LOCAL, REASON, REASON_SHIFT, type Target } from './emitter.js';
import { Code, OP, TYPE } from './encoder.js';
import { kindOf } from './flow.js';
import { plan, takenCost } from './budget.js';
import { graphOf, type Graph, type Node } from './graph.js';
import { HEAD } from './layout.js';
import { fetchWait, type Edge, type Ending, type Region } from './region.js';

const HANDLERS: readonly (Handler | undefined)[] = Array.from({ length: 128 }, (_, kind) => DATA.get(kind) ?? MEMORY.get(kind));

/** True when translated code carries instructions of this kind out, in the course of a block. */
export function isEmitted(kind: number): boolean {
  return HANDLERS[kind] !== undefined;
}

/** What was emitted for a region. */
export interface Emitted {
  /** Function body: locals and code, without its length. */
  readonly body: Uint8Array;
  /** Heads of loops inside, which are good places to enter at. */
  readonly heads: readonly number[];
}

/** Pushes the truth of condition `kind` from A and B, where they are the operands compared; undefined when that does not do. */
const COMPARED: ReadonlyMap<number, number> = new Map([
  [KIND.BEQ, OP.I32_EQ], [KIND.BNE, OP.I32_NE], [KIND.BCS, OP.I32_GE_U], [KIND.BCC, OP.I32_LT_U], [KIND.BHI, OP.I32_GT_U],
  [KIND.BLS, OP.I32_LE_U], [KIND.BGE, OP.I32_GE_S], [KIND.BLT, OP.I32_LT_S], [KIND.BGT, OP.I32_GT_S], [KIND.BLE, OP.I32_LE_S],
]);

/** Pushes whether the XOR of what was pushed is negative, or not. */
function sign(e: Emitter, negative: boolean): void {
  e.with(0, negative ? OP.I32_LT_S : OP.I32_GE_S);
}

function zero(e: Emitter, isZero: boolean): void {
  e.flag(LOCAL.NZ);
  e.op(OP.I32_EQZ);
  if (!isZero) e.op(OP.I32_EQZ);
}

function carry(e: Emitter, set: boolean): void {
  e.pushC();
  if (!set) e.op(OP.I32_EQZ);
}

function signed(e: Emitter, less: boolean): void {
  e.flag(LOCAL.NZ);
  e.pushV();
  e.op(OP.I32_XOR);
  sign(e, less);
}

/** Truth of each condition from the flags. */
const CONDITIONS: ReadonlyMap<number, (e: Emitter) => void> = new Map<number, (e: Emitter) => void>([
  [KIND.BEQ, (e) => { zero(e, true); }], [KIND.BNE, (e) => { zero(e, false); }],
  [KIND.BCS, (e) => { carry(e, true); }], [KIND.BCC, (e) => { carry(e, false); }],
  [KIND.BMI, (e) => { e.flag(LOCAL.NZ); sign(e, true); }], [KIND.BPL, (e) => { e.flag(LOCAL.NZ); sign(e, false); }],
  [KIND.BVS, (e) => { e.pushV(); sign(e, true); }], [KIND.BVC, (e) => { e.pushV(); sign(e, false); }],
  [KIND.BHI, (e) => { carry(e, true); zero(e, false); e.op(OP.I32_AND); }],
  [KIND.BLS, (e) => { carry(e, false); zero(e, true); e.op(OP.I32_OR); }],
  [KIND.BGE, (e) => { signed(e, false); }], [KIND.BLT, (e) => { signed(e, true); }],
  [KIND.BGT, (e) => { zero(e, false); signed(e, false); e.op(OP.I32_AND); }],
  [KIND.BLE, (e) => { zero(e, true); signed(e, true); e.op(OP.I32_OR); }],
]);

function condition(e: Emitter, kind: number): void {
  const opcode = e.compared ? COMPARED.get(kind) : undefined;
  if (opcode === undefined) {
    CONDITIONS.get(kind)?.(e);
    return;
  }
  e.code.get(LOCAL.A);
  e.code.get(LOCAL.B);
  e.op(opcode);
}

/**
 * Writes a region with structured control flow from its dominator tree (N. Ramsey, Beyond Relooper, ICFP 2022):
 * a loop head becomes `loop`, a block reached by several forward edges stands behind a `block` that ends there.
 */
class RegionWriter {
  readonly #e: Emitter;
  readonly #graph: Graph;

  constructor(e: Emitter, graph: Graph) {
    this.#e = e;
    this.#graph = graph;
  }

  /** Writes a node and what it dominates; `straight`: the code before leads into it. */
  tree(node: Node, straight = false): void {
    const e = this.#e;
    if (straight && node.loop) {
      e.settleFlags(node.live);
      e.settleCharge();
    }
    const merges = node.children.filter((child) => child.merge).sort((a, b) => b.order - a.order);
    if (node.loop) e.open(OP.LOOP, { kind: 'loop', node });
    for (const merge of merges) e.open(OP.BLOCK, { kind: 'follow', node: merge });
    this.#block(node);
    for (const merge of merges.reverse()) {
      e.close();
      this.tree(merge);
    }
    if (node.loop) e.close();
  }

  #block(node: Node): void {
    const e = this.#e;
    const { block } = node;
    if (node.merge || node.loop || node.order === 0) e.forget();
    e.rest = block.cost;
    if (node.check) {
      e.settleCharge();
      e.short(node.worst);
      e.leaveIf(block.start, REASON.BUDGET);
    }
    for (let k = 0; k < block.ops.length && !e.dead; k++) {
      this.#instruction(block.ops[k], block.indices[k]);
      e.passed(block.ops[k]);
    }
    if (!e.dead) this.#ending(node, block.ending);
  }

  #instruction(op: number, index: number): void {
    const e = this.#e;
    const kind = kindOf(op);
    if (kind === KIND.BL) {
      e.setKnown(14, (e.target.source.segment.base + index * 2 + 4) | 1);
      return;
    }
    const handler = HANDLERS[kind];
    if (handler === undefined) throw new RangeError(`instruction kind ${kind} has no translation`);
    handler(e, op, index);
  }

  #ending(node: Node, ending: Ending): void {
    const e = this.#e;
    if (ending.kind === 'back') e.leave(ending.index, REASON.BACK);
    else if (ending.kind === 'goto') {
      e.owe(ending.cycles, ending.instructions);
      this.#go(node, ending.to);
    } else if (ending.kind === 'computed') this.#computed(node, ending);
    else this.#conditional(node, ending);
  }

  #conditional(node: Node, ending: Extract<Ending, { kind: 'branch' }>): void {
    const e = this.#e;
    const { source } = e.target;
    condition(e, kindOf(ending.op));
    e.passed(ending.op);
    const state = e.save();
    e.open(OP.IF);
    e.owe(takenCost(source, ending), 0);
    this.#go(node, ending.taken);
    e.close();
    e.restore(state);
    this.#go(node, ending.next);
  }

  /** Goes on at a block or outside; what the other side cannot know is settled first. */
  #go(from: Node, edge: Edge): void {
    const e = this.#e;
    const to = this.#graph.follow(from.block, edge);
    if (to !== undefined && !to.merge && to.order > from.order) {
      this.tree(to, true);
      return;
    }
    e.settleFlags(to === undefined ? FLAG.BOTH : to.live);
    e.settleCharge();
    if (to === undefined) {
      e.code.i32('block' in edge ? edge.block.start : edge.outside);
      e.code.set(LOCAL.NEXT);
      e.branch('exit');
    } else e.branch(to.order <= from.order ? 'loop' : 'follow', to);
  }

  #computed(node: Node, ending: Extract<Ending, { kind: 'computed' }>): void {
    const e = this.#e;
    const { op, index } = ending;
    const kind = kindOf(op);
    const { segment } = e.target.source;
    if (kind === KIND.POP_PC) popWithPc(e, op, index);
    else {
      e.get((op >>> 20) & 15);
      if (kind === KIND.MOV_PC) this.#movePc(index);
      else intoNext(e, index);
      if (kind === KIND.BLX) e.setKnown(14, (segment.base + (index + 1) * 2) | 1);
    }
    e.passed(op);
    if (ending.back !== undefined) this.#expectedReturn(node, ending.back);
    e.settleFlags();
    e.settleCharge();
    if (segment.waitStates > 0) {
      e.code.get(LOCAL.ACC);
      e.code.get(LOCAL.NEXT);
      e.with(1, OP.I32_AND);
      e.with(segment.waitStates, OP.I32_MUL);
      e.op(OP.I64_EXTEND_I32_U);
      e.op(OP.I64_SUB);
      e.code.set(LOCAL.ACC);
    }
    e.branch('exit');
  }

  #movePc(index: number): void {
    const e = this.#e;
    const { segment } = e.target.source;
    e.with(segment.base, OP.I32_SUB);
    e.with(1, OP.I32_SHR_U);
    e.code.tee(LOCAL.NEXT);
    e.with(segment.size >>> 1, OP.I32_GE_U);
    e.leaveIf(index);
  }

  /** A callee that was followed goes on in its caller when it returns to where it was called from. */
  #expectedReturn(node: Node, back: Edge): void {
    const e = this.#e;
    const index = 'block' in back ? back.block.start : back.outside;
    e.code.get(LOCAL.NEXT);
    e.with(index, OP.I32_EQ);
    const state = e.save();
    e.open(OP.IF);
    e.owe(fetchWait(e.target.source, index), 0);
    this.#go(node, back);
    e.close();
    e.restore(state);
  }
}

/** Offset in the head of the local that bit `k` of the emitter's masks stands for. */
function homeOf(k: number): number {
  if (k < 15) return HEAD.R + 4 * k;
  return [HEAD.NZ, HEAD.C, HEAD.V][k - 15];
}

function eachBit(mask: number, action: (k: number) => void): void {
  for (let k = 0; k < 18; k++) if ((mask & (1 << k)) !== 0) action(k);
}

function loadState(code: Code, mask: number): void {
  eachBit(mask, (k) => {
    code.i32(0);
    code.memory(OP.I32_LOAD, homeOf(k));
    code.set(LOCAL.R + k);
  });
}

function storeState(code: Code, mask: number): void {
  eachBit(mask, (k) => {
    code.i32(0);
    code.get(LOCAL.R + k);
    code.memory(OP.I32_STORE, homeOf(k));
  });
}

/** Goes on at the region of NEXT, which names no reason; slot 0 comes back to the caller. */
function dispatch(code: Code, map: number): void {
  code.get(LOCAL.ACC);
  code.get(LOCAL.NEXT);
  code.get(LOCAL.NEXT);
  code.i32(1);
  code.byte(OP.I32_SHL);
  code.memory(OP.I32_LOAD16_U, map);
  code.byte(OP.RETURN_CALL_INDIRECT);
  code.unsigned(0);
  code.unsigned(0);
}

/** Gives budget and exit word to the machine. */
export function comeBack(code: Code): void {
  code.i32(0);
  code.get(LOCAL.ACC);
  code.memory(OP.I64_STORE, HEAD.ACC);
  code.i32(0);
  code.get(LOCAL.NEXT);
  code.memory(OP.I32_STORE, HEAD.EXIT);
}

/** Emits one region as a function (packed budget, index) -> (). */
export function emitRegion(target: Target, region: Region): Emitted {
  const graph = graphOf(region.first);
  plan(target.source, graph);
  const e = new Emitter(target, region.written);
  e.labels.push({ kind: 'exit', node: undefined });
  new RegionWriter(e, graph).tree(graph.entry);
  const body = new Code();
  body.unsigned(1);
  body.unsigned(LOCAL.LAST - LOCAL.NEXT);
  body.byte(TYPE.I32);
  loadState(body, e.used);
  body.byte(OP.BLOCK);
  body.byte(TYPE.VOID);
  body.append(e.code.bytes);
  body.byte(OP.END);
  storeState(body, e.written & e.used);
  body.get(LOCAL.NEXT);
  body.i32(1 << REASON_SHIFT);
  body.byte(OP.I32_LT_U);
  body.byte(OP.IF);
  body.byte(TYPE.VOID);
  dispatch(body, target.layout.map);
  body.byte(OP.END);
  comeBack(body);
  body.byte(OP.END);
  return { body: body.bytes.slice(), heads: graph.nodes.filter((node) => node.loop).map((node) => node.block.start) };
}
