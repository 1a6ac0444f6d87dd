import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { SafeClient } from './client.js';
import { SafeError, explanations } from './errors.js';
import type { SafeErrorCode } from './errors.js';

/** How a served safe is reached. */
export interface HttpClientOptions {
  /** For example `https://127.0.0.1:7816`. */
  readonly url: string;
  /** Milliseconds for a whole exchange; default 10000. */
  readonly timeoutMs?: number;
  /** PEM certificate to trust, for a self-signed one. */
  readonly ca?: string;
  /** Operator token, for the index. */
  readonly operatorToken?: string;
  /** Most bytes of an answer to a card's request; default 4096. The index may have 64 MiB. */
  readonly answerBytes?: number;
}

interface Received {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

const indexLimit = 64 * 1024 * 1024;
const notSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

function unreachable(cause: NodeJS.ErrnoException): SafeError {
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(cause.code ?? '');
  const sent = !certificate && !notSent.includes(cause.code ?? '');
  return new SafeError('SAFE_UNREACHABLE', `the safe cannot be reached (${cause.code ?? cause.message})`, {
    cause, ...(sent ? {} : { stillTrue: 'the request was not sent; nothing was stored, changed or given out' }),
  });
}

function collect(response: IncomingMessage, limit: number): Promise<Received> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on('data', (part: Buffer) => {
      size += part.length;
      parts.push(part);
      if (size > limit) reject(new SafeError('SAFE_BAD_ANSWER', `the answer has more than ${limit} bytes`));
    });
    response.on('end', () => resolve({
      status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '',
      body: Uint8Array.from(Buffer.concat(parts)),
    }));
    response.on('error', (cause: NodeJS.ErrnoException) => reject(unreachable(cause)));
  });
}

/** The coded error in an answer that is none of success. */
function refusalOf({ status, type, body }: Received): SafeError {
  try {
    const { code, message, stillTrue } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
    if (type === 'application/json' && typeof code === 'string' && code in explanations && typeof message === 'string')
      return new SafeError(code as SafeErrorCode, message, {
        status, ...(typeof stillTrue === 'string' ? { stillTrue } : {}),
      });
  } catch {
    // Not JSON: said below.
  }
  return new SafeError('SAFE_BAD_ANSWER', `status ${status} without a coded error`, { status });
}

function exchange(options: HttpClientOptions, path: string, body: Uint8Array | undefined, limit: number): Promise<Received> {
  const url = new URL(path, options.url);
  const timeoutMs = options.timeoutMs ?? 10_000;
  const settings: RequestOptions & { ca?: string } = {
    method: body ? 'POST' : 'GET', agent: false,
    headers: {
      ...(body ? { 'content-type': 'application/octet-stream', 'content-length': body.length } : {}),
      ...(options.operatorToken === undefined ? {} : { authorization: `Bearer ${options.operatorToken}` }),
    },
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, settings);
    const timer = setTimeout(() => {
      reject(new SafeError('SAFE_TIMEOUT', `no complete answer within ${timeoutMs} ms`));
      request.destroy();
    }, timeoutMs);
    const done = (finish: () => void): void => {
      clearTimeout(timer);
      finish();
      request.destroy();
    };
    request.on('error', (cause: NodeJS.ErrnoException) => done(() => reject(unreachable(cause))));
    request.on('response', (response) => {
      collect(response, limit).then((received) => done(() => resolve(received)), (error: Error) => done(() => reject(error)));
    });
    request.end(body);
  });
}

/** A served safe behind the client's interface. Every method rejects with SafeError; timeouts say what is still true. */
export function httpClient(options: HttpClientOptions): SafeClient {
  const limit = options.answerBytes ?? 4096;
  const call = async (path: string, type: string, body?: Uint8Array, most = limit): Promise<Uint8Array> => {
    const received = await exchange(options, path, body, most);
    if (received.status !== 200 && received.status !== 204) throw refusalOf(received);
    if (received.type !== type) throw new SafeError('SAFE_BAD_ANSWER', `the answer has media type '${received.type}'`);
    return received.body;
  };
  const octets = 'application/octet-stream';
  return {
    register: (bytes) => call('/v1/register', octets, bytes),
    retrieve: (bytes) => call('/v1/retrieve', octets, bytes),
    receipt: async (bytes) => void await call('/v1/receipt', '', bytes),
    identity: () => call('/v1/identity', octets),
    index: async () => new TextDecoder().decode(await call('/v1/index.csv', 'text/csv; charset=utf-8', undefined, indexLimit)),
  };
}
