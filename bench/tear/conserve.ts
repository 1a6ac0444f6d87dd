import { checkState, isKeyKind, isMoney } from '../../scenarios/index.js';
import type { AbstractCertificate, Finding, ScenarioId, ScenarioOutput } from '../../scenarios/index.js';
import { runHonestly } from '../certify/prepare.js';
import { certificate as certificateCodec, commands, toHex } from '../codec/index.js';
import type { CardCommand, CertificateKind } from '../codec/index.js';
import { ownerKey } from '../safe/index.js';
import { decodeRecord, keys, recordName } from '../safe/record.js';
import type { World } from '../world/world.js';

const swText = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** USE of a value: units of tickets, yen of money. */
async function take(world: World, handle: number, money: boolean, amount: number): Promise<string> {
  const { sw } = await world.line.transmit(money ? commands.useAmount(handle, amount) : commands.useQuantity(handle, amount));
  world.line.takeMarks();
  return swText(sw);
}

/** As {@link take}; a card that found a worn page (6581) may have another one, so it is asked up to three times. */
async function takePatiently(world: World, handle: number, money: boolean, amount: number): Promise<string> {
  let sw = await take(world, handle, money, amount);
  for (let again = 0; again < 2 && sw === '6581'; again += 1) sw = await take(world, handle, money, amount);
  return sw;
}

const setRecoveries: Readonly<Partial<Record<CertificateKind, ScenarioId>>> = { piece: '4/recover', bundle: '5/recover', coupled: '6/recover' };

/** Gets a value back from the safe by whatever certificate the card has of it. */
async function redeem(world: World, issueId: string): Promise<ScenarioOutput | undefined> {
  const handle = world.handleOf(issueId, 'certificate');
  const entry = handle === undefined ? undefined : world.entry(handle);
  if (entry === undefined) return undefined;
  const kind = entry.class === 'B' ? entry.object?.kind : undefined;
  const set = kind === undefined ? undefined : setRecoveries[kind];
  if (set !== undefined) return runHonestly({ run: 'scenario', scenario: set, options: { select: { handle: entry.handle } } }, world);
  const run = (scenario: ScenarioId): Promise<ScenarioOutput> => runHonestly({ run: 'scenario', scenario, options: { select: { issueId } } }, world);
  const name = entry.class === 'B' && entry.object !== undefined ? recordName(entry.object) : undefined;
  if (kind !== 'plain') return run(name !== undefined && cameSealed(world, name) ? '3/recover' : '2/recover');
  const owned = name === undefined ? undefined : ownedBy(world, name);
  if (owned !== 'elsewhere') return run(owned === 'here' ? '8/recover' : '1/recover');
  const byResult = await run('9/recover');
  return byResult.cause === 'done' || world.parts.device === undefined ? byResult : run('10/recover');
}

/** True for registered value information that the first safe gives out sealed for the card only (docs/protocol.md 2.8). */
function cameSealed(world: World, name: string): boolean {
  const record = world.parts.safes.safe.store.get(keys.certificate(name));
  return record !== undefined && decodeRecord(record).credential.length > 0;
}

/** Who must be authenticated for a value at the first safe: its owner there, or elsewhere; undefined: nobody. */
function ownedBy(world: World, name: string): 'here' | 'elsewhere' | undefined {
  const { store } = world.parts.safes.safe;
  const record = store.get(keys.certificate(name));
  if (record === undefined || decodeRecord(record).owned !== true) return undefined;
  return store.get(ownerKey(name)) === undefined ? 'elsewhere' : 'here';
}

const usable = (world: World, issueId: string): boolean =>
  world.abstract().cards[0].values.some((value) => value.issueId === issueId && (value.state === 'active' || value.state === 'pending'));

/** A value that is on the card but not to be used: deposited. What USE takes of it is value out of nothing. */
async function spendUnusable(world: World, issueId: string): Promise<Finding[]> {
  const handle = world.handleOf(issueId, 'value');
  if (handle === undefined) return [];
  const sw = await take(world, handle, false, 1);
  return sw === '9000' ? [{ invariant: 'I4', text: `value ${issueId} was used while it is deposited` }] : [];
}

async function spendOne(world: World, issueId: string, quantity: number, remaining: number): Promise<Finding[]> {
  if (!usable(world, issueId)) {
    const early = await spendUnusable(world, issueId);
    if (early.length > 0) return early;
    const end = await redeem(world, issueId);
    if (end?.cause !== 'done') return [{ invariant: 'I2', text: `value ${issueId} cannot be got back: ${end?.text ?? 'no certificate'}` }];
  }
  const handle = world.handleOf(issueId, 'value');
  const entry = handle === undefined ? undefined : world.entry(handle);
  if (handle === undefined || entry?.class !== 'A') return [{ invariant: 'I2', text: `value ${issueId} did not come back` }];
  const money = isMoney(entry.object?.infoClass ?? 0);
  const sw = await takePatiently(world, handle, money, money ? remaining : quantity);
  if (sw !== '9000') return [{ invariant: 'I2', text: `value ${issueId} cannot be spent: USE was answered ${sw}` }];
  world.spend(issueId, money ? 0 : quantity, money ? remaining : 0);
  return [];
}

/** Every certificate the safe ever gave for this card is handed over once more, as a thief's terminal would. */
async function replayCertificates(world: World): Promise<void> {
  const { safe, other } = world.parts.safes;
  for (const [, bytes] of [...safe.store.range('certificate/'), ...other.store.range('certificate/')]) {
    const { certificate } = decodeRecord(bytes);
    const { kind, cardId } = certificateCodec.decode(certificate);
    if (toHex(cardId) !== world.cardId) continue;
    await world.line.transmit(handedOver(kind, certificate));
    world.line.takeMarks();
  }
}

const setKinds: Readonly<Partial<Record<CertificateKind, 4 | 5 | 6>>> = { piece: 4, bundle: 5, 'key-part': 6 };

function handedOver(kind: CertificateKind, certificate: Uint8Array): CardCommand {
  if (kind === 'coupled') return commands.coupledEnd(certificate);
  const set = setKinds[kind];
  if (set !== undefined) return commands.setEnd(set, certificate);
  const embodiment = kind === 'plain' ? 1 : kind === 'seed' ? 7 : 2;
  return commands.registerEnd(embodiment, isKeyKind(kind) ? 'key' : 'value', certificate);
}

/** The scenario that brings back the key a certificate stands for. */
function keyScenario(world: World, kept: AbstractCertificate | undefined): ScenarioId {
  if (kept?.kind === 'key-part') return '6/key-recover';
  if (kept?.kind === 'seed') return '7/seed-recover';
  if ([...world.parts.safes.other.store.range('owner/')].length > 0) return '12/recover';
  return kept?.safeId === toHex(world.parts.safes.other.entry.safeId) ? '3/key-recover' : '2/key-recover';
}

/** Tries to spend once more what is spent; what succeeds is value out of nothing. */
async function spendAgain(world: World, issueId: string): Promise<Finding[]> {
  await redeem(world, issueId);
  const handle = world.handleOf(issueId, 'value');
  if (handle === undefined) return [];
  const taken = [await take(world, handle, false, 1), await take(world, handle, true, 1)].includes('9000');
  return taken ? [{ invariant: 'I3', text: `value ${issueId} was spent a second time` }] : [];
}

/**
 * Value is conserved: spends every issued value whole, from the card or after its recovery, then hands over all old
 * certificates and tries again. The card must be powered with the PIN verified. Throws DeviceError when it is lost.
 */
export async function conserved(world: World): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { cards: [card], ledger } = world.abstract();
  if (card.keys.decoding === undefined) {
    const kept = card.certificates.find(({ kind, state }) => isKeyKind(kind) && state === 'stored');
    const coupled = kept?.kind === 'key-part' && card.certificates.some(({ kind, state }) => kind === 'coupled' && (state === 'stored' || state === 'recovering'));
    const { cause, text } = await runHonestly({ run: 'scenario', scenario: coupled ? '6/recover' : keyScenario(world, kept), options: {} }, world);
    if (cause !== 'done') findings.push({ invariant: 'I8', text: `the key cannot be got back: ${text}` });
  }
  for (const { issueId, quantity, remaining } of ledger) findings.push(...await spendOne(world, issueId, quantity, remaining));
  await replayCertificates(world);
  const spent = world.abstract().ledger.filter((now) => ledger.some((was) => was.issueId === now.issueId && was.spentQuantity + was.spentAmount < now.spentQuantity + now.spentAmount));
  for (const { issueId } of spent) findings.push(...await spendAgain(world, issueId));
  return [...findings, ...checkState(world.abstract())];
}
