import { decode, divisionOf } from './decode.js';
import type { NvmContents, NvmEntry } from './decode.js';
import type { AppletName } from './layout.js';
import { fixedPages, indexStart, isErased, pageOf, pageSize, safeArea } from './layout.js';

/** What a page belongs to. */
export type PageOwner =
  | { readonly kind: 'system'; readonly name: string }
  | { readonly kind: 'safe'; readonly number: number }
  | { readonly kind: 'entry'; readonly handle: number }
  /** A page of another applet's area, whatever is in it. */
  | { readonly kind: 'applet'; readonly name: AppletName }
  | { readonly kind: 'free entry' }
  /** Data region of an entry; `role` says which and why. */
  | { readonly kind: 'region'; readonly handle: number; readonly role: 'object' | 'reserved' | 'deleting' | 'alternative' }
  | { readonly kind: 'free' }
  /** A data page nobody owns that is not erased. */
  | { readonly kind: 'leftover' }
  /** An index page that holds no readable entry and is not erased. */
  | { readonly kind: 'damaged entry' }
  | { readonly kind: 'unused' };

/** Pages held by one wallet item. */
export interface Holder {
  readonly handle: number;
  readonly what: string;
  /** Bytes of whole pages in the data area. */
  readonly bytes: number;
}

/** Who owns which page, with sums for capacity reports. */
export interface PageMap {
  readonly owners: readonly PageOwner[];
  readonly freeBytes: number;
  readonly largestRunBytes: number;
  readonly freeEntries: number;
  /** Pages that hold something although nobody owns them. */
  readonly leftovers: readonly number[];
  readonly holders: readonly Holder[];
}

const systemNames = new Map<number, string>(Object.entries(fixedPages).map(([name, page]) => [page, name]));

function roleOf(entry: NvmEntry): 'object' | 'reserved' | 'deleting' {
  if (entry.state === 'RESERVED') return 'reserved';
  return entry.state === 'DELETING' ? 'deleting' : 'object';
}

function fixedOwner(page: number): PageOwner {
  const name = systemNames.get(page);
  if (name !== undefined) return { kind: 'system', name };
  const inSafes = page >= safeArea.first && page < safeArea.first + 2 * safeArea.count;
  return inSafes ? { kind: 'safe', number: (page - safeArea.first) >> 1 } : { kind: 'unused' };
}

function largestRun(owners: readonly PageOwner[]): number {
  let [best, run] = [0, 0];
  for (const owner of owners) {
    run = owner.kind === 'free' ? run + 1 : 0;
    best = Math.max(best, run);
  }
  return best * pageSize;
}

function regionOwners(contents: NvmContents): Map<number, PageOwner> {
  const owned = new Map<number, PageOwner>();
  for (const entry of contents.entries) {
    const parts = [[entry.region, roleOf(entry)] as const,
      ...(entry.alternative ? [[entry.alternative, 'alternative'] as const] : [])];
    for (const [{ firstPage, pages }, role] of parts)
      for (let page = firstPage; page < firstPage + pages; page += 1)
        owned.set(page, { kind: 'region', handle: entry.handle, role });
  }
  return owned;
}

/** Maps every page of an image (journal settled) to its owner. Throws NvmError NVM_SIZE. */
export function pageMap(image: Uint8Array): PageMap {
  const contents = decode(image);
  const settled = contents.settled();
  const { firstDataPage } = divisionOf(contents.pages);
  const regions = regionOwners(contents);
  const areas = new Map((contents.superblock?.areas ?? []).flatMap(({ applet, firstPage, pages }) =>
    Array.from({ length: pages }, (_, i) => [firstPage + i, applet] as const)));
  const entries = new Map(contents.entries.map((entry) => [entry.page, entry.handle]));
  const ownerOf = (page: number): PageOwner => {
    const erased = isErased(pageOf(settled, page));
    if (page < indexStart) return fixedOwner(page);
    const applet = areas.get(page);
    if (applet !== undefined) return { kind: 'applet', name: applet };
    if (page >= firstDataPage) return regions.get(page) ?? { kind: erased ? 'free' : 'leftover' };
    const handle = entries.get(page);
    if (handle !== undefined) return { kind: 'entry', handle };
    return { kind: erased ? 'free entry' : 'damaged entry' };
  };
  const owners = Array.from({ length: contents.pages }, (_, page) => ownerOf(page));
  const pagesOf = (kind: PageOwner['kind']): number[] => owners.flatMap((owner, page) => (owner.kind === kind ? [page] : []));
  const holders = contents.entries.map((entry) => ({
    handle: entry.handle, what: `${entry.class} ${entry.state}`,
    bytes: (entry.region.pages + (entry.alternative?.pages ?? 0)) * pageSize,
  }));
  return {
    owners, holders, freeBytes: pagesOf('free').length * pageSize, largestRunBytes: largestRun(owners),
    freeEntries: contents.freeEntries, leftovers: pagesOf('leftover'),
  };
}
