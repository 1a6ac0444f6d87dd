import { parentPort, workerData } from 'node:worker_threads';
import type { CertifyOptions } from './options.js';
import { pointServer } from './server.js';

/** What the main thread asks: run the point of this id. The answer is a PointAnswer. */
export interface WorkerTask {
  readonly point: string;
}

if (parentPort !== null) {
  const port = parentPort;
  const serve = pointServer(workerData as CertifyOptions);
  port.on('message', ({ point }: WorkerTask) => void serve(point).then((answer) => { port.postMessage(answer); }));
}
