import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../emulator/index.js';
import { runScenario } from '../scenarios/index.js';
import type { ScenarioId } from '../scenarios/index.js';
import { WorldFactory } from './certify/factory.js';
import { commands, fromHex, openPublic, registeredValue } from './codec/index.js';
import { secretsOf } from './nvm/index.js';
import type { Secret } from './nvm/index.js';
import type { SafeDesk } from './world/safes.js';
import type { World } from './world/world.js';

/** Everything one party has had before it, in clear where its own keys open it. */
type View = readonly Uint8Array[];

interface Scene {
  readonly world: World;
  readonly terminal: View;
  /** Issue id of the value: stands in 201 and nowhere in the digest. */
  readonly issueId: Uint8Array;
  readonly secrets: readonly Secret[];
}

const image = loadImage(readFileSync(new URL('../devices/firmware/images/card.elf', import.meta.url)));
const factory = new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });

/** Store of a safe, sealed and opened. */
const viewOf = (desk: SafeDesk): View => [...desk.store.range('')].flatMap(([key, bytes]) => {
  const opened = key.startsWith('item/') ? desk.item(key.slice('item/'.length)) : undefined;
  return opened === undefined ? [bytes] : [bytes, opened];
});

const holds = (view: View, what: Uint8Array): boolean => view.some((bytes) => Buffer.from(bytes).includes(Buffer.from(what)));
/** Any eight bytes of a secret. */
const betrays = (view: View, secret: Secret): boolean => view.some((bytes) => secret.foundIn(bytes, 8) >= 0);
const named = (secrets: readonly Secret[], name: string): Secret => {
  const found = secrets.find((secret) => secret.name === name);
  if (!found) throw new Error(`no ${name} on the card`);
  return found;
};

async function played(seed: boolean, ...scenarios: readonly ScenarioId[]): Promise<Scene> {
  const terminal: Uint8Array[] = [];
  let watching = false;
  const world = await factory.world({ safes: 2 }, {
    exchanged: ({ command, answer }) => { if (watching) terminal.push(command, answer); },
  });
  await world.open();
  if (seed) expect((await world.line.transmit(commands.generateSeed())).sw).toBe(0x9000);
  await world.load('$item', 'movie-ticket-A');
  const secrets = secretsOf(world.memory());
  watching = true;
  for (const id of scenarios) expect((await runScenario(id, { ports: world.ports })).cause).toBe('done');
  return { world, terminal, issueId: fromHex(world.names.get('$item') ?? ''), secrets };
}

describe.each([
  ['3', false, ['3/backup', '3/key-backup'], 'decoding key'],
  ['7', true, ['7/backup', '7/seed-backup', '7/seed-recover'], 'seed'],
] as const)('embodiment %s: what each party has seen', (_, seed, scenarios, opens) => {
  let scene: Scene;
  beforeAll(async () => { scene = await played(seed, ...scenarios); });

  test('the terminal has neither the value nor what opens it', () => {
    expect(scene.terminal.length).toBeGreaterThanOrEqual(10);
    expect(holds(scene.terminal, scene.issueId)).toBe(false);
    for (const secret of scene.secrets) expect(betrays(scene.terminal, secret)).toBe(false);
  });

  test('the first safe has the value sealed, and nothing of its own opens it', () => {
    const { safe } = scene.world.parts.safes;
    const view = viewOf(safe);
    expect(holds(view, scene.issueId)).toBe(false);
    for (const secret of scene.secrets) expect(betrays(view, secret)).toBe(false);
    const sealed = view.flatMap((bytes) => (bytes[0] === registeredValue.tag ? [registeredValue.decode(bytes)] : []));
    expect(sealed).toHaveLength(1);
  });

  test('the second safe has what opens it, and nothing to open', () => {
    const { safe, other } = scene.world.parts.safes;
    const view = viewOf(other);
    expect(betrays(view, named(scene.secrets, opens))).toBe(true);
    for (const secret of scene.secrets.filter(({ name }) => name !== opens)) expect(betrays(view, secret)).toBe(false);
    expect(holds(view, scene.issueId)).toBe(false);
    const [{ encrypted }] = viewOf(safe).flatMap((bytes) => (bytes[0] === registeredValue.tag ? [registeredValue.decode(bytes)] : []));
    expect(holds(view, encrypted)).toBe(false);
  });

  test('a planted leak is found', () => {
    const secret = named(scene.secrets, opens);
    expect(secret.use((bytes) => betrays([...scene.terminal, Uint8Array.of(0, ...bytes.slice(3, 12))], secret))).toBe(true);
    expect(holds([...scene.terminal, Uint8Array.of(1, ...scene.issueId, 2)], scene.issueId)).toBe(true);
  });
});

test('embodiment 1 shows the value to terminal and safe, so the search can find it', async () => {
  const { world, terminal, issueId } = await played(false, '1/backup');
  expect(holds(terminal, issueId)).toBe(true);
  expect(holds(viewOf(world.parts.safes.safe), issueId)).toBe(true);
});

test('both views together open the value, one alone does not', async () => {
  const { world, issueId, secrets } = await played(false, '3/backup', '3/key-backup');
  const { safe } = world.parts.safes;
  const [{ digest, encrypted }] = viewOf(safe).flatMap((bytes) => (bytes[0] === registeredValue.tag ? [registeredValue.decode(bytes)] : []));
  const binding = { cardId: world.parts.cardId, sequence: 1, digest };
  const opened = named(secrets, 'decoding key').use((key) => openPublic(binding, encrypted, key));
  expect(holds([opened], issueId)).toBe(true);
  const guess = new Uint8Array(32).fill(7);
  expect(() => openPublic(binding, encrypted, guess)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
});
