import type { Subject } from './subjects.js';

/** Median speed of one subject. */
export interface Speed {
  readonly name: string;
  /** Millions of instructions a second of CPU time, median over the rounds. */
  readonly mips: number;
  /** Against the last subject of the list. */
  readonly ratio: number;
}

/** One line of the table: what was measured, on what, with its unit. */
export interface Row {
  readonly section: string;
  readonly subject: string;
  readonly what: string;
  /** Undefined when it could not be measured; `note` says why. */
  readonly value: number | undefined;
  readonly unit: string;
  readonly note?: string;
}

/** A part of the benchmark; it runs for itself and gives its rows. */
export interface Section {
  readonly name: string;
  /** `tell` shows progress. */
  run(tell: (text: string) => void): Promise<readonly Row[]>;
}

/** Middle element; of an even number the upper one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** CPU seconds of this process so far, all threads: background compilation counts. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Runs the subjects in turn, round after round, so that what else the machine does meets all alike.
 * The first `warmUp` rounds are not counted.
 * @param seconds CPU time used so far
 * @returns one entry for each subject; the last is the reference
 */
export function measure(
  subjects: readonly { readonly subject: Subject; readonly count: number }[],
  rounds: number,
  warmUp: number,
  seconds: () => number,
): Speed[] {
  const speeds = subjects.map((): number[] => []);
  for (let round = 0; round < rounds + warmUp; round++) {
    subjects.forEach(({ subject, count }, k) => {
      const start = seconds();
      const done = subject.run(count);
      if (round >= warmUp) speeds[k].push(done / (seconds() - start) / 1e6);
    });
  }
  const medians = speeds.map(median);
  const reference = medians[medians.length - 1];
  return subjects.map(({ subject }, k) => ({ name: subject.name, mips: medians[k], ratio: medians[k] / reference }));
}
