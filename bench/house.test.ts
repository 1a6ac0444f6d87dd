import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const rooms = ['scenarios', 'bench', 'devices', 'emulator', 'reports'] as const;
type Room = (typeof rooms)[number];

/** Which front doors a folder may import; its own files are always allowed. */
const mayImport: Record<Room, readonly Room[]> = {
  emulator: [],
  reports: [],
  scenarios: [],
  devices: ['emulator'],
  bench: ['scenarios', 'devices', 'emulator', 'reports'],
};

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

const parse = (file: string, text = readFileSync(join(root, file), 'utf8')): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);

/** Every module specifier of a file: static and dynamic imports, re-exports, `import type`. */
function specifiers(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier)
      found.push((node.moduleSpecifier as ts.StringLiteral).text);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
      found.push(node.argument.literal.text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push(argument && ts.isStringLiteral(argument) ? argument.text : '(computed)');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Why `file` may not import `specifier`, or undefined where it may. */
function objection(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = normalize(join(dirname(file), specifier));
  const from = file.split('/')[0] as Room;
  const to = target.split('/')[0] as Room;
  if (from === to) return undefined;
  const isData = /\.(json|ya?ml)$/.test(target) && to === ('package.json' as Room);
  if (isData) return undefined;
  if (!rooms.includes(to)) return `${file} imports ${target}, which is in no folder of the table`;
  if (!mayImport[from].includes(to)) return `${file}: ${from} may not import ${to}`;
  if (target !== join(to, 'index.js')) return `${file} imports ${target}; only the front door ${to}/index.js is open`;
  if (from === 'devices' && !file.startsWith(join('devices', 'emulated')))
    return `${file}: only devices/emulated/ may import emulator`;
  return undefined;
}

const objections = (file: string, source: ts.SourceFile): string[] =>
  specifiers(source).flatMap((specifier) => objection(file, specifier) ?? []);

describe('import table', () => {
  test('no file goes past a front door or against the table', () => {
    expect(rooms.flatMap(filesOf).flatMap((file) => objections(file, parse(file)))).toEqual([]);
  });

  test.each([
    ['emulator/x.ts', "import type { A } from '../bench/index.js';"],
    ['scenarios/x.ts', "export * from '../reports/index.js';"],
    ['devices/serial/x.ts', "import { a } from '../../emulator/index.js';"],
    ['bench/x.ts', "import { a } from '../emulator/chip.js';"],
    ['reports/x.ts', "const a = await import('../devices/index.js');"],
    ['reports/x.ts', "let a: import('../devices/index.js').B;"],
  ])('the check sees a breach in %s: %s', (file, text) => {
    expect(objections(file, parse(file, text))).toHaveLength(1);
  });
});

/** Names of exported declarations of a file that carry no docstring. */
function undocumented(file: string): string[] {
  return parse(file).statements.flatMap((statement) => {
    const exported = ts.canHaveModifiers(statement)
      && ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
    if (!exported || ts.getJSDocCommentsAndTags(statement).length > 0) return [];
    const text = statement.getText().split('\n')[0] ?? '';
    return [`${file}: ${text.slice(0, 80)}`];
  });
}

describe('docstrings', () => {
  test('everything exported outside tests has one', () => {
    const files = rooms.flatMap(filesOf).filter((file) => !file.endsWith('.test.ts') && !file.includes('/testing/'));
    expect(files.flatMap(undocumented)).toEqual([]);
  });
});

describe('tree', () => {
  test('top-level folders are the five rooms, docs and plumbing', () => {
    const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const plumbing = ['.ci', '.git', 'docs', 'node_modules', 'dist', 'cardbench-out', 'coverage'];
    expect(folders.map((entry) => entry.name).filter((name) => !rooms.includes(name as Room) && !plumbing.includes(name)))
      .toEqual([]);
  });
});
