/**
 * A persistent sorted map (AVL tree): every version stays valid, so keeping one costs nothing. Keys are compared
 * as JavaScript strings (ASCII keys: byte order).
 */
export interface Tree {
  readonly key: string;
  readonly value: Uint8Array;
  readonly height: number;
  readonly left: Tree | undefined;
  readonly right: Tree | undefined;
}

/** Counts key comparisons; give the same object to all calls of one lookup. */
export interface Comparisons {
  count: number;
}

const heightOf = (tree: Tree | undefined): number => tree?.height ?? 0;

function node(key: string, value: Uint8Array, left: Tree | undefined, right: Tree | undefined): Tree {
  return { key, value, left, right, height: 1 + Math.max(heightOf(left), heightOf(right)) };
}

function rotateRight(tree: Tree, left: Tree): Tree {
  return node(left.key, left.value, left.left, node(tree.key, tree.value, left.right, tree.right));
}

function rotateLeft(tree: Tree, right: Tree): Tree {
  return node(right.key, right.value, node(tree.key, tree.value, tree.left, right.left), right.right);
}

function balanced(key: string, value: Uint8Array, left: Tree | undefined, right: Tree | undefined): Tree {
  const tree = node(key, value, left, right);
  const lean = heightOf(left) - heightOf(right);
  if (left && lean > 1) {
    const inner = left.right;
    const straight = inner && inner.height > heightOf(left.left) ? rotateLeft(left, inner) : left;
    return rotateRight(tree, straight);
  }
  if (right && lean < -1) {
    const inner = right.left;
    const straight = inner && inner.height > heightOf(right.right) ? rotateRight(right, inner) : right;
    return rotateLeft(tree, straight);
  }
  return tree;
}

/** The value of a key, undefined when absent; O(log n) comparisons. */
export function treeGet(tree: Tree | undefined, key: string, comparisons: Comparisons): Uint8Array | undefined {
  let at = tree;
  while (at) {
    comparisons.count += 1;
    if (key === at.key) return at.value;
    at = key < at.key ? at.left : at.right;
  }
  return undefined;
}

/** A version with the key set. */
export function treePut(tree: Tree | undefined, key: string, value: Uint8Array, comparisons: Comparisons): Tree {
  if (!tree) return node(key, value, undefined, undefined);
  comparisons.count += 1;
  if (key === tree.key) return node(key, value, tree.left, tree.right);
  return key < tree.key
    ? balanced(tree.key, tree.value, treePut(tree.left, key, value, comparisons), tree.right)
    : balanced(tree.key, tree.value, tree.left, treePut(tree.right, key, value, comparisons));
}

function leftmost(tree: Tree): Tree {
  return tree.left ? leftmost(tree.left) : tree;
}

/** A version without the key. */
export function treeDelete(tree: Tree | undefined, key: string, comparisons: Comparisons): Tree | undefined {
  if (!tree) return undefined;
  comparisons.count += 1;
  if (key < tree.key) return balanced(tree.key, tree.value, treeDelete(tree.left, key, comparisons), tree.right);
  if (key > tree.key) return balanced(tree.key, tree.value, tree.left, treeDelete(tree.right, key, comparisons));
  if (!tree.left || !tree.right) return tree.left ?? tree.right;
  const heir = leftmost(tree.right);
  return balanced(heir.key, heir.value, tree.left, treeDelete(tree.right, heir.key, comparisons));
}

/** Entries whose key starts with `prefix`, in ascending order. */
export function* treeRange(tree: Tree | undefined, prefix: string): Generator<readonly [string, Uint8Array]> {
  if (!tree) return;
  const head = tree.key.slice(0, prefix.length);
  if (head >= prefix) yield* treeRange(tree.left, prefix);
  if (head === prefix) yield [tree.key, tree.value];
  if (head <= prefix) yield* treeRange(tree.right, prefix);
}
