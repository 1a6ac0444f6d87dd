import { parentPort, workerData } from 'node:worker_threads';
import { definitionOf } from './kinds.js';
import type { WorkerMessage, WorkerSetting } from './pool.js';

if (parentPort !== null) {
  const port = parentPort;
  const say = (message: WorkerMessage): void => { port.postMessage(message); };
  const { kind, options } = workerData as WorkerSetting;
  const serving = definitionOf(kind).then((definition) => definition.serve(options));
  const run = async (unit: string): Promise<void> => {
    try {
      const serve = await serving;
      const result = await serve(unit, (done, total) => { say({ type: 'part', unit, done, total }); });
      say({ type: 'done', unit, result });
    } catch (error) {
      say({ type: 'failed', unit, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  port.on('message', (unit: string) => void run(unit));
}
