import { restIndexes } from '../catalogue/coupled.js';
import { partIndexes } from '../catalogue/sets.js';
import type { CertificateEntry, ValueEntry } from '../ports.js';
import { atCard, atSafe, list, need } from './operations.js';
import type { Operation } from './operations.js';
import {
  after, boundaryNames, card, exchange, hasPart, hashOf, isCertificate, keyDivisionOf, keyPart, listing, machine, merged, nothing, onSets, plain, variantOf,
} from './sets.js';
import { asks, deletes, passes, reached, reachedWhole, start } from './states.js';

/** Handles of the set of the coupled certificate chosen, by index: its own, then those of the parts; 0 where there is none. */
function parcelOf(chosen: ValueEntry | CertificateEntry | undefined, all: readonly (ValueEntry | CertificateEntry)[]): readonly number[] {
  if (!chosen || !isCertificate(chosen) || !chosen.identity) return [];
  const { set, count } = chosen.identity;
  return Array.from({ length: count }, (_, i) => all.find((entry) =>
    isCertificate(entry) && entry.identity?.set === set && entry.identity.index === i + 1)?.handle ?? 0);
}

const divideKey = onSets((run, first) => {
  const division = keyDivisionOf(run);
  const safes = Array.from({ length: division.count }, (_, i) => (i === 0 ? run.ports.safe : run.ports.safe2).safeId);
  const kind = variantOf(run) === 'common-key' ? 'common' : 'decoding';
  return atCard(plain(run), first, card(run).divideKey(kind, division, safes, hashOf(run), true), (set) => ({ progress: { set } }));
});
const coupleKey = onSets((run, first) => atCard(plain(run), first,
  card(run).coupleKey(variantOf(run), need(plain(run), 'handle'), need(plain(run), 'set')), (request) => ({ progress: { request } })));
const registerCoupled = onSets((run, first) => atSafe(plain(run), first, run.ports.safe.register(need(plain(run), 'request')),
  (coupled) => ({ progress: { coupled } })));
const registerRest = (index: number): Operation => onSets(async (run, first) => (hasPart(run, index)
  ? atSafe(plain(run), first, run.ports.safe2.register(need(plain(run), 'request')), (certificate) => ({ progress: { certificate } })) : nothing));
const endRest = (index: number): Operation => onSets(async (run, first) => (hasPart(run, index)
  ? atCard(plain(run), first, card(run).setEnd(6, need(plain(run), 'certificate')), (stored) => ({ progress: { stored } })) : nothing));
const coupledEnd = onSets((run, first) => atCard(plain(run), first, card(run).coupledEnd(need(plain(run), 'coupled')), (stored) => ({ progress: { stored } })));

const listCoupled = onSets((run, first) =>
  list(plain(run), first, (from) => card(run).listCertificates(6, 'value', from), (chosen, all) => ({ pieces: parcelOf(chosen, all) })));
const gatherCoupled = onSets((run, first) => atCard(plain(run), first, card(run).gatherCoupled(need(plain(run), 'handle')),
  (certificate) => ({ progress: { certificate } })));
const retrieveCoupled = onSets((run, first) => atSafe(plain(run), first, run.ports.safe.retrieve(need(plain(run), 'certificate')),
  (object) => ({ progress: { object } })));
const partAt = (pieces: readonly number[], index: number): number => pieces[index - 1] ?? 0;
const gatherRest = (index: number): Operation => onSets(async (run, first) => {
  const handle = partAt(need(plain(run), 'pieces'), index);
  return handle === 0 ? nothing : atCard(plain(run), first, card(run).gather(6, handle), (certificate) => ({ progress: { certificate } }));
});
const retrieveRest = (index: number): Operation => onSets(async (run, first) => (partAt(need(plain(run), 'pieces'), index) === 0 ? nothing
  : atSafe(plain(run), first, run.ports.safe2.retrieve(need(plain(run), 'certificate')),
    (object) => ({ progress: { objects: [...run.progress.objects ?? [], object] } }))));

/** Without any certificate of the other parts there is nothing to combine: then the key must still be on the card. */
const combineKey = onSets(async (run, first) => {
  const handle = need(plain(run), 'pieces').slice(1).find((one) => one !== 0);
  return handle === undefined ? nothing
    : atCard(plain(run), first, card(run).combine(6, handle, [need(plain(run), 'object'), ...run.progress.objects ?? []]), () => ({}));
});
const decoupleKey = onSets((run, first) => atCard(plain(run), first,
  card(run).decoupleKey(need(plain(run), 'handle'), need(plain(run), 'object')), (stored) => ({ progress: { stored } })));

const each = (...names: readonly string[]): readonly string[] => restIndexes.flatMap((i) => names.map((name) => `${name}${i}`));
const next = (index: number, name: string, last: string): string => after(index, (following) => `${name}${following}`, last, partIndexes);

/** Embodiment 6, a ciphertext registered with a part of its key, the other parts at the second safe (docs/protocol.md 4.1). */
export const coupledBackup = machine('6/backup', {
  start: start('1-1', ...boundaryNames('3-1@all', '1-5@all', '1-10@all', ...each('3-3@part', '3-5@part', '3-8@part'), '1-13@all'), 'claim-25'),
  ...exchange('', 1, [1, 4], listing(6), '3-1@all'),
  '1-4': passes('1-4', '3-1@all', reachedWhole('claim-25'), reached('claim-25')),
  ...exchange('all', 3, [1, 2], divideKey, '1-5@all'),
  ...exchange('all', 1, [5, 9], coupleKey, '1-10@all'),
  ...exchange('all', 1, [10, 12], registerCoupled, '3-3@part2'),
  ...merged((i) => ({
    ...exchange(`part${i}`, 3, [3, 4], keyPart(i), `3-5@part${i}`),
    ...exchange(`part${i}`, 3, [5, 7], registerRest(i), `3-8@part${i}`),
    ...exchange(`part${i}`, 3, [8, 11], endRest(i), next(i, '3-3@part', '1-13@all')),
  }), restIndexes),
  ...exchange('all', 1, [13, 16], coupledEnd, 'done'),
  '1-16@all': passes('1-16@all', 'done', deletes('claim-25', 'claim-25')),
  'claim-25': asks('claim-25', 'claim-25', 'done'),
});

/** Embodiment 6, value and key recovered from ciphertext and parts (docs/protocol.md 4.1). */
export const coupledRecover = machine('6/recover', {
  start: start('4-1', ...boundaryNames('2-5@all', '2-9@all', ...each('4-5@part', '4-9@part'), '4-11@all', '2-11@all'), 'claim-26-receipt', 'claim-26-safe', 'claim-26-delete'),
  ...exchange('', 4, [1, 4], listCoupled, '2-5@all'),
  '4-4': passes('4-4', '2-5@all', reachedWhole('claim-26-receipt'), reached('claim-26-receipt')),
  ...exchange('all', 2, [5, 8], gatherCoupled, '2-9@all'),
  ...exchange('all', 2, [9, 10], retrieveCoupled, '4-5@part2'),
  ...merged((i) => ({
    ...exchange(`part${i}`, 4, [5, 8], gatherRest(i), `4-9@part${i}`),
    ...exchange(`part${i}`, 4, [9, 10], retrieveRest(i), next(i, '4-5@part', '4-11@all')),
  }), restIndexes),
  ...exchange('all', 4, [11, 14], combineKey, '2-11@all'),
  ...exchange('all', 2, [11, 15], decoupleKey, 'done'),
  '2-15@all': passes('2-15@all', 'done', deletes('claim-26-receipt', 'claim-26-receipt')),
  'claim-26-receipt': asks('claim-26-receipt', 'claim-26-receipt', 'claim-26-safe'),
  'claim-26-safe': asks('claim-26-safe', 'claim-26-safe', 'claim-26-delete'),
  'claim-26-delete': asks('claim-26-delete', 'claim-26-delete', 'done'),
});
