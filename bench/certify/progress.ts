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
export function createProgress({ total, terminal, write, now }: ProgressSetting): Progress {
  const begun = now();
  let printed = 0;
  const line = (done: number, text: string): string => `${done}/${total}${timeLeft(done, total, now() - begun)} ${text}`;
  return {
    step(done, text) {
      if (terminal) {
        const filled = Math.round((done / total) * width);
        write(`\r\u001b[K[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${line(done, text)}`);
      } else if (done - printed >= Math.max(1, Math.floor(total / 10)) || done === total) {
        printed = done;
        write(`${line(done, text)}\n`);
      }
    },
    end() {
      if (terminal) write('\r\u001b[K');
    },
  };
}
