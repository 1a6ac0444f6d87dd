import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { SafeError, explanations } from './errors.js';
import type { SafeErrorCode } from './errors.js';

/** How a served safe is reached. */
export interface HttpClientOptions {
  /** For example `https://127.0.0.1:7816`; what follows the port stands before every path. */
  readonly url: string;
  /** Milliseconds for a whole exchange; default 10000. */
  readonly timeoutMs?: number;
  /** PEM certificate to trust, for a self-signed one. */
  readonly ca?: string;
  /** PEM key and certificate this side shows, for a safe that speaks to its peer. */
  readonly own?: { readonly key: string; readonly cert: string };
  /** Operator token, for the index. */
  readonly operatorToken?: string;
  /** Most bytes of an answer to a card's request; default 4096. The index may have 64 MiB. */
  readonly answerBytes?: number;
  /** Connections kept open and shared by all requests; default 0: each request has a connection of its own. */
  readonly connections?: number;
}

/** An answer as it came. */
export interface Received {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

const notSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

function unreachable(cause: NodeJS.ErrnoException, sentBefore = false): SafeError {
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(cause.code ?? '');
  const sent = sentBefore || !certificate && !notSent.includes(cause.code ?? '');
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
export function refusalOf({ status, type, body }: Received): SafeError {
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

/** One request: method, path, body if any, most bytes of the answer, media type of the body. Rejects with SafeError. */
export type Exchange = (method: string, path: string, body: Uint8Array | undefined, limit: number, type?: string) => Promise<Received>;

function settingsOf(options: HttpClientOptions, method: string, body: Uint8Array | undefined, type: string): RequestOptions & { ca?: string; key?: string; cert?: string } {
  return {
    method,
    headers: {
      ...(body ? { 'content-type': type, 'content-length': body.length } : {}),
      ...(options.operatorToken === undefined ? {} : { authorization: `Bearer ${options.operatorToken}` }),
    },
    ...(options.ca === undefined ? {} : { ca: options.ca }), ...options.own,
  };
}

/**
 * What sends requests to a served safe, and the agent that keeps its connections, if any are kept. A kept connection may be
 * closed by the safe for being idle just when a request goes out on it; that request is sent again, once, on a new one.
 */
export function exchangeWith(options: HttpClientOptions): { readonly exchange: Exchange; readonly agent: HttpAgent | undefined } {
  const base = options.url.replace(/\/$/, '');
  const secure = base.startsWith('https:');
  const timeoutMs = options.timeoutMs ?? 10_000;
  const kept = { keepAlive: true, maxSockets: options.connections, scheduling: 'fifo' } as const;
  const agent = options.connections === undefined ? undefined : secure ? new HttpsAgent(kept) : new HttpAgent(kept);
  const send = (again: boolean, ...[method, path, body, limit, type = 'application/octet-stream']: Parameters<Exchange>): Promise<Received> =>
    new Promise((resolve, reject) => {
      const settings = { ...settingsOf(options, method, body, type), agent: agent === undefined || again ? false : agent };
      const request = (secure ? httpsRequest : httpRequest)(`${base}${path}`, settings);
      let settled = false;
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        if (!settled) run();
        settled = true;
      };
      const failed = (error: Error): void => {
        settle(() => { reject(error); });
        request.destroy();
      };
      const timer = setTimeout(() => failed(new SafeError('SAFE_TIMEOUT', `no complete answer within ${timeoutMs} ms`)), timeoutMs);
      request.on('error', (cause: NodeJS.ErrnoException) => {
        const idle = request.reusedSocket && cause.code === 'ECONNRESET' && !again;
        if (idle) settle(() => { resolve(send(true, method, path, body, limit, type)); });
        else failed(unreachable(cause, again));
      });
      request.on('response', (response) => void collect(response, limit).then((received) => {
        settle(() => { resolve(received); });
        if (agent === undefined || again) request.destroy();
      }, failed));
      request.end(body);
    });
  return { exchange: (...request) => send(false, ...request), agent };
}
