import type { SafeClient } from '../safe/index.js';
import type { Acknowledged } from './acknowledged.js';
import { loadRequest } from './requests.js';

/** What registrations are sent with. */
export interface Drive {
  readonly client: SafeClient;
  readonly book: Acknowledged;
  /** Requests in flight at once. */
  readonly lanes: number;
  /** Milliseconds. */
  now(): number;
  /** True once the user wants to stop. */
  stopped(): boolean;
  /** Called now and then with the registrations answered so far. */
  progress(done: number): void;
}

/** One latency in so many is kept. */
const kept = 16;

/**
 * Sends registrations `from` up to below `to` over all lanes and books every answer. Within a lane, where one request
 * follows the other's answer, counters must rise. Gives some of the latencies in milliseconds. Rejects with
 * SafeError unless the user stopped, which stops the safe too.
 */
export async function registerRange({ client, book, lanes, ...rest }: Drive, from: number, to: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  let next = from;
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let last = -1; next < to && !failed && !rest.stopped();) {
      const index = next++;
      const sent = loadRequest(index);
      const begun = rest.now();
      const counter = book.take(index, sent, await client.register(sent.request));
      if (index % kept === 0) latencies.push(rest.now() - begun);
      if (counter <= last) book.defects.push(`counter ${counter} was answered after ${last} to one sender`);
      last = counter;
      if (index % 1000 === 0) rest.progress(index);
    }
  };
  await Promise.all(Array.from({ length: lanes }, () => lane().catch((error: unknown) => {
    failed = true;
    if (!rest.stopped()) throw error;
  })));
  return latencies;
}
