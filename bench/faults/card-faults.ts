import { commands, fromHex } from '../codec/index.js';
import type { LinkFault as LineFault } from '../../devices/index.js';
import type { Failure, Fault, Outcome, ResetFault } from '../../scenarios/index.js';
import { verifyCommand } from '../terminal/card-port.js';
import { fillMemory } from '../world/fill.js';
import { pinDigits } from '../world/world.js';
import type { World } from '../world/world.js';
import type { FaultSetting, FaultState } from './setting.js';
import type { Call } from './calls.js';
import type { Proceed } from './intercept.js';
import { isOwnerEvent, ownerEvent } from './owner-faults.js';
import { sameOutcome } from './same.js';

type CardFault = Exclude<Fault, { fault: 'alter' | 'swap' | 'safe' | 'peer' | 'owner' }>;
type FaultOf<Kind extends CardFault['fault']> = Extract<CardFault, { fault: Kind }>;

interface At<S, T> {
  readonly setting: FaultSetting;
  readonly state: FaultState;
  readonly call: Call;
  readonly sent: S;
  readonly proceed: Proceed<S, T>;
}

const broken = (text: string): Failure => ({ ok: false, cause: 'link', text, marks: [] });

/** Cycle at which the card marks a step (of a named state the step it is derived from) when the call goes undisturbed; the world is as before afterwards. */
async function cycleOfMark<S, T>({ setting, sent, proceed }: At<S, T>, step: string): Promise<number | undefined> {
  const { world } = setting;
  return world.rehearse(async () => {
    const from = world.line.now();
    await proceed(sent);
    return world.card.steps.find((mark) => mark.cycle >= from && `${mark.step[0]}-${mark.step[1]}` === step.split('@')[0])?.cycle;
  });
}

async function cutAfterMark<S, T>(fault: ResetFault, at: At<S, T>): Promise<Outcome<T>> {
  const { world } = at.setting;
  const cycle = await cycleOfMark(at, fault.after);
  if (cycle === undefined) return at.proceed(at.sent);
  world.card.cutAt(cycle + 1);
  const outcome = await at.proceed(at.sent);
  at.state.applied = !outcome.ok && world.card.session === undefined;
  at.state.text = `power off at cycle ${cycle + 1}, after the mark of ${fault.after}`;
  await world.reset('cold');
  return outcome;
}

async function reset<S, T>(fault: ResetFault, at: At<S, T>): Promise<Outcome<T>> {
  const { call, setting, state, proceed, sent } = at;
  const last = call.steps.at(-1) === fault.after;
  if (call.party === 'card' && !last) return cutAfterMark(fault, at);
  const before = call.party !== 'card' && call.steps[0] === fault.after && !last;
  if (before) await setting.world.reset(fault.kind);
  const outcome = await proceed(sent);
  if (!before) await setting.world.reset(fault.kind);
  state.applied = true;
  state.text = `${fault.kind} reset after ${fault.after}`;
  return outcome;
}

const disturbances: Readonly<Record<'parity-once' | 'parity-always' | 'noise-byte', readonly LineFault[]>> = {
  'parity-once': [{ direction: 'to-card', unit: 'character', nth: 6, action: 'parity' }],
  'parity-always': Array.from({ length: 400 }, (_, i) => ({ direction: 'to-card', unit: 'character', nth: i + 1, action: 'parity' }) as const),
  'noise-byte': [{ direction: 'to-card', unit: 'character', nth: 3, action: 'alter' }],
};

async function link<S, T>(fault: FaultOf<'link'>, { setting, state, proceed, sent }: At<S, T>): Promise<Outcome<T>> {
  const { card } = setting.world;
  state.text = `link at ${fault.at}: ${fault.how}`;
  if (fault.how === 'lost-command' || fault.how === 'lost-answer') {
    state.applied = true;
    if (fault.how === 'lost-command') return broken('the command was lost on its way');
    const { marks } = await proceed(sent);
    return { ...broken('the answer was lost on its way'), marks };
  }
  if (state.applied) return proceed(sent);
  card.disturb(disturbances[fault.how]);
  const outcome = await proceed(sent);
  state.applied = card.fired.length > 0;
  card.disturb([]);
  return outcome;
}

async function repeat<S, T>(fault: FaultOf<'repeat'>, { state, proceed, sent }: At<S, T>): Promise<Outcome<T>> {
  const first = await proceed(sent);
  let last = first;
  for (let time = 1; time < fault.times; time += 1) {
    last = await proceed(sent);
    if (!sameOutcome(first, last))
      return { ok: false, cause: 'unexpected', text: `answer ${time + 1} differs from the first`, marks: last.marks };
  }
  state.applied = true;
  state.text = `${fault.step}: ${fault.times} times`;
  return last;
}

/** The same object once more: it must be refused. What the run goes on with is the first answer. */
async function replay<S, T>({ state, proceed, sent }: At<S, T>): Promise<Outcome<T>> {
  const first = await proceed(sent);
  const second = await proceed(sent);
  state.applied = true;
  state.text = 'the same object twice';
  if (!second.ok && second.cause === 'refused') return first;
  return { ok: false, cause: 'unexpected', text: 'the same object was taken twice', marks: [] };
}

async function presentPin(world: World, fault: FaultOf<'pin'>): Promise<void> {
  await world.line.transmit(commands.select());
  for (let time = 0; time < fault.times && fault.choice !== 'none'; time += 1)
    await world.line.transmit(verifyCommand(pinDigits(fault.choice)), true);
}

async function inBetween(world: World, fault: FaultOf<'meanwhile'>, scenarioItem: string | undefined): Promise<boolean> {
  const { how } = fault;
  if (isOwnerEvent(how)) return ownerEvent(world, how, scenarioItem);
  if (how.act === 'select') return (await world.line.transmit(commands.select())).sw === 0x9000;
  const issueId = scenarioItem ?? '';
  const value = world.handleOf(issueId, 'value');
  const certificate = world.handleOf(issueId, 'certificate');
  const done = async (command: Parameters<World['line']['transmit']>[0]): Promise<boolean> =>
    (await world.line.transmit(command)).sw === 0x9000;
  if (how.act === 'cancel') {
    const recovering = certificate !== undefined && world.entry(certificate)?.state === 'RECOVERING';
    const handle = recovering ? certificate : value;
    return handle !== undefined && done(commands.cancel(handle));
  }
  if (value === undefined) return false;
  if (how.act === 'use') {
    const used = await done(commands.useQuantity(value, how.quantity));
    if (used) world.spend(issueId, how.quantity, 0);
    return used;
  }
  if (how.act === 'begin') return done(commands.registerBegin(1, 0, value, how.hash));
  return done(commands.deleteItem(certificate ?? value));
}

async function sendRaw(world: World, fault: FaultOf<'apdu'>): Promise<string | undefined> {
  for (const { apdu, expect } of fault.commands) {
    const { sw } = await world.line.transmitRaw(fromHex(apdu));
    const status = sw.toString(16).toUpperCase().padStart(4, '0');
    if (!expect.includes(status)) return `${apdu.slice(0, 8)} was answered ${status}`;
  }
  return undefined;
}

async function beforehand(fault: CardFault, { setting, state }: Pick<At<unknown, unknown>, 'setting' | 'state'>): Promise<void> {
  const { world } = setting;
  state.text = `${fault.fault} before the step`;
  if (fault.fault === 'pin') await presentPin(world, fault);
  if (fault.fault === 'memory') state.applied = await fillMemory(world, fault.left);
  else if (fault.fault === 'meanwhile') state.applied = await inBetween(world, fault, setting.item);
  else if (fault.fault === 'apdu') {
    const wrong = await sendRaw(world, fault);
    state.applied = wrong === undefined;
    state.text = wrong ?? state.text;
  } else state.applied = true;
  world.line.takeMarks();
}

/** Carries out a fault at the card's side of a call. */
export async function carryOutCardFault<S, T>(
  fault: CardFault, setting: FaultSetting, state: FaultState, call: Call, sent: S, proceed: Proceed<S, T>,
): Promise<Outcome<T>> {
  const at: At<S, T> = { setting, state, call, sent, proceed };
  switch (fault.fault) {
    case 'reset': return state.applied ? proceed(sent) : reset(fault, at);
    case 'link': return link(fault, at);
    case 'repeat': return state.applied ? proceed(sent) : repeat(fault, at);
    case 'replay': return replay(at);
    case 'skip':
      state.applied = true;
      return broken('the command was left out');
    default:
      if (!state.applied) await beforehand(fault, at);
      return proceed(sent);
  }
}
