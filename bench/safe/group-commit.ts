import { SafeError } from './errors.js';
import type { Safe } from './safe.js';

/** Most registrations in one change of the store: bounds how long other requests wait for it. */
const most = 256;

interface Waiting {
  readonly request: Uint8Array;
  readonly answer: (result: Uint8Array) => void;
  readonly refuse: (error: unknown) => void;
}

function settle(group: readonly Waiting[], results: readonly (Uint8Array | SafeError)[]): void {
  for (const [at, { answer, refuse }] of group.entries()) {
    const result = results[at];
    if (result instanceof SafeError) refuse(result);
    else answer(result);
  }
}

/**
 * Registers what arrives at the same time with one change of the store: one flush to the disk serves all of it. Each is
 * answered, or rejected with its own SafeError, only after that flush.
 */
export function groupCommit(safe: Pick<Safe, 'registerAll'>): (request: Uint8Array) => Promise<Uint8Array> {
  let waiting: Waiting[] = [];
  const commit = (): void => {
    const group = waiting.slice(0, most);
    waiting = waiting.slice(most);
    if (waiting.length > 0) setImmediate(commit);
    try {
      settle(group, safe.registerAll(group.map(({ request }) => request)));
    } catch (error) {
      for (const { refuse } of group) refuse(error);
    }
  };
  return (request) => new Promise((answer, refuse) => {
    if (waiting.length === 0) setImmediate(commit);
    waiting.push({ request, answer, refuse });
  });
}
