// Everything that must hold, in one run: types, lint, tests. Prints one plain closing line with the counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name, file) => join(root, 'node_modules', name, file);
const scratch = mkdtempSync(join(tmpdir(), 'cardbench-test-'));
const results = join(scratch, 'vitest.json');

function step(title, file, args) {
  process.stderr.write(`\n== ${title}\n`);
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
  return status === 0;
}

const types = step('types (tsc)', bin('typescript', 'bin/tsc'), ['-p', 'tsconfig.json', '--noEmit']);
const lint = step('lint (eslint)', bin('eslint', 'bin/eslint.js'), ['.', '--max-warnings=0']);
const unit = step('tests (vitest)', bin('vitest', 'vitest.mjs'), [
  'run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`, ...process.argv.slice(2),
]);

let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
try {
  counts = JSON.parse(readFileSync(results, 'utf8'));
} catch {
  process.stderr.write('no test results were written\n');
}
rmSync(scratch, { recursive: true, force: true });
if (!types) process.stderr.write('types failed\n');
if (!lint) process.stderr.write('lint failed\n');
const skipped = counts.numPendingTests + counts.numTodoTests;
process.stdout.write(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${skipped} skipped\n`);
process.exit(types && lint && unit && counts.numPassedTests > 0 ? 0 : 1);
