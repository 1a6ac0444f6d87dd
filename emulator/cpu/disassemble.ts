import { branchOffset, findInstruction, isWide, operand, type Instruction } from './table.js';

const REGISTERS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'sl', 'fp', 'ip', 'sp', 'lr', 'pc'];
const BARRIERS: Readonly<Record<number, string>> = { 15: 'sy', 14: 'st', 11: 'ish', 10: 'ishst', 7: 'un', 6: 'unst', 3: 'osh', 2: 'oshst' };
const SPECIAL: Readonly<Record<number, string>> = {
  0: 'APSR', 1: 'IAPSR', 2: 'EAPSR', 3: 'PSR', 5: 'IPSR', 6: 'EPSR', 7: 'IEPSR', 8: 'MSP', 9: 'PSP', 16: 'PRIMASK', 20: 'CONTROL',
};

/** One disassembled instruction. */
export interface Disassembly {
  /** Bytes: 2 or 4. */
  readonly size: 2 | 4;
  /** GNU-style text; `undefined` for an encoding that ARMv6-M does not have. */
  readonly text: string;
}

function listText(instruction: Instruction, list: number): string {
  const names = REGISTERS.slice(0, 8).filter((_, k) => (list & (1 << k)) !== 0);
  if ((list & 0x100) !== 0) names.push(instruction.kind === 'PUSH' ? 'lr' : 'pc');
  return `{${names.join(', ')}}`;
}

function word(instruction: Instruction, name: string, half1: number, half2: number, address: number): string {
  const get = (letter: string): number => operand(instruction, letter, half1, half2);
  switch (name) {
    case 'i':
      return String(get('i') * instruction.scale);
    case 'shift':
      return String(get('i') === 0 ? 32 : get('i'));
    case 'hex4':
      return get('i').toString(16).padStart(4, '0');
    case 'list':
      return listText(instruction, get('l'));
    case 'wb':
      return (get('l') & (1 << get('n'))) === 0 ? '!' : '';
    case 'ie':
      return get('i') === 1 ? 'id' : 'ie';
    case 'target':
      return `0x${((address + 4 + (branchOffset(instruction, half1, half2) ?? 0)) >>> 0).toString(16)}`;
    case 'special':
      return instruction.kind === 'MSR' && get('s') < 4 ? `${SPECIAL[get('s')]}_nzcvq` : (SPECIAL[get('s')] ?? String(get('s')));
    case 'option':
      return BARRIERS[get('i')] ?? `#${get('i')}`;
    default:
      return REGISTERS[get(name)];
  }
}

/**
 * Text of the instruction at `address`.
 * @param half1 its first halfword
 * @param half2 the halfword behind it (any value for a 16-bit instruction)
 */
export function disassemble(half1: number, half2: number, address: number): Disassembly {
  const size = isWide(half1) ? 4 : 2;
  const instruction = findInstruction(half1, half2);
  if (instruction === undefined) return { size, text: 'undefined' };
  const text = instruction.syntax.replace(/\{(\w+)\}/g, (_, name: string) => word(instruction, name, half1, half2, address));
  return { size, text };
}
