import type { Block, Edge } from './region.js';

/** A block with its place in the control-flow graph of its region. */
export interface Node {
  readonly block: Block;
  /** Number in reverse postorder. */
  readonly order: number;
  /** Immediate dominator; the entry's is itself. */
  dominator: Node;
  readonly children: Node[];
  /** Blocks that go to this one, by edges that are kept. */
  readonly from: Node[];
  /** Target of a back edge. */
  loop: boolean;
  /** Reached by two or more forward edges. */
  merge: boolean;
  /** Where it goes on; filled in by the budget's plan. */
  ways: readonly Way[];
  /** The budget is looked at here. */
  check: boolean;
  /** Most cycles from here to the next block at which the budget is looked at, or out of the region. */
  worst: number;
  /** Flags that may be looked at before they are set anew: bits of {@link FLAG}. */
  live: number;
}

/** A way out of a block; `to` is undefined when it leaves the region. */
export interface Way {
  readonly to: Node | undefined;
  /** Cycles of the way itself, beyond the block's cost. */
  readonly extra: number;
}

/** A region's graph, made reducible. */
export interface Graph {
  readonly entry: Node;
  /** Where an edge leads; undefined when it leaves the region, as an edge into the middle of a loop does. */
  follow(from: Block, edge: Edge): Node | undefined;
  readonly nodes: readonly Node[];
}

/** Blocks of the region that a block goes to. */
function targets({ ending }: Block): Block[] {
  const blocks: Block[] = [];
  const add = (edge: Edge | undefined): void => { if (edge !== undefined && 'block' in edge) blocks.push(edge.block); };
  if (ending.kind === 'goto') add(ending.to);
  else if (ending.kind === 'branch') {
    add(ending.taken);
    add(ending.next);
  } else if (ending.kind === 'computed') add(ending.back);
  return blocks;
}

/** Blocks in reverse postorder of a depth-first walk. */
function reversePostorder(entry: Block): Block[] {
  const done: Block[] = [];
  const seen = new Set<Block>([entry]);
  const stack: { readonly block: Block; readonly next: Block[] }[] = [{ block: entry, next: targets(entry) }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const next = top.next.pop();
    if (next === undefined) {
      done.push(top.block);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ block: next, next: targets(next) });
    }
  }
  return done.reverse();
}

function intersect(one: Node, other: Node): Node {
  let [a, b] = [one, other];
  while (a !== b) {
    while (a.order > b.order) a = a.dominator;
    while (b.order > a.order) b = b.dominator;
  }
  return a;
}

/** Immediate dominators (Cooper, Harvey and Kennedy, A Simple, Fast Dominance Algorithm). */
function dominate(nodes: readonly Node[]): void {
  const placed = new Set<Node>([nodes[0]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes.slice(1)) {
      const known = node.from.filter((from) => placed.has(from));
      const best = known.reduce(intersect);
      if (placed.has(node) && node.dominator === best) continue;
      node.dominator = best;
      placed.add(node);
      changed = true;
    }
  }
}

function dominates(node: Node, other: Node): boolean {
  let at = other;
  while (at.order > node.order) at = at.dominator;
  return at === node;
}

/** Takes out the edges that enter a loop elsewhere than at its head; true when there was one. */
function cut(nodes: readonly Node[]): boolean {
  let any = false;
  for (const node of nodes) {
    for (let k = node.from.length - 1; k >= 0; k--) {
      const from = node.from[k];
      if (from.order < node.order || dominates(node, from)) continue;
      node.from.splice(k, 1);
      any = true;
    }
  }
  return any;
}

function classify(nodes: readonly Node[]): void {
  for (const node of nodes) {
    const forward = node.from.filter((from) => from.order < node.order).length;
    node.loop = forward < node.from.length;
    node.merge = forward > 1;
    if (node.order > 0) node.dominator.children.push(node);
  }
}

/**
 * The graph of the blocks reached from `entry`. What is irreducible is made reducible by letting the offending
 * edges leave the region: their targets are entries of regions of their own.
 */
export function graphOf(entry: Block): Graph {
  const byBlock = new Map<Block, Node>();
  const nodes = reversePostorder(entry).map((block, order) => {
    const node = { block, order, children: [], from: [], loop: false, merge: false } as unknown as Node;
    node.dominator = node;
    byBlock.set(block, node);
    return node;
  });
  for (const node of nodes) for (const block of targets(node.block)) byBlock.get(block)?.from.push(node);
  dominate(nodes);
  if (cut(nodes)) dominate(nodes);
  classify(nodes);
  const follow = (from: Block, edge: Edge): Node | undefined => {
    const to = 'block' in edge ? byBlock.get(edge.block) : undefined;
    const source = byBlock.get(from);
    return to !== undefined && source !== undefined && to.from.includes(source) ? to : undefined;
  };
  return { entry: nodes[0], follow, nodes };
}
