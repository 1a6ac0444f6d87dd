import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answers, certificate, commands, fromHex, registeredValue, registrationRequest, samples, signed, signerOf,
} from './codec/index.js';
import type { CardCommand, Certificate } from './codec/index.js';
import { decode, publicSideOf } from './nvm/index.js';
import { Desk, forged, pin } from './firmware/desk.js';
import { faultyBuilds } from './firmware/faulty.js';
import { HostLine, buildCrypto, buildHost } from './firmware/host-line.js';
import { frameOf } from '../scenarios/index.js';
import { policyOf, tearPoint } from './tear/index.js';
import { seededRandom } from './world/random.js';

type HostDesk = Desk & { readonly line: HostLine };
/** Answers true when the card did what docs/protocol.md forbids. */
type Probe = (d: HostDesk) => Promise<boolean>;

const folder = new URL('../devices/firmware/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const faulty = faultyBuilds();
/** Signs as the test's first safe does: a certificate that is wrong in nothing but what is changed. */
const safeSigner = signerOf(seededRandom(1, 'safe')(32));
const resigned = (e6: Uint8Array, change: Partial<Certificate>): Uint8Array =>
  certificate.encode(signed.certificate.sign({ ...certificate.decode(e6), ...change }, {}, safeSigner));
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at ? b ^ 1 : b));
const takes = async (d: HostDesk, command: CardCommand): Promise<boolean> => (await d.status(command)) === '9000';

/** Begins a registration and offers a certificate with something changed. */
const offers = (change: (e6: Uint8Array) => Uint8Array): Probe => async (d) =>
  takes(d, commands.registerEnd(1, 'value', change(await d.begin(1, 0, await d.load(samples[1])))));
const hashChanged = (at: number) => offers((e6) => resigned(e6, { hash: flipped(certificate.decode(e6).hash, at) }));

/** Cuts REGISTER END at every memory operation: is the value gone and no whole certificate there? */
const lostOnCut: Probe = async (d) => {
  const command = commands.registerEnd(1, 'value', await d.begin(1, 0, await d.load(samples[1])));
  const start = d.line.memory();
  await d.send(command);
  for (let cut = d.line.ops - 1; cut >= 0; cut -= 1) {
    await d.line.restore(start);
    await d.login();
    await d.line.cutAt(cut);
    await d.line.transmit(command).catch(() => undefined);
    const { entries, problems } = decode(d.line.memory());
    const deposited = entries.some((e) => e.class === 'A' && e.state === 'DEPOSITED');
    const redeemable = entries.some((e) => e.class === 'B' && e.state === 'STORED' && e.object !== undefined);
    if (problems.length > 0 || deposited !== redeemable) return true;
  }
  return false;
};

const probes: Readonly<Record<string, Probe>> = {
  'no-hash-compare': hashChanged(0),
  'short-hash': hashChanged(31),
  'no-digest-compare': offers((e6) => resigned(e6, { digest: { ...certificate.decode(e6).digest, name: 'x' } as Certificate['digest'] })),
  'no-safe-signature': offers((e6) => forged(e6, { counter: 77 })),
  'foreign-certificate': offers((e6) => resigned(e6, { cardId: fromHex('C1 00 00 00 00 00 00 02') })),
  'value-before-certificate': lostOnCut,
  'index-before-data': lostOnCut,
  'sequence-reused': async (d) => {
    const sequences = [];
    for (const value of [await d.load(), await d.load()])
      sequences.push(registrationRequest.decode(await d.send(commands.registerBegin(1, 0, value))).sequence);
    return sequences[0] === sequences[1];
  },
  'full-is-success': async (d) => {
    for (let count = 0; count < 1000; count += 1) {
      const { sw, data } = await d.line.transmit(commands.load(d.loadObject(samples[1])));
      if (sw === 0x6a84) return false;
      if (data.length === 0) return true;
    }
    throw new Error('never full');
  },
  'delete-pending': async (d) => {
    const value = await d.load();
    await d.begin(1, 0, value);
    return takes(d, commands.deleteItem(value));
  },
  'use-deposited': async (d) => {
    const value = await d.load();
    await d.register(1, 0, value);
    return takes(d, commands.useQuantity(value, 1));
  },
  'stale-list': async (d) => {
    const value = await d.load();
    await d.register(1, 0, value);
    await d.send(commands.deleteItem(value));
    return answers.listValues(await d.send(commands.listValues(1))).entries.length > 0;
  },
  'not-spent': async (d) => {
    const value = await d.load();
    const cert = await d.register(1, 0, value);
    await d.recover(1, cert);
    return takes(d, commands.recoverBegin(1, 'value', cert));
  },
  'no-own-signature': async (d) => {
    const cert = await d.register(2, 2, await d.load());
    const object = registeredValue.decode(d.safe.retrieve(await d.send(commands.recoverBegin(2, 'value', cert))));
    return takes(d, commands.recoverEnd(2, cert, registeredValue.encode({ ...object, signature: flipped(object.signature, 3) })));
  },
  'seed-stays': async (d) => {
    await d.registerSeed();
    return decode(d.line.memory()).keys.seed;
  },
  /** The key derived again is not the one there: refused by the reference before it stores anything. */
  'seed-other-version': async (d) => {
    const cert = await d.registerSeed();
    const before = publicSideOf(d.line.memory()).decodingKeyId;
    await d.send(commands.deleteKey('decoding'));
    await d.recoverSeed(cert);
    return publicSideOf(d.line.memory()).decodingKeyId !== before;
  },
  'early-receipt': async (d) => takes(d, commands.getReceipt(await d.register(1, 0, await d.load()))),
  /** After the comparison, before the counter is full again: it must have been lowered already. */
  'pin-after-compare': async (d) => {
    await d.line.cutAt(1);
    await d.line.transmit(commands.verify(pin)).catch(() => undefined);
    return decode(d.line.memory()).state?.pinTries === 3;
  },
};

let crypto: string;
let reference: string;
const lines: HostLine[] = [];

beforeAll(() => {
  crypto = buildCrypto();
  reference = buildHost([], crypto);
}, 300_000);
afterAll(() => {
  for (const line of lines) line.close();
});

async function desk(program: string): Promise<HostDesk> {
  const line = new HostLine(program);
  lines.push(line);
  const made = new Desk(line) as HostDesk;
  await made.personalise();
  return made;
}

/** What an entry may say, by system. */
const saidOf = {
  backup: { clause: /^docs\/protocol\.md [256]\.\d/, invariant: /^I\d+$/, step: /^[1-4]-\d+(@\w+)?$/ },
  purse: { clause: /^docs\/purse\.md 3 rules? \d/, invariant: /^(V[1-7]|rule \d+)$/, step: /^P-[1-6]$/ },
  twin: { clause: /^docs\/twin\.md 3 rules? \d/, invariant: /^(T[1-6]|rule \d+)$/, step: /^[1345]\d\d$/ },
  member: { clause: /^docs\/member\.md 3 rules? \d/, invariant: /^rule \d+$/, step: /^S\d+$/ },
};

describe('faulty.json', () => {
  it('names every build of faulty.list, by macro, step and clause', () => {
    const listed = read('faulty.list').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(faulty.map((f) => f.name).sort()).toEqual(listed.map((line) => line.split(' ')[0]).sort());
    for (const f of faulty) {
      expect(f.macro).toBe(`FAULT_${f.name.toUpperCase().replaceAll('-', '_')}`);
      const { clause, invariant, step: of } = saidOf[f.system ?? 'backup'];
      expect(f.clause).toMatch(clause);
      expect(f.invariant).toMatch(invariant);
      for (const step of Object.values(f.steps)) expect(step).toMatch(of);
    }
  });

  it('says of what power cuts catch where the power goes, and what an unsteady cell then reads', () => {
    const cut = faulty.flatMap(({ tear }) => (tear ? [tear] : []));
    expect(cut.length).toBeGreaterThan(0);
    for (const { point, policy, depth, invariant, step, finding } of cut) {
      expect(frameOf(tearPoint(point).scenario).steps.map(({ id }) => id.split('@')[0])).toContain(step);
      expect(policyOf(policy).name).toBe(policy);
      expect([1, 2]).toContain(depth);
      expect(invariant).toMatch(/^I\d+$/);
      expect(finding.length).toBeGreaterThan(5);
    }
  });
});

describe.each(Object.entries(probes))('%s', (name, probe) => {
  it('does what the reference does not', async () => {
    expect(await probe(await desk(reference))).toBe(false);
    const macro = faulty.find((f) => f.name === name)?.macro ?? '';
    expect(await probe(await desk(buildHost([macro], crypto)))).toBe(true);
  });
});
