import { certificate as certificateCodec, paths } from '../codec/index.js';
import type { MeanwhileFault, Outcome, OwnerChoice } from '../../scenarios/index.js';
import { PATH_LIFE } from '../safe/index.js';
import { certificateObject } from '../terminal/convert.js';
import type { World } from '../world/world.js';

/** What may happen between two exchanges of embodiments 8, 9 and 10. */
export type OwnerEvent = Extract<MeanwhileFault['how'], { act: 'attempts' | 'wait' | 'another-path' | 'remove-device' }>;

const events: ReadonlySet<string> = new Set(['attempts', 'wait', 'another-path', 'remove-device']);

/** True for what {@link ownerEvent} brings about. */
export const isOwnerEvent = (how: MeanwhileFault['how']): how is OwnerEvent => events.has(how.act);

/** Milliseconds after which whoever counts attempts takes the next one, however many there were. */
export const longPause = 60_000;

/** One wrong attempt: at the safe, for the value of the scenario, or at means 149. */
async function attempt(world: World, at: 'safe' | '149', item: string | undefined): Promise<Outcome<unknown>> {
  const { safe, owner } = world.ports;
  const choice: OwnerChoice = 'wrong-password';
  if (at === '149') {
    const challenge = { bytes: paths.challenge.encode({ challenge: new Uint8Array(16) }) };
    return owner.authenticate(challenge, choice, 'common-key');
  }
  const handle = item === undefined ? undefined : world.handleOf(item, 'certificate');
  const entry = handle === undefined ? undefined : world.entry(handle);
  if (entry?.class !== 'B' || entry.object === undefined) return { ok: false, cause: 'unexpected', text: 'no certificate to present', marks: [] };
  return safe.present(certificateObject(certificateCodec.encode(entry.object), entry.object), choice);
}

async function attempts(world: World, how: Extract<OwnerEvent, { act: 'attempts' }>, item: string | undefined): Promise<boolean> {
  const { safe } = world.parts.safes;
  for (let time = 0; time < how.times; time += 1) {
    const outcome = await attempt(world, how.at, item);
    if (outcome.ok || outcome.safeCode !== 'SAFE_OWNER_WRONG') return false;
    if (how.pause === 'long') safe.clock.ms += longPause;
  }
  if (how.restart === true) safe.restart();
  return true;
}

/** Brings an event about; true when it took place. */
export async function ownerEvent(world: World, how: OwnerEvent, item: string | undefined): Promise<boolean> {
  switch (how.act) {
    case 'attempts': return attempts(world, how, item);
    case 'wait':
      world.parts.safes.safe.clock.ms += PATH_LIFE + 1;
      return true;
    case 'another-path': return (await world.ports.safe.enrol('password')).ok;
    case 'remove-device':
      await world.device.remove();
      return true;
  }
}
