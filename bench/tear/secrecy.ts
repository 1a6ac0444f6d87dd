import { concat, fromHex } from '../codec/index.js';
import { pageMap, pageSize } from '../nvm/index.js';
import type { PageOwner, Secret } from '../nvm/index.js';
import { secrecy } from '../../scenarios/index.js';
import type { Finding } from '../../scenarios/index.js';
import type { NvmState } from '../../emulator/index.js';
import type { World } from '../world/world.js';
import type { PathRecorder } from './recorder.js';

/** Bytes of a secret that count as found: half of the shortest key. */
const enough = 8;

/** The issue id as an element (89): what stands in every value and nowhere else. */
const needleOf = (issueId: string): Uint8Array => concat(Uint8Array.of(0x89, 8), fromHex(issueId));

function occurrences(where: Uint8Array, needle: Uint8Array): number[] {
  const buffer = Buffer.from(where.buffer, where.byteOffset, where.byteLength);
  const found: number[] = [];
  for (let at = buffer.indexOf(needle); at >= 0; at = buffer.indexOf(needle, at + 1)) found.push(at);
  return found;
}

/** True for pages that hold the object of the value itself. */
const atHome = (world: World, owner: PageOwner, issueId: string): boolean =>
  owner.kind === 'region' && owner.role === 'object' && world.handleOf(issueId, 'value') === owner.handle;

/**
 * I14 once all is done: no page without an owner holds anything, no value stands outside its own region, no deleted key
 * anywhere, and neither at the safes. `secrets` are the keys the card has had.
 */
export function leftInClear(world: World, secrets: readonly Secret[]): Finding[] {
  const memory = world.memory();
  const { owners, leftovers } = pageMap(memory);
  const ids = world.abstract().ledger.map(({ issueId }) => issueId);
  const values = ids.flatMap((id) => occurrences(memory, needleOf(id)).filter((at) => !atHome(world, owners[Math.floor(at / pageSize)], id)));
  const { keys } = world.abstract().cards[0];
  const gone = secrets.filter(({ name }) => (name === 'decoding key' && keys.decoding === undefined) || (name === 'common key' && keys.common === undefined));
  const stored = [world.parts.safes.safe, world.parts.safes.other].flatMap(({ store }) => [...store.range('')].map(([, bytes]) => bytes));
  return [
    ...leftovers.map((page): Finding => ({ invariant: 'I14', text: `page ${page} belongs to nothing and is not erased` })),
    ...secrecy([
      { place: 'free EEPROM', what: 'value', found: values.length },
      { place: 'free EEPROM', what: 'key', found: gone.filter((key) => key.foundIn(memory, enough) >= 0).length },
      { place: 'safe storage', what: 'value', found: stored.filter((bytes) => ids.some((id) => occurrences(bytes, needleOf(id)).length > 0)).length },
      { place: 'safe storage', what: 'key', found: stored.filter((bytes) => secrets.some((key) => key.foundIn(bytes, enough) >= 0)).length },
    ]),
  ];
}

/** Pages whose weak cells do no harm: journal slots without a header, and what is reserved or about to be erased. */
function harmless(owner: PageOwner): boolean {
  if (owner.kind === 'system') return owner.name === 'slot0' || owner.name === 'slot1';
  return owner.kind === 'region' && owner.role !== 'object';
}

/**
 * I10: after recovery no page that counts, or counts as free, holds cells that read by chance. `recorder` notes what of it
 * depends on torn pages.
 */
export function weakThatCount(nvm: NvmState, recorder?: PathRecorder): Finding[] {
  const open = recorder?.open === true;
  if (nvm.weak.length === 0 && !open) return [];
  const { owners } = pageMap(nvm.bytes);
  if (open) recorder.lookAtWeak(nvm, (page) => !harmless(owners[page]));
  return nvm.weak.filter(({ page }) => !harmless(owners[page])).map(({ page, bits }) => {
    const { kind } = owners[page];
    return { invariant: 'I10', text: `after recovery ${bits.length} cells of page ${page} (${kind}) still read by chance` };
  });
}
