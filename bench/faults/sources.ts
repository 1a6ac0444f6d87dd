import { concat, fromHex, signerOf, textBytes, toHex, uintBytes } from '../codec/index.js';
import type { Signer } from '../codec/index.js';
import { pageOf, fixedPages } from '../nvm/layout.js';
import type { ObjectName, ScenarioId } from '../../scenarios/index.js';
import { beforeSignature, withSignature } from './alter.js';
import { createOtherCard } from '../world/other-card.js';
import type { OtherCard } from '../world/other-card.js';
import { seededRandom } from '../world/random.js';
import { samples } from '../../scenarios/index.js';
import type { SafeDesk } from '../world/safes.js';
import type { World } from '../world/world.js';

/** Where an object stands in a protocol run: what its signature is bound to besides its own bytes. */
export interface ObjectContext {
  readonly cardId: string;
  readonly sequence: number;
  readonly safeId?: string;
  readonly counter?: number;
}

const labels: Partial<Record<ObjectName, string>> = {
  certificate: 'cardbench certificate v1', 'registered-value': 'cardbench 203 v1', 'key-object': 'cardbench key v1',
  'key-reply': 'cardbench key reply v1', receipt: 'cardbench receipt v1',
};

function contextBytes(object: ObjectName, context: ObjectContext): Uint8Array {
  const card = concat(fromHex(context.cardId), uintBytes(context.sequence, 4));
  if (object === 'registered-value') return card;
  if (object === 'key-object') return concat(card, fromHex(context.safeId ?? ''));
  if (object === 'key-reply') return concat(card, fromHex(context.safeId ?? ''), uintBytes(context.counter ?? 0, 4));
  return new Uint8Array(0);
}

/** The emulated card's own signing key, read from its memory: only the bench can do that. */
function cardSigner(world: World): Signer {
  const page = pageOf(world.contents().settled(), fixedPages.signingKey);
  return signerOf(page.slice(8, 40), world.parts.ops);
}

/** The safe of an id; the first one where none is named. */
function deskWith({ parts: { safes } }: World, safeId: string | undefined): SafeDesk {
  return [safes.other, safes.unknown].find(({ entry }) => toHex(entry.safeId) === safeId) ?? safes.safe;
}

/**
 * Signs an altered object again with the key that rightfully signs such objects, so that only its content can be at
 * fault. Objects without a signature are given back as they are.
 */
export function signAgain(world: World, object: ObjectName, bytes: Uint8Array, context: ObjectContext): Uint8Array {
  const label = labels[object];
  if (label === undefined) return bytes;
  const bySafe = object === 'certificate' || object === 'key-reply';
  const signer = bySafe ? deskWith(world, context.safeId).signer : cardSigner(world);
  const message = concat(textBytes(label), Uint8Array.of(0), contextBytes(object, context), beforeSignature(bytes));
  return withSignature(bytes, signer.sign(message));
}

/** Another genuine card of the same issuer, for foreign objects; the same one for the same world seed. */
export function otherCardOf(world: World, cardId: Uint8Array = world.parts.cardId.map((byte) => byte ^ 0xa5)): OtherCard {
  const { issuer, seed, ops } = world.parts;
  return createOtherCard(cardId, issuer, seededRandom(seed, 'other card'), 0, ops);
}

/** The safe a scenario speaks to: seeds, and the keys of embodiment 3, go to the second. */
const keyDesk = ({ parts: { safes } }: World, scenario: ScenarioId): SafeDesk => (/seed|^(3|12).key/.test(scenario) ? safes.other : safes.safe);

/** A registration request of another card, of the kind a scenario works with. */
export function foreignRequest(world: World, scenario: ScenarioId, card: OtherCard = otherCardOf(world)): Uint8Array {
  if (scenario.includes('seed')) return card.requestKey('seed', keyDesk(world, scenario).entry, 'SHA-256');
  if (scenario.includes('key')) return card.requestKey('decoding', keyDesk(world, scenario).entry, 'SHA-256');
  const value = { ...samples['movie-ticket-A'], issueId: world.parts.issuer.newIssueId() };
  return card.requestValue(value, scenario.startsWith('1/') ? 'plain' : 'public-key', 'SHA-256');
}

/** The foreign object of a name: what the other card and the safe would exchange in that place. */
export async function foreignObject(world: World, scenario: ScenarioId, object: ObjectName): Promise<Uint8Array | undefined> {
  const { client } = keyDesk(world, scenario);
  const request = foreignRequest(world, scenario);
  if (object === 'request') return request;
  const certificate = await client.register(request);
  if (object === 'certificate') return certificate;
  return ['value', 'registered-value', 'key-reply'].includes(object) ? client.retrieve(certificate) : undefined;
}

/** A certificate another safe would issue for the same request. */
export function certificateBy(desk: SafeDesk, request: Uint8Array): Promise<Uint8Array> {
  return desk.client.register(request);
}
