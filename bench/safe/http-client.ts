import type { SafeClient } from './client.js';
import { SafeError } from './errors.js';
import { exchangeWith, refusalOf } from './http-exchange.js';
import type { HttpClientOptions } from './http-exchange.js';

export type { HttpClientOptions } from './http-exchange.js';

const indexLimit = 64 * 1024 * 1024;

/** A served safe behind the client's interface. Every method rejects with SafeError; timeouts say what is still true. */
export function httpClient(options: HttpClientOptions): SafeClient {
  const limit = options.answerBytes ?? 4096;
  const { exchange, agent } = exchangeWith(options);
  const call = async (path: string, type: string, body?: Uint8Array, most = limit): Promise<Uint8Array> => {
    const received = await exchange(body ? 'POST' : 'GET', path, body, most);
    if (received.status !== 200 && received.status !== 204) throw refusalOf(received);
    if (received.type !== type) throw new SafeError('SAFE_BAD_ANSWER', `the answer has media type '${received.type}'`);
    return received.body;
  };
  const octets = 'application/octet-stream';
  return {
    register: (bytes) => call('/v1/register', octets, bytes),
    retrieve: (bytes) => call('/v1/retrieve', octets, bytes),
    owner: (operation, bytes) => call(`/v1/owner/${operation}`, octets, bytes),
    receipt: async (bytes) => void await call('/v1/receipt', '', bytes),
    registerOwned: (bytes) => call('/v1/set/register', octets, bytes),
    retrieveSet: (bytes) => call('/v1/set/retrieve', octets, bytes),
    answerPeer: (bytes) => call('/v1/peer', octets, bytes),
    identity: () => call('/v1/identity', octets),
    index: async () => new TextDecoder().decode(await call('/v1/index.csv', 'text/csv; charset=utf-8', undefined, indexLimit)),
    close: () => agent?.destroy(),
  };
}
