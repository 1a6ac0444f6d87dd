import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  ChipError,
  EmulatorError,
  createChip,
  loadImage,
  loadProfile,
  type EngineChoice,
  type Machine,
  type RunResult,
  type StopReason,
} from '../../emulator/index.js';

/** Where a command writes; one call is one line. */
export interface CommandIo {
  /** Results. */
  out(line: string): void;
  /** Progress and errors. */
  err(line: string): void;
  /** Wall time in milliseconds. */
  now(): number;
}

/** Usage of `cardbench exec`. */
export const EXEC_USAGE = `cardbench exec IMAGE [--chip generic|c2000|c2010|modern|FILE.yaml] [--set KEY=VALUE]... [--engine auto|interpreter|wasm]
  [--cycles N] [--stop-at ADDR|SYMBOL] [--until bkpt] [--dump ADDR:LEN]... [--json]
Runs an image (ELF, Intel HEX or binary at 0) from power-on and prints how and where it stopped; a software
reset goes on. --engine says how code is run: all engines give the same results to the cycle. --stop-at takes 0x..., decimal or a symbol; --cycles is a limit (default 10,000,000,000).
Exit: 0 bkpt, stop-at, or TRACE.EXIT with code 0; 1 TRACE.EXIT with another code; 2 usage or bad image;
3 limit, lockup or sleep-forever`;

interface Options {
  readonly image: string;
  readonly chip: string;
  readonly overrides: readonly string[];
  readonly cycles: number;
  readonly stopAt: string | undefined;
  readonly dumps: readonly { readonly address: number; readonly length: number }[];
  readonly json: boolean;
  readonly engine: EngineChoice;
}

/** What the user got wrong. */
class UsageError extends Error {}

function number(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) throw new UsageError(`${what}: '${text}' is no number (decimal or 0x...)`);
  return value;
}

function parseDump(text: string): { address: number; length: number } {
  const [address, length, ...rest] = text.split(':');
  if (length === undefined || rest.length > 0) throw new UsageError(`--dump: '${text}' is not ADDR:LEN`);
  return { address: number(address, '--dump address'), length: number(length, '--dump length') };
}

function only<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`--${name}: '${value}' is not known, there is ${allowed.join(', ')}`);
  return found;
}

function parse(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      chip: { type: 'string', default: 'generic' },
      set: { type: 'string', multiple: true, default: [] },
      engine: { type: 'string', default: 'auto' },
      cycles: { type: 'string', default: '10000000000' },
      'stop-at': { type: 'string' },
      until: { type: 'string', default: 'bkpt' },
      dump: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1) throw new UsageError('give exactly one IMAGE');
  only('until', values.until, ['bkpt']);
  return {
    image: positionals[0],
    chip: values.chip,
    overrides: values.set,
    cycles: number(values.cycles, '--cycles'),
    stopAt: values['stop-at'],
    dumps: values.dump.map(parseDump),
    json: values.json,
    engine: only('engine', values.engine, ['auto', 'interpreter', 'wasm']),
  };
}

function stopAddress(machine: Machine, text: string): number {
  const symbol = machine.symbols.find(text);
  if (symbol !== undefined) return symbol.address;
  if (!/^[0-9]/.test(text)) throw new UsageError(`--stop-at: the image has no symbol '${text}'`);
  return number(text, '--stop-at');
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');

interface Report {
  readonly reason: StopReason;
  readonly exitCode?: number;
  readonly cycles: number;
  readonly instructions: number;
  readonly seconds: number;
  readonly pc: string;
  readonly at: string;
  readonly registers: Readonly<Record<string, string>>;
  readonly stackLowWater: string;
  readonly violations: readonly string[];
  readonly dumps: readonly { readonly address: string; readonly bytes: string | null }[];
}

function locate(machine: Machine, pc: number): string {
  const symbol = machine.symbolAt(pc);
  const line = machine.symbols.lineAt(pc);
  const name = symbol === undefined ? '' : `${symbol.name}+0x${(pc - symbol.address).toString(16)}`;
  return [name, line === undefined ? '' : `${line.file}:${line.line}`].filter((x) => x !== '').join(' ');
}

function registerTable(machine: Machine): Record<string, string> {
  const { r, xpsr, msp, psp, primask, control } = machine.registers();
  const names = [...Array.from({ length: 13 }, (_, k) => `r${k}`), 'sp', 'lr', 'pc'];
  return {
    ...Object.fromEntries(names.map((name, k) => [name, hex(r[k])])),
    xpsr: hex(xpsr),
    msp: hex(msp),
    psp: hex(psp),
    primask: hex(primask),
    control: hex(control),
  };
}

function report(machine: Machine, result: RunResult, seconds: number, options: Options): Report {
  return {
    reason: result.reason,
    ...(result.exitCode === undefined ? {} : { exitCode: result.exitCode }),
    cycles: result.cycle,
    instructions: result.instructions,
    seconds,
    pc: hex(result.pc),
    at: locate(machine, result.pc),
    registers: registerTable(machine),
    stackLowWater: hex(machine.stackLowWater),
    violations: machine.violations.map((v) => `${v.code} at cycle ${v.cycle}, pc ${hex(v.pc)} ${locate(machine, v.pc)}: ${v.detail}`),
    dumps: options.dumps.map(({ address, length }) => {
      const bytes = machine.peek(address, length);
      return { address: hex(address), bytes: bytes === undefined ? null : Buffer.from(bytes).toString('hex') };
    }),
  };
}

function dumpLines(address: string, bytes: string | null): string[] {
  if (bytes === null) return [`${address}: unmapped`];
  const rows = bytes.match(/.{1,32}/g) ?? [];
  return rows.map((row, k) => `${hex(Number.parseInt(address, 16) + 16 * k)}: ${row.replace(/(..)(?=.)/g, '$1 ')}`);
}

function print(io: CommandIo, r: Report): void {
  const rate = r.seconds > 0 ? `, ${(r.instructions / r.seconds / 1e6).toFixed(1)} M instructions/s` : '';
  io.out(`stopped: ${r.reason}${r.exitCode === undefined ? '' : ` ${r.exitCode}`} at ${r.pc} ${r.at}`.trimEnd());
  io.out(`cycles ${r.cycles}, instructions ${r.instructions}, seconds ${r.seconds.toFixed(3)}${rate}`);
  const cells = Object.entries(r.registers).map(([name, value]) => `${name.padStart(7)} ${value}`);
  for (let k = 0; k < cells.length; k += 4) io.out(cells.slice(k, k + 4).join(' '));
  io.out(`stack low-water mark ${r.stackLowWater}`);
  for (const violation of r.violations) io.out(`violation: ${violation}`);
  for (const { address, bytes } of r.dumps) for (const line of dumpLines(address, bytes)) io.out(line);
}

function exitStatus(result: RunResult): number {
  if (result.reason === 'exit') return result.exitCode === 0 ? 0 : 1;
  return result.reason === 'bkpt' || result.reason === 'stop-at' ? 0 : 3;
}

function runThroughResets(machine: Machine, until: number): RunResult {
  let instructions = 0;
  for (;;) {
    const result = machine.run({ until });
    instructions += result.instructions;
    if (result.reason !== 'reset-request') return { ...result, instructions };
    machine.reset('software');
  }
}

async function execute(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parse(argv);
  const image = loadImage(await readFile(options.image));
  const { machine } = createChip({ profile: loadProfile(options.chip, options.overrides), image, engine: options.engine });
  if (options.stopAt !== undefined) machine.addBreakpoint(stopAddress(machine, options.stopAt));
  const start = io.now();
  const result = runThroughResets(machine, options.cycles);
  const full = report(machine, result, (io.now() - start) / 1000, options);
  if (options.json) io.out(JSON.stringify(full));
  else print(io, full);
  return exitStatus(result);
}

function isUserError(error: unknown): error is Error {
  const code = (error as { code?: unknown }).code;
  const text = typeof code === 'string' ? code : '';
  return error instanceof UsageError || error instanceof EmulatorError || error instanceof ChipError || text.startsWith('ERR_PARSE_ARGS') || /^E[A-Z]+$/.test(text);
}

/**
 * `cardbench exec`: runs an image and prints stop reason, cycles, instructions, seconds, registers and dumps.
 * @returns the exit code, see {@link EXEC_USAGE}
 */
export async function execCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await execute(argv, io);
  } catch (error) {
    if (!isUserError(error)) throw error;
    io.err(error.message);
    io.err(EXEC_USAGE);
    return 2;
  }
}
