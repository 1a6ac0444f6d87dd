/** A value now, or later. Ports of emulated cards answer at once, real ones later. */
export type Eventually<T> = T | Promise<T>;

/**
 * Protocol code that may have to wait: it yields only the promises it really waits for, so that it
 * runs to its end without one when the port answers at once.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

function isPromise<T>(value: Eventually<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Waits for `value` inside protocol code: `const x = yield* wait(port.receive(t))`. */
export function* wait<T>(value: Eventually<T>): Steps<T> {
  return isPromise(value) ? ((yield value) as T) : value;
}

async function driveLater<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let pending = first;
  for (;;) {
    let result: IteratorResult<Promise<unknown>, T>;
    try {
      const value = await pending;
      result = steps.next(value);
    } catch (error) {
      result = steps.throw(error);
    }
    if (result.done) return result.value;
    pending = result.value;
  }
}

/** Runs protocol code to its end: at once on a synchronous port, as a promise on any other. */
export function drive<T>(steps: Steps<T>): Eventually<T> {
  const result = steps.next();
  return result.done ? result.value : driveLater(steps, result.value);
}
