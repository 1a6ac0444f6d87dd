/** Shows how far a campaign is: a bar on a terminal, a line every so often elsewhere. */
export interface Progress {
  step(done: number, text: string): void;
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
  const line = (done: number, text: string): string => `${done}/${total}${timeLeft(done, total, setting.now() - begun)} ${text}`;
  return {
    step(done, text) {
      if (terminal) {
        const filled = Math.round((done / total) * width);
        setting.write(`\r\u001b[K[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${line(done, text)}`);
      } else if (done - printed >= Math.max(1, Math.floor(total / 10)) || done === total) {
        printed = done;
        setting.write(`${line(done, text)}\n`);
      }
    },
    end() {
      if (terminal) setting.write('\r\u001b[K');
    },
  };
}
