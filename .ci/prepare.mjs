// Makes a checkout ready to run: installs what package-lock.json names, builds dist/ when it is older than the
// sources. Options: --build builds in any case; --system first offers the system packages (root on Debian only).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const rooms = ['scenarios', 'bench', 'devices', 'emulator', 'reports'];
const say = (text) => process.stderr.write(`cardbench: ${text}\n`);
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`Node ${process.versions.node} is too old; nothing was changed. Install Node 20.19 or newer.`);
  process.exit(2);
}

function install() {
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  const stamp = join(root, 'node_modules', '.cardbench-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts')) yield path;
  }
}

function sourceHash() {
  const hash = createHash('sha256');
  const files = [...rooms.flatMap((room) => [...sources(room)]), 'tsconfig.json', 'tsconfig.build.json'].sort();
  for (const file of files) hash.update(file).update('\0').update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function build(force) {
  const stamp = join(root, 'dist', '.stamp');
  const wanted = sourceHash();
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('building dist/ (tsc)');
  const fresh = join(root, `dist-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  try {
    run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh]);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(join(fresh, '.stamp'), wanted);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
}

checkNode();
if (process.argv.includes('--system')) run('bash', [join('.ci', 'system-packages'), '--if-root']);
install();
build(process.argv.includes('--build'));
