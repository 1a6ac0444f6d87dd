import { concat, digest as digestCodec, digestOf, valueInformation } from '../codec/index.js';
import type { ValueInformation } from '../codec/index.js';
import { secretsOf } from '../nvm/index.js';
import { devicesOf } from '../owner/device.js';
import { ownerSecret } from '../owner/secrets.js';
import type { SafeClient } from '../safe/index.js';
import { seededRandom } from '../world/random.js';
import type { SafeDesk } from '../world/safes.js';
import { World } from '../world/world.js';
import type { Place, Sought } from './search.js';

/** What a search of a world looks for, and what of it everybody may see. */
export interface WorldSecrets {
  readonly sought: readonly Sought[];
  /** Digests: name, class, quantity, place and term stand in every certificate. */
  readonly allowed: readonly Uint8Array[];
}

/** The values on a card, every key and seed the bench knows of it, of its safes and its issuer, and what its owner enters. */
export function secretsOfWorld(world: World): WorldSecrets {
  const values = world.contents().entries.flatMap((entry): ValueInformation[] =>
    (entry.class === 'A' && entry.object !== undefined ? [entry.object] : []));
  const card = secretsOf(world.memory()).map((secret): Sought => secret.use((bytes) =>
    ({ name: `card's ${secret.name}`, kind: secret.name === 'card secret' ? 'seed' : 'key', bytes })));
  return {
    sought: [
      ...values.map((value, at): Sought => ({ name: `value ${at + 1}`, kind: 'value', bytes: valueInformation.encode(value) })),
      ...card, ...peerSecrets(world.parts.seed), ...ownerSecrets(world.parts.seed),
    ],
    allowed: values.map((value) => digestCodec.encode(digestOf(value))),
  };
}

/** What owners enter, and the keys of those who authenticate them away from the safe. */
function ownerSecrets(seed: number): readonly Sought[] {
  const random = seededRandom(seed, 'owner means');
  const means = ['signing seed', 'agreement key', 'salt secret', 'store key'].map((name): Sought =>
    ({ name: `${name} of means 149`, kind: name === 'signing seed' ? 'seed' : 'key', bytes: random(32) }));
  const entered = (['password', 'wrong-password', 'template'] as const).map((choice): Sought =>
    ({ name: `owner's ${choice}`, kind: 'owner', bytes: ownerSecret(choice).bytes }));
  return [...entered, ...means, { name: 'key of the authentication device', kind: 'key', bytes: devicesOf.right.key }];
}

/** Keys the bench draws from its seed for safes and issuer, in the order in which they are drawn. */
function peerSecrets(seed: number): readonly Sought[] {
  const safes = ['safe', 'other'].flatMap((role): Sought[] => {
    const random = seededRandom(seed, role);
    return ['signing seed', 'agreement key', 'store key'].map((name) =>
      ({ name: `${name} of ${role}`, kind: name === 'signing seed' ? 'seed' : 'key', bytes: random(32) }));
  });
  return [...safes, { name: 'signing seed of the issuer', kind: 'seed', bytes: seededRandom(seed, 'issuer')(32) }];
}

function tappedClient(client: SafeClient, keep: (bytes: Uint8Array) => void): SafeClient {
  const through = (run: (bytes: Uint8Array) => Promise<Uint8Array>) => async (bytes: Uint8Array): Promise<Uint8Array> => {
    keep(bytes);
    const answer = await run(bytes);
    keep(answer);
    return answer;
  };
  return {
    ...client,
    register: through((bytes) => client.register(bytes)),
    retrieve: through((bytes) => client.retrieve(bytes)),
    owner: (operation, body) => through((bytes) => client.owner(operation, bytes))(body),
    registerOwned: through((bytes) => client.registerOwned(bytes)),
    retrieveSet: through((bytes) => client.retrieveSet(bytes)),
    receipt: async (bytes) => {
      keep(bytes);
      await client.receipt(bytes);
    },
  };
}

/** A world whose links to its safes are listened to. */
export interface TappedWorld {
  readonly world: World;
  /** What each safe could see so far: its link and its store, by the part it plays. */
  places(): readonly Place[];
  /** Every request to a safe and answer so far, each whole. */
  crossed(role: 'safe' | 'other'): readonly Uint8Array[];
}

/** A world like the one given, not yet opened, with taps on the links between terminal and safes. */
export function tapped(from: World): TappedWorld {
  const wires = new Map<string, Uint8Array[]>();
  const tap = (role: string, desk: SafeDesk): SafeDesk => {
    const wire: Uint8Array[] = [];
    wires.set(role, wire);
    return { ...desk, client: tappedClient(desk.client, (bytes) => { wire.push(bytes.slice()); }) };
  };
  const { safe, other, unknown, wire } = from.parts.safes;
  const safes = { safe: tap('safe', safe), other: tap('other', other), unknown, wire };
  const world = new World({ ...from.parts, safes });
  world.learn(from.knows());
  const storeOf = ({ store }: SafeDesk): Uint8Array => concat(...[...store.range('')].map(([, bytes]) => bytes));
  return {
    world, crossed: (role) => wires.get(role) ?? [],
    places: () => [
      ...[...wires].map(([role, wire]): Place => ({ name: `link to ${role}`, bytes: concat(...wire) })),
      { name: 'store of safe', bytes: storeOf(safe) }, { name: 'store of other', bytes: storeOf(other) },
    ],
  };
}
