import { toHex } from '../codec/index.js';
import type { Outcome } from '../../scenarios/index.js';

function essence(outcome: Outcome<unknown>): unknown {
  if (!outcome.ok) return [outcome.cause, outcome.sw, outcome.safeCode];
  const bytes = (outcome.value as { readonly bytes?: unknown } | undefined)?.bytes;
  return bytes instanceof Uint8Array ? toHex(bytes) : outcome.value;
}

/** True when two outcomes of the same call say the same: equal objects byte for byte, or the same refusal. */
export function sameOutcome(a: Outcome<unknown>, b: Outcome<unknown>): boolean {
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
}
