/** Shows how far a campaign is: a bar on a terminal, a line every so often elsewhere. */
export interface Progress {
  /** `done` of the total, whole or not; `pieces` so far, for the rate. */
  step(done: number, text: string, pieces?: number): void;
  end(): void;
}

/** How progress is shown. */
export interface ProgressSetting {
  readonly total: number;
  readonly terminal: boolean;
  write(text: string): void;
  /** Milliseconds of the host, for the rate. */
  now(): number;
}

const width = 30;

function timeLeft(done: number, total: number, elapsed: number): string {
  return done === 0 ? '' : `, ${Math.ceil(((elapsed / done) * (total - done)) / 1000)} s left`;
}

/** Progress of `total` points. */
export function createProgress(setting: ProgressSetting): Progress {
  const { total, terminal } = setting;
  const begun = setting.now();
  let printed = 0;
  const rate = (pieces: number): string => `${Math.round((pieces * 1000) / Math.max(1, setting.now() - begun))}/s, `;
  const line = (done: number, text: string, pieces?: number): string => {
    const share = Number.isInteger(done) ? String(done) : done.toFixed(1);
    return `${share}/${total}${timeLeft(done, total, setting.now() - begun)} ${pieces === undefined ? '' : rate(pieces)}${text}`;
  };
  return {
    step(done, text, pieces) {
      if (terminal) {
        const filled = Math.round((done / total) * width);
        setting.write(`\r\u001b[K[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${line(done, text, pieces)}`);
      } else if (done - printed >= Math.max(1, Math.floor(total / 10)) || done === total) {
        printed = done;
        setting.write(`${line(done, text, pieces)}\n`);
      }
    },
    end() {
      if (terminal) setting.write('\r\u001b[K');
    },
  };
}
