import { nvmDigest } from '../../emulator/index.js';
import type { NvmState } from '../../emulator/index.js';
import type { Finding, ScenarioListener, ScenarioOutput } from '../../scenarios/index.js';
import { isDeviceError } from '../../devices/index.js';
import type { Finding as LineFinding } from '../../devices/index.js';
import { runAgain } from '../certify/prepare.js';
import { answers, CodecError, commands } from '../codec/index.js';
import { conserved } from '../tear/conserve.js';
import { goalMissed, itemOf } from '../tear/goal.js';
import { orBrick, restOf, violationsOf } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import type { World, WorldHooks } from '../world/world.js';
import { makeRoom } from './room.js';
import { NarrowWorld } from './stage.js';
import type { Stages } from './stage.js';
import { placesOf } from './subject.js';
import type { RoomHolder, ShortageTold } from './types.js';

/** Pages and entries that spending and recovering the largest value takes, and some more. */
export const plenty = { pages: 10, entries: 6 };

/** Who holds how much, alike items together, largest first. */
export function holdersOf(world: World): readonly RoomHolder[] {
  const sums = new Map<string, { count: number; bytes: number }>();
  for (const { what, bytes } of world.room().holders) {
    const sum = sums.get(what) ?? { count: 0, bytes: 0 };
    sums.set(what, { count: sum.count + 1, bytes: sum.bytes + bytes });
  }
  return [...sums].map(([what, { count, bytes }]) => ({ name: `${count} x ${what}`, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** The shortage as the card tells it; undefined when it tells none, or cannot be asked. */
export async function shortageOf(world: World): Promise<ShortageTold | undefined> {
  try {
    const { sw, data } = await world.line.transmit(commands.getData('shortage'));
    const told = sw === 0x9000 ? answers.shortage(data) : undefined;
    return told && { needed: told.needed, free: told.free, entries: told.freeEntries, ins: told.ins };
  } catch (error) {
    if (error instanceof CodecError || isDeviceError(error)) return undefined;
    throw error;
  } finally {
    world.line.takeMarks();
  }
}

/** Collects what a card does against the rules of transmission and of its chip, over power sessions. */
export class Watch {
  readonly findings: Finding[] = [];
  /** Rules beside ISO/IEC 7816-3 do not count here. */
  readonly #line = (finding: LineFinding): void => {
    const { rule, code, clause, detail } = finding;
    if (rule === 'ISO') this.findings.push({ invariant: 'I13', text: `${code} (ISO/IEC 7816-3 ${clause}): ${detail}` });
  };

  /** The hooks of the worlds to be watched. */
  readonly hooks: WorldHooks = {
    finding: this.#line,
    ending: (world) => { this.collect(world); },
  };

  /** Takes over what the chip reports of the present power session. */
  collect(world: World): void {
    for (const finding of violationsOf(world))
      if (!this.findings.some(({ text }) => text === finding.text)) this.findings.push(finding);
  }
}

/**
 * Spends every value of the preparation, or the issue ids in `only`, in a fresh power session after room was made for it:
 * what is lost, doubled or stuck is a finding.
 */
export async function spendAll(stages: Stages, rest: Rest, only?: ReadonlySet<string>): Promise<readonly Finding[]> {
  const shown = only ?? await stages.shown();
  const watch = new Watch();
  const world = stages.fork(rest, watch.hooks, 3_000_000, (parts) => new NarrowWorld(parts, shown));
  const findings: Finding[] = [];
  await orBrick(findings, 'spending', async () => {
    await world.open();
    if (await makeRoom(world, plenty.pages, plenty.entries)) findings.push(...await conserved(world));
    else findings.push({ invariant: 'I12', text: 'no room could be made: a used-up value was not deleted' });
  });
  watch.collect(world);
  return [...findings, ...watch.findings];
}

/**
 * An honest terminal once more. What has reached its goal is done: a key that was deleted with its certificate stored
 * cannot be registered again.
 */
export async function goOn({ subject }: Stages, world: World, listener: ScenarioListener = () => undefined): Promise<Pick<ScenarioOutput, 'cause' | 'step' | 'text' | 'sw'>> {
  if (goalMissed(subject, world.abstract(), itemOf(subject, world)) === undefined)
    return { cause: 'done', step: placesOf(subject)[0], text: 'the goal had been reached before' };
  return runAgain(subject.run, world, listener);
}

/** Ends the power session; what remains, and its fingerprint. */
export async function endSession(world: World): Promise<{ readonly rest: Rest; readonly digest: string; readonly nvm: NvmState }> {
  const nvm = await world.card.powerOff();
  return { rest: restOf(world, nvm), digest: nvmDigest(nvm), nvm };
}

