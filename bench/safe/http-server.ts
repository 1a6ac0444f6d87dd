import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { requestLimit } from './client.js';
import { compartmentRoutes } from './compartment-routes.js';
import type { Compartments } from './compartments.js';
import { SafeError } from './errors.js';
import { groupCommit } from './group-commit.js';
import { ownerOperations } from './path.js';
import { plainFingerprint } from './pin.js';
import type { Safe } from './safe.js';

/** Limits of a served safe. */
export interface ServerLimits {
  /** Most bytes of a body (docs/protocol.md 3: 4096). */
  readonly bodyBytes: number;
  /** Milliseconds for a whole request to arrive. */
  readonly requestMs: number;
  /** Requests under way at once; more are answered 503 SAFE_BUSY. */
  readonly concurrent: number;
  /** Milliseconds given to requests under way when the server closes. */
  readonly graceMs: number;
}

/** The usual limits. */
export const defaultLimits: ServerLimits = { bodyBytes: requestLimit, requestMs: 10_000, concurrent: 1024, graceMs: 2_000 };

/** How a safe is served. */
export interface ServeOptions {
  readonly safe: Safe;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port; 0 (default) takes a free one. */
  readonly port?: number;
  /** PEM key and certificate: serves HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** SHA-256 of the TLS certificate that the paired safe shows; needs `tls`. Without it the peer's path does not exist. */
  readonly peerFingerprint?: string;
  /** Operator token for the index; without one the index is refused. */
  readonly operatorToken?: string;
  /** Empty safes the operator may open beside this one; without them their paths do not exist. */
  readonly compartments?: Compartments;
  readonly limits?: Partial<ServerLimits>;
}

/** A safe being served. */
export interface SafeServer {
  /** For example `http://127.0.0.1:40001`. */
  readonly url: string;
  /** Stops listening, lets requests under way finish for the grace time, then closes every connection. */
  close(): Promise<void>;
}

/** An answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a method and path do; POST and PUT have a body. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Media type of the body; default application/octet-stream. */
  readonly takes?: string;
  /** Most bytes of the body; default that of the limits. */
  readonly bodyBytes?: number;
  readonly run: (body: Uint8Array, request: IncomingMessage) => Answer | Promise<Answer>;
}

const octets = 'application/octet-stream';
const bytesAnswer = (body: Uint8Array): Answer => ({ status: 200, type: octets, body });

function errorAnswer(error: SafeError, headers: Readonly<Record<string, string>> = {}): Answer {
  const { code, message, stillTrue, next, status } = error;
  return { status, type: 'application/json', body: JSON.stringify({ code, message, stillTrue, next }), headers };
}

const badRequest = (status: number, message: string): SafeError => new SafeError('SAFE_BAD_REQUEST', message, { status });
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

function checkOperator(request: IncomingMessage, token: string | undefined): void {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || given === undefined || !timingSafeEqual(digestOf(given), digestOf(token)))
    throw new SafeError('SAFE_FORBIDDEN', 'this is for the operator');
}

/** Lets only the holder of the pinned certificate through; TLS has made sure that it holds the key. */
function checkPeer(request: IncomingMessage, fingerprint: string): void {
  const { socket } = request;
  const shown = socket instanceof TLSSocket ? (socket.getPeerCertificate() as Partial<PeerCertificate>).fingerprint256 : undefined;
  if (shown === undefined || plainFingerprint(shown) !== plainFingerprint(fingerprint))
    throw new SafeError('SAFE_UNPAIRED', 'this path is for the paired safe, which shows its TLS certificate');
}

/** Whom a safe lets ask for its peer: the holder of a certificate, or (compartments without TLS) whoever signs as the peer does. */
export type PeerAccess = { readonly fingerprint: string } | 'anyone' | undefined;

/** The routes of embodiment 12. */
function talkRoutes(safe: Safe, peer: PeerAccess): readonly (readonly [string, Route])[] {
  const asked: Route = {
    method: 'POST',
    run: (body, request) => {
      if (typeof peer === 'object') checkPeer(request, peer.fingerprint);
      return bytesAnswer(safe.answerPeer(body));
    },
  };
  return [
    ['/v1/set/register', { method: 'POST', run: (body) => bytesAnswer(safe.registerOwned(body)) }],
    ['/v1/set/retrieve', { method: 'POST', run: async (body) => bytesAnswer(await safe.retrieveSet(body)) }],
    ...peer === undefined ? [] : [['/v1/peer', asked] as const],
  ];
}

function routesOf({ safe, operatorToken }: Pick<ServeOptions, 'safe' | 'operatorToken'>, peer: PeerAccess): ReadonlyMap<string, Route> {
  const registered = groupCommit(safe);
  const acknowledge = (body: Uint8Array): Answer => {
    safe.receipt(body);
    return { status: 204, body: '' };
  };
  return new Map<string, Route>([
    ['/v1/register', { method: 'POST', run: async (body) => bytesAnswer(await registered(body)) }],
    ['/v1/retrieve', { method: 'POST', run: (body) => bytesAnswer(safe.retrieve(body)) }],
    ['/v1/receipt', { method: 'POST', run: acknowledge }],
    ...ownerOperations.map((operation): [string, Route] =>
      [`/v1/owner/${operation}`, { method: 'POST', run: (body) => bytesAnswer(safe.owner(operation, body)) }]),
    ...talkRoutes(safe, peer),
    ['/v1/identity', { method: 'GET', run: () => bytesAnswer(safe.identity()) }],
    ['/v1/index.csv', {
      method: 'GET',
      run: (_, request) => {
        checkOperator(request, operatorToken);
        return { status: 200, type: 'text/csv; charset=utf-8', body: safe.index() };
      },
    }],
  ]);
}

/** The whole body within size and time. Rejects with SafeError; an aborted body rejects too. */
function bodyOf(request: IncomingMessage, limits: ServerLimits): Promise<Uint8Array> {
  const tooLarge = (): SafeError => new SafeError('SAFE_TOO_LARGE', `the body has more than ${limits.bodyBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => reject(badRequest(408, 'the body did not arrive in time')), limits.requestMs);
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > limits.bodyBytes) reject(tooLarge());
      else parts.push(part);
    });
    request.on('end', () => resolve(Uint8Array.from(Buffer.concat(parts))));
    request.on('error', () => reject(badRequest(400, 'the body was broken off')));
    request.on('close', () => {
      clearTimeout(timer);
      reject(badRequest(400, 'the body was broken off'));
    });
  });
}

type Finder = (method: string, path: string) => Route | undefined;

/** Every route: those of the safe, and those of its compartments where there are any. */
function finderOf(options: ServeOptions): Finder {
  const { compartments, operatorToken } = options;
  const { peerFingerprint: fingerprint } = options;
  const own = routesOf(options, fingerprint === undefined ? undefined : { fingerprint });
  const others: Finder = compartments === undefined ? () => undefined : compartmentRoutes({
    compartments, routesOf: (safe, peer) => routesOf({ safe, ...(operatorToken === undefined ? {} : { operatorToken }) }, peer),
    checkOperator: (request) => { checkOperator(request, operatorToken); },
  });
  return (method, path) => own.get(path) ?? others(method, path);
}

async function answerTo(request: IncomingMessage, find: Finder, limits: ServerLimits): Promise<Answer> {
  const route = find(request.method ?? '', request.url ?? '');
  if (!route) throw badRequest(404, 'no such path');
  if (request.method !== route.method)
    return errorAnswer(badRequest(405, `this path takes ${route.method}`), { allow: route.method });
  if (route.method === 'GET' || route.method === 'DELETE') return route.run(new Uint8Array(0), request);
  const { takes = octets, bodyBytes = limits.bodyBytes } = route;
  if (request.headers['content-type'] !== takes) throw badRequest(415, `the media type must be ${takes}`);
  if (request.headers['content-encoding'] !== undefined) throw badRequest(415, 'a content encoding is not taken');
  return route.run(await bodyOf(request, { ...limits, bodyBytes }), request);
}

const asSafeError = (error: unknown): SafeError =>
  error instanceof SafeError ? error : new SafeError('SAFE_STORE', 'the safe failed inside', { cause: error });

/** Sends an answer. What is left of a refused body is read and dropped, within the request's time. */
function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...(answer.type === undefined ? {} : { 'content-type': answer.type }),
    ...(answer.status === 204 ? {} : { 'content-length': body.length }),
    'cache-control': 'no-store', ...(answer.status === 408 ? { connection: 'close' } : {}), ...answer.headers,
  });
  response.end(body);
}

/** Answers bytes that are no HTTP request: a coded error, then the connection is closed. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { body } = errorAnswer(badRequest(400, timeout ? 'the request did not arrive in time' : 'not an HTTP request'));
  const status = timeout ? '408 Request Timeout' : '400 Bad Request';
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${String(body)}`, () => socket.destroy());
}

function handlerOf(options: ServeOptions, limits: ServerLimits): (request: IncomingMessage, response: ServerResponse) => void {
  const find = finderOf(options);
  let underWay = 0;
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (underWay > limits.concurrent) throw new SafeError('SAFE_BUSY', 'too many requests at once');
    return answerTo(request, find, limits);
  };
  return (request, response) => {
    underWay += 1;
    response.on('error', () => response.destroy());
    void answer(request)
      .catch((error: unknown) => errorAnswer(asSafeError(error)))
      .then((found) => {
        underWay -= 1;
        send(response, found);
      });
  };
}

/** Connections the system keeps waiting to be taken. */
const backlog = 2048;

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new SafeError('SAFE_SETUP', `cannot listen on ${host}:${port} (${cause.code})`, { cause })));
    server.listen(port, host, backlog, () => resolve(server.address() as AddressInfo));
  });
}

function closing(server: Server, limits: ServerLimits): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), limits.graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Serves a safe over HTTP, or HTTPS with a key and certificate. Throws SafeError SAFE_SETUP when it cannot listen. */
export async function serveSafe(options: ServeOptions): Promise<SafeServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const timing: ServerOptions = {
    requestTimeout: limits.requestMs, headersTimeout: limits.requestMs, keepAliveTimeout: 5_000, maxHeaderSize: 8_192,
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, limits.requestMs)),
  };
  const handler = handlerOf(options, limits);
  const server = options.tls
    ? createHttpsServer({ ...timing, ...options.tls, minVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }, handler)
    : createHttpServer(timing, handler);
  server.maxConnections = 2 * limits.concurrent;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseRaw(error, socket as Socket));
  const { address, port, family } = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const name = family === 'IPv6' ? `[${address}]` : address;
  return { url: `${options.tls ? 'https' : 'http'}://${name}:${port}`, close: () => closing(server, limits) };
}
