import { spawn, spawnSync } from 'node:child_process';

/** State of QEMU's core before one instruction. */
export interface TraceRecord {
  /** r0 to r15, unsigned. */
  readonly r: readonly number[];
  readonly xpsr: number;
}

/** True when `qemu-system-arm` can be started. */
export function hasQemu(): boolean {
  return spawnSync('qemu-system-arm', ['--version'], { timeout: 10_000 }).status === 0;
}

const ARGUMENTS = ['-M', 'microbit', '-singlestep', '-d', 'cpu,nochain,exec', '-display', 'none', '-serial', 'null', '-monitor', 'none'];

/** QEMU writes a log file in blocks, its stderr piece by piece (fifty times slower); a file can be a pipe, not Node's socket. */
const SCRIPT = 'qemu-system-arm "$@" -D /dev/stdout | cat';

function parseRecord(lines: readonly string[], xpsrLine: string): TraceRecord {
  const r = lines.flatMap((line) => Array.from({ length: 4 }, (_, k) => Number.parseInt(line.slice(13 * k + 4, 13 * k + 12), 16)));
  return { r, xpsr: Number.parseInt(xpsrLine.slice(5, 13), 16) };
}

/**
 * Runs `image` on QEMU's micro:bit (Cortex-M0) and gives the registers before each instruction; the trace is
 * read as it comes, in batches, never stored. Ending the iteration ends QEMU.
 */
export async function* traceQemu(image: string): AsyncGenerator<readonly TraceRecord[]> {
  const qemu = spawn('sh', ['-c', SCRIPT, 'sh', ...ARGUMENTS, '-kernel', image], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  try {
    let rest = '';
    let lines: string[] = [];
    qemu.stdout.setEncoding('latin1');
    for await (const chunk of qemu.stdout as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      const records: TraceRecord[] = [];
      for (const line of parts) {
        if (line.startsWith('R')) lines.push(line);
        else if (line.startsWith('XPSR=')) {
          records.push(parseRecord(lines, line));
          lines = [];
        }
      }
      yield records;
    }
  } finally {
    if (qemu.pid !== undefined) process.kill(-qemu.pid, 'SIGKILL');
  }
}
