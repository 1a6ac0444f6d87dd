import { certificate as certificateCodec, equalBytes, safeEntry, signed, toHex } from '../codec/index.js';
import { lmdbStore } from '../safe/index.js';
import type { SafeClient, SafeStore } from '../safe/index.js';
import * as records from '../safe/record.js';
import type { Acknowledged, Sample } from './acknowledged.js';
import { latencyOf } from './figures.js';
import type { Latency } from './figures.js';
import { loadRequest } from './requests.js';

const rounds = 5;

/** One lookup as the safe makes it: the record by counter, hash and the rest, and the item under the same name. */
export function lookUp(store: SafeStore, name: string): boolean {
  return store.get(records.keys.certificate(name)) !== undefined && store.get(records.keys.item(name)) !== undefined;
}

/**
 * Latency of lookups in a store, in microseconds, `now` in milliseconds; what is not found is a defect of `book`. A first
 * round is not counted: it warms up the program, which would make the smallest store look slow.
 */
export function timeLookups(store: SafeStore, book: Acknowledged, now: () => number): Latency {
  const names = book.samples.map(({ certificate }) => records.recordName(certificateCodec.decode(certificate)));
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1)
    for (const name of names) {
      const begun = now();
      const found = lookUp(store, name);
      if (round > 0) times.push((now() - begun) * 1000);
      else if (!found) book.defects.push(`record ${name} is not found`);
    }
  return latencyOf(times);
}

/** {@link timeLookups} in the store of a safe that is being served. */
export async function timeServedLookups(directory: string, book: Acknowledged, now: () => number): Promise<Latency> {
  const store = lmdbStore(directory, { readOnly: true });
  try {
    return timeLookups(store, book, now);
  } finally {
    await store.close();
  }
}

/** Retrieves one object and compares it with what was registered; a difference is a defect. */
export async function retrieveOne(client: SafeClient, { index, certificate }: Sample, book: Acknowledged): Promise<void> {
  const object = await client.retrieve(certificate);
  if (!equalBytes(object, loadRequest(index).value)) book.defects.push(`registration ${index}: another object came back`);
}

/** Latency in milliseconds of whole retrievals of up to `most` samples, one after the other. */
export async function timeRetrievals(client: SafeClient, book: Acknowledged, most: number, now: () => number): Promise<Latency> {
  const times: number[] = [];
  for (const sample of book.samples.slice(0, most)) {
    const begun = now();
    await retrieveOne(client, sample, book);
    times.push(now() - begun);
  }
  return latencyOf(times);
}

/** Verifies the signatures of up to `most` samples under the safe's public key; a wrong one is a defect. */
export async function verifySamples(client: SafeClient, book: Acknowledged, most: number): Promise<void> {
  const { verificationKey } = safeEntry.decode(await client.identity());
  for (const { certificate } of book.samples.slice(0, most))
    if (!signed.certificate.verify(certificateCodec.decode(certificate), {}, verificationKey))
      book.defects.push(`certificate ${toHex(certificate.slice(0, 16))}...: the signature does not verify`);
}

/**
 * Goes through the whole store of a safe at rest: every record must be as acknowledged, each acknowledged one there, the
 * counters from 1 up without gap or repeat. Gives the number of records.
 */
export async function sweep(directory: string, book: Acknowledged): Promise<number> {
  const store = lmdbStore(directory, { readOnly: true });
  let count = 0;
  try {
    for (const [key, bytes] of store.range('certificate/')) {
      count += 1;
      const counter = parseInt(key.slice('certificate/'.length).split('/')[0], 16);
      if (counter !== count) book.defects.push(`record ${count} of the index has counter ${counter}`);
      book.compare(counter, records.decodeRecord(bytes).certificate);
      if (book.defects.length > 20) break;
    }
  } finally {
    await store.close();
  }
  if (count < book.count) book.defects.push(`${book.count - count} acknowledged certificates are not in the store`);
  return count;
}
