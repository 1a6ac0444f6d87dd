import type { ImageLine } from './image.js';

/** A cursor over DWARF data; reading beyond the end gives zeros and sets `ended`. */
class Cursor {
  at: number;
  readonly data: Uint8Array;
  readonly #view: DataView;

  constructor(data: Uint8Array, at: number) {
    this.data = data;
    this.at = at;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  get ended(): boolean {
    return this.at >= this.data.length;
  }

  fixed(size: number): number {
    const at = this.at;
    this.at += size;
    if (this.at > this.data.length) return 0;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  uleb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.fixed(1);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value >>> 0;
    }
  }

  sleb(): number {
    let value = 0;
    for (let shift = 0; ; ) {
      const byte = this.fixed(1);
      value |= (byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) === 0) return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value;
    }
  }

  text(): string {
    const end = this.data.indexOf(0, this.at);
    const stop = end < 0 ? this.data.length : end;
    const bytes = this.data.subarray(this.at, stop);
    this.at = stop + 1;
    return new TextDecoder().decode(bytes);
  }
}

interface Strings {
  readonly line: Uint8Array;
  readonly str: Uint8Array;
}

interface Program {
  readonly files: readonly string[];
  readonly firstFile: number;
  readonly minInstruction: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
}

const FORM = { data2: 0x05, data4: 0x06, string: 0x08, block: 0x09, data1: 0x0b, strp: 0x0e, udata: 0x0f, data16: 0x1e, lineStrp: 0x1f } as const;

/** Reads one DWARF 5 directory or file attribute; text and number forms that GNU tools emit. */
function readForm(cursor: Cursor, form: number, strings: Strings): string | number {
  switch (form) {
    case FORM.string:
      return cursor.text();
    case FORM.lineStrp:
      return new Cursor(strings.line, cursor.fixed(4)).text();
    case FORM.strp:
      return new Cursor(strings.str, cursor.fixed(4)).text();
    case FORM.data1:
      return cursor.fixed(1);
    case FORM.data2:
      return cursor.fixed(2);
    case FORM.data4:
      return cursor.fixed(4);
    case FORM.data16:
      cursor.at += 16;
      return 0;
    case FORM.block:
      cursor.at += cursor.uleb();
      return 0;
    default:
      return cursor.uleb();
  }
}

function readEntries(cursor: Cursor, strings: Strings): { path: string; directory: number }[] {
  const formats = Array.from({ length: cursor.fixed(1) }, () => [cursor.uleb(), cursor.uleb()] as const);
  return Array.from({ length: cursor.uleb() }, () => {
    const entry = { path: '', directory: 0 };
    for (const [content, form] of formats) {
      const value = readForm(cursor, form, strings);
      if (content === 1) entry.path = String(value);
      if (content === 2) entry.directory = Number(value);
    }
    return entry;
  });
}

function filesV5(cursor: Cursor, strings: Strings): string[] {
  const directories = readEntries(cursor, strings).map((e) => e.path);
  return readEntries(cursor, strings).map((e) => join(directories[e.directory] ?? '', e.path));
}

function filesV4(cursor: Cursor): string[] {
  const directories = [''];
  for (let name = cursor.text(); name !== '' && !cursor.ended; name = cursor.text()) directories.push(name);
  const files: string[] = [];
  for (let name = cursor.text(); name !== '' && !cursor.ended; name = cursor.text()) {
    files.push(join(directories[cursor.uleb()] ?? '', name));
    cursor.uleb();
    cursor.uleb();
  }
  return files;
}

function join(directory: string, file: string): string {
  return directory === '' || file.startsWith('/') ? file : `${directory}/${file}`;
}

function readHeader(cursor: Cursor, strings: Strings): Program | undefined {
  const version = cursor.fixed(2);
  if (version < 2 || version > 5) return undefined;
  if (version === 5) cursor.at += 2;
  const programStart = cursor.fixed(4) + cursor.at;
  const minInstruction = cursor.fixed(1);
  if (version >= 4) cursor.at += 1;
  cursor.at += 1;
  const lineBase = (cursor.fixed(1) << 24) >> 24;
  const lineRange = cursor.fixed(1);
  const opcodeBase = cursor.fixed(1);
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => cursor.fixed(1));
  const files = version === 5 ? filesV5(cursor, strings) : filesV4(cursor);
  cursor.at = programStart;
  return { files, firstFile: version === 5 ? 0 : 1, minInstruction, lineBase, lineRange, opcodeBase, operandCounts };
}

/** The line-number state machine (DWARF 5, 6.2.2). */
class LineMachine {
  address = 0;
  line = 1;
  file = 1;
  readonly rows: ImageLine[] = [];
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  emit(): void {
    const file = this.program.files[this.file - this.program.firstFile] ?? '';
    this.rows.push({ address: this.address >>> 0, file, line: this.line });
  }

  endSequence(): void {
    this.rows.push({ address: this.address >>> 0, file: '', line: 0 });
    this.address = 0;
    this.line = 1;
    this.file = 1;
  }

  advance(opcode: number): void {
    const adjusted = opcode - this.program.opcodeBase;
    this.address += Math.floor(adjusted / this.program.lineRange) * this.program.minInstruction;
    this.line += this.program.lineBase + (adjusted % this.program.lineRange);
  }
}

function extended(cursor: Cursor, machine: LineMachine): void {
  const length = cursor.uleb();
  const end = cursor.at + length;
  const opcode = cursor.fixed(1);
  if (opcode === 1) machine.endSequence();
  if (opcode === 2) machine.address = cursor.fixed(4);
  cursor.at = end;
}

function standard(cursor: Cursor, machine: LineMachine, opcode: number): void {
  const { program } = machine;
  if (opcode === 1) machine.emit();
  else if (opcode === 2) machine.address += cursor.uleb() * program.minInstruction;
  else if (opcode === 3) machine.line += cursor.sleb();
  else if (opcode === 4) machine.file = cursor.uleb();
  else if (opcode === 8) machine.address += Math.floor((255 - program.opcodeBase) / program.lineRange) * program.minInstruction;
  else if (opcode === 9) machine.address += cursor.fixed(2);
  else for (let k = 0; k < program.operandCounts[opcode - 1]; k++) cursor.uleb();
}

function runProgram(cursor: Cursor, end: number, program: Program): ImageLine[] {
  const machine = new LineMachine(program);
  while (cursor.at < end && !cursor.ended) {
    const opcode = cursor.fixed(1);
    if (opcode >= program.opcodeBase) {
      machine.advance(opcode);
      machine.emit();
    } else if (opcode === 0) extended(cursor, machine);
    else standard(cursor, machine, opcode);
  }
  return machine.rows;
}

/** Drops sequences the linker threw away (they start at 0 again and again) and sorts; gaps lose against lines. */
function order(sequences: readonly ImageLine[][]): ImageLine[] {
  const rows = sequences.flat();
  const indexed = rows.map((row, k) => ({ row, k }));
  indexed.sort((a, b) => a.row.address - b.row.address || Number(a.row.file !== '') - Number(b.row.file !== '') || a.k - b.k);
  return indexed.map((x) => x.row);
}

/**
 * Reads the line tables of `.debug_line` (DWARF 2 to 5, 32-bit). Tables it does not understand are left out:
 * an image without lines runs just the same.
 */
export function readLines(debugLine: Uint8Array, lineStr: Uint8Array, str: Uint8Array): ImageLine[] {
  const cursor = new Cursor(debugLine, 0);
  const sequences: ImageLine[][] = [];
  while (!cursor.ended) {
    const length = cursor.fixed(4);
    if (length >= 0xfffffff0 || length === 0) break;
    const end = cursor.at + length;
    const program = readHeader(cursor, { line: lineStr, str });
    if (program !== undefined) sequences.push(runProgram(cursor, end, program));
    cursor.at = end;
  }
  return order(sequences);
}
