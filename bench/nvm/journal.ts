import { conditionOf, crc32, fixedPages, isErased, pageOf, u16, u32 } from './layout.js';

/** The journal as found: what a card does with it after power-on. */
export type Journal =
  | { readonly kind: 'absent' }
  /** Will be carried out: the pages it changes, in order. */
  | { readonly kind: 'valid'; readonly transaction: number; readonly targets: readonly number[] }
  /** Will be erased; nothing else happens. */
  | { readonly kind: 'torn'; readonly reason: string };

const magic = [0x4a, 0x52, 0x4e, 0x31]; // JRN1

function fault(image: Uint8Array, header: Uint8Array, targets: readonly number[]): string | undefined {
  const pages = image.length / 64;
  if (conditionOf(header) === 'damaged') return 'header CRC';
  if (!magic.every((byte, i) => header[i] === byte)) return 'magic';
  if (header[8] !== 1 && header[8] !== 2) return 'count';
  if (targets.some((page) => page >= pages)) return 'target outside the memory';
  const slots = targets.map((_, i) => crc32(pageOf(image, fixedPages.slot0 + i)) === u32(header, 16 + 4 * i));
  const wrong = slots.indexOf(false);
  return wrong < 0 ? undefined : `CRC of slot ${wrong}`;
}

/** Reads the journal header and slots of an image (docs/firmware.md, Atomic change). */
export function readJournal(image: Uint8Array): Journal {
  const header = pageOf(image, fixedPages.journalHeader);
  if (isErased(header)) return { kind: 'absent' };
  const targets = [u16(header, 12), u16(header, 14)].slice(0, header[8] === 2 ? 2 : 1);
  const reason = fault(image, header, targets);
  return reason === undefined ? { kind: 'valid', transaction: u32(header, 4), targets } : { kind: 'torn', reason };
}

/** The image as a booted card leaves it: a valid journal carried out, the header erased. The input is not changed. */
export function settle(image: Uint8Array, journal: Journal = readJournal(image)): Uint8Array {
  const out = image.slice();
  if (journal.kind === 'absent') return out;
  if (journal.kind === 'valid')
    journal.targets.forEach((page, i) => out.set(pageOf(image, fixedPages.slot0 + i), page * 64));
  pageOf(out, fixedPages.journalHeader).fill(0xff);
  return out;
}
