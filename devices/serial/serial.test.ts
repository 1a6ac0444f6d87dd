import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SerialPort } from 'serialport';
import { isDeviceError } from '../errors.js';
import { listSerialPorts, openErrorCode, serialBoard } from './board.js';
import { wallClock } from './clock.js';
import type { WallTime } from './clock.js';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return error.code;
  }
}

test('a port that does not exist: DEVICE_MISSING', async () => {
  expect(await codeOf(serialBoard({ path: '/dev/cardbench-no-such-port' }))).toBe('DEVICE_MISSING');
});

test.each([
  ['Error: No such file or directory, cannot open /dev/ttyUSB9', 'DEVICE_MISSING'],
  ['Opening COM9: File not found', 'DEVICE_MISSING'],
  ['Error Resource temporarily unavailable Cannot lock port', 'DEVICE_BUSY'],
  ['Opening COM3: Access denied', 'DEVICE_BUSY'],
  ['Inappropriate ioctl for device', 'DEVICE_UNSUPPORTED'],
])('%s: %s', (message, code) => expect(openErrorCode(message)).toBe(code));

test('ports are listed, or the missing package is named', async () => {
  try {
    expect(Array.isArray(await listSerialPorts())).toBe(true);
  } catch (error) {
    expect(isDeviceError(error, 'DEVICE_UNSUPPORTED')).toBe(true);
    expect((error as Error).message).toContain('udev');
  }
});

test('the wall clock waits on the injected time, and stops at once when told', async () => {
  const timers: { at: number; call: () => void }[] = [];
  let now = 1000;
  const time: WallTime = { now: () => now, after: (ms, call) => {
    timers.push({ at: now + ms, call });
    return () => void timers.pop();
  } };
  const clock = wallClock(5, time);
  const waiting = clock.wait(1250, new AbortController().signal);
  expect(timers[0].at).toBe(1250);
  now = 1250;
  timers[0].call();
  await waiting;
  const stop = new AbortController();
  const stopped = clock.wait(9000, stop.signal);
  stop.abort();
  await stopped;
  expect(timers).toHaveLength(1);
});

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore', timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

/** A scripted board on the other end of a pty pair: an ATR, then T=0 answers. */
class Board {
  readonly #port: SerialPort;
  readonly #heard: number[] = [];

  constructor(path: string) {
    this.#port = new SerialPort({ path, baudRate: 9600 });
    this.#port.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  pulse = (): Promise<void> => {
    setImmediate(() => this.#port.write(Buffer.from([0x3b, 0x02, 0x14, 0x50])));
    return Promise.resolve();
  };

  close(): Promise<void> {
    return new Promise((resolve) => this.#port.close(() => resolve()));
  }

  #onData(chunk: Buffer): void {
    this.#heard.push(...chunk);
    if (this.#heard.length < 5) return;
    const [, ins, , , p3] = this.#heard.splice(0, 5);
    this.#port.write(Buffer.from([0x60, ins, ...Array.from({ length: p3 }, (_, i) => i), 0x90, 0x00]));
  }
}

describe.skipIf(!has('socat'))('a board on a pty (needs socat: bash .ci/system-packages)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cardbench-pty-'));
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  let socat: ChildProcess;

  beforeAll(async () => {
    socat = spawn('socat', ['-d', '-d', `PTY,link=${near},raw,echo=0`, `PTY,link=${far},raw,echo=0`], { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      let log = '';
      socat.stderr?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('starting data transfer loop')) resolve();
      });
      socat.once('exit', () => reject(new Error(`socat ended: ${log}`)));
    });
  });
  afterAll(() => {
    socat.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('ATR, a command, a second opener, and the unplugged line', async () => {
    const far1 = new Board(far);
    const board = await serialBoard({ path: near, baudRate: 9600, parity: 'none', pulse: far1.pulse, protocol: 'T=0' });
    expect((await board.channel.open()).atr.historical).toEqual(Uint8Array.of(0x14, 0x50));
    const reply = await board.channel.transmit({ cla: 0x80, ins: 0xca, p1: 0, p2: 0, le: 5 });
    expect(reply).toMatchObject({ data: Uint8Array.of(0, 1, 2, 3, 4), sw: 0x9000 });
    expect(reply.startedAt.cycles).toBeUndefined();
    expect(await codeOf(serialBoard({ path: near }))).toBe('DEVICE_BUSY');
    await far1.close();
    const silent = board.channel.transmit({ cla: 0x80, ins: 0xca, p1: 0, p2: 0, le: 5 });
    socat.kill('SIGKILL');
    expect(['CARD_REMOVED', 'CARD_LINK']).toContain(await codeOf(silent));
    await board.release();
  });
});
