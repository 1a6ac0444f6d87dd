import { Worker } from 'node:worker_threads';
import type { CampaignKind, UnitResult, UnitServer } from './types.js';

/** What a worker is started with. */
export interface WorkerSetting {
  readonly kind: CampaignKind;
  /** The campaign's options: plain data. */
  readonly options: unknown;
}

/** What a worker says. */
export type WorkerMessage =
  | { readonly type: 'part'; readonly unit: string; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly unit: string; readonly result: unknown }
  | { readonly type: 'failed'; readonly unit: string; readonly stack: string };

/** Hears how units go. */
export interface PoolListener {
  /** Parts done of a unit under way. */
  part(unit: string, done: number, total: number): void;
  done(result: UnitResult<unknown>): void;
  /** Asked before each unit and after each part. */
  stopped(): boolean;
}

/** Runs units, in any order; resolves when all are done or the run was stopped. Rejects when the bench itself breaks. */
export type UnitPool = (units: readonly string[], listener: PoolListener) => Promise<void>;

const workerFile = new URL('./worker.js', import.meta.url);

/** A pool of so many worker threads. A stop ends them at once: what is under way is given up. */
export function threadPool(setting: WorkerSetting, jobs: number): UnitPool {
  return (units, listener) => new Promise((resolve, reject) => {
    const workers = Array.from({ length: Math.max(1, Math.min(jobs, units.length)) }, () => new Worker(workerFile, { workerData: setting }));
    let handed = 0;
    let busy = workers.length;
    let ended = false;
    const finish = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      clearInterval(watch);
      void Promise.all(workers.map((worker) => worker.terminate())).then(settle, reject);
    };
    const watch = setInterval(() => { if (listener.stopped()) finish(resolve); }, 100);
    const hand = (worker: Worker): void => {
      if (handed < units.length && !listener.stopped()) worker.postMessage(units[handed++]);
      else if (--busy === 0) finish(resolve);
    };
    const hear = (worker: Worker, message: WorkerMessage): void => {
      if (ended) return;
      if (message.type === 'part') listener.part(message.unit, message.done, message.total);
      else if (message.type === 'failed') finish(() => { reject(new Error(`unit ${message.unit}: ${message.stack}`)); });
      else {
        listener.done({ unit: message.unit, result: message.result });
        hand(worker);
      }
    };
    for (const worker of workers) {
      worker.on('error', (error) => { finish(() => { reject(error); }); });
      worker.on('message', (message: WorkerMessage) => { hear(worker, message); });
      hand(worker);
    }
  });
}

/** Runs units one after the other on this thread. */
export function inlineUnitPool(serve: UnitServer<unknown>): UnitPool {
  return async (units, listener) => {
    for (const unit of units) {
      if (listener.stopped()) return;
      const result = await serve(unit, (done, total) => { listener.part(unit, done, total); });
      listener.done({ unit, result });
    }
  };
}
