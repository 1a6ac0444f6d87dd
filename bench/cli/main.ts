#!/usr/bin/env node
import type { CertifyIo } from './certify.js';

type Command = (argv: readonly string[], io: CertifyIo) => Promise<number>;

/** The commands of `cardbench`, one line each; loaded when they are called. */
const commands: ReadonlyMap<string, { readonly about: string; readonly run: Command }> = new Map([
  ['certify', { about: 'certify a card firmware against the test plan', run: async (argv, io) => (await import('./certify.js')).certifyCommand(argv, io) }],
  ['run', { about: 'run one scenario with the APDU log', run: async (argv, io) => (await import('./run.js')).runCommand(argv, io) }],
  ['tear', { about: 'take the power away at every cycle of a phase', run: async (argv, io) => (await import('./tear.js')).tearCommand(argv, io) }],
  ['capacity', { about: 'start scenarios from every level of free memory', run: async (argv, io) => (await import('./capacity.js')).capacityCommand(argv, io) }],
  ['disturb', { about: 'disturb a phase by other faults: noise, brown-out, clock, cells, flipped bits, skips', run: async (argv, io) => (await import('./disturb.js')).disturbCommand(argv, io) }],
  ['replay', { about: 'repeat one case by its case id', run: async (argv, io) => (await import('./replay.js')).replayCommand(argv, io) }],
  ['exec', { about: 'run any ARMv6-M image and print how it stopped', run: async (argv, io) => (await import('./exec.js')).execCommand(argv, io) }],
  ['safe', { about: 'serve, set up or export an electronic safe', run: async (argv, io) => (await import('./safe.js')).safeCommand(argv, io) }],
]);

const io: CertifyIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  now: () => performance.now(),
  terminal: process.stderr.isTTY,
  colour: process.stdout.isTTY && !process.env.NO_COLOR,
  progress: (text) => void process.stderr.write(text),
  onInterrupt(run) {
    process.on('SIGINT', run);
    return () => process.off('SIGINT', run);
  },
};

function help(): string[] {
  return ['cardbench COMMAND ...', ...[...commands].map(([name, { about }]) => `  ${name.padEnd(9)} ${about}`), 'Without arguments a command says how it is used where it needs any.'];
}

const [name = 'help', ...rest] = process.argv.slice(2);
const command = commands.get(name);
if (name === 'help' || name === '--help') {
  for (const line of help()) io.out(line);
} else if (command === undefined) {
  io.err(`cardbench: there is no command '${name}'`);
  for (const line of help()) io.err(line);
  process.exitCode = 2;
} else {
  process.exitCode = await command.run(rest, io);
}
