import { answers, CodecError, commands, concat, elements, fromHex, loadObject, TlvReader, toHex } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { isDeviceError } from '../../devices/index.js';
import { SafeError } from '../safe/index.js';
import type { ObjectRef, SampleName, ScriptCommand, ScriptOutput } from '../../scenarios/index.js';
import type { World } from '../world/world.js';
import { cardCommand, deskOf, handleOf, objectOf } from './build.js';
import type { Bindings } from './build.js';
import { failedCheck, fieldOf } from './check.js';

/** An answer to a script command: a status word, `200` or an error code of the safe, or `ATR`. */
interface Answer {
  readonly status: string;
  readonly data: Uint8Array;
}

/** Commands whose answer may come in pages. */
const listCommands: ReadonlySet<string> = new Set(['list', 'list-values', 'list-certificates']);
const secretCommands: ReadonlySet<string> = new Set(['verify', 'change-pin']);
const none = new Uint8Array(0);
/** An answer that is one element 8B. */
const handleTag = 0x8b;
const handleLength = 4;
const status = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** Loads until the card refuses; a card that goes on saying 9000 with nowhere to put a value is believed no further. */
async function fillUp(world: World, sample: SampleName): Promise<Answer> {
  for (let most = world.room().freeEntries; ; most -= 1) {
    const object = world.loadObject(sample);
    const { sw, data } = await world.line.transmit(commands.load(object));
    if (sw !== 0x9000 || most < 0) return { status: status(sw), data };
    world.book(object.value);
  }
}

async function atSafe(c: Extract<ScriptCommand, { safe?: 'safe' | 'other-safe' }> & { do: `safe-${string}` }, world: World, bound: Bindings): Promise<Answer> {
  const { client } = deskOf(world, c.safe ?? 'safe');
  const object = (ref: ObjectRef): Promise<Uint8Array> => objectOf(world, bound, ref);
  try {
    if (c.do === 'safe-register') return { status: '200', data: await client.register(await object(c.request)) };
    if (c.do === 'safe-retrieve') return { status: '200', data: await client.retrieve(await object(c.certificate)) };
    await client.receipt(await object(c.receipt));
    return { status: '200', data: none };
  } catch (error) {
    if (!(error instanceof SafeError)) throw error;
    return { status: error.code, data: none };
  }
}

async function send(c: ScriptCommand, world: World, bound: Bindings): Promise<Answer> {
  if (c.do === 'safe-register' || c.do === 'safe-retrieve' || c.do === 'safe-receipt') return atSafe(c, world, bound);
  if (c.do === 'fill-memory') return fillUp(world, c.sample as SampleName);
  if (c.do === 'raw') {
    const { sw, data } = await world.line.transmitRaw(fromHex(c.apdu));
    return { status: status(sw), data };
  }
  if (c.do === 'reset') {
    await world.line.resetOnly(c.kind);
    return { status: 'ATR', data: none };
  }
  const command = await cardCommand(world, bound, c);
  if (command === undefined) throw new TypeError(`no command for ${c.do}`);
  const { sw, data } = await world.line.transmit(command, secretCommands.has(c.do));
  const whole = sw === 0x9000 && listCommands.has(c.do) ? await restOfList(world, command, data) : data;
  return { status: status(sw), data: whole };
}

/** A list in one piece: fetches what element 8E says is still to come. */
async function restOfList(world: World, command: CardCommand, first: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let data = first;
  for (;;) {
    const { next } = answers.list(data);
    if (next === undefined) return concat(...parts, data);
    const position = elements.position.write(next);
    parts.push(data.slice(0, data.length - position.length));
    const answer = await world.line.transmit({ ...command, data: concat(command.data, position) });
    if (answer.sw !== 0x9000) return concat(...parts);
    ({ data } = answer);
  }
}

function fits(expected: string | readonly string[], got: string): boolean {
  return [expected].flat().some((one) => one.length === got.length && [...one].every((digit, i) => digit === 'x' || digit === got[i]));
}

/** Keeps the issuer's book: what was loaded, corrected and used. */
function book(c: ScriptCommand, world: World, bound: Bindings, sent: Uint8Array | undefined, issueId: string | undefined): void {
  if ((c.do === 'load' || c.do === 'correct') && sent !== undefined) {
    const { value } = loadObject.decode(sent);
    const known = world.abstract().ledger.some((entry) => entry.issueId === toHex(value.issueId));
    if (!known || c.do === 'correct') world.book(value);
    if (c.do === 'correct' && issueId !== undefined && issueId !== toHex(value.issueId)) world.withdraw(issueId);
    const name = c.do === 'load' ? c.save : typeof c.item === 'string' ? c.item : undefined;
    if (name !== undefined) world.names.set(name, toHex(value.issueId));
    if (c.save !== undefined) bound.objects.set(`${c.save}.load`, sent);
  }
  if (c.do === 'use' && issueId !== undefined) world.spend(issueId, c.quantity ?? 0, c.amount ?? 0);
}

function keep(c: ScriptCommand, data: Uint8Array, bound: Bindings): void {
  if (c.save === undefined) return;
  if (c.do === 'get-data' && c.field !== undefined) {
    const value = fieldOf(c.field, data);
    if (value !== undefined) bound.numbers.set(c.save, value);
  } else if (c.do !== 'load') bound.objects.set(c.save, data);
  if (c.do !== 'load' && data.length === handleLength && data[0] === handleTag)
    bound.handles.set(c.save, elements.handle.read(new TlvReader(data)));
}

function wrongChecks(c: ScriptCommand, data: Uint8Array, world: World, bound: Bindings, since: number): string | undefined {
  try {
    return c.check?.map((check) => failedCheck(check, data, world, bound, since)).find((text) => text !== undefined);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

type Wrong = Omit<ScriptOutput, 'failedAt'>;

function unexpectedAnswer(c: ScriptCommand, answer: Answer): Wrong | undefined {
  if (fits(c.expect, answer.status)) return undefined;
  const sw = /^[0-9A-F]{4}$/.test(answer.status) ? { sw: answer.status } : {};
  const text = `${c.do} was answered ${answer.status}, expected ${[c.expect].flat().join(' or ')}`;
  return { cause: answer.status === '9000' ? 'unexpected' : 'refused', text, ...sw };
}

/** The command with its load object made once, so that repetitions send the same bytes; and that object. */
async function fixed(c: ScriptCommand, world: World, bound: Bindings, issueId: string | undefined): Promise<{ command: ScriptCommand; sent?: Uint8Array }> {
  if (c.do !== 'load' && c.do !== 'correct') return { command: c };
  const sent = await objectOf(world, bound, c.object, c.do === 'correct' ? issueId : undefined);
  return { command: { ...c, object: { hex: toHex(sent) } }, sent };
}

function issueIdBefore(c: ScriptCommand, world: World, bound: Bindings): string | undefined {
  return c.do === 'use' || c.do === 'correct' ? world.issueIdOf(handleOf(world, bound, c.item)) : undefined;
}

/** One command, sent as often as it says. Undefined when every answer fits, otherwise what is wrong. */
async function once(c: ScriptCommand, world: World, bound: Bindings): Promise<Wrong | undefined> {
  const issueId = issueIdBefore(c, world, bound);
  const { command, sent } = await fixed(c, world, bound, issueId);
  for (let time = 0; time < (c.times ?? 1); time += 1) {
    const since = world.card.chip.eeprom.writes.length;
    const answer = await send(command, world, bound);
    const unexpected = unexpectedAnswer(c, answer);
    if (unexpected !== undefined) return unexpected;
    const wrong = wrongChecks(c, answer.data, world, bound, since);
    if (wrong !== undefined) return { cause: 'unexpected', sw: answer.status, text: `${c.do}: ${wrong}` };
    if (answer.status !== '9000' && answer.status !== '200') continue;
    keep(c, answer.data, bound);
    if (time === 0 || c.do === 'use') book(c, world, bound, sent, issueId);
  }
  return undefined;
}

/**
 * Runs a list of direct commands; each must get its expected answer. `after` is called when a command is done.
 * Rejects only when the bench itself fails.
 */
export async function runScript(
  list: readonly ScriptCommand[], world: World, bound: Bindings, after: () => void = () => undefined,
): Promise<ScriptOutput> {
  for (const [index, command] of list.entries()) {
    try {
      const wrong = await once(command, world, bound);
      if (wrong !== undefined) return { ...wrong, failedAt: index, text: `command ${index + 1}: ${wrong.text}` };
      after();
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      const late = error.code === 'CARD_SILENT' || error.code === 'CARD_LATE';
      return { cause: late ? 'late' : 'link', failedAt: index, text: `command ${index + 1}: ${error.code}: ${error.message}` };
    }
  }
  return { cause: 'done', text: `${list.length} commands answered as expected` };
}
