/** What can go wrong around a power cut, before anything can be said of the card. */
export type TearErrorCode = 'TEAR_CASE' | 'TEAR_RANGE' | 'TEAR_RUN' | 'TEAR_PATH';

const next: Readonly<Record<TearErrorCode, string>> = {
  TEAR_CASE: 'take the case id from a record of the same firmware, chip profile and seed',
  TEAR_RANGE: 'ask for fewer cuts, or for cycles within the run',
  TEAR_PATH: 'this is a defect of the bench: keep the command line and report it',
  TEAR_RUN: 'run the plan point of the same scenario first and look at its record',
};

/** Coded error of the power cuts: what happened, what is still true, what to do next. */
export class TearError extends Error {
  readonly code: TearErrorCode;
  readonly stillTrue: string;
  readonly next: string;

  constructor(code: TearErrorCode, message: string, stillTrue = 'no verdict was given') {
    super(message);
    this.name = 'TearError';
    this.code = code;
    this.stillTrue = stillTrue;
    this.next = next[code];
  }
}
