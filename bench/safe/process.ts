import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** A served safe in its own process. */
export interface ServedProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with exit code and signal. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** What it has said on stderr so far. */
  readonly said: () => string;
}

/**
 * Starts `safe serve` on a free port by a JavaScript file that takes the arguments (`entry`, with `before` in front) and
 * resolves when it says its address; rejects with what it said when it ends before.
 */
export function startServed(entry: string, args: readonly string[], before: readonly string[] = []): Promise<ServedProcess> {
  const all = [entry, ...before, 'serve', '--port', '0', ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('exit', (code, signal) => resolve([code, signal]));
  });
  let [out, err] = ['', ''];
  child.stderr.on('data', (part: Buffer) => {
    err += String(part);
  });
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      out += String(part);
      const url = / at (https?:\S+)\n/.exec(out)?.[1];
      if (url !== undefined) resolve({ url, child, ended, said: () => err });
    });
    void ended.then(([code]) => reject(new Error(`ended with ${code}: ${err}`)));
  });
}
