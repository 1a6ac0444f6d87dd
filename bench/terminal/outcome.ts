import { CodecError, statusMeaning } from '../codec/index.js';
import { DeviceError } from '../../devices/index.js';
import type { Failure, FailureCause, Outcome, StepMark } from '../../scenarios/index.js';
import type { LineAnswer } from './card-line.js';

const causes: Readonly<Record<string, FailureCause>> = {
  CARD_SILENT: 'late',
  CARD_LATE: 'late',
  CARD_PROTOCOL: 'unexpected',
  CARD_BAD_ATR: 'unexpected',
};

/** A failure of the link as an outcome; anything that is not the card's doing is thrown on. */
export function linkFailure(error: unknown, marks: readonly StepMark[]): Failure {
  if (!(error instanceof DeviceError)) throw error;
  return { ok: false, cause: causes[error.code] ?? 'link', text: `${error.code}: ${error.message}`, marks };
}

/** Judges an answer by its status word and turns its data into a value. */
export function cardOutcome<T>(
  answer: LineAnswer, marks: readonly StepMark[], parse: (data: Uint8Array) => T,
): Outcome<T> {
  const status = statusMeaning(answer.sw);
  if (status.class !== 'done') {
    const cause = status.class === 'unknown' || status.class === 'more' ? 'unexpected' : 'refused';
    return { ok: false, cause, sw: status.hex, text: `${status.hex} ${status.meaning}`, marks };
  }
  try {
    return { ok: true, value: parse(answer.data), marks };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { ok: false, cause: 'unexpected', sw: status.hex, text: `${error.code}: ${error.message}`, marks };
  }
}
