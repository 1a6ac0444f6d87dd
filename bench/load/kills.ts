import { equalBytes } from '../codec/index.js';
import { SafeError, httpClient } from '../safe/index.js';
import type { SafeClient, ServedProcess } from '../safe/index.js';
import type { Acknowledged } from './acknowledged.js';
import { retrieveOne } from './lookups.js';
import { loadRequest } from './requests.js';

/** What came of killing a safe once. */
export interface KillRound {
  /** Registrations sent. */
  readonly sent: number;
  /** Of these answered before the process was gone. */
  readonly acknowledged: number;
  /** Of these broken off: without one the round proves nothing. */
  readonly broken: number;
  /** Number of the first registration after the round. */
  readonly next: number;
}

/** What a round needs. */
export interface KillSetting {
  /** Starts the safe on the same store. */
  readonly serve: () => Promise<ServedProcess>;
  readonly book: Acknowledged;
  /** Requests in flight at once. */
  readonly inFlight: number;
  /** Number of the first registration of the round. */
  readonly first: number;
  /** The process is killed when so many are acknowledged. */
  readonly killAfter: number;
}

type Answers = ReadonlyMap<number, Uint8Array>;

const timeoutMs = 60_000;

async function underFire({ serve, inFlight, first, killAfter, book }: KillSetting): Promise<{ answers: Answers; sent: number }> {
  const served = await serve();
  const client = httpClient({ url: served.url, connections: inFlight, timeoutMs });
  const answers = new Map<number, Uint8Array>();
  let next = first;
  const lane = async (): Promise<never> => {
    for (;;) {
      const index = next++;
      answers.set(index, await client.register(loadRequest(index).request));
      if (answers.size === killAfter) served.child.kill('SIGKILL');
    }
  };
  const results = await Promise.allSettled(Array.from({ length: inFlight }, lane));
  served.child.kill('SIGKILL');
  await served.ended;
  client.close?.();
  for (const reason of results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])))
    if (!(reason instanceof SafeError) || reason.code !== 'SAFE_UNREACHABLE')
      book.defects.push(`a registration under fire ended with ${String(reason)}`);
  return { answers, sent: next - first };
}

async function each(indices: readonly number[], run: (index: number) => Promise<void>): Promise<void> {
  const left = [...indices];
  const lane = async (): Promise<void> => {
    for (let index = left.pop(); index !== undefined; index = left.pop()) await run(index);
  };
  await Promise.all(Array.from({ length: 32 }, lane));
}

/** The acknowledged ones must be there byte for byte and be answered the same again. */
async function stillThere(client: SafeClient, answers: Answers, book: Acknowledged): Promise<void> {
  await each([...answers.keys()], async (index) => {
    const certificate = answers.get(index) ?? new Uint8Array(0);
    book.take(index, loadRequest(index), certificate);
    try {
      await retrieveOne(client, { index, certificate }, book);
      const again = await client.register(loadRequest(index).request);
      if (!equalBytes(again, certificate)) book.defects.push(`registration ${index}: another certificate after the restart`);
    } catch (error) {
      if (!(error instanceof SafeError)) throw error;
      book.defects.push(`registration ${index} was acknowledged and is answered ${error.code} after the restart`);
    }
  });
}

/**
 * Keeps `inFlight` registrations under way, kills the process with SIGKILL among the answers, starts it again on the same
 * store and looks: every acknowledged certificate must be there, those broken off can be registered, and a counter given
 * after the restart to something new lies above all that were acknowledged.
 */
export async function killRound(setting: KillSetting): Promise<KillRound> {
  const { serve, book, first } = setting;
  const { answers, sent } = await underFire(setting);
  const last = first + sent;
  const served = await serve();
  const client = httpClient({ url: served.url, connections: 32, timeoutMs });
  try {
    await stillThere(client, answers, book);
    const open = Array.from({ length: sent }, (_, at) => first + at).filter((index) => !answers.has(index));
    await each(open, async (index) => {
      const sent = loadRequest(index);
      book.take(index, sent, await client.register(sent.request));
    });
    const fresh = loadRequest(last);
    const before = book.highest;
    const counter = book.take(last, fresh, await client.register(fresh.request));
    if (counter !== before + 1) book.defects.push(`counter ${counter} was given after ${before}`);
  } finally {
    client.close?.();
    served.child.kill('SIGTERM');
    await served.ended;
  }
  return { sent, acknowledged: answers.size, broken: sent - answers.size, next: last + 1 };
}
