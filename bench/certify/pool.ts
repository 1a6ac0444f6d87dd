import { Worker } from 'node:worker_threads';
import type { CertifyOptions } from './options.js';
import { pointRunners } from './runner.js';
import type { PointRunner } from './runner.js';
import { pointServer } from './server.js';
import type { PointAnswer } from './server.js';

/** Runs points on several threads and gives their answers in the order of the points. */
export interface Pool {
  /** Calls `take` for each point in order; stops handing out points once `stopped()` is true. */
  run(points: readonly string[], take: (answer: PointAnswer) => void, stopped: () => boolean): Promise<void>;
}

const workerFile = new URL('./worker.js', import.meta.url);

/** A pool of `options.jobs` worker threads; they end with the run. */
export function workerPool(options: CertifyOptions): Pool {
  return {
    run(points, take, stopped) {
      return new Promise((resolve, reject) => {
        const workers = Array.from({ length: Math.max(1, Math.min(options.jobs, points.length)) }, () => new Worker(workerFile, { workerData: options }));
        const answers = new Map<number, PointAnswer>();
        const index = new Map(points.map((point, at) => [point, at]));
        let handed = 0;
        let taken = 0;
        const finish = (settle: () => void): void => {
          void Promise.all(workers.map((worker) => worker.terminate())).then(settle, reject);
        };
        const hand = (worker: Worker): void => {
          if (handed < points.length && !stopped()) worker.postMessage({ point: points[handed++] });
          else if (taken === handed) finish(resolve);
        };
        for (const worker of workers) {
          worker.on('error', (error) => { finish(() => { reject(error); }); });
          worker.on('message', (answer: PointAnswer) => {
            answers.set(index.get(answer.point) ?? -1, answer);
            for (let next = answers.get(taken); next !== undefined; next = answers.get(taken)) {
              answers.delete(taken);
              taken += 1;
              take(next);
            }
            hand(worker);
          });
          hand(worker);
        }
      });
    },
  };
}

/** Runs points one after the other on this thread. */
export function inlinePool(options: CertifyOptions, runners: readonly PointRunner[] = pointRunners): Pool {
  return {
    async run(points, take, stopped) {
      const serve = pointServer(options, runners);
      for (const point of points) {
        if (stopped()) return;
        take(await serve(point));
      }
    },
  };
}
