import { sha256 } from '@noble/hashes/sha2.js';
import { concat, fromHex, nobleOps, signerOf, TlvReader, textBytes, uintBytes, writeTlv } from '../codec/index.js';
import type { Signer } from '../codec/index.js';
import { seededRandom } from '../world/random.js';
import type { CardLine } from '../terminal/card-line.js';
import { PowerCut } from './host-line.js';

/** AID of the purse. */
export const purseAid: Uint8Array = fromHex('F0 43 41 52 44 50 55 52 53 45');
/** AID of the backup applet. */
export const backupAid: Uint8Array = fromHex('F0 43 41 52 44 42 45 4E 43 48');

/** CA, issuer and third party of the tests. */
export const [ca, issuer, thirdParty]: readonly Signer[] =
  ['ca', 'issuer', 'third party'].map((name) => signerOf(seededRandom(7, name)(32)));

/** Elements of a template in order, by tag. @throws Error when it is another template or has one twice */
export function elementsOf(template: number, bytes: Uint8Array): Map<number, Uint8Array> {
  const outer = new TlvReader(bytes);
  const { tag, content } = outer.next();
  if (tag !== template || !outer.done) throw new Error(`not one ${template.toString(16)}`);
  const elements = new Map<number, Uint8Array>();
  for (const reader = new TlvReader(content); !reader.done;) {
    const element = reader.next();
    if (elements.has(element.tag)) throw new Error(`${element.tag.toString(16)} twice`);
    elements.set(element.tag, element.content);
  }
  return elements;
}

/** A template of elements in order. */
export const template = (tag: number, elements: Iterable<readonly [number, Uint8Array]>): Uint8Array =>
  writeTlv(tag, concat(...[...elements].map(([at, content]) => writeTlv(at, content))));

/** Label, context and elements, as docs/purse.md 1.3 signs and hashes them. */
export const message = (name: string, elements: readonly (readonly [number, Uint8Array])[], context: Uint8Array = new Uint8Array()): Uint8Array =>
  concat(textBytes(`cardbench purse ${name} v1`), Uint8Array.of(0), context, ...elements.map(([tag, content]) => writeTlv(tag, content)));

/** 4 bytes, big-endian. */
export const amount = (value: number): Uint8Array => uintBytes(value, 4);

/** What DF20 says. */
export interface PurseStatus {
  readonly life: number;
  readonly balance: number;
  readonly issued: number;
  readonly received: number;
  readonly paid: number;
  readonly lastIssue: number;
  readonly open: number;
  readonly waiting: number;
  readonly payments: number;
  readonly settings: number;
}

/** A refusal with its status word in hexadecimal. */
export class PurseRefused extends Error {}

/** A purse card with its terminal: each command as a function that throws PurseRefused. */
export class PurseCard {
  readonly line: CardLine;
  readonly id: Uint8Array;
  publicKey: Uint8Array = new Uint8Array();
  lastIssue = 0;

  constructor(line: CardLine, number: number) {
    this.line = line;
    this.id = concat(fromHex('B0 00 00 00 00 00 00'), Uint8Array.of(number));
  }

  /** Status word and data of a command of class 80. */
  async raw(ins: number, p1 = 0, p2 = 0, data: Uint8Array = new Uint8Array(), cla = 0x80): Promise<{ readonly sw: string; readonly data: Uint8Array }> {
    const answer = await this.line.transmit({ cla, ins, p1, p2, data });
    return { sw: answer.sw.toString(16).toUpperCase(), data: answer.data };
  }

  /** Data of a command that is done. */
  async send(ins: number, p1 = 0, p2 = 0, data: Uint8Array = new Uint8Array(), cla = 0x80): Promise<Uint8Array> {
    const answer = await this.raw(ins, p1, p2, data, cla);
    if (answer.sw !== '9000') throw new PurseRefused(answer.sw);
    return answer.data;
  }

  /** Status word of a command. */
  async status(ins: number, p1 = 0, p2 = 0, data: Uint8Array = new Uint8Array()): Promise<string> {
    return (await this.raw(ins, p1, p2, data)).sw;
  }

  select(aid: Uint8Array = purseAid): Promise<Uint8Array> {
    return this.send(0xa4, 4, 0, aid, 0);
  }

  /** Up to ACTIVATE. */
  async personalise(settings = 0): Promise<void> {
    await this.send(0x46);
    await this.select();
    await this.send(0x46);
    const objects: (readonly [number, Uint8Array])[] =
      [[0x30, this.id], [0x31, ca.publicKey], [0x32, issuer.publicKey], [0x33, thirdParty.publicKey], [0x35, Uint8Array.of(settings)]];
    for (const [tag, content] of objects) await this.send(0xda, 0xdf, tag, content);
    await this.send(0x40);
    const own = new TlvReader(await this.get(0x21));
    own.next();
    this.publicKey = own.next().content.slice();
    await this.send(0xda, 0xdf, 0x34, ca.sign(message('key', [[0xd6, this.publicKey]])));
    await this.send(0x48);
  }

  get(tag: number): Promise<Uint8Array> {
    return this.send(0xca, 0xdf, tag);
  }

  async state(): Promise<PurseStatus> {
    const data = await this.get(0x20);
    const at = (offset: number): number => new DataView(data.buffer, data.byteOffset).getUint32(offset);
    return {
      life: data[0], balance: at(1), issued: at(5), received: at(9), paid: at(13), lastIssue: at(17), open: data[21], waiting: data[22],
      payments: data[23], settings: data[24],
    };
  }

  /** An issue for this card, F6. */
  issueObject(w: number, number: number, key: Uint8Array = this.publicKey, signer: Signer = issuer): Uint8Array {
    const elements = [[0xd8, amount(w)], [0xd9, amount(number)], [0xd6, key]] as const;
    return template(0xf6, [...elements, [0xda, signer.sign(message('issue', elements))]]);
  }

  async issue(w: number): Promise<Uint8Array> {
    this.lastIssue += 1;
    const f6 = this.issueObject(w, this.lastIssue);
    await this.send(0x70, 0, 0, f6);
    return f6;
  }

  /** P-1: F0. */
  challenge(x: number, alternative = 1, embodiment = 1): Promise<Uint8Array> {
    return this.send(0x72, embodiment, alternative, writeTlv(0xd0, amount(x)));
  }

  /** P-2: F1. */
  pay(f0: Uint8Array, embodiment = 1): Promise<Uint8Array> {
    return this.send(0x74, embodiment, 0, f0);
  }

  /** P-3 to P-5 in embodiment 1 (F2), to P-3a in embodiment 2 (F3). */
  receive(f1: Uint8Array, embodiment = 1): Promise<Uint8Array> {
    return this.send(0x76, embodiment, 0, f1);
  }

  /** P-3b to P-5. */
  accept(f4: Uint8Array): Promise<Uint8Array> {
    return this.send(0x78, 2, 0, f4);
  }

  logTaken(f5: Uint8Array): Promise<Uint8Array> {
    return this.send(0x7c, 0, 0, f5);
  }

  /** Runs a call; true when the power went in it. The purse is selected again. */
  async torn(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      return false;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      await this.select();
      return true;
    }
  }
}

/** F4 for an F3. */
export function serviceState(f3: Uint8Array, state = 1, signer: Signer = thirdParty): Uint8Array {
  const query = elementsOf(0xf3, f3);
  const elements = [0xd5, 0xd1].map((tag) => [tag, query.get(tag) ?? new Uint8Array()] as const);
  const all = [...elements, [0xdd, Uint8Array.of(state)] as const];
  return template(0xf4, [...all, [0xde, signer.sign(message('service', all))]]);
}

/** F5 for an F2. */
export function receipt(f2: Uint8Array, signer: Signer = thirdParty): Uint8Array {
  const entry = elementsOf(0xf2, f2);
  const elements = [0xd5, 0xd1].map((tag) => [tag, entry.get(tag) ?? new Uint8Array()] as const);
  return template(0xf5, [...elements, [0xde, signer.sign(message('receipt', elements, sha256(f2)))]]);
}

/** What the third party checks of an F2 (docs/purse.md 4): names of the signatures that do not verify. */
export function entryFaults(f2: Uint8Array): readonly string[] {
  const entry = elementsOf(0xf2, f2);
  const of = (tag: number): Uint8Array => entry.get(tag) ?? new Uint8Array();
  const g1 = sha256(concat(message('G1', []), of(0xd5), of(0xdc)));
  const checks: readonly (readonly [string, number, Uint8Array, Uint8Array])[] = [
    ['CA', 0xd7, ca.publicKey, message('key', [[0xd6, of(0xd6)]])],
    ['issuer', 0xda, issuer.publicKey, message('issue', [[0xd8, of(0xd8)], [0xd9, of(0xd9)], [0xd6, of(0xd6)]])],
    ['payer', 0xdb, of(0xd6), message('payment', [[0xd0, of(0xd0)], [0xd2, g1], [0xd3, of(0xd3)], [0xd1, of(0xd1)]])],
  ];
  return checks.filter(([, tag, key, text]) => !nobleOps.verify(key, text, of(tag))).map(([name]) => name);
}
