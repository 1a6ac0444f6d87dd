import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export { startServed } from '../process.js';
export type { ServedProcess } from '../process.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

function transpile(from: string, to: string): void {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(readFileSync(from, 'utf8'), { compilerOptions });
  writeFileSync(to.replace(/\.ts$/, '.js'), outputText);
}

/** Builds the safe's command into a scratch folder, so that it can run as a process of its own; returns its entry. */
export function buildSafeCommand(scratch: string): string {
  for (const folder of ['codec', 'safe', 'cli']) {
    mkdirSync(join(scratch, 'bench', folder), { recursive: true });
    const files = folder === 'cli' ? ['safe.ts'] : readdirSync(join(root, 'bench', folder));
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')))
      transpile(join(root, 'bench', folder, file), join(scratch, 'bench', folder, file));
  }
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}');
  const entry = join(scratch, 'main.js');
  writeFileSync(entry, `import { safeCommand } from './bench/cli/safe.js';
const io = { out: (line) => process.stdout.write(line + '\\n'), err: (line) => process.stderr.write(line + '\\n'), now: () => 0 };
process.exitCode = await safeCommand(process.argv.slice(2), io);
`);
  return entry;
}
