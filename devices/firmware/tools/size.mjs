// Size and stack of a firmware image: node tools/size.mjs <image.elf> <object folder> <tool prefix>.
// Code, static RAM by symbol, and the deepest stack by call chain: frames from the instructions (push, sub sp), from
// gcc's .su files where an instruction adjusts by a register; calls from bl and b to another function; a call by pointer may go to each function whose address is taken.
// Interrupts do not nest (one priority). Fails when the deepest stack does not fit the reserve in hal/hal.c,
// and on recursion and frames of unknown size.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [elf, objects, prefix = 'arm-none-eabi-'] = process.argv.slice(2);
const tool = (name, ...args) => execFileSync(`${prefix}${name}`, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
const INTERRUPTS = ['uart_interrupt', 'timer_interrupt', 'wake_interrupt'];
/** Frame that the core pushes, and the word that aligns it. */
const EXCEPTION_FRAME = 36;
/** Never reached on a chip with the coprocessor. */
const SOFTWARE = /^(x25519_software|ed25519_software|sha256_compress$|aes_software)/;

/** HMAC here is HMAC-SHA-256 with keys of at most 64 bytes: these calls are never made below it. */
const ABOVE_HMAC = /^crypto_hmac_/;
const NOT_IN_HMAC = /^(md5_compress|sha1_compress|crypto_sha256)$/;

function* filesBelow(folder, ending) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, ending);
    else if (entry.name.endsWith(ending)) yield path;
  }
}

/** Function name to its largest frame by the compiler. */
function compilerFrames() {
  const frames = new Map();
  for (const file of filesBelow(objects, '.su')) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n').filter(Boolean)) {
      const [place, bytes, kind] = line.split('\t');
      if (kind.includes('dynamic') && !kind.includes('bounded')) throw new Error(`frame of unknown size: ${place}`);
      const name = place.split(':').at(-1);
      frames.set(name, Math.max(frames.get(name) ?? 0, Number(bytes)));
    }
  }
  return frames;
}

const registers = (list) => list.split(',').reduce((sum, part) => {
  const [from, to] = part.trim().replace(/[a-z]+/g, '').split('-').map(Number);
  return sum + (part.includes('-') ? to - from + 1 : 1);
}, 0);

/** Functions by address: name, frame of the instructions, callees, whether it calls by pointer. */
function functionsOf() {
  const functions = new Map();
  let current;
  for (const line of tool('objdump', '-d', '--no-show-raw-insn', '-z', elf).split('\n')) {
    const start = /^([0-9a-f]{8}) <(.+)>:$/.exec(line);
    if (start) {
      current = { name: start[2], frame: 0, adjusts: false, calls: new Set(), pointer: false };
      functions.set(parseInt(start[1], 16), current);
      continue;
    }
    const code = /^\s*[0-9a-f]+:\s+(\S+)\s*(.*)$/.exec(line);
    if (!code || !current) continue;
    const [, name, operands] = code;
    if (name === 'push') current.frame += 4 * registers(/\{(.*)\}/.exec(operands)[1]);
    if (name === 'sub' && /^sp, (?:sp, )?#(\d+)/.test(operands)) current.frame += Number(/#(\d+)/.exec(operands)[1]);
    if (name === 'add' && /^sp, r\d/.test(operands)) current.adjusts = true;
    // In assembly and libgcc `bx` is a return or a jump within; in C it may be a call.
    if (name === 'blx' || (name === 'bx' && !operands.startsWith('lr'))) current.pointer = true;
    if (/^b(l|\w\w)?(\.n|\.w)?$/.test(name)) {
      const target = /^([0-9a-f]+) </.exec(operands);
      if (target) current.calls.add(parseInt(target[1], 16));
    }
  }
  return functions;
}

/**
 * Calls by pointer may go to every function whose address an object file asks for (the vector table excepted). Looking
 * for addresses among the words of the image would take numbers for functions.
 */
function addressTaken(functions) {
  const names = new Set();
  for (const path of filesBelow(objects, '.o')) {
    let counts = false;
    for (const line of tool('objdump', '-r', path).split('\n')) {
      const section = /^RELOCATION RECORDS FOR \[(.+)\]/.exec(line);
      if (section) counts = /^\.(text|rodata)/.test(section[1]);
      const [, symbol] = /\sR_ARM_ABS32\s+(\S+)/.exec(line) ?? [];
      if (counts && symbol !== undefined) names.add(symbol.replace(/^\.text\./, ''));
    }
  }
  return new Set([...functions].filter(([, { name }]) => names.has(name)).map(([address]) => address));
}

function deepest(functions, roots, skip) {
  const memo = new Map();
  const visit = (address, path, hmac) => {
    if (path.includes(address)) throw new Error(`recursion: ${[...path, address].map((a) => functions.get(a).name).join(" > ")}`);
    const f = functions.get(address);
    const within = hmac || ABOVE_HMAC.test(f.name);
    const key = within ? -address : address;
    const known = memo.get(key);
    if (known) return known;
    let best = { bytes: 0, chain: [] };
    for (const callee of f.callees) {
      const { name } = functions.get(callee);
      if (skip.test(name) || (within && NOT_IN_HMAC.test(name))) continue;
      const below = visit(callee, [...path, address], within);
      if (below.bytes > best.bytes) best = below;
    }
    const own = { bytes: f.frame + best.bytes, chain: [{ function: f.name, bytes: f.frame }, ...best.chain] };
    memo.set(key, own);
    return own;
  };
  return roots.map((root) => visit(root, [], false)).reduce((a, b) => (b.bytes > a.bytes ? b : a), { bytes: 0, chain: [] });
}

const frames = compilerFrames();
const functions = functionsOf();
const taken = addressTaken(functions);
for (const [address, f] of functions) {
  if (f.adjusts) f.frame = Math.max(f.frame, frames.get(f.name) ?? 0);
  f.callees = [...f.calls].filter((target) => target !== address && functions.has(target));
  if (f.pointer && frames.has(f.name)) f.callees.push(...taken);
}
const byName = (names) => [...functions].filter(([, f]) => names.includes(f.name)).map(([address]) => address);
const interrupt = deepest(functions, byName(INTERRUPTS), /^$/);
const stack = (skip) => {
  const main = deepest(functions, byName(['firmware_start']), skip);
  return { bytes: main.bytes + interrupt.bytes + EXCEPTION_FRAME, interrupt: interrupt.bytes + EXCEPTION_FRAME, chain: main.chain };
};

const sections = Object.fromEntries(tool('size', '-A', elf).split('\n').map((line) => line.split(/\s+/)).map(([name, bytes]) => [name, Number(bytes)]));
const symbols = tool('nm', '-S', '--size-sort', elf).trim().split('\n').map((line) => line.split(' '));
const statics = symbols.filter(([, , kind]) => /^[bBdD]$/.test(kind)).map(([, bytes, , name]) => ({ symbol: name, bytes: parseInt(bytes, 16) }));
const code = symbols.filter(([, , kind]) => /^[tTrR]$/.test(kind)).map(([, bytes, , name]) => ({ symbol: name, bytes: parseInt(bytes, 16) }));
const reserve = (name) => Number(new RegExp(`#define ${name} (\\d+)u`).exec(readFileSync('hal/hal.c', 'utf8'))[1]);
const report = {
  codeBytes: sections['.text'],
  staticRamBytes: sections['.bss'] ?? 0,
  stack: {
    coprocessor: { reserve: reserve('STACK_COPROCESSOR'), ...stack(SOFTWARE) },
    software: { reserve: reserve('STACK_SOFTWARE'), ...stack(/^$/) },
  },
  statics: statics.reverse(),
  largest: code.reverse().slice(0, 20),
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
for (const [kind, { bytes, reserve: kept }] of Object.entries(report.stack)) {
  if (bytes <= kept) continue;
  process.stderr.write(`stack (${kind}): ${bytes} bytes in the worst case, ${kept} kept: raise the figure in hal/hal.c\n`);
  process.exitCode = 1;
}
