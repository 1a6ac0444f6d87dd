import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createChip, loadImage, loadProfile, type CardCharacter, type Chip, type ChipConfig, type LinkEvent } from '../../emulator/index.js';

const images = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'devices', 'firmware', 'images');

/** Longest silence that a receive waits out, in contact clocks (2 s at 3.5712 MHz). */
const PATIENCE = 7_142_400;

/** A terminal that moves single characters and blocks, to test the firmware's link without any protocol stack. */
export class RawTerminal {
  readonly chip: Chip;
  readonly characters: CardCharacter[] = [];
  readonly events: LinkEvent[] = [];
  /** Guard between leading edges of two characters, and of two directions, in etu. */
  guard = 12;
  turnaround = 16;
  #taken = 0;
  #sequence = 0;

  constructor(profile: string, image: string, overrides: readonly string[] = [], config: Partial<ChipConfig> = {}) {
    const loaded = loadImage(readFileSync(join(images, image)));
    this.chip = createChip({ profile: loadProfile(profile, overrides), image: loaded, ...config });
  }

  /** Core cycles in so many contact clocks. */
  clocks(count: number): number {
    return Math.ceil((count * this.chip.profile.cpu.hz) / this.chip.profile.card.hz);
  }

  /** Runs for so many core cycles. */
  wait(cycles: number): void {
    this.chip.run(this.chip.now + cycles);
    this.#collect();
  }

  /** Sends bytes; `wrong` = index of a byte with wrong parity; gives the leading edge of the last. */
  send(bytes: readonly number[], options: { readonly wrong?: number; readonly gap?: number } = {}): number {
    const { link } = this.chip;
    const last = this.characters.at(-1);
    let at = Math.max(this.chip.now, link.busyUntil, last === undefined ? 0 : last.start + link.etus(this.turnaround) + 1);
    let leading = at;
    bytes.forEach((byte, index) => {
      link.send(byte, at, { wrongParity: index === options.wrong });
      leading = at;
      at += link.etus(options.gap ?? this.guard) + 1;
    });
    this.chip.run(leading + link.etus(10));
    this.#collect();
    return leading;
  }

  /** The next `count` characters of the card; fewer when it stays silent. */
  receive(count: number, patience = PATIENCE): number[] {
    let limit = this.chip.now + this.clocks(patience);
    while (this.characters.length - this.#taken < count && this.chip.now < limit) {
      const before = this.characters.length;
      this.chip.run(limit, { stopOnLink: true });
      this.#collect();
      if (this.characters.length > before) limit = this.chip.now + this.clocks(patience);
    }
    const got = this.characters.slice(this.#taken, this.#taken + count);
    this.#taken += got.length;
    return got.map((character) => character.byte);
  }

  /** All characters until the card is silent for `etus`. */
  receiveAll(etus = 400): number[] {
    const out: number[] = [];
    for (;;) {
      const next = this.receive(1, etus * 372);
      if (next.length === 0) return out;
      out.push(...next);
    }
  }

  /** The ATR. */
  atr(): number[] {
    return this.receive(15);
  }

  /** PPS to the protocol and, with `pps1`, to a speed; gives the card's answer. */
  pps(protocol: number, pps1?: number, fd?: readonly [number, number]): number[] {
    const request = pps1 === undefined ? [0xff, protocol] : [0xff, 0x10 | protocol, pps1];
    this.send([...request, request.reduce((a, b) => a ^ b, 0)]);
    const answer = this.receive(request.length + 1);
    if (fd !== undefined) {
      this.wait(this.chip.link.etus(4));
      this.chip.link.setFD(fd[0], fd[1]);
    }
    if (protocol === 1) this.turnaround = 23;
    return answer;
  }

  /** Sends a T=1 block (LRC added) and gives the answer block without LRC; throws when its LRC is wrong. */
  block(nad: number, pcb: number, inf: readonly number[] = []): number[] {
    const body = [nad, pcb, inf.length, ...inf];
    this.send([...body, lrc(body)]);
    return this.receiveBlock();
  }

  /** One block of the card without its LRC; [] when it stays silent. */
  receiveBlock(): number[] {
    const prologue = this.receive(3);
    if (prologue.length < 3) return [];
    const rest = this.receive(prologue[2] + 1);
    const all = [...prologue, ...rest];
    if (lrc(all) !== 0 || all.length !== prologue[2] + 4) throw new Error(`bad block from the card: ${hex(all)}`);
    return all.slice(0, -1);
  }

  /** One APDU over T=1 in I-blocks of up to `ifsc`, answering S(WTX); gives data and status word. */
  apdu1(apdu: readonly number[], ifsc = 32, ifsd = 32): { readonly out: number[]; readonly waits: number } {
    let waits = 0;
    let answer: number[] = [];
    for (let from = 0; from < apdu.length; from += ifsc) {
      const more = from + ifsc < apdu.length;
      answer = this.block(0, (this.#sequence << 6) | (more ? 0x20 : 0), apdu.slice(from, from + ifsc));
      this.#sequence ^= 1;
      if (more && answer[1] !== (0x80 | (this.#sequence << 4))) throw new Error(`no acknowledgement: ${hex(answer)}`);
    }
    const out: number[] = [];
    for (;;) {
      if (answer[1] === 0xc3) {
        waits++;
        answer = this.block(0, 0xe3, answer.slice(3));
        continue;
      }
      if (answer.length === 0 || (answer[1] & 0x80) !== 0) throw new Error(`no I-block: ${hex(answer)}`);
      if (answer[2] > ifsd) throw new Error('longer than IFSD');
      out.push(...answer.slice(3));
      if ((answer[1] & 0x20) === 0) return { out, waits };
      answer = this.block(0, 0x80 | ((answer[1] & 0x40) === 0 ? 0x10 : 0));
    }
  }

  /** The sequence starts anew (after RESYNCH). */
  resync(): void {
    this.#sequence = 0;
  }

  /** One T=0 command: header, data after INS; gives what follows the NULLs, data and status word, and the NULLs. */
  apdu0(header: readonly number[], data: readonly number[] = [], le = 0): { readonly out: number[]; readonly nulls: number } {
    this.send(header);
    let nulls = 0;
    let sent = false;
    for (;;) {
      const [byte] = this.receive(1);
      if (byte === undefined) throw new Error('no procedure byte');
      if (byte === 0x60) nulls++;
      else if (byte === header[1] && data.length > 0 && !sent) {
        this.send(data);
        sent = true;
      } else if (byte === header[1]) return { out: [...this.receive(le), ...this.receive(2)], nulls };
      else return { out: [byte, ...this.receive(1)], nulls };
    }
  }

  #collect(): void {
    for (const event of this.chip.link.take()) {
      this.events.push(event);
      if (event.kind === 'character') this.characters.push(event);
    }
  }
}

/** XOR of all bytes. */
export function lrc(bytes: readonly number[]): number {
  return bytes.reduce((a, b) => a ^ b, 0);
}

/** Bytes as hex. */
export function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Hex with or without blanks as bytes. */
export function bytes(text: string): number[] {
  return [...text.replace(/\s/g, '').matchAll(/../g)].map(([pair]) => parseInt(pair, 16));
}
