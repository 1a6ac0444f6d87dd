import { INSTRUCTIONS, type Instruction } from '../cpu/table.js';

const BY_NAME = new Map(INSTRUCTIONS.map((instruction) => [instruction.name, instruction]));

function put(instruction: Instruction, letter: string, value: number): [number, number] {
  const halves: [number, number] = [0, 0];
  let rest = value;
  for (const part of [...(instruction.fields[letter] ?? [])].reverse()) {
    halves[part.half] |= (rest & ((1 << part.width) - 1)) << part.lsb;
    rest >>>= part.width;
  }
  if (rest !== 0) throw new RangeError(`${instruction.name}: ${letter} = ${value} does not fit`);
  return halves;
}

/**
 * Encodes one row of the instruction table from its operands (raw field values: an immediate is given before
 * scaling). For tests; branches are encoded by their raw immediate too.
 * @returns one halfword, or two
 */
export function encode(name: string, operands: Readonly<Record<string, number>> = {}): number[] {
  const instruction = BY_NAME.get(name);
  if (instruction === undefined) throw new RangeError(`no instruction '${name}'`);
  let [half1, half2] = [instruction.value, instruction.value2];
  for (const [letter, value] of Object.entries(operands)) {
    const [a, b] = put(instruction, letter, value);
    half1 |= a;
    half2 |= b;
  }
  return instruction.halves === 1 ? [half1] : [half1, half2];
}
