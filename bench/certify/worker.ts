import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { RecordEvent } from '../../reports/index.js';
import { planPoint } from '../../scenarios/index.js';
import { loadSetup } from './setup.js';
import { replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { runPoint } from './point.js';
import { WorldFactory } from './factory.js';

/** What the main thread asks: run the point of this id. */
export interface WorkerTask {
  readonly point: string;
}

/** What a worker answers. */
export type WorkerAnswer =
  | { readonly point: string; readonly events: readonly RecordEvent[] }
  | { readonly point: string; readonly crash: string };

/** Runs points for as long as it is asked; one factory, so what is personalised once serves all. */
function serve(options: CertifyOptions, answer: (answer: WorkerAnswer) => void): (task: WorkerTask) => Promise<void> {
  const factory = new WorldFactory(loadSetup(options, readFileSync(options.image)));
  const setting = { factory, offered: options.offered, replay: (id: string) => replayLine(options, id) };
  return async ({ point }) => {
    try {
      const { events } = await runPoint(planPoint(point), setting);
      answer({ point, events });
    } catch (error) {
      answer({ point, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
}

if (parentPort !== null) {
  const port = parentPort;
  const run = serve(workerData as CertifyOptions, (answer) => { port.postMessage(answer); });
  port.on('message', (task: WorkerTask) => void run(task));
}
