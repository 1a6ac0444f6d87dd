import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CardCommand } from '../codec/index.js';
import type { CardLine, LineAnswer } from '../terminal/card-line.js';

const firmware = new URL('../../devices/firmware/', import.meta.url).pathname;

/** What the host build says to one line (devices/firmware/hosttest/app_host.c). */
interface HostReply {
  readonly answer?: string;
  readonly sw?: string;
  readonly steps?: readonly string[];
  readonly ops?: number;
  readonly cut?: boolean;
}

/** The power went in the middle of a command; the card is on again. */
export class PowerCut extends Error {}

const flags = ['-std=gnu11', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-Wall', '-I.'];
const sourcesOf = (folder: string): string[] =>
  readdirSync(join(firmware, folder)).filter((name) => name.endsWith('.c')).map((name) => join(folder, name));

/** Compiles the cryptography once; several builds of the application can be made with it. */
export function buildCrypto(): string {
  const object = join(mkdtempSync(join(tmpdir(), 'cardbench-host-')), 'crypto.o');
  execFileSync('gcc', [...flags, '-r', '-o', object, ...sourcesOf('crypto')], { cwd: firmware, stdio: 'inherit' });
  return object;
}

/** Object files of the application without faults, in the order of their sources, by the cryptography they go with. */
const applications = new Map<string, readonly string[]>();

function compile(sources: readonly string[], defines: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'cardbench-host-'));
  if (sources.length > 0) execFileSync('gcc', [...flags, ...defines, `-I${firmware}`, '-c', ...sources.map((source) => join(firmware, source))], { cwd: folder, stdio: 'inherit' });
  return sources.map((source) => join(folder, basename(source).replace(/c$/, 'o')));
}

/**
 * Compiles the application for this machine with the sanitizers on and the given FAULT macros set; answers the path
 * of the program. Only the files that name a macro are compiled anew, all of them when a header does. Needs gcc.
 */
export function buildHost(faults: readonly string[] = [], crypto: string = buildCrypto()): string {
  const program = join(mkdtempSync(join(tmpdir(), 'cardbench-host-')), 'app_host');
  const sources = ['hosttest/app_host.c', ...sourcesOf('app')];
  const objects = applications.get(crypto) ?? compile(sources, []);
  applications.set(crypto, objects);
  const names = (file: string): boolean => faults.some((fault) => readFileSync(join(firmware, file), 'utf8').includes(fault));
  const all = readdirSync(join(firmware, 'app')).some((file) => file.endsWith('.h') && names(join('app', file)));
  const anew = sources.filter((source) => all || names(source));
  const made = new Map(compile(anew, faults.map((name) => `-D${name}=1`)).map((object, i) => [anew[i], object]));
  const inputs = [...sources.map((source, i) => made.get(source) ?? objects[i]), crypto];
  execFileSync('gcc', [...flags, ...inputs, '-o', program], { cwd: firmware, stdio: 'inherit' });
  return program;
}

/** The application on this machine as a card line: no link, no time, memory operations counted. */
export class HostLine implements CardLine {
  readonly protocol = 'T=1';
  readonly hasTrace = true;
  /** Steps of the last command as `embodiment:a-b:outcome`. */
  steps: readonly string[] = [];
  /** Memory operations of the last command. */
  ops = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), 'cardbench-nvm-'));
  readonly #process: ChildProcess;
  readonly #replies: AsyncIterator<string>;

  constructor(program: string, pages = 256, ram = 2048) {
    this.#process = spawn(program, [join(this.#folder, 'nvm'), String(pages), String(ram)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('no standard output');
    this.#replies = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Sends a line as it is. Throws when the program has ended (a sanitizer's finding is on standard error). */
  async say(line: string): Promise<HostReply> {
    this.#process.stdin?.write(`${line}\n`);
    const { value, done } = (await this.#replies.next()) as IteratorResult<string, string>;
    if (done === true) throw new Error(`the host build ended at ${line.slice(0, 16)}`);
    return JSON.parse(value) as HostReply;
  }

  /** Throws PowerCut when an armed cut came. */
  async transmit(command: Pick<CardCommand, 'cla' | 'ins' | 'p1' | 'p2' | 'data'>): Promise<LineAnswer> {
    const header = Buffer.from([command.cla, command.ins, command.p1, command.p2]);
    const reply = await this.say(header.toString('hex') + Buffer.from(command.data).toString('hex'));
    this.steps = reply.steps ?? [];
    if (reply.cut === true) throw new PowerCut('power cut');
    this.ops = reply.ops ?? 0;
    return {
      data: new Uint8Array(Buffer.from(reply.answer ?? '', 'hex')), sw: parseInt(reply.sw ?? '', 16),
      startedAt: 0, endedAt: 0,
    };
  }

  /** A short APDU: header, Lc and data. */
  transmitRaw(apdu: Uint8Array): Promise<LineAnswer> {
    const [cla, ins, p1, p2] = apdu;
    return this.transmit({ cla, ins, p1, p2, data: apdu.slice(5) });
  }

  async reset(): Promise<void> {
    await this.say('reset');
  }

  /** Power goes in the middle of the n-th memory operation from here (0: the next). */
  async cutAt(operation: number): Promise<void> {
    await this.say(`cut ${operation}`);
  }

  takeMarks(): readonly [] {
    return [];
  }

  now(): number {
    return 0;
  }

  /** The memory as it is. */
  memory(): Uint8Array {
    return new Uint8Array(readFileSync(join(this.#folder, 'nvm')));
  }

  /** Puts a memory back, as after power-on. */
  async restore(memory: Uint8Array): Promise<void> {
    const file = openSync(join(this.#folder, 'nvm'), 'r+');
    writeSync(file, memory, 0, memory.length, 0);
    closeSync(file);
    await this.reset();
  }

  /** Ends the program and removes its memory. */
  close(): void {
    this.#process.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
