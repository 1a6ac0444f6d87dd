import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Compartments } from './compartments.js';
import { SafeError } from './errors.js';
import type { PeerAccess, Route } from './http-server.js';
import type { Safe } from './safe.js';

/** Most bytes of the entries of a compartment that are loaded at once. */
const entriesLimit = 16 * 1024 * 1024;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9A-Fa-f]{${2 * bytes}}$`), `expected ${bytes} bytes in hex`);
const settingsSchema = z.strictObject({
  counterLimit: z.int().min(0).max(0xffffffff).exactOptional(), emptyDigest: z.boolean().exactOptional(), allowLegacy: z.boolean().exactOptional(),
  issuers: z.array(hex(32)).max(16).exactOptional(), authenticators: z.array(hex(32)).max(16).exactOptional(),
  devices: z.array(z.strictObject({ id: hex(8), key: hex(32) })).max(16).exactOptional(),
  owners: z.strictObject({
    scrypt: z.strictObject({ logN: z.int().min(1).max(20), r: z.int().min(1).max(32), p: z.int().min(1).max(16) }),
    threshold: z.int().min(0).max(2048), tries: z.int().min(1).max(255), wait: z.int().min(0).max(86_400_000),
  }).exactOptional(),
  peer: z.strictObject({
    entry: z.string().regex(/^([0-9A-Fa-f]{2})+$/), url: z.url().exactOptional(), fingerprint: z.string().regex(/^([0-9A-Fa-f]{2}:?){32}$/).exactOptional(),
  }).exactOptional(),
  keys: z.strictObject({ id: hex(8), signing: hex(32), agreement: hex(32), store: hex(32) }).exactOptional(),
});

function settingsOf(body: Uint8Array): z.infer<typeof settingsSchema> {
  try {
    return settingsSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch (cause) {
    const text = cause instanceof z.ZodError ? cause.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') : 'not JSON';
    throw new SafeError('SAFE_BAD_OBJECT', `settings of a compartment: ${text}`, { cause });
  }
}

function msOf(body: Uint8Array): number {
  const text = new TextDecoder().decode(body);
  if (!/^\d{1,15}$/.test(text)) throw new SafeError('SAFE_BAD_OBJECT', 'the clock of a compartment: expected milliseconds');
  return Number(text);
}

/** What the routes of compartments are made of. */
export interface CompartmentRouting {
  readonly compartments: Compartments;
  /** The routes of one safe, as they are for the one that is served. */
  readonly routesOf: (safe: Safe, peer: PeerAccess) => ReadonlyMap<string, Route>;
  /** Throws SafeError SAFE_FORBIDDEN for who is not the operator. */
  readonly checkOperator: (request: IncomingMessage) => void;
}

/** Finds the route of a method and path under `/compartments`; undefined for any other path, or one that is none. */
export function compartmentRoutes({ compartments, routesOf, checkOperator }: CompartmentRouting): (method: string, path: string) => Route | undefined {
  const known = new WeakMap<Safe, ReadonlyMap<string, Route>>();
  const ofSafe = (name: string, path: string): Route | undefined => {
    const safe = compartments.safe(name);
    const routes = known.get(safe) ?? routesOf(safe, compartments.peerAccess(name));
    known.set(safe, routes);
    return routes.get(path);
  };
  const guarded = (route: Route): Route => ({
    ...route,
    run(body, request) {
      checkOperator(request);
      return route.run(body, request);
    },
  });
  const done = { status: 204, body: '' } as const;
  const open: Route = guarded({
    method: 'POST', takes: 'application/json', run: (body) => ({ status: 200, type: 'text/plain', body: compartments.open(settingsOf(body)) }),
  });
  const entries = (method: string, name: string): Route => guarded(method === 'PUT'
    ? { method, bodyBytes: entriesLimit, run: (body) => (compartments.load(name, body), done) }
    : { method: 'GET', run: () => ({ status: 200, type: 'application/octet-stream', body: compartments.entries(name) }) });
  const own = (method: string, name: string, rest: string | undefined): Route | undefined => {
    switch (rest) {
      case undefined: return guarded({ method: 'DELETE', run: () => (compartments.drop(name), done) });
      case '/entries': return entries(method, name);
      case '/clock': return guarded({ method: 'PUT', takes: 'text/plain', run: (body) => (compartments.setClock(name, msOf(body)), done) });
      case '/restart': return guarded({ method: 'POST', run: () => (compartments.restart(name), done) });
      default: return undefined;
    }
  };
  return (method, path) => {
    if (path === '/compartments') return open;
    const [, name, rest] = /^\/compartments\/(\d{1,10})(\/.*)?$/.exec(path) ?? [];
    if (name === undefined) return undefined;
    return own(method, name, rest) ?? (rest === undefined ? undefined : ofSafe(name, rest));
  };
}
