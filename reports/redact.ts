/** What stands in the place of secret bytes, hexadecimal-looking on purpose not. */
export const REDACTED = '*';

/** Instructions whose data are secret as a whole: VERIFY and CHANGE REFERENCE DATA. */
const secretInstructions = new Set(['20', '24']);

/** Tags whose content is secret or is made of a secret: the wrapped key. */
const secretTags = new Set([0x9c]);

const hide = (hex: string): string => REDACTED.repeat(hex.length);

function dataField(command: string): { readonly head: string; readonly data: string; readonly tail: string } | undefined {
  if (command.length <= 10) return undefined;
  const length = parseInt(command.slice(8, 10), 16) * 2;
  return { head: command.slice(0, 10), data: command.slice(10, 10 + length), tail: command.slice(10 + length) };
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Positions in hexadecimal digits of the contents of secret elements, searched in nested templates; partial objects too. */
function secretPieces(hex: string, from = 0, to = hex.length): Piece[] {
  const found: Piece[] = [];
  let at = from;
  while (at + 4 <= to) {
    const tag = parseInt(hex.slice(at, at + 2), 16);
    const first = parseInt(hex.slice(at + 2, at + 4), 16);
    const size = first === 0x81 ? 2 : first === 0x82 ? 4 : 0;
    const length = size === 0 ? first : parseInt(hex.slice(at + 4, at + 4 + size), 16);
    if (!Number.isFinite(length) || (size === 0 && first > 0x7f)) return found;
    const start = at + 4 + size;
    const end = Math.min(start + length * 2, to);
    if (secretTags.has(tag)) found.push({ start, end });
    else if (tag >= 0xe0) found.push(...secretPieces(hex, start, end));
    at = end;
  }
  return found;
}

function hidePieces(hex: string, pieces: readonly Piece[]): string {
  return pieces.reduce((text, { start, end }) => text.slice(0, start) + hide(text.slice(start, end)) + text.slice(end), hex);
}

/**
 * Removes secrets from a command APDU: the data of VERIFY, CHANGE REFERENCE DATA and PUT DATA DF13 (the PIN), and the
 * content of wrapped-key elements. Data of chained commands, which may begin within an element, are removed whole.
 * @param command hexadecimal
 * @returns hexadecimal with `*` for each hidden digit
 */
export function redactCommand(command: string): string {
  const field = dataField(command);
  if (!field) return command;
  const [cla, ins, p1p2] = [command.slice(0, 2), command.slice(2, 4).toUpperCase(), command.slice(4, 8).toUpperCase()];
  const whole = secretInstructions.has(ins) && cla.startsWith('0');
  const pin = ins === 'DA' && p1p2 === 'DF13';
  const chained = (parseInt(cla, 16) & 0x10) !== 0 || ins === '1E';
  if (whole || pin || chained) return field.head + hide(field.data) + field.tail;
  return field.head + hidePieces(field.data, secretPieces(field.data)) + field.tail;
}

/**
 * Removes the content of wrapped-key elements from an answer. Answers to KEY REGISTER BEGIN, which may break off within
 * such an element, are removed whole.
 * @param answer hexadecimal with its status word
 * @param command the command it answers
 * @param origin for GET RESPONSE the command whose answer is being fetched; without it the answer is removed whole
 */
export function redactAnswer(answer: string, command: string, origin?: string): string {
  if (answer.length <= 4) return answer;
  const [data, sw] = [answer.slice(0, -4), answer.slice(-4)];
  const ins = (text: string): string => text.slice(2, 4).toUpperCase();
  const asked = ins(command) === 'C0' ? origin : command;
  if (asked === undefined || ins(asked) === '1C') return hide(data) + sw;
  return hidePieces(data, secretPieces(data)) + sw;
}
