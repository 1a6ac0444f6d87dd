import type { CompartmentSettings } from './compartments.js';
import { decodeEntries, encodeEntries } from './entries.js';
import type { Entry } from './entries.js';
import { SafeError } from './errors.js';
import { exchangeWith, refusalOf } from './http-exchange.js';
import type { HttpClientOptions } from './http-exchange.js';

/** What the operator of a served safe can do with its compartments. All methods reject with SafeError. */
export interface OperatorClient {
  /** Opens a compartment and gives the address under which it is a safe like any other. */
  open(settings: CompartmentSettings): Promise<string>;
  /** Everything a compartment stores, items sealed, in order of keys. */
  entries(url: string): Promise<readonly Entry[]>;
  /** Puts these entries in the place of all that is stored. */
  load(url: string, entries: Iterable<Entry>): Promise<void>;
  /** Sets a compartment's clock, which stands still otherwise; milliseconds. */
  setClock(url: string, ms: number): Promise<void>;
  /** Stops the safe of a compartment and starts it again on what it stores. */
  restart(url: string): Promise<void>;
  /** Removes a compartment with all it stores. */
  drop(url: string): Promise<void>;
}

const entriesLimit = 16 * 1024 * 1024;

/** The operator of a served safe; `options` must hold the token. */
export function operatorClient(options: HttpClientOptions): OperatorClient {
  const { exchange } = exchangeWith(options);
  const base = options.url.replace(/\/$/, '');
  const call = async (method: string, url: string, body?: Uint8Array, type?: string): Promise<Uint8Array> => {
    const received = await exchange(method, url.slice(base.length), body, entriesLimit, type);
    if (received.status !== 200 && received.status !== 204) throw refusalOf(received);
    return received.body;
  };
  return {
    async open(settings) {
      const body = new TextEncoder().encode(JSON.stringify(settings));
      const name = new TextDecoder().decode(await call('POST', `${base}/compartments`, body, 'application/json'));
      if (!/^\d{1,10}$/.test(name)) throw new SafeError('SAFE_BAD_ANSWER', 'the answer is no name of a compartment');
      return `${base}/compartments/${name}`;
    },
    entries: async (url) => decodeEntries(await call('GET', `${url}/entries`)),
    load: async (url, entries) => void await call('PUT', `${url}/entries`, encodeEntries(entries)),
    setClock: async (url, ms) => void await call('PUT', `${url}/clock`, new TextEncoder().encode(String(ms)), 'text/plain'),
    restart: async (url) => void await call('POST', `${url}/restart`, new Uint8Array(0)),
    drop: async (url) => void await call('DELETE', url),
  };
}
