/** What can go wrong on the bench itself, before or around a run. */
export type BenchErrorCode = 'BENCH_PERSONALISE' | 'BENCH_PREPARE' | 'BENCH_IMAGE' | 'BENCH_USAGE' | 'BENCH_OUTPUT' | 'BENCH_SAFE';

const next: Readonly<Record<BenchErrorCode, string>> = {
  BENCH_PERSONALISE: 'compare the card with docs/protocol.md 2.2; `cardbench run` shows the APDU log',
  BENCH_PREPARE: 'run the point alone with `cardbench certify --point ID` and look at its record',
  BENCH_IMAGE: 'give an ELF, Intel HEX or raw ARMv6-M image that exists and can be read',
  BENCH_USAGE: 'see `cardbench help`',
  BENCH_SAFE: 'see that the safe runs with --compartments and that address, certificate and token are right, then repeat',
  BENCH_OUTPUT: 'choose a folder that can be written with --out',
};

/** Coded error of the bench: what happened, what is still true, what to do next. */
export class BenchError extends Error {
  readonly code: BenchErrorCode;
  readonly stillTrue: string;
  readonly next: string;

  constructor(code: BenchErrorCode, message: string, stillTrue = 'no verdict was given') {
    super(message);
    this.name = 'BenchError';
    this.code = code;
    this.stillTrue = stillTrue;
    this.next = next[code];
  }
}
