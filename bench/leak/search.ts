/** A secret to look for. Leaks name it and never show its bytes. */
export interface Sought {
  readonly name: string;
  readonly kind: 'value' | 'key' | 'seed' | 'owner';
  readonly bytes: Uint8Array;
}

/** Bytes somebody can see: a record, a store, what crossed a link. */
export interface Place {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Part of a secret found in a place. */
export interface Leak {
  readonly place: string;
  readonly name: string;
  readonly kind: Sought['kind'];
  readonly form: 'raw' | 'hex' | 'base64';
  /** Bytes of the secret in one piece. */
  readonly length: number;
}

/** How a search is made. */
export interface LeakSearch {
  /** Consecutive bytes of a secret that count as found; default and least 8. */
  readonly atLeast?: number;
  /** What everybody may see, for example digests: pieces of secrets that stand in it are not looked for. */
  readonly allowed?: readonly Uint8Array[];
}

const shortest = 8;
/** A piece with fewer different bytes says nothing: runs of zeros and the like stand everywhere. */
const leastDifferent = 4;

interface Piece {
  readonly sought: Sought;
  readonly offset: number;
}

type Pieces = ReadonlyMap<number, readonly Piece[]>;

const startOf = (bytes: Uint8Array, at: number): number => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function piecesOf(sought: readonly Sought[], length: number, allowed: readonly Uint8Array[]): Pieces {
  const open = allowed.map(bufferOf);
  const pieces = new Map<number, Piece[]>();
  for (const one of sought)
    for (let offset = 0; offset + length <= one.bytes.length; offset += 1) {
      const piece = bufferOf(one.bytes).subarray(offset, offset + length);
      if (new Set(piece).size < leastDifferent || open.some((bytes) => bytes.includes(piece))) continue;
      const start = startOf(one.bytes, offset);
      pieces.set(start, [...(pieces.get(start) ?? []), { sought: one, offset }]);
    }
  return pieces;
}

/** Bytes that agree from two places on. */
function agreeing(a: Uint8Array, from: number, b: Uint8Array, at: number): number {
  let length = 0;
  while (from + length < a.length && at + length < b.length && a[from + length] === b[at + length]) length += 1;
  return length;
}

function scan(bytes: Uint8Array, pieces: Pieces, atLeast: number, found: (sought: Sought, length: number) => void): void {
  for (let at = 0; at + atLeast <= bytes.length; at += 1)
    for (const { sought, offset } of pieces.get(startOf(bytes, at)) ?? []) {
      const length = agreeing(sought.bytes, offset, bytes, at);
      if (length >= atLeast) found(sought, length);
    }
}

/** Runs of characters of an alphabet, decoded from each of the first `phases` characters on. */
function* decoded(text: string, alphabet: RegExp, phases: number, encoding: 'hex' | 'base64'): Generator<Uint8Array> {
  for (const [run] of text.matchAll(alphabet))
    for (let phase = 0; phase < phases; phase += 1) yield Buffer.from(run.slice(phase), encoding);
}

function* readings(bytes: Uint8Array, atLeast: number): Generator<readonly [Leak['form'], Uint8Array]> {
  yield ['raw', bytes];
  const text = bufferOf(bytes).toString('latin1');
  for (const read of decoded(text, new RegExp(`[0-9A-Fa-f]{${2 * atLeast},}`, 'g'), 2, 'hex')) yield ['hex', read];
  const digits = Math.ceil((4 * atLeast) / 3);
  for (const read of decoded(text, new RegExp(`[A-Za-z0-9+/_-]{${digits},}`, 'g'), 4, 'base64')) yield ['base64', read];
}

/**
 * Every secret of which at least `atLeast` consecutive bytes stand in a place, as they are, in hexadecimal or in base64
 * (both alphabets), wherever they begin; the longest piece for each secret, place and form.
 */
export function findLeaks(sought: readonly Sought[], places: readonly Place[], { atLeast = shortest, allowed = [] }: LeakSearch = {}): readonly Leak[] {
  const least = Math.max(shortest, atLeast);
  const pieces = piecesOf(sought, least, allowed);
  const leaks = new Map<string, Leak>();
  for (const { name: place, bytes } of places)
    for (const [form, read] of readings(bytes, least))
      scan(read, pieces, least, ({ name, kind }, length) => {
        const key = `${place}\n${name}\n${form}`;
        if (length > (leaks.get(key)?.length ?? 0)) leaks.set(key, { place, name, kind, form, length });
      });
  return [...leaks.values()];
}

/** Secrets a search cannot find because they are too short or nothing of them is secret: a search for them proves nothing. */
export function notSearchable(sought: readonly Sought[], { atLeast = shortest, allowed = [] }: LeakSearch = {}): readonly string[] {
  const pieces = [...piecesOf(sought, Math.max(shortest, atLeast), allowed).values()].flat();
  const searched = new Set(pieces.map((piece) => piece.sought));
  return sought.filter((one) => !searched.has(one)).map(({ name }) => name);
}
