import { certificate as certificateCodec, peerQuery, peerReply, peerRequest, peerSigned, registeredValue, sealPeer, toHex } from '../codec/index.js';
import type { Certificate, PeerContext, PeerMessage } from '../codec/index.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { SafeError } from '../safe/index.js';
import { decodeRecord } from '../safe/record.js';
import type { OwnerFault, Outcome, PeerFault } from '../../scenarios/index.js';
import { seededRandom } from '../world/random.js';
import type { SafeDesk } from '../world/safes.js';
import type { World } from '../world/world.js';
import type { Proceed } from './intercept.js';
import { longPause } from './owner-faults.js';
import type { FaultState } from './setting.js';

type Pass = (message: Uint8Array) => Promise<Uint8Array>;
type Around = (message: Uint8Array, pass: Pass) => Promise<Uint8Array>;

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

/** A message as a safe with these keys would send it. */
function sealedBy(signer: SafeDesk, from: Uint8Array, to: SafeDesk, number: number, context: PeerContext, plaintext: Uint8Array): PeerMessage {
  const way = { from, to: to.entry.safeId, number };
  const ephemeral = seededRandom(number, 'stranger')(32);
  const unsigned = { ...way, sealed: sealPeer(way, context, plaintext, to.entry.transportKey, ephemeral) };
  return { ...unsigned, signature: signer.signer.sign(peerSigned(unsigned, context)) };
}

/** Certificates of a kind that a desk has issued to this card and still holds the object of, newest first. */
function issued(world: World, desk: SafeDesk, kind: Certificate['kind']): readonly { readonly name: string; readonly certificate: Certificate }[] {
  const all = [...desk.store.range('certificate/')].map(([key, bytes]) => ({ name: key.slice('certificate/'.length), record: decodeRecord(bytes) }));
  return all.filter(({ record }) => record.state === 'held').map(({ name, record }) => ({ name, certificate: certificateCodec.decode(record.certificate) }))
    .filter(({ certificate }) => certificate.kind === kind && toHex(certificate.cardId) === world.cardId).reverse();
}

/** What someone asks safe 164 in the name of an owner or of nobody. */
function query(world: World, method: number): Uint8Array {
  const { safe, other } = world.parts.safes;
  return peerQuery.encode({ method, key: issued(world, other, 'key')[0].certificate, value: issued(world, safe, 'registered')[0].certificate });
}

/** A request under the next number of the key safe, signed by someone. */
function asked(world: World, message: Uint8Array, signer: SafeDesk, from: Uint8Array, method: number): Uint8Array {
  const { number } = peerRequest.decode(message);
  return peerRequest.encode(sealedBy(signer, from, world.parts.safes.safe, number, { what: 'request' }, query(world, method)));
}

/** A reply of safe 164 itself, rightly sealed and signed, that holds something else than it should. */
async function repliedWith(world: World, message: Uint8Array, pass: Pass, object: Uint8Array): Promise<Uint8Array> {
  await pass(message);
  const { safe, other } = world.parts.safes;
  const { number } = peerRequest.decode(message);
  return peerReply.encode(sealedBy(safe, safe.entry.safeId, other, number, { what: 'reply', about: sha256(message) }, object));
}

function stored(world: World, at: number): Uint8Array {
  const { safe } = world.parts.safes;
  return safe.item(issued(world, safe, 'registered')[at].name) ?? new Uint8Array(0);
}

function forged(world: World): Uint8Array {
  const object = registeredValue.decode(stored(world, 0));
  return registeredValue.encode({ ...object, encrypted: flipped(object.encrypted, 40) });
}

/** What stands between the safes by the name of the fault. */
function aroundBy(how: PeerFault['how'], world: World): Around {
  const { other, unknown } = world.parts.safes;
  switch (how) {
    case 'unreachable': return () => Promise.reject(new SafeError('SAFE_UNREACHABLE', 'no connection'));
    case 'lost-answer': return async (message, pass) => { await pass(message); throw new SafeError('SAFE_UNREACHABLE', 'the answer was lost'); };
    case 'replayed': return async (message, pass) => { await pass(message); return pass(message); };
    case 'altered-request': return (message, pass) => pass(flipped(message, message.length - 100));
    case 'altered-reply': return async (message, pass) => { const reply = await pass(message); return flipped(reply, reply.length - 100); };
    case 'stranger': return (message, pass) => pass(asked(world, message, unknown, unknown.entry.safeId, 1));
    case 'impostor': return (message, pass) => pass(asked(world, message, unknown, other.entry.safeId, 1));
    case 'no-owner': return (message, pass) => pass(asked(world, message, other, other.entry.safeId, 0));
    case 'forged': return (message, pass) => repliedWith(world, message, pass, forged(world));
    case 'other-value': return (message, pass) => repliedWith(world, message, pass, stored(world, 1));
    case 'old-reply': return (message, pass) => pass(message);
  }
}

/** Carries out trouble between the safes while one operation goes; the key safe must give nothing out. */
export async function carryOutPeerFault<S, T>(fault: PeerFault, world: World, state: FaultState, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>> {
  const { wire } = world.parts.safes;
  let crossed: Uint8Array | undefined;
  const watched: Around = async (message, pass) => { crossed = await pass(message); return crossed; };
  if (fault.how === 'old-reply') {
    wire.around = watched;
    await proceed(sent);
  }
  const old = crossed;
  const between = aroundBy(fault.how, world);
  wire.around = (message, pass) => {
    state.applied = true;
    state.text = `between the safes at ${fault.at}: ${fault.how}`;
    return old === undefined ? between(message, pass) : Promise.resolve(old);
  };
  try {
    return await proceed(sent);
  } finally {
    wire.around = undefined;
  }
}

/** Someone else stands at the key safe, so often; then the rightful owner. */
export async function carryOutOwnerFault<S, T>(fault: OwnerFault, world: World, state: FaultState, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>> {
  const { wire, other } = world.parts.safes;
  state.applied = true;
  state.text = `wrong owner information at ${fault.at}, ${fault.times} times`;
  wire.impostor = true;
  let outcome = await proceed(sent);
  for (let time = 1; time < fault.times && !outcome.ok; time += 1) {
    other.clock.ms += longPause;
    outcome = await proceed(sent);
  }
  wire.impostor = false;
  other.clock.ms += longPause;
  return fault.then === 'right' && !outcome.ok ? proceed(sent) : outcome;
}

