#!/usr/bin/env node
import { execCommand, type CommandIo } from './exec.js';

type Command = (argv: readonly string[], io: CommandIo) => Promise<number>;

/** The commands of `cardbench`, one line each. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['exec', execCommand],
  ['safe', async (argv, out) => (await import('./safe.js')).safeCommand(argv, out)],
]);

const io: CommandIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  now: () => performance.now(),
};

const [name = '', ...rest] = process.argv.slice(2);
const command = COMMANDS.get(name);
if (command === undefined) {
  io.err(`cardbench: no command '${name}'; there are: ${[...COMMANDS.keys()].join(', ')}`);
  process.exitCode = 2;
} else {
  process.exitCode = await command(rest, io);
}
