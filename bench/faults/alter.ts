import { concat, fromHex, uintBytes, uintOf, writeTlv } from '../codec/index.js';
import type { Alteration } from '../../scenarios/index.js';

/** A TLV object as a tree that can be changed and written again; `raw` replaces the encoding of the node. */
interface Node {
  readonly tag: number;
  content: Uint8Array;
  children: Node[] | undefined;
  raw?: Uint8Array;
}

const constructedTags = (tag: number): boolean => tag >= 0xe0;

/** Header and content length of the element at an offset; lengths in a longer form than needed are taken too. */
function headerAt(bytes: Uint8Array, at: number): { readonly header: number; readonly length: number } {
  const form = bytes[at + 1];
  if (form === 0x81) return { header: 3, length: bytes[at + 2] };
  if (form === 0x82) return { header: 4, length: uintOf(bytes.slice(at + 2, at + 4)) };
  return { header: 2, length: form };
}

function readNodes(bytes: Uint8Array): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length;) {
    const { header, length } = headerAt(bytes, at);
    const tag = bytes[at];
    const end = at + header + length;
    const content = bytes.slice(at + header, end);
    const shortest = writeTlv(tag, content).length === header + length;
    const node: Node = { tag, content, children: shortest && constructedTags(tag) ? readNodes(content) : undefined };
    nodes.push(shortest ? node : { ...node, raw: bytes.slice(at, end) });
    at = end;
  }
  return nodes;
}

function writeNode(node: Node): Uint8Array {
  if (node.raw !== undefined) return node.raw;
  return writeTlv(node.tag, node.children === undefined ? node.content : writeNodes(node.children));
}

const writeNodes = (nodes: readonly Node[]): Uint8Array => concat(...nodes.map(writeNode));

function flip(bytes: Uint8Array, bit: number): Uint8Array | undefined {
  const at = bit < 0 ? bytes.length * 8 + bit : bit;
  if (at < 0 || at >= bytes.length * 8) return undefined;
  const out = bytes.slice();
  out[at >> 3] ^= 0x80 >> (at & 7);
  return out;
}

/** Changes plain bytes; undefined where the change does not apply to bytes or would change nothing. */
function alterBytes(bytes: Uint8Array, how: Alteration): Uint8Array | undefined {
  switch (how.how) {
    case 'flip': return flip(bytes, how.bit);
    case 'set': return fromHex(how.bytes);
    case 'add': {
      const size = 2 ** (8 * bytes.length);
      return bytes.length > 4 ? undefined : uintBytes((((uintOf(bytes) + how.amount) % size) + size) % size, bytes.length);
    }
    case 'truncate': return how.bytes > bytes.length ? undefined : bytes.slice(0, bytes.length - how.bytes);
    case 'extend': return concat(bytes, new Uint8Array(how.bytes));
    default: return undefined;
  }
}

function longForm(node: Node, form: '81' | '82'): Uint8Array | undefined {
  const content = node.children === undefined ? node.content : writeNodes(node.children);
  if (form === '81' && content.length < 0x80) return concat(Uint8Array.of(node.tag, 0x81, content.length), content);
  if (form === '82' && content.length < 0x100)
    return concat(Uint8Array.of(node.tag, 0x82), uintBytes(content.length, 2), content);
  return undefined;
}

function alterAmong(nodes: Node[], index: number, how: Alteration): boolean {
  const node = nodes[index];
  if (how.how === 'remove') return nodes.splice(index, 1).length === 1;
  if (how.how === 'duplicate') return nodes.splice(index, 0, node).length === 0;
  if (how.how === 'reorder') {
    const next = nodes[index + 1];
    if (next === undefined) return false;
    nodes.splice(index, 2, next, node);
    return true;
  }
  if (how.how === 'length-form') {
    const raw = longForm(node, how.form);
    if (raw !== undefined) node.raw = raw;
    return raw !== undefined;
  }
  const content = alterBytes(node.children === undefined ? node.content : writeNodes(node.children), how);
  if (content === undefined) return false;
  node.content = content;
  node.children = undefined;
  return true;
}

function alterAt(nodes: Node[], path: readonly number[], how: Alteration): boolean {
  const index = nodes.findIndex((node) => node.tag === path[0]);
  if (index < 0) return false;
  if (path.length === 1) return alterAmong(nodes, index, how);
  const { children } = nodes[index];
  return children !== undefined && alterAt(children, path.slice(1), how);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Alters an encoded object: `element` is a path of tags below its template (`E2/83`), `whole` its encoding, `trailing`
 * what stands behind it. Enclosing lengths are made to fit. Undefined when nothing would be altered: the fault did
 * not apply.
 */
export function alterObject(bytes: Uint8Array, element: string, how: Alteration): Uint8Array | undefined {
  const altered = alterWhole(bytes, element, how);
  return altered === undefined || same(altered, bytes) ? undefined : altered;
}

function alterWhole(bytes: Uint8Array, element: string, how: Alteration): Uint8Array | undefined {
  if (element === 'trailing') {
    const extra = alterBytes(new Uint8Array(0), how);
    return extra === undefined ? undefined : concat(bytes, extra);
  }
  const nodes = readNodes(bytes);
  if (element === 'whole') {
    const plain = alterBytes(bytes, how);
    if (plain !== undefined) return plain;
    return alterAmong(nodes, 0, how) ? writeNodes(nodes) : undefined;
  }
  const root = nodes[0];
  if (root?.children === undefined) return undefined;
  return alterAt(root.children, element.split('/').map((tag) => parseInt(tag, 16)), how) ? writeNodes(nodes) : undefined;
}

/** The encoded elements of a template before its signature 92: what is signed (docs/protocol.md 1.3). */
export function beforeSignature(bytes: Uint8Array): Uint8Array {
  const children = readNodes(bytes)[0]?.children ?? [];
  const at = children.findIndex((node) => node.tag === 0x92);
  return writeNodes(at < 0 ? children : children.slice(0, at));
}

/** The object with another signature in its element 92. */
export function withSignature(bytes: Uint8Array, signature: Uint8Array): Uint8Array {
  const nodes = readNodes(bytes);
  const node = nodes[0]?.children?.find((child) => child.tag === 0x92);
  if (node !== undefined) node.content = signature;
  return writeNodes(nodes);
}
