import { gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, concat, nobleOps, signerOf, textBytes, toHex, uintOf, writeTlv } from './codec/index.js';
import {
  amount, backupAid, ca, elementsOf, entryFaults, message, purseAid, PurseCard, PurseRefused, receipt, serviceState, template,
} from './firmware/purse-desk.js';
import { Desk } from './firmware/desk.js';
import { HostLine, buildCrypto, buildHost } from './firmware/host-line.js';
import { decode, crc32, decodePurse, pageMap, secretsOf } from './nvm/index.js';
import { seededRandom } from './world/random.js';

type Host = PurseCard & { readonly line: HostLine };

const PAGES = 512;
/** Pages of all applets that own some; the purse is the first. */
const AREA = 77;
let crypto: string;
let program: string;
const lines: HostLine[] = [];

beforeAll(() => {
  crypto = buildCrypto();
  program = buildHost([], crypto);
}, 300_000);
afterAll(() => {
  for (const line of lines) line.close();
});

/** A personalised card on this machine. */
async function card(number: number, settings = 0, build = program): Promise<Host> {
  const line = new HostLine(build, PAGES, 8192);
  lines.push(line);
  await line.say(`seed ${number}`);
  const made = new PurseCard(line, number) as Host;
  await made.personalise(settings);
  return made;
}

/** Payer with money and payee. */
async function pair(w = 1000, build = program): Promise<readonly [Host, Host]> {
  const [a, b] = [await card(1, 0, build), await card(2, 0, build)];
  await a.issue(w);
  return [a, b];
}

const balances = async (...cards: readonly PurseCard[]): Promise<number[]> => Promise.all(cards.map(async (one) => (await one.state()).balance));
const marks = (embodiment: number, ...of: number[]): string[] => of.map((b) => `${embodiment}:80-${b}:0`);
const [P3A, P3B] = [0x3a, 0x3b];
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
/** A template with one element changed. */
const altered = (tag: number, object: Uint8Array, element: number, change: (content: Uint8Array) => Uint8Array): Uint8Array =>
  template(tag, [...elementsOf(tag, object)].map(([at, content]) => [at, at === element ? change(content) : content] as const));
const one = (object: Map<number, Uint8Array>, tag: number): Uint8Array => object.get(tag) ?? new Uint8Array();
const refusal = (run: Promise<unknown>): Promise<string> =>
  run.then(() => '9000', (error: unknown) => {
    if (error instanceof PurseRefused) return error.message;
    throw error;
  });

describe('selection', () => {
  it('is by AID; each applet has its own commands; the former one forgets the PIN; an unknown AID changes nothing', async () => {
    const a = await card(1);
    expect(toHex(await a.select())).toBe(`6F0C840A${toHex(purseAid)}`);
    expect(await a.status(0x72, 1, 1, writeTlv(0xd0, amount(5)))).toBe('9000');
    expect((await a.raw(0xa4, 4, 0, concat(purseAid, Uint8Array.of(0)), 0)).sw).toBe('6A82');
    expect((await a.raw(0xa4, 4, 1, backupAid, 0)).sw).toBe('6A86');
    expect((await a.state()).life).toBe(2);
    expect(toHex(await a.select(backupAid))).toBe(`6F0C840A${toHex(backupAid)}`);
    expect(await a.status(0x72, 1, 1, writeTlv(0xd0, amount(5)))).toBe('6D00');
    await a.line.reset();
    expect(await a.status(0xca, 0xdf, 0x20)).toBe('6A82');
  });

  it('a verified PIN is gone after a SELECT of another applet', async () => {
    const line = new HostLine(program, PAGES, 8192);
    lines.push(line);
    const d = new Desk(line);
    await d.personalise();
    expect(await d.status(commands.listValues(1))).toBe('9000');
    const a = new PurseCard(line, 1);
    await a.select();
    await a.select(backupAid);
    expect(await d.status(commands.listValues(1))).toBe('6982');
  });

  it('there is no purse on a small memory, nor with little RAM', async () => {
    const small = new HostLine(program, 511, 8192);
    lines.push(small);
    const a = new PurseCard(small, 1);
    await a.send(0x46);
    await expect(a.select()).rejects.toThrow('6A82');
    const narrow = new HostLine(program, PAGES, 2048);
    lines.push(narrow);
    const b = new PurseCard(narrow, 1);
    await b.send(0x46);
    await b.select();
    expect(await b.status(0x46)).toBe('6700');
  });

  it('INITIALISE of the backup applet leaves a purse alone; a purse needs a formatted card', async () => {
    const a = await card(1);
    await a.issue(77);
    await a.select(backupAid);
    await a.send(0x46);
    await a.select();
    expect(await balances(a)).toEqual([77]);
    expect(await a.status(0x46)).toBe('6985');
    const line = new HostLine(program, PAGES, 8192);
    lines.push(line);
    const blank = new PurseCard(line, 1);
    await blank.select();
    expect(await blank.status(0x46)).toBe('6985');
    expect(toHex(await blank.get(0x20))).toBe('00'.repeat(25));
  });

  it('the area is not room for the backup applet', async () => {
    const a = await card(1);
    const { superblock, problems } = decode(a.line.memory());
    expect(problems).toEqual([]);
    expect(superblock).toMatchObject({ dataEnd: PAGES - AREA, areas: [{ applet: 'purse', firstPage: PAGES - AREA, pages: 52 }, { applet: 'twin', firstPage: PAGES - 25, pages: 4 }, { applet: 'member', firstPage: PAGES - 21, pages: 20 }, { applet: 'device', firstPage: PAGES - 1, pages: 1 }] });
    expect(pageMap(a.line.memory())).toMatchObject({ freeBytes: (PAGES - AREA - 24 - 128) * 64, leftovers: [] });
  });
});

describe('embodiment 1', () => {
  it.each([1, 2, 3, 4])('moves money, alternative %i: every step marked, the log can check everything', async (alternative) => {
    const [a, b] = await pair();
    const f0 = await b.challenge(300, alternative);
    expect(b.line.steps).toEqual(marks(1, 1));
    expect(await balances(a, b)).toEqual([1000, 0]);
    const f1 = await a.pay(f0);
    expect(a.line.steps).toEqual(marks(1, 1, 2));
    expect(await balances(a, b)).toEqual([700, 0]);
    const f2 = await b.receive(f1);
    expect(b.line.steps).toEqual(marks(1, 2, 3, 4, 5));
    expect(await balances(a, b)).toEqual([700, 300]);
    expect(entryFaults(f2)).toEqual([]);
    expect([...elementsOf(0xf0, f0).keys()]).toEqual([0xd0, 0xd2, 0xd3, 0xd1, 0xd4]);
    expect([...elementsOf(0xf1, f1).keys()]).toEqual([0xd4, 0xdb, 0xd6, 0xd7, 0xd8, 0xd9, 0xda]);
    const entry = elementsOf(0xf2, f2);
    expect([...entry.keys()]).toEqual([0xd5, 0xd8, 0xd9, 0xda, 0xd6, 0xd7, 0xdb, 0xd0, 0xdc, 0xd3, 0xd1]);
    expect([one(entry, 0xd5), one(entry, 0xd6), one(entry, 0xd0), one(entry, 0xd8)]).toEqual([b.id, a.publicKey, amount(300), amount(1000)]);
    expect(f2).toHaveLength(326);
    expect(f1.length).toBeLessThanOrEqual(327);
    expect(await b.state()).toMatchObject({ open: 0, waiting: 1, received: 300 });
    expect(await b.send(0x7a, 0, 0, writeTlv(0xd1, one(entry, 0xd1)))).toEqual(f2);
    await b.logTaken(receipt(f2));
    expect(await b.state()).toMatchObject({ waiting: 0, balance: 300 });
    expect(decode(a.line.memory()).problems).toEqual([]);
  });

  it('received money can be paid on, also to oneself', async () => {
    const [a, b] = await pair(100);
    await b.issue(1);
    await b.receive(await a.pay(await b.challenge(100)));
    await a.receive(await b.pay(await a.challenge(101)));
    expect(await balances(a, b)).toEqual([101, 0]);
    await a.receive(await a.pay(await a.challenge(40, 3)));
    expect(await a.state()).toMatchObject({ balance: 101, issued: 100, received: 141, paid: 140 });
  });
});

describe('embodiment 2', () => {
  it.each([1, 2, 3, 4])('asks the third party first, alternative %i; while it does not serve nothing changes', async (alternative) => {
    const [a, b] = await pair();
    const f1 = await a.pay(await b.challenge(250, alternative, 2), 2);
    const f3 = await b.receive(f1, 2);
    expect(b.line.steps).toEqual(marks(2, 2, 3, P3A));
    expect(elementsOf(0xf3, f3)).toEqual(new Map([[0xd5, b.id], [0xd1, one(elementsOf(0xf1, f1), 0xd4).slice(5, 13)], [0xd6, a.publicKey]]));
    expect(await refusal(b.accept(serviceState(f3, 0)))).toBe('6985');
    expect(b.line.steps).toEqual([`2:80-${P3B}:1`]);
    expect(await b.state()).toMatchObject({ balance: 0, open: 1, waiting: 0 });
    const f2 = await b.accept(serviceState(f3));
    expect(b.line.steps).toEqual(marks(2, P3B, 4, 5));
    expect(await balances(a, b)).toEqual([750, 250]);
    expect(entryFaults(f2)).toEqual([]);
    expect(await b.receive(f1, 2)).toEqual(f3);
    expect(await b.accept(serviceState(f3))).toEqual(f2);
    expect(await balances(a, b)).toEqual([750, 250]);
  });

  it('what was prepared is forgotten at reset, SELECT and the commands that may take its place', async () => {
    const [a, b] = await pair();
    const f1 = await a.pay(await b.challenge(10, 1, 2), 2);
    const other = await b.challenge(1);
    const f3 = await b.receive(f1, 2);
    const forgets: readonly (() => Promise<unknown>)[] = [
      async () => { await b.line.reset(); await b.select(); }, () => b.select(), () => b.challenge(1), () => b.status(0x76, 1, 0, Uint8Array.of(0)),
      () => b.status(0x7c, 0, 0, Uint8Array.of(0)), () => b.send(0x7e, 0, 0, writeTlv(0xd1, one(elementsOf(0xf0, other), 0xd1))),
    ];
    for (const forget of forgets) {
      expect(await b.receive(f1, 2)).toEqual(f3);
      await forget();
      expect(await refusal(b.accept(serviceState(f3)))).toBe('6985');
    }
    await b.receive(f1, 2);
    await b.accept(serviceState(f3));
    expect(await balances(a, b)).toEqual([990, 10]);
  });

  it('a card told so serves embodiment 2 only', async () => {
    const [a, b] = [await card(1), await card(2, 1)];
    await a.issue(5);
    const f1 = await a.pay(await b.challenge(5));
    expect(await refusal(b.receive(f1))).toBe('6985');
    expect(b.line.steps).toEqual(['1:80-2:1']);
    await b.accept(serviceState(await b.receive(f1, 2)));
    expect(await balances(a, b)).toEqual([0, 5]);
  });
});

describe('what comes back (docs/purse.md 1.4), read with K from the card\'s memory', () => {
  const secretOf = (b: Host): Uint8Array => b.line.memory().slice((PAGES - AREA + 6) * 64 + 8, (PAGES - AREA + 6) * 64 + 40);
  const made = (k: Uint8Array, name: string, id: Uint8Array): Uint8Array => hmac(sha256, k.slice(16), concat(message(name, []), id)).slice(0, 16);

  it('01 is AES-GCM of R1, R2, x and the challenge id; G1 and G2 fit', async () => {
    const b = await card(2);
    const f0 = elementsOf(0xf0, await b.challenge(1234));
    const [d4, id] = [one(f0, 0xd4), one(f0, 0xd1)];
    expect(d4.slice(0, 13)).toEqual(concat(Uint8Array.of(1, 0, 0, 0, 0), id));
    const clear = gcm(secretOf(b).slice(0, 16), d4.slice(1, 13), concat(message('challenge', []), b.id)).decrypt(d4.slice(13));
    expect(clear.slice(32)).toEqual(concat(amount(1234), id));
    expect(one(f0, 0xd2)).toEqual(sha256(concat(message('G1', []), b.id, clear.slice(0, 16))));
    expect(one(f0, 0xd3)).toEqual(sha256(concat(message('G2', []), b.publicKey, clear.slice(16, 32))));
  });

  it('02 and 03 hash and sign the same, R1 and R2 made from K; 04 keeps them', async () => {
    const b = await card(2);
    const k = secretOf(b);
    for (const alternative of [2, 3]) {
      const f0 = elementsOf(0xf0, await b.challenge(9, alternative));
      const [d4, id] = [one(f0, 0xd4), one(f0, 0xd1)];
      const [r1, r2] = [made(k, 'R1', id), made(k, 'R2', id)];
      const clear = concat(r1, r2, amount(9), id);
      expect(d4.slice(0, 13)).toEqual(concat(Uint8Array.of(alternative), amount(9), id));
      if (alternative === 2) expect(d4.slice(13)).toEqual(sha256(concat(message('challenge hash', []), clear)));
      else expect(nobleOps.verify(b.publicKey, concat(textBytes('cardbench purse challenge sign v1'), Uint8Array.of(0), clear), d4.slice(13))).toBe(true);
      expect(one(f0, 0xd2)).toEqual(sha256(concat(message('G1', []), b.id, r1)));
    }
    const f0 = elementsOf(0xf0, await b.challenge(9, 4));
    expect(one(f0, 0xd4)).toEqual(concat(Uint8Array.of(4), amount(9), one(f0, 0xd1)));
    const kept = b.line.memory().slice((PAGES - AREA + 25 + 2) * 64);
    expect(one(f0, 0xd3)).toEqual(sha256(concat(message('G2', []), b.publicKey, kept.slice(24, 40))));
  });

  it('challenge ids count upwards and are never given twice', async () => {
    const b = await card(2);
    const ids: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      const id = one(elementsOf(0xf0, await b.challenge(1)), 0xd1);
      ids.push(toHex(id.slice(0, 4)));
      await b.send(0x7e, 0, 0, writeTlv(0xd1, id));
    }
    expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => toHex(amount(i + 1))));
  });
});

describe('refusals change nothing', () => {
  it('CHALLENGE: amount, room, embodiment and alternative', async () => {
    const b = await card(2);
    expect(await b.status(0x72, 1, 1, writeTlv(0xd0, amount(0)))).toBe('6A80');
    expect(await b.status(0x72, 1, 1, writeTlv(0xd0, amount(1)).slice(0, 5))).toBe('6A80');
    expect(b.line.steps).toEqual(['1:80-1:1']);
    for (const [p1, p2] of [[0, 1], [3, 1], [1, 0], [1, 5]]) expect(await b.status(0x72, p1, p2, writeTlv(0xd0, amount(1)))).toBe('6A86');
    expect(b.line.steps).toEqual([]);
    for (let i = 0; i < 6; i += 1) await b.challenge(1, 1 + (i % 4));
    expect(await refusal(b.challenge(1))).toBe('6A84');
    expect(await b.state()).toMatchObject({ open: 6 });
    await b.issue(0xffffffff);
    expect(await refusal(b.challenge(1))).toBe('6985');
  });

  it('PAY: no issue, more than there is, malformed; the last yen can be paid', async () => {
    const [a, b] = [await card(1), await card(2)];
    const f0 = await b.challenge(100);
    expect(await refusal(a.pay(f0))).toBe('6985');
    expect(a.line.steps).toEqual(['1:80-1:0', '1:80-2:1']);
    await a.issue(99);
    expect(await refusal(a.pay(f0))).toBe('6985');
    expect(await refusal(a.pay(f0.slice(0, -1)))).toBe('6A80');
    expect(a.line.steps).toEqual(['1:80-1:1']);
    expect(await refusal(a.pay(altered(0xf0, f0, 0xd0, () => amount(0))))).toBe('6A80');
    expect(await a.state()).toMatchObject({ balance: 99, paid: 0, payments: 0 });
    await a.issue(1);
    await b.receive(await a.pay(f0));
    expect(await balances(a, b)).toEqual([0, 100]);
  });

  it('LOAD ISSUE: another card\'s, an old number, a wrong signer, too much; the last one again is done', async () => {
    const [a, b] = [await card(1), await card(2)];
    const first = await a.issue(500);
    await a.send(0x70, 0, 0, first);
    const load = (f6: Uint8Array): Promise<string> => a.status(0x70, 0, 0, f6);
    expect(await load(b.issueObject(500, 2))).toBe('6A80');
    expect(await load(a.issueObject(600, 1))).toBe('6985');
    expect(await load(a.issueObject(500, 2, a.publicKey, signerOf(new Uint8Array(32).fill(3))))).toBe('6982');
    expect(await load(altered(0xf6, a.issueObject(500, 2), 0xd8, () => amount(501)))).toBe('6982');
    expect(await load(a.issueObject(0xffffffff, 2))).toBe('6985');
    expect(await a.state()).toMatchObject({ balance: 500, issued: 500, lastIssue: 1 });
    await a.send(0x70, 0, 0, a.issueObject(7, 9));
    expect(await a.state()).toMatchObject({ balance: 507, issued: 507, lastIssue: 9 });
    expect(await load(first)).toBe('6985');
    expect(toHex(await a.get(0x23))).toBe(toHex(a.issueObject(7, 9)));
  });

  /** What is changed in F1, and the status word. */
  const changes: readonly (readonly [string, string, (f1: Uint8Array, a: Host) => Uint8Array])[] = [
    ['6A80', 'a byte of eC', (f1) => altered(0xf1, f1, 0xd4, (d4) => flip(d4, d4.length - 1))],
    ['6A80', 'x in eC or its nonce', (f1) => altered(0xf1, f1, 0xd4, (d4) => flip(d4, 4))],
    ['6985', 'the challenge id in eC', (f1) => altered(0xf1, f1, 0xd4, (d4) => flip(d4, 12))],
    ['6A80', 'the alternative', (f1) => altered(0xf1, f1, 0xd4, (d4) => Uint8Array.of(d4[0] % 4 + 1, ...d4.slice(1)))],
    ['6A80', 'the alternative and its shape', (f1) => altered(0xf1, f1, 0xd4, (d4) => (d4[0] === 4 ? concat(Uint8Array.of(2), d4.slice(1, 13), new Uint8Array(32)) : Uint8Array.of(4, ...d4.slice(1, 13))))],
    ['6982', 'a byte of S', (f1) => altered(0xf1, f1, 0xdb, (s) => flip(s, 5))],
    ['6982', 'CA\'s signature', (f1) => altered(0xf1, f1, 0xd7, (s) => flip(s, 40))],
    ['6982', 'a key that CA did not sign', (f1, a) => {
      const other = signerOf(new Uint8Array(32).fill(9));
      const elements = [...elementsOf(0xf1, f1)].map(([tag, content]) => [tag, tag === 0xd6 ? other.publicKey : content] as const);
      expect(a.publicKey).not.toEqual(other.publicKey);
      return template(0xf1, elements);
    }],
    ['6982', 'issuer\'s amount', (f1) => altered(0xf1, f1, 0xd8, () => amount(999_999))],
    ['6982', 'issuer\'s signature for another key', (f1) => altered(0xf1, f1, 0xda, () => ca.sign(message('issue', [[0xd8, amount(1000)], [0xd9, amount(1)], [0xd6, ca.publicKey]])))],
    ['6A80', 'a missing element', (f1) => template(0xf1, [...elementsOf(0xf1, f1)].filter(([tag]) => tag !== 0xd9))],
  ];

  it.each(changes)('RECEIVE answers %s to %s, in all alternatives and both embodiments, and takes the true one after', async (sw, _, change) => {
    for (const [alternative, embodiment] of [[1, 1], [2, 2], [3, 1], [4, 2]]) {
      const [a, b] = await pair();
      const f1 = await a.pay(await b.challenge(300, alternative, embodiment), embodiment);
      const got = await refusal(b.receive(change(f1, a), embodiment));
      // The body of 04 ends with the challenge id.
      expect(got, `alternative ${alternative}`).toBe(alternative === 4 && sw === '6A80' && change === changes[0][2] ? '6985' : sw);
      expect(await b.state()).toMatchObject({ balance: 0, open: 1, waiting: 0 });
      const last = await b.receive(f1, embodiment);
      if (embodiment === 2) await b.accept(serviceState(last));
      expect(await balances(a, b)).toEqual([700, 300]);
    }
  });

  it('a challenge is used once: replayed, dropped or meant for another card it is refused', async () => {
    const [a, b] = await pair();
    const c = await card(3);
    const f1 = await a.pay(await b.challenge(300));
    expect(await refusal(c.receive(f1))).toBe('6985');
    const f2 = await b.receive(f1);
    expect(await b.receive(f1)).toEqual(f2);
    expect(await refusal(b.receive(altered(0xf1, f1, 0xdb, (s) => flip(s, 1))))).toBe('6985');
    await b.logTaken(receipt(f2));
    await b.logTaken(receipt(f2));
    expect(await refusal(b.receive(f1))).toBe('6985');
    expect(await balances(a, b, c)).toEqual([700, 300, 0]);
    const f0 = await b.challenge(1);
    await b.send(0x7e, 0, 0, writeTlv(0xd1, one(elementsOf(0xf0, f0), 0xd1)));
    expect(await refusal(b.receive(await a.pay(f0)))).toBe('6985');
    expect(await b.status(0x7e, 0, 0, writeTlv(0xd1, one(elementsOf(0xf0, f0), 0xd1)))).toBe('6A82');
  });

  it('a fifth payment waits for the log; a receipt of anybody else frees no place', async () => {
    const [a, b] = await pair();
    const entries: Uint8Array[] = [];
    for (let i = 0; i < 4; i += 1) entries.push(await b.receive(await a.pay(await b.challenge(10))));
    const f1 = await a.pay(await b.challenge(10));
    expect(await refusal(b.receive(f1))).toBe('6A84');
    expect(b.line.steps).toEqual([...marks(1, 2, 3), '1:80-4:1']);
    expect(await refusal(b.receive(f1, 2))).toBe('6A84');
    expect(b.line.steps).toEqual([...marks(2, 2, 3), `2:80-${P3A}:1`]);
    expect(await refusal(b.logTaken(receipt(entries[1], ca)))).toBe('6982');
    expect(await refusal(b.logTaken(altered(0xf5, receipt(entries[1]), 0xd5, () => a.id)))).toBe('6A80');
    const swapped = altered(0xf5, receipt(entries[1]), 0xd1, () => one(elementsOf(0xf2, entries[2]), 0xd1));
    expect(await refusal(b.logTaken(swapped))).toBe('6982');
    expect(await refusal(b.receive(f1))).toBe('6A84');
    await b.logTaken(receipt(entries[1]));
    await b.receive(f1);
    expect(await balances(a, b)).toEqual([950, 50]);
    expect((await b.get(0x25)).length).toBe(40);
  });

  it('ACCEPT: a forged, a foreign and a meaningless state', async () => {
    const [a, b] = await pair();
    const f3 = await b.receive(await a.pay(await b.challenge(10, 1, 2), 2), 2);
    expect(await refusal(b.accept(serviceState(f3, 1, ca)))).toBe('6982');
    expect(await refusal(b.accept(altered(0xf4, serviceState(f3, 0), 0xdd, () => Uint8Array.of(1))))).toBe('6982');
    expect(await refusal(b.accept(serviceState(f3, 2)))).toBe('6A80');
    expect(await refusal(b.accept(serviceState(altered(0xf3, f3, 0xd5, () => a.id))))).toBe('6A80');
    expect(await refusal(b.accept(serviceState(altered(0xf3, f3, 0xd1, (id) => flip(id, 7)))))).toBe('6985');
    expect(await b.status(0x78, 1, 0, serviceState(f3))).toBe('6A86');
    expect(await balances(b)).toEqual([0]);
    await b.accept(serviceState(f3));
    expect(await balances(b)).toEqual([10]);
  });

  it('PAY repeated gives the same bytes and takes once, also after an issue and seven payments more', async () => {
    const [a, b] = await pair();
    const f0 = await b.challenge(100);
    const f1 = await a.pay(f0);
    await a.line.reset();
    await a.select();
    expect(await a.pay(f0)).toEqual(f1);
    await a.issue(50);
    expect(await a.pay(f0)).toEqual(f1);
    for (let i = 0; i < 7; i += 1) {
      const other = await b.challenge(1);
      await a.pay(other);
      await b.send(0x7e, 0, 0, writeTlv(0xd1, one(elementsOf(0xf0, other), 0xd1)));
    }
    expect(await a.pay(f0)).toEqual(f1);
    expect(await a.state()).toMatchObject({ balance: 1000 + 50 - 100 - 7, paid: 107, payments: 8 });
    await b.receive(f1);
  });

  it('personalisation: what is missing, wrong lengths, CA\'s signature; nothing of it later', async () => {
    const line = new HostLine(program, PAGES, 8192);
    lines.push(line);
    const a = new PurseCard(line, 1);
    await a.send(0x46);
    await a.select();
    expect(await a.status(0xda, 0xdf, 0x30, a.id)).toBe('6985');
    await a.send(0x46);
    expect(await a.status(0x48)).toBe('6985');
    expect(await a.status(0xda, 0xdf, 0x30, new Uint8Array(8))).toBe('6A80');
    for (const tag of [0x30, 0x31, 0x32, 0x33, 0x34, 0x35]) expect(await a.status(0xda, 0xdf, tag, new Uint8Array(7))).toBe('6700');
    expect(await a.status(0xda, 0xdf, 0x36, new Uint8Array(7))).toBe('6A82');
    expect(await a.status(0xda, 0xdf, 0x35, Uint8Array.of(2))).toBe('6A80');
    expect(await a.status(0xda, 0xdf, 0x34, new Uint8Array(64))).toBe('6985');
    for (const tag of [0x21, 0x22, 0x23]) expect(await a.status(0xca, 0xdf, tag)).toBe('6A82');
    expect(await a.status(0x70, 0, 0, Uint8Array.of(0))).toBe('6985');
    expect(await a.status(0x40, 0, 0, Uint8Array.of(0))).toBe('6700');
    await a.send(0x40);
    await a.send(0xda, 0xdf, 0x31, ca.publicKey);
    expect(await a.status(0xda, 0xdf, 0x34, new Uint8Array(64))).toBe('6982');
    const whole = await card(4);
    for (const [ins, p1, p2] of [[0xda, 0xdf, 0x30], [0x40, 0, 0], [0x48, 0, 0], [0x46, 0, 0]]) expect(await whole.status(ins, p1, p2)).toBe('6985');
    expect(elementsOf(0xf7, await whole.get(0x22)).get(0xd6)).toEqual(whole.publicKey);
  });

  it('keys made anew take the certificate with them', async () => {
    const line = new HostLine(program, PAGES, 8192);
    lines.push(line);
    const a = new PurseCard(line, 1);
    await a.send(0x46);
    await a.select();
    await a.send(0x46);
    await a.send(0xda, 0xdf, 0x30, a.id);
    await a.send(0xda, 0xdf, 0x31, ca.publicKey);
    const key = async (): Promise<Uint8Array> => (await a.get(0x21)).slice(12);
    await a.send(0x40);
    const first = await key();
    await a.send(0xda, 0xdf, 0x34, ca.sign(message('key', [[0xd6, first]])));
    await a.send(0x40);
    expect(await key()).not.toEqual(first);
    expect(await a.status(0xca, 0xdf, 0x22)).toBe('6A82');
  });
});

/** What a card says of itself by commands, in the words of its memory. */
async function told(on: Host): Promise<unknown> {
  const { life, waiting, payments, open, ...sums } = await on.state();
  expect([waiting, payments, open]).toEqual([(await on.get(0x25)).length / 10, (await on.get(0x26)).length / 16, (await on.get(0x24)).length / 10]);
  return { ...sums, lifeCycle: ['blank', 'initialised', 'operational'][life], open, waiting, payments };
}

describe('the memory, read from docs/purse.md alone', () => {
  it('says what the card says, and hides no secret from the secrecy checks', async () => {
    const [a, b] = [await card(1), await card(2, 1)];
    await a.issue(1000);
    const f0 = await b.challenge(20, 4, 2);
    for (const x of [5, 6]) await b.accept(serviceState(await b.receive(await a.pay(await b.challenge(x, 1, 2), 2), 2)));
    await a.pay(f0);
    for (const on of [a, b]) {
      const { id, challengeCounter, problems, ...memory } = decodePurse(on.line.memory()) ?? {} as never;
      expect({ ...memory, open: memory.open.length, waiting: memory.waiting.length, payments: memory.payments.length }).toEqual(await told(on));
      expect([id, problems]).toEqual([toHex(on.id), []]);
      expect(challengeCounter).toBe(on === a ? 0 : 3);
      const names = secretsOf(on.line.memory()).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['purse key', 'purse secret']));
    }
    const [payer, payee] = [decodePurse(a.line.memory()), decodePurse(b.line.memory())];
    expect(payer?.payments.map((p) => p.amount)).toEqual([20, 6, 5]);
    expect(payee?.waiting.map((entry) => [entry.amount, entry.payerKey])).toEqual([[5, toHex(a.publicKey)], [6, toHex(a.publicKey)]]);
    expect(payee?.open).toEqual([{ alternative: 4, id: toHex(one(elementsOf(0xf0, f0), 0xd1)) }]);
    expect(decodePurse(new Uint8Array(PAGES * 64).fill(0xff))).toBeUndefined();
  });

  it('finds what is wrong', async () => {
    const [a, b] = await pair();
    await b.receive(await a.pay(await b.challenge(5)));
    await b.challenge(6, 4);
    const broken = (page: number, change: (bytes: Uint8Array) => void): string[] => {
      const image = b.line.memory();
      const at = (PAGES - AREA + page) * 64;
      change(image.subarray(at, at + 64));
      new DataView(image.buffer).setUint32(at + 60, crc32(image, at, at + 60), true);
      return decodePurse(image)?.problems.map(({ code }) => code) ?? [];
    };
    expect(broken(0, () => undefined)).toEqual([]);
    expect(broken(0, (page) => { page[4] ^= 1; })).toEqual(['SUMS']);
    expect(broken(0, (page) => { page[0] = 3; })).toEqual(['STATE']);
    expect(broken(0, (page) => { page[29] = 1; })).toEqual(['ENTRY']);
    expect(broken(0, (page) => { page[20] = 7; })).toEqual(['ISSUE']);
    expect(broken(25, (page) => { page[0] ^= 1; })).toEqual(['CHALLENGES']);
    expect(broken(1, (page) => { page[0] = 0; })).toEqual(['CHALLENGES']);
    const image = b.line.memory();
    image[(PAGES - AREA + 2) * 64] ^= 1;
    expect(decodePurse(image)?.problems).toMatchObject([{ code: 'PAGE_DAMAGED', page: 2 }]);
  });
});

/** Runs a command of a card cut in the middle of every memory operation, and once whole; the memory is put back before. */
async function everyCut(on: Host, run: () => Promise<unknown>, then: (torn: boolean) => Promise<void>): Promise<number> {
  const start = on.line.memory();
  for (let cut = 0; ; cut += 1) {
    await on.line.restore(start);
    await on.select();
    await on.line.cutAt(cut);
    const torn = await on.torn(run);
    await on.line.say('cut -1');
    expect(decodePurse(on.line.memory())?.problems).toEqual([]);
    await then(torn);
    if (!torn) return cut;
  }
}

describe('power cuts in the middle of every memory operation', () => {
  it('LOAD ISSUE: loaded once, whatever is cut', async () => {
    const a = await card(1);
    await a.issue(3);
    const f6 = a.issueObject(40, 2);
    const cuts = await everyCut(a, () => a.send(0x70, 0, 0, f6), async () => {
      expect([3, 43]).toContain((await a.state()).balance);
      await a.send(0x70, 0, 0, f6);
      expect(await a.state()).toMatchObject({ balance: 43, issued: 43, lastIssue: 2 });
    });
    expect(cuts).toBe(3);
  });

  it.each([1, 2, 3, 4])('CHALLENGE, alternative %i: no challenge or an open one, never a number twice', async (alternative) => {
    const [a, b] = await pair();
    const cuts = await everyCut(b, () => b.challenge(5, alternative), async (torn) => {
      expect((await b.state()).open).toBe(torn ? 0 : 1);
      const f0 = await b.challenge(6, alternative);
      await b.receive(await a.pay(f0));
      expect((await b.state()).balance).toBe(6);
    });
    expect(cuts).toBe(1);
  });

  it.each([[1, 1], [2, 1], [4, 2], [3, 2]])('a transfer with a cut on each card, alternative %i, embodiment %i: paid once, received once, the log gets it', async (alternative, embodiment) => {
    const [a, b] = await pair();
    const f0 = await b.challenge(300, alternative, embodiment);
    const receiving = async (f1: Uint8Array): Promise<Uint8Array> => {
      const answer = await b.receive(f1, embodiment);
      return embodiment === 1 ? answer : b.accept(serviceState(answer));
    };
    const start = b.line.memory();
    const onPayer = await everyCut(a, () => a.pay(f0), async (torn) => {
      expect((await a.state()).balance).toBe(torn ? 1000 : 700);
      const f1 = await a.pay(f0);
      expect((await a.state()).balance).toBe(700);
      await b.line.restore(start);
      const onPayee = await everyCut(b, () => receiving(f1), async (cut) => {
        expect(await b.state()).toMatchObject(cut ? { balance: 0, open: 1, waiting: 0 } : { balance: 300, open: 0, waiting: 1 });
        const f2 = await receiving(f1);
        expect(entryFaults(f2)).toEqual([]);
        expect(await b.state()).toMatchObject({ balance: 300, open: 0, waiting: 1, received: 300 });
      });
      expect(onPayee).toBe(6);
    });
    expect(onPayer).toBe(1);
  });

  it('LOG TAKEN and DROP: the entry waits or not, the challenge is open or not', async () => {
    const [a, b] = await pair();
    const f2 = await b.receive(await a.pay(await b.challenge(9)));
    expect(await everyCut(b, () => b.logTaken(receipt(f2)), async (torn) => {
      expect(await b.state()).toMatchObject({ waiting: torn ? 1 : 0, balance: 9 });
      await b.logTaken(receipt(f2));
      expect(await b.state()).toMatchObject({ waiting: 0, balance: 9 });
    })).toBe(1);
    const id = writeTlv(0xd1, one(elementsOf(0xf0, await b.challenge(4)), 0xd1));
    expect(await everyCut(b, () => b.send(0x7e, 0, 0, id), async (torn) => {
      expect(await b.status(0x7e, 0, 0, id)).toBe(torn ? '9000' : '6A82');
    })).toBe(1);
  });

  it('INITIALISE and GENERATE KEY can be begun again', async () => {
    const line = new HostLine(program, PAGES, 8192);
    lines.push(line);
    const a = new PurseCard(line, 1) as Host;
    await a.send(0x46);
    await a.select();
    expect(await everyCut(a, () => a.send(0x46), async () => {
      await a.send(0x46);
      expect((await a.state()).life).toBe(1);
    })).toBe(53);
    expect(await everyCut(a, () => a.send(0x40), async (torn) => {
      if (torn) expect(await a.status(0xca, 0xdf, 0x21)).toBe('6A82');
      await a.send(0x40);
    })).toBe(2);
  });
});

/** A command with bytes changed, cut off, added or put in from elsewhere. */
function mutated(data: Uint8Array, number: (below: number) => number): Uint8Array {
  const bytes = data.slice();
  const at = number(bytes.length + 1);
  switch (number(5)) {
    case 0: return bytes.slice(0, at);
    case 1: return concat(bytes, new Uint8Array(1 + number(9)).fill(number(256)));
    case 2: return concat(bytes.slice(0, at), bytes.slice(at + 1 + number(4)));
    case 3: return concat(bytes.slice(0, at), Uint8Array.of(0x82, number(256), number(256)), bytes.slice(at));
    default: return bytes.map((byte, i) => (i === at || i === number(bytes.length) ? number(256) : byte));
  }
}

describe('hostile commands under the sanitizers', () => {
  it('3,000 of them: refused or harmless, no payment is credited that was not made, both cards go on', async () => {
    const [a, b] = await pair(1_000_000);
    const random = seededRandom(11, 'hostile purse');
    const number = (below: number): number => uintOf(random(4)) % below;
    const f0 = await b.challenge(5, 1);
    const f1 = await a.pay(f0);
    const f3 = await b.receive(await a.pay(await b.challenge(7, 3, 2), 2), 2);
    const f6 = a.issueObject(9, 2, a.publicKey, ca);
    const genuine: readonly (readonly [number, number, number, Uint8Array])[] = [
      [0x70, 0, 0, f6], [0x72, 1, 1, writeTlv(0xd0, amount(5))], [0x74, 1, 0, f0], [0x76, 1, 0, f1], [0x76, 2, 0, f1], [0x78, 2, 0, serviceState(f3, 1, ca)],
      [0x7a, 0, 0, writeTlv(0xd1, new Uint8Array(8))], [0x7c, 0, 0, template(0xf5, [[0xd5, b.id], [0xd1, new Uint8Array(8)], [0xde, new Uint8Array(64)]])],
      [0xca, 0xdf, 0x20, new Uint8Array()], [0xda, 0xdf, 0x30, b.id],
    ];
    const seen = new Map<string, number>();
    for (let i = 0; i < 3000; i += 1) {
      const [ins, p1, p2, data] = genuine[number(genuine.length)];
      const on = number(2) === 0 ? a : b;
      const [q1, q2] = number(8) === 0 ? [number(256), number(256)] : [p1, p2];
      const { sw } = await on.raw(ins, q1, q2, ins === 0x76 && number(9) === 0 ? mutated(mutated(data, number), number) : mutated(data, number));
      seen.set(sw, (seen.get(sw) ?? 0) + 1);
    }
    for (const sw of ['9000', '6700', '6982', '6985', '6A80', '6A82', '6A86']) expect(seen.get(sw) ?? 0, sw).toBeGreaterThan(0);
    expect([...seen.keys()].filter((sw) => !/^(9000|6700|6982|6985|6A8[0246])$/.test(sw))).toEqual([]);
    const [payer, payee] = [await a.state(), await b.state()];
    expect([payer.issued, payer.received, payee.received]).toEqual([1_000_000, 0, 0]);
    expect(payer.balance).toBe(1_000_000 - payer.paid);
    await b.receive(f1);
    expect((await b.state()).balance).toBe(5);
  });
});

/** A build with a fault; true when it does what docs/purse.md forbids. */
const probes: Readonly<Record<string, (a: Host, b: Host) => Promise<boolean>>> = {
  'purse-debit-late': async (a, b) => {
    const f1 = await a.pay(await b.challenge(300));
    await a.line.reset();
    await a.select();
    await b.receive(f1);
    return (await balances(a, b)).reduce((sum, w) => sum + w, 0) !== 1000;
  },
  'purse-challenge-kept': async (a, b) => {
    const f1 = await a.pay(await b.challenge(300));
    await b.logTaken(receipt(await b.receive(f1)));
    await refusal(b.receive(f1));
    return (await balances(b))[0] !== 300;
  },
  'purse-erase-first': async (a, b) => {
    const f1 = await a.pay(await b.challenge(300));
    let lost = false;
    await everyCut(b, () => b.receive(f1), async () => {
      await refusal(b.receive(f1));
      lost ||= (await balances(b))[0] !== 300;
    });
    return lost;
  },
  'purse-pay-twice': async (a, b) => {
    const f0 = await b.challenge(300);
    await a.pay(f0);
    await a.pay(f0);
    return (await balances(a))[0] !== 700;
  },
  'purse-overdraft': async (a, b) => (await refusal(a.pay(await b.challenge(1001)))) === '9000',
  'purse-no-ca': async (a, b) => {
    const f1 = await a.pay(await b.challenge(300));
    return (await refusal(b.receive(altered(0xf1, f1, 0xd7, (s) => flip(s, 0))))) === '9000';
  },
};

describe.each(Object.entries(probes))('faulty build %s', (name, probe) => {
  it('does what the reference does not', async () => {
    expect(await probe(...await pair())).toBe(false);
    const build = buildHost([`FAULT_${name.toUpperCase().replaceAll('-', '_')}`], crypto);
    expect(await probe(...await pair(1000, build))).toBe(true);
  });
});
