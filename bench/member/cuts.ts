import { isDeviceError } from '../../devices/index.js';
import { checkMember, checkMemberChange, runDefinition } from '../../scenarios/index.js';
import type { AbstractMemberWorld, MemberFinding, MemberPreparation, RegistrationMethod } from '../../scenarios/index.js';
import { seededRandom } from '../world/random.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { MemberFactory } from './factory.js';
import { memberScenarios } from './world.js';
import type { MemberWorld } from './world.js';

/** A phase whose power is cut. */
export interface MemberCutPhase {
  /** For example `member-1-register-Z-01`. */
  readonly id: string;
  readonly title: string;
  readonly phase: 'register' | 'trade';
  readonly method: RegistrationMethod;
  readonly prepare: MemberPreparation;
}

/** Yen issued before and paid in the trade. */
const ISSUED = 1000;
const AMOUNT = 300;

/** The phases with power cuts. */
export const memberCutPhases: readonly MemberCutPhase[] = [
  { id: 'member-1-register-Z-01', title: 'power cuts in registration by method 1', phase: 'register', method: 1, prepare: {} },
  { id: 'member-1-register-Z-02', title: 'power cuts in registration by method 2', phase: 'register', method: 2, prepare: {} },
  { id: 'member-1-trade-Z-01', title: 'power cuts in a payment', phase: 'trade', method: 1, prepare: { registered: { seed: 'autograph' }, issued: ISSUED } },
];

/** One cut and what was wrong after it; nothing: all held. */
export interface MemberCut {
  /** Tick of the bench's clock since the phase began. */
  readonly tick: number;
  /** False when the phase was over before. */
  readonly fired: boolean;
  readonly problems: readonly string[];
}

const options = ({ method }: MemberCutPhase) => ({ method, seed: 'autograph', amount: AMOUNT });

/** Runs the phase; how it ends is judged by what it leaves. */
async function run(world: MemberWorld, phase: MemberCutPhase): Promise<string> {
  const { cause } = await runDefinition(memberScenarios[phase.phase], { ports: world.ports, options: options(phase) });
  return cause;
}

/** An honest member goes on: what was saved is fetched, otherwise registered anew. */
async function registerOn(world: MemberWorld, phase: MemberCutPhase): Promise<string | undefined> {
  const { registered, saved } = await world.status();
  if (registered) return undefined;
  const resume = saved ? { at: 'S7' } : undefined;
  const { cause, text } = await runDefinition(memberScenarios.register, { ports: world.ports, options: options(phase), ...resume && { resume } });
  return cause === 'done' ? undefined : `an honest registration afterwards ended ${cause}: ${text}`;
}

/** An honest member goes on: the last order is paid, or one is given. */
async function tradeOn(world: MemberWorld): Promise<string | undefined> {
  const { centre, ports: { card, centre: desk } } = world;
  const number = centre.members.at(-1)?.number ?? '';
  const bytes = centre.lastOrder(number) ?? centre.order(number, AMOUNT);
  const order = { bytes, transaction: 1, store: '', amount: AMOUNT, date: '' };
  for (const call of [() => card.enterA('A'), () => card.enterB('B')]) {
    const outcome = await call();
    if (!outcome.ok) return `an honest payment afterwards: ${outcome.text}`;
  }
  const connection = await desk.connect();
  const connected = connection.ok ? await card.connect(connection.value) : connection;
  const telegram = connected.ok ? await card.pay(order) : connected;
  const notice = telegram.ok ? await desk.pay(telegram.value) : telegram;
  const settled = notice.ok ? await card.settled(notice.value) : notice;
  if (!settled.ok) return `an honest payment afterwards: ${settled.text}`;
  const history = await card.history();
  return history.ok && history.value.length === 1 ? undefined : 'the history does not show the one payment';
}

function goalProblems({ members, card }: AbstractMemberWorld, { phase }: MemberCutPhase): string[] {
  if (!card.registered) return ['the card is not registered in the end'];
  const balance = members.at(-1)?.balance;
  return phase === 'register' || balance === ISSUED - AMOUNT ? [] : [`the balance is ${String(balance)} in the end, expected ${ISSUED - AMOUNT}`];
}

const said = (findings: readonly MemberFinding[], when: string): string[] => findings.map(({ invariant, text }) => `${when}: ${invariant}: ${text}`);

/** One cut: power goes at a tick, comes back, everything is looked at, an honest member goes on. */
async function cutAt(world: MemberWorld, phase: MemberCutPhase, before: AbstractMemberWorld, tick: number, begun: number): Promise<MemberCut> {
  const slot = world.bench.slot('card');
  slot.cutAt(begun + tick);
  const watch = new SlotWatch(phase.id, world.bench);
  const cause = await run(world, phase);
  const fired = !slot.powered;
  if (slot.powered) slot.cutAt(undefined);
  const odd = fired && cause !== 'link' && cause !== 'done' ? [`a cut ends in the loss of the link, the phase ended ${cause}`] : [];
  try {
    watch.hooks.ending('card');
    await world.open();
    const after = await world.abstract();
    const stuck = phase.phase === 'register' ? await registerOn(world, phase) : await tradeOn(world);
    const end = await world.abstract();
    return {
      tick, fired,
      problems: [
        ...said([...checkMember(after), ...checkMemberChange(before, after)], 'after the cut'), ...stuck === undefined ? [] : [stuck],
        ...said([...checkMember(end), ...checkMemberChange(after, end)], 'in the end'), ...goalProblems(end, phase), ...odd, ...watch.end().problems,
      ],
    };
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return { tick, fired, problems: [`the card does not come back: ${error.code}: ${error.message}`] };
  }
}

/**
 * Cuts the power at random moments of a phase, each cut from the same state. The same seed and number give the same cuts.
 * @param count number of cuts
 */
export async function runMemberCuts(factory: MemberFactory, phase: MemberCutPhase, count: number, seed: number): Promise<readonly MemberCut[]> {
  const world = await factory.world(phase.prepare);
  const start = world.save();
  const before = await world.abstract();
  world.restore(start);
  const begun = world.bench.now;
  await run(world, phase);
  const length = world.bench.now - begun;
  const random = seededRandom(seed, phase.id);
  const cuts: MemberCut[] = [];
  for (let k = 0; k < count; k++) {
    const tick = 1 + (new DataView(random(4).buffer).getUint32(0) % (length - 1));
    world.restore(start);
    cuts.push(await cutAt(world, phase, before, tick, begun));
  }
  return cuts;
}
