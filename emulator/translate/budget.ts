import { KIND } from '../cpu/kinds.js';
import { FLAG } from './emitter.js';
import { flowOf, kindOf } from './flow.js';
import type { Graph, Node, Way } from './graph.js';
import { fetchWait, targetOf, type Edge, type Ending, type Source } from './region.js';

/** Cycles for which a look at the budget may be good: what is left below that is interpreted. */
const CHECK_BOUND = 128;

/** Cycles a conditional branch costs more when it is taken. */
export function takenCost(source: Source, ending: Extract<Ending, { kind: 'branch' }>): number {
  const { conditionalTaken, conditionalNotTaken } = source.table;
  return conditionalTaken - conditionalNotTaken + fetchWait(source, targetOf(ending.op, ending.index));
}

function waysOf(source: Source, graph: Graph, node: Node): Way[] {
  const { block } = node;
  const { ending } = block;
  const way = (edge: Edge, extra: number): Way => ({ to: graph.follow(block, edge), extra });
  if (ending.kind === 'goto') return [way(ending.to, 0)];
  if (ending.kind === 'branch') return [way(ending.taken, takenCost(source, ending)), way(ending.next, 0)];
  if (ending.kind === 'computed' && ending.back !== undefined) return [way(ending.back, source.segment.waitStates), { to: undefined, extra: 0 }];
  return [{ to: undefined, extra: 0 }];
}

/**
 * Chooses where the budget is looked at: the entry, every loop, and further blocks so that no way between two looks
 * costs more than the bound. With wait states every block looks, because reads may cost more than they say.
 */
function placeChecks(source: Source, graph: Graph): void {
  const everywhere = source.segment.waitStates > 0;
  for (const node of graph.nodes) node.check = everywhere || node.order === 0 || node.loop;
  for (const node of [...graph.nodes].reverse()) {
    const { ways } = node;
    for (const { to, extra } of ways) {
      if (to !== undefined && !to.check && node.block.cost + extra + to.worst > CHECK_BOUND) to.check = true;
    }
    const behind = ways.map(({ to, extra }) => extra + (to === undefined || to.check ? 0 : to.worst));
    node.worst = node.block.cost + Math.max(...behind);
  }
}

const SETS_BOTH = [
  KIND.ADDS_REG, KIND.ADDS_IMM, KIND.SUBS_REG, KIND.SUBS_IMM, KIND.CMP_REG, KIND.CMP_IMM, KIND.CMN, KIND.RSBS, KIND.ADCS, KIND.SBCS,
];
const SETS_C = [KIND.LSLS_IMM, KIND.LSRS_IMM, KIND.ASRS_IMM, KIND.LSRS_32, KIND.ASRS_32];
const USES_C = [KIND.ADCS, KIND.SBCS, KIND.LSLS_REG, KIND.LSRS_REG, KIND.ASRS_REG, KIND.RORS, KIND.BCS, KIND.BCC, KIND.BHI, KIND.BLS];
const USES_V = [KIND.BVS, KIND.BVC, KIND.BGE, KIND.BLT, KIND.BGT, KIND.BLE];

/** True for instructions before which translated code may leave. */
function mayLeave(kind: number): boolean {
  const plainLoadOrStore = kind >= KIND.STR_REG && kind <= KIND.LDRH_IMM;
  const multiple = kind >= KIND.PUSH && kind <= KIND.LDM;
  const stack = kind === KIND.ADD_SP_REG || kind === KIND.MOV_SP_REG || kind === KIND.SUB_SP_IMM;
  return plainLoadOrStore || multiple || stack || flowOf(kind) === 'computed';
}

/** By kind: the flags that are still seen before an instruction if they are behind it, and those it makes seen. */
const PASSES = new Uint8Array(128).fill(FLAG.BOTH);
const SHOWS = new Uint8Array(128);
for (const kind of SETS_BOTH) PASSES[kind] = 0;
for (const kind of SETS_C) PASSES[kind] = FLAG.V;
for (const kind of USES_C) SHOWS[kind] |= FLAG.C;
for (const kind of USES_V) SHOWS[kind] |= FLAG.V;
for (const kind of Object.values(KIND)) if (mayLeave(kind)) SHOWS[kind] = FLAG.BOTH;

/** Flags seen before `op` when those in `after` are seen behind it. */
function before(op: number, after: number): number {
  const kind = kindOf(op);
  return (after & PASSES[kind]) | SHOWS[kind];
}

function liveAt(node: Node, behind: number): number {
  if (node.check) return FLAG.BOTH;
  const { ops, ending } = node.block;
  let live = behind;
  if (ending.kind === 'back') live = FLAG.BOTH;
  else if (ending.kind !== 'goto') live = before(ending.op, live);
  for (let k = ops.length - 1; k >= 0; k--) live = before(ops[k], live);
  return live;
}

/** Finds where C and V can be seen; everybody outside sees them. */
function findLive(graph: Graph): void {
  const backward = [...graph.nodes].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of backward) {
      let behind = 0;
      for (const { to } of node.ways) behind |= to === undefined ? FLAG.BOTH : to.live;
      const live = liveAt(node, behind);
      changed ||= live !== node.live;
      node.live = live;
    }
  }
}

/** Fills in where the budget is looked at and which flags are live, node by node. */
export function plan(source: Source, graph: Graph): void {
  for (const node of graph.nodes) {
    node.live = 0;
    node.ways = waysOf(source, graph, node);
  }
  placeChecks(source, graph);
  findLive(graph);
}
