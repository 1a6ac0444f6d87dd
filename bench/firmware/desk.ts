import {
  answers, applicationId, certificate, commands, fromHex, loadObject, safeEntry, samples, signerOf,
} from '../codec/index.js';
import type {
  CardCommand, CardSettings, Certificate, Embodiment, HashAlgorithm, KeyKind, ValueInformation, Variant,
} from '../codec/index.js';
import { createSafe, memoryStore } from '../safe/index.js';
import type { Safe } from '../safe/index.js';
import { createIssuer } from '../world/issuer.js';
import type { Issuer } from '../world/issuer.js';
import { personalise } from '../world/personalise.js';
import { seededRandom } from '../world/random.js';
import type { CardLine } from '../terminal/card-line.js';
import { PowerCut } from './host-line.js';

/** The PIN of the test card. */
export const pin = '4711';
/** The card's id. */
export const cardId: Uint8Array = fromHex('C1 00 00 00 00 00 00 01');

/** A refusal: status word in hexadecimal. */
export class Refused extends Error {
  readonly sw: string;

  constructor(name: string, sw: number) {
    super(`${name}: ${sw.toString(16).toUpperCase()}`);
    this.sw = sw.toString(16).toUpperCase();
  }
}

/** A safe of the test. */
export function testSafe(number: number, issuer: Issuer, emptyDigest = false): Safe {
  const random = seededRandom(number, 'safe');
  return createSafe({
    id: fromHex(`5A 00 00 00 00 00 00 0${number}`), store: memoryStore(),
    keys: { signer: signerOf(random(32)), agreement: random(32), store: random(32) },
    settings: { issuers: [issuer.publicKey], allowLegacy: true, emptyDigest },
  });
}

/** One card, an issuer and two safes, and the calls between them as plain functions that throw Refused. */
export class Desk {
  readonly line: CardLine;
  readonly issuer: Issuer = createIssuer(seededRandom(1, 'issuer'));
  readonly safe: Safe;
  readonly other: Safe;
  loadNumber = 0;

  constructor(line: CardLine, emptyDigest = false) {
    this.line = line;
    this.safe = testSafe(1, this.issuer, emptyDigest);
    this.other = testSafe(2, this.issuer);
  }

  async send(command: CardCommand): Promise<Uint8Array> {
    const { sw, data } = await this.line.transmit(command);
    if (sw !== 0x9000) throw new Refused(command.name, sw);
    return data;
  }

  /** Status word of a command in hexadecimal. */
  async status(command: CardCommand): Promise<string> {
    return (await this.line.transmit(command)).sw.toString(16).toUpperCase();
  }

  async personalise(settings: CardSettings = { emptyDigest: false, allowLegacy: false }): Promise<void> {
    await this.send(commands.select());
    const safes = [this.safe, this.other].map((safe) => safeEntry.decode(safe.identity()));
    await personalise(this.line, this.issuer, { cardId, safes, pin, settings });
    await this.login();
  }

  async login(): Promise<void> {
    await this.send(commands.select());
    await this.send(commands.verify(pin));
  }

  /** A load object for the next load number. */
  loadObject(value: ValueInformation): Uint8Array {
    this.loadNumber += 1;
    return loadObject.encode(this.issuer.loadObject(cardId, this.loadNumber, value));
  }

  async load(value: ValueInformation = samples[0]): Promise<number> {
    const issued = { ...value, issueId: this.issuer.newIssueId() };
    return answers.load(await this.send(commands.load(this.loadObject(issued))));
  }

  /** Steps 1-5 to 1-11: the certificate as the safe gave it. */
  async begin(embodiment: Embodiment, variant: 0 | Variant, handle: number, algorithm?: HashAlgorithm): Promise<Uint8Array> {
    return this.safe.register(await this.send(commands.registerBegin(embodiment, variant, handle, algorithm)));
  }

  async end(embodiment: Embodiment, phase: 'value' | 'key', e6: Uint8Array): Promise<number> {
    return answers.registerEnd(await this.send(commands.registerEnd(embodiment, phase, e6)));
  }

  async register(embodiment: Embodiment, variant: 0 | Variant, handle: number, algorithm?: HashAlgorithm): Promise<number> {
    return this.end(embodiment, 'value', await this.begin(embodiment, variant, handle, algorithm));
  }

  /** Steps 2-5 to the end: the value's handle. */
  async recover(embodiment: Embodiment, handle: number): Promise<number> {
    const e6 = await this.send(commands.recoverBegin(embodiment, 'value', handle));
    return answers.recoverEnd(await this.send(commands.recoverEnd(embodiment, handle, this.safe.retrieve(e6))));
  }

  /** Receipt to the safe, then the certificate is deleted. */
  async settle(handle: number): Promise<void> {
    this.safe.receipt(await this.send(commands.getReceipt(handle)));
    await this.send(commands.deleteItem(handle));
  }

  async registerKey(kind: KeyKind): Promise<number> {
    const { safeId } = safeEntry.decode(this.safe.identity());
    return this.end(2, 'key', this.safe.register(await this.send(commands.keyRegisterBegin(kind, safeId))));
  }

  /** A new seed, registered at the second safe: the handle of its certificate. */
  async registerSeed(): Promise<number> {
    await this.send(commands.generateSeed());
    const { safeId } = safeEntry.decode(this.other.identity());
    return this.end(7, 'key', this.other.register(await this.send(commands.seedRegisterBegin(safeId))));
  }

  async recoverSeed(handle: number): Promise<void> {
    const { certificate: e6 } = answers.seedRecoverBegin(await this.send(commands.seedRecoverBegin(handle)));
    await this.send(commands.seedRecoverEnd(handle, this.other.retrieve(certificate.encode(e6))));
  }

  async recoverKey(handle: number): Promise<void> {
    const e6 = await this.send(commands.recoverBegin(2, 'key', handle));
    await this.send(commands.keyRecoverEnd(handle, this.safe.retrieve(e6)));
  }

  async read(handle: number): Promise<ValueInformation | Certificate> {
    return answers.readItem(await this.send(commands.readItem(handle)));
  }

  /** Handle, class and state of everything a terminal can see. */
  async listing(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let at: number | undefined = 0; at !== undefined;) {
      const page = answers.list(await this.send(commands.list({}, at)));
      lines.push(...page.entries.map((e) => `${e.handle} ${e.class} ${e.state}`));
      at = page.next;
    }
    return lines;
  }

  /** Runs a call; true when the power went in it. The card is on again and the PIN verified. */
  async torn(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      return false;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      await this.login();
      return true;
    }
  }
}

/** A certificate with something changed, signature left as it was. */
export function forged(e6: Uint8Array, change: Partial<Certificate>): Uint8Array {
  return certificate.encode({ ...certificate.decode(e6), ...change });
}

/** AID, for tests of SELECT. */
export const aid: Uint8Array = applicationId;
