import { CodecError } from '../codec/index.js';
import { SafeError } from './errors.js';

/** What `run` reads; a codec's refusal of the input becomes SafeError SAFE_BAD_OBJECT. */
export function wellFormed<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new SafeError('SAFE_BAD_OBJECT', `${cause.code}: ${cause.message}`, { cause });
  }
}
