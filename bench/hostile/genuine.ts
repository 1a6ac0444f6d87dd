import { toHex } from '../codec/index.js';
import type { CardCommand, LoadObject } from '../codec/index.js';
import type { CardLine, LineAnswer } from '../terminal/card-line.js';

/** Everything genuine that a run showed: what hostile input is made of, and what alone may be accepted. */
export class GenuineRun {
  readonly commands: CardCommand[] = [];
  /** Objects signed by issuer or safe, or certified by the safe, in hexadecimal. */
  readonly objects = new Set<string>();
  /** Load objects by the issue id of their value, in hexadecimal. */
  readonly issued = new Map<string, LoadObject>();

  /** Takes in an object that the card may accept. */
  accept(object: Uint8Array): Uint8Array {
    this.objects.add(toHex(object));
    return object;
  }

  /** A line that writes down every command before it sends it on. */
  on(line: CardLine, sent: (command: CardCommand) => void = () => undefined): CardLine {
    const transmit = async (command: Parameters<CardLine['transmit']>[0], secret = false): Promise<LineAnswer> => {
      const { cla, ins, p1, p2, data } = command;
      const full: CardCommand = { name: 'READ', ...command, cla, ins, p1, p2, data };
      this.commands.push(full);
      const answer = await line.transmit(command, secret);
      sent(full);
      return answer;
    };
    return {
      protocol: line.protocol, hasTrace: line.hasTrace, transmit,
      transmitRaw: (apdu) => line.transmitRaw(apdu), reset: (kind) => line.reset(kind),
      takeMarks: () => line.takeMarks(), now: () => line.now(),
    };
  }
}

const shortData = 255;
const chaining = 0x10;

/** The short APDUs a command travels in (ISO/IEC 7816-4, 5.3.3): several when its data are long. */
export function apdusOf({ cla, ins, p1, p2, data }: Omit<CardCommand, 'name'>, le = true): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < data.length; at += shortData) parts.push(data.slice(at, at + shortData));
  return parts.map((part, i) => {
    const last = i === parts.length - 1;
    const lc = part.length > 0 ? [part.length] : [];
    return Uint8Array.of(last ? cla : cla | chaining, ins, p1, p2, ...lc, ...part, ...(last && le ? [0] : []));
  });
}
