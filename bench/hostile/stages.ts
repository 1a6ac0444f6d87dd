import { answers, certificate, commands, equalBytes, fromHex, loadObject, toHex } from '../codec/index.js';
import type { CardCommand, KeyKind, ValueInformation, Variant } from '../codec/index.js';
import type { CardSnapshot } from '../../devices/index.js';
import { checkState } from '../../scenarios/index.js';
import type { AbstractLedgerEntry, AbstractSafe, SampleName } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import type { TestSetup } from '../certify/factory.js';
import type { CardLine } from '../terminal/card-line.js';
import { BenchError } from '../world/errors.js';
import { fillMemory } from '../world/fill.js';
import { createOtherCard } from '../world/other-card.js';
import { personalise } from '../world/personalise.js';
import { seededRandom } from '../world/random.js';
import { pins } from '../world/world.js';
import type { World } from '../world/world.js';
import { GenuineRun } from './genuine.js';

/** Name of a point of the card's life that hostile sessions begin at. */
export type StageName = 'blank' | 'initialised' | 'fresh' | 'rich' | 'keyless' | 'full';

/** A card at the beginning of hostile sessions. */
export interface Stage {
  readonly name: StageName;
  readonly verified: boolean;
  readonly snapshot: CardSnapshot;
  /** The issuer's book and the safes at that point. */
  readonly ledger: readonly AbstractLedgerEntry[];
  readonly safes: readonly AbstractSafe[];
}

/** A card, the stages to take it back to, and the genuine run that led there. */
export interface Proving {
  readonly world: World;
  readonly stages: readonly Stage[];
  readonly genuine: GenuineRun;
}

/** EEPROM size in bytes up to which the stage `full` is made: filling more takes long. */
const fillLimit = 16384;

/** The genuine run in the making. */
class Rehearsal {
  readonly world: World;
  readonly genuine = new GenuineRun();
  readonly stages: Stage[] = [];
  readonly line: CardLine;

  constructor(world: World) {
    this.world = world;
    this.line = this.genuine.on(world.line);
  }

  /** Sends a command that must be done. */
  async must(command: CardCommand): Promise<Uint8Array> {
    const { sw, data } = await this.line.transmit(command);
    if (sw === 0x9000) return data;
    throw new BenchError('BENCH_PREPARE', `${command.name} was answered ${sw.toString(16).toUpperCase()}`);
  }

  /** Writes a command down without sending it: it is accepted, if at all, from hostile sessions only. */
  keep(command: CardCommand): void {
    this.genuine.commands.push(command);
  }

  stage(name: StageName, verified: boolean): void {
    const { safes, ledger } = this.world.abstract();
    this.stages.push({ name, verified, snapshot: this.world.card.snapshot(), ledger, safes });
  }

  /** The stage with and without the PIN. */
  async both(name: StageName): Promise<void> {
    const findings = checkState(this.world.abstract());
    if (findings.length > 0) throw new BenchError('BENCH_PREPARE', `stage ${name}: ${findings[0].text}`);
    this.stage(name, true);
    await this.must(commands.select());
    this.stage(name, false);
    await this.must(commands.verify(pins.right));
  }

  /** A load object `ahead` of the last one, known as genuine. */
  issue(sample: SampleName, ahead = 1): ReturnType<World['loadObject']> {
    const object = this.world.loadObject(sample, { ahead });
    this.genuine.accept(loadObject.encode(object));
    this.genuine.issued.set(toHex(object.value.issueId), object);
    return object;
  }

  async load(sample: SampleName): Promise<number> {
    const object = this.issue(sample);
    const handle = answers.load(await this.must(commands.load(object)));
    this.world.book(object.value);
    return handle;
  }

  /** REGISTER BEGIN and the safe's certificate. */
  async begin(embodiment: 1 | 2, variant: 0 | Variant, handle: number): Promise<Uint8Array> {
    const request = await this.must(commands.registerBegin(embodiment, variant, handle));
    return this.genuine.accept(await this.world.parts.safes.safe.client.register(request));
  }

  async register(embodiment: 1 | 2, variant: 0 | Variant, handle: number): Promise<number> {
    const certificate = await this.begin(embodiment, variant, handle);
    return answers.registerEnd(await this.must(commands.registerEnd(embodiment, 'value', certificate)));
  }

  /** RECOVER BEGIN and the safe's object. */
  async retrieve(embodiment: 1 | 2, phase: 'value' | 'key', handle: number): Promise<Uint8Array> {
    const certificate = await this.must(commands.recoverBegin(embodiment, phase, handle));
    return this.genuine.accept(await this.world.parts.safes.safe.client.retrieve(certificate));
  }

  async keyBegin(kind: KeyKind): Promise<Uint8Array> {
    const { entry, client } = this.world.parts.safes.safe;
    return this.genuine.accept(await client.register(await this.must(commands.keyRegisterBegin(kind, entry.safeId))));
  }

  /** Takes something from a value and books it. */
  async use(command: CardCommand, value: Pick<ValueInformation, 'issueId'>, quantity: number, amount: number): Promise<void> {
    await this.must(command);
    this.world.spend(toHex(value.issueId), quantity, amount);
  }
}

async function personaliseSlowly(r: Rehearsal): Promise<void> {
  const { issuer, cardId, safes } = r.world.parts;
  r.stage('blank', false);
  const settings = commands.putSettings({ emptyDigest: false, allowLegacy: true });
  const line = r.genuine.on(r.world.line, ({ ins, p1, p2, data }) => {
    if (ins === settings.ins && p1 === settings.p1 && p2 === settings.p2 && equalBytes(data, settings.data))
      r.stage('initialised', false);
  });
  await personalise(line, issuer, {
    cardId, pin: pins.right, safes: [safes.safe.entry, safes.other.entry], settings: { emptyDigest: false, allowLegacy: true },
  });
  await r.must(commands.verify(pins.right));
  await r.both('fresh');
}

/** Reads everything there is to read. */
async function look(r: Rehearsal, handle: number): Promise<void> {
  for (const what of ['shortage', 'memory', 'credential', 'status', 'firmware', 'publicKeys', 'currentSettings'] as const)
    await r.must(commands.getData(what));
  await r.must(commands.listValues(1));
  await r.must(commands.listValues(2, 2));
  await r.must(commands.listCertificates(1, 'value'));
  await r.must(commands.listCertificates(2, 'key'));
  await r.must(commands.list());
  await r.must(commands.list({ entries: 'values', infoClass: 1, days: { today: '2000-04-01', last: '2000-06-01' } }, 0));
  await r.must(commands.readItem(handle));
  await r.line.transmit(commands.triesLeft());
}

/** Objects that are signed but not for this card or by no safe it knows: only material, never to be accepted. */
async function foreign(r: Rehearsal, plain: Uint8Array): Promise<void> {
  const { issuer, seed, ops, safes } = r.world.parts;
  const { sequence } = certificate.decode(plain);
  const entry = r.world.contents().entries.find((item) => item.class === 'A' && item.sequence === sequence);
  if (entry?.class !== 'A' || entry.object === undefined) throw new BenchError('BENCH_PREPARE', `no value is registered under ${sequence}`);
  const card = createOtherCard(fromHex('CB00000000000002'), issuer, seededRandom(seed, 'hostile card'), sequence - 1, ops);
  const request = card.requestValue(entry.object, 'plain', 'SHA-256');
  r.keep(commands.registerEnd(1, 'value', await safes.safe.client.register(request)));
  r.keep(commands.registerEnd(1, 'value', await safes.unknown.client.register(request)));
  r.keep(commands.load(r.world.loadObject('cash', { otherCard: true })));
}

/** One item in every state; the commands that would finish what is begun are kept, not sent. */
async function enrich(r: Rehearsal): Promise<{ readonly active: number; readonly keyCertificate: number; readonly finish: readonly CardCommand[] }> {
  const active = await r.load('concert-ticket-C');
  await r.load('pre-paid-card-E');
  const plain = await r.begin(1, 0, await r.load('movie-ticket-A'));
  const sealed = await r.begin(2, 1, await r.load('movie-ticket-G'));
  await r.register(1, 0, await r.load('utf-8'));
  await r.register(2, 2, await r.load('largest'));
  const gone = await r.load('cash');
  const recovering = await r.register(2, 1, gone);
  await r.must(commands.deleteItem(gone));
  const object = await r.retrieve(2, 'value', recovering);
  const spent = await r.register(1, 0, await r.load('smallest'));
  await r.must(commands.recoverEnd(1, spent, await r.retrieve(1, 'value', spent)));
  await r.must(commands.getReceipt(spent));
  const ticket = r.issue('movie-ticket-A');
  const used = answers.load(await r.must(commands.load(ticket)));
  r.world.book(ticket.value);
  await r.use(commands.useQuantity(used, 1), ticket.value, 1, 0);
  const keyCertificate = answers.registerEnd(await r.must(commands.registerEnd(2, 'key', await r.keyBegin('decoding'))));
  const common = await r.keyBegin('common');
  await foreign(r, plain);
  await look(r, active);
  r.keep(commands.load(r.issue('cash')));
  r.keep(commands.correct(active, r.issue('movie-ticket-G', 2)));
  for (const command of [
    commands.useAmount(active + 1, 100), commands.cancelKey(), commands.cancel(recovering), commands.deleteItem(used),
    commands.deleteItem(spent), commands.generateKey('decoding'), commands.changePin(pins.new), commands.useQuantity(active, 1),
  ]) r.keep(command);
  const finish = [
    commands.registerEnd(1, 'value', plain), commands.registerEnd(2, 'value', sealed),
    commands.registerEnd(2, 'key', common), commands.recoverEnd(2, recovering, object),
  ];
  return { active, keyCertificate, finish };
}

/** Takes the decoding key away, whose way back is kept. */
async function loseKey(r: Rehearsal, keyCertificate: number): Promise<void> {
  const reply = await r.retrieve(2, 'key', keyCertificate);
  r.keep(commands.keyRecoverEnd(keyCertificate, reply));
  await r.must(commands.deleteKey('decoding'));
  await r.both('keyless');
}

/**
 * Brings a blank card through its life once and keeps snapshots on the way. Throws BenchError BENCH_PREPARE,
 * BENCH_PERSONALISE when an honest command is refused.
 */
export async function prove(setup: TestSetup): Promise<Proving> {
  const world = await new WorldFactory(setup).world({ lifeCycle: 'blank' });
  await world.open('none');
  const r = new Rehearsal(world);
  await personaliseSlowly(r);
  const { keyCertificate, finish } = await enrich(r);
  await r.both('rich');
  for (const command of finish) await r.must(command);
  await loseKey(r, keyCertificate);
  if (setup.profile.eeprom.bytes <= fillLimit) {
    await fillMemory(world, { pages: 2 });
    await r.both('full');
  }
  return { world, stages: r.stages, genuine: r.genuine };
}
