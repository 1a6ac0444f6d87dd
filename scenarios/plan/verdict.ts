import { isKeyKind } from '../ports.js';
import { exchangeOf, frameOf } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import type { AbstractCard, AbstractCertificate, AbstractRecord, AbstractValue, AbstractWorld } from '../invariants/state.js';
import type { ScenarioOutput } from '../machines/types.js';
import type { ScenarioId } from '../ports.js';
import { clauseText } from './plan.js';
import type { Expectation, ItemExpectation, Judgement, Observation, PlanPoint, SafeExpectation, ScenarioRun, ScriptOutput } from './types.js';

/** True when a status word fits a pattern; `x` stands for any digit. */
export const swFits = (sw: string, pattern: string): boolean =>
  sw.length === pattern.length && [...pattern].every((char, at) => char === 'x' || char.toUpperCase() === sw[at].toUpperCase());

/** Both worlds as far as they were seen, with the names of the preparation. */
interface Scene {
  readonly before: AbstractWorld;
  readonly after: AbstractWorld;
  readonly cardId: string;
  readonly items: Readonly<Record<string, string>>;
}

const cardIn = (world: AbstractWorld, cardId: string): AbstractCard | undefined => world.cards.find((card) => card.cardId === cardId);

const hidden = (state: string): boolean => state === 'reserved' || state === 'deleting';

const valueText = ({ issueId, state, quantity, remaining }: AbstractValue): string => `value ${issueId} ${state} ${quantity}/${remaining}`;

const certificateText = ({ safeId, counter, hash, state, sequence }: AbstractCertificate): string =>
  `certificate ${safeId}/${counter} of sequence ${sequence} (${hash.slice(0, 8)}) ${state}`;

const keysText = ({ keys }: AbstractCard): string[] =>
  [...keys.seed === undefined ? [] : [`seed of key ${keys.seed}`], ...keys.decoding === undefined ? [] : [`decoding key ${keys.decoding}`], ...keys.common === undefined ? [] : [`common key ${keys.common}`]];

/** The record behind a certificate, by which the bench knows what it stands for. */
function recordOf(world: AbstractWorld, certificate: AbstractCertificate): AbstractRecord | undefined {
  const safe = world.safes.find(({ safeId }) => safeId === certificate.safeId);
  return safe?.records.find(({ counter, hash, sequence, cardId }) =>
    counter === certificate.counter && hash === certificate.hash && sequence === certificate.sequence && cardId === certificate.cardId);
}

/** True for the certificate of a seed or of a part of one. */
const ofSeed = (world: AbstractWorld, certificate: AbstractCertificate): boolean => certificate.kind === 'seed' || recordOf(world, certificate)?.ofSeed === true;

const keyItems: Readonly<Record<string, 'decoding' | 'common' | 'seed'>> = { $decoding: 'decoding', $common: 'common', $seed: 'seed' };

/** Id of the key an item is about: as the card has it before or, when it comes back, after. */
function keyIdOf({ before, after, cardId }: Scene, kind: 'decoding' | 'common' | 'seed'): string | undefined {
  const [old, now] = [cardIn(before, cardId)?.keys, cardIn(after, cardId)?.keys];
  const same = kind === 'seed' ? old?.decoding ?? now?.decoding : undefined;
  return old?.[kind] ?? same ?? now?.[kind];
}

function certificatesOf(scene: Scene, name: string, renewed: boolean | 'any' = false): readonly AbstractCertificate[] {
  const certificates = (cardIn(scene.after, scene.cardId)?.certificates ?? []).filter(({ state }) => !hidden(state));
  const kind = keyItems[name];
  const holds = (record: AbstractRecord | undefined): boolean =>
    record?.issueId === scene.items[name] || record?.holds?.some(({ issueId }) => issueId === scene.items[name]) === true;
  if (kind === undefined) return certificates.filter((entry) => !isKeyKind(entry.kind) && holds(recordOf(scene.after, entry)));
  const id = renewed === 'any' ? undefined : renewed ? cardIn(scene.after, scene.cardId)?.keys[kind] : keyIdOf(scene, kind);
  return certificates.filter((entry) => isKeyKind(entry.kind) && (kind === 'seed') === ofSeed(scene.after, entry) && (id === undefined || recordOf(scene.after, entry)?.keyId === id));
}

/** A key that was to be a new one and is not. */
function renewalReasons({ before, after, cardId }: Scene, { item, renewed }: ItemExpectation): string[] {
  const kind = keyItems[item];
  if (renewed !== true || kind === undefined) return [];
  const same = cardIn(before, cardId)?.keys[kind] === cardIn(after, cardId)?.keys[kind];
  return same ? [`${item}: the key is the one before, expected a new one`] : [];
}

function itemReasons(scene: Scene, expected: ItemExpectation): string[] {
  const { item, value, certificate, key, derived, quantity, remaining } = expected;
  const card = cardIn(scene.after, scene.cardId);
  const found = card?.values.find((entry) => entry.issueId === scene.items[item] && !hidden(entry.state));
  const reasons: string[] = [];
  const differ = (what: string, is: string | number | undefined, wanted: string | number | undefined): void => {
    if (wanted !== undefined && is !== wanted) reasons.push(`${item}: ${what} is ${is ?? 'unknown'}, expected ${wanted}`);
  };
  differ('the value', found?.state ?? 'absent', value);
  if (value !== 'absent') {
    differ('the quantity', found?.quantity, quantity);
    differ('the remaining amount', found?.remaining, remaining);
  }
  const states = certificatesOf(scene, item, expected.renewed).map(({ state }) => state);
  if (certificate === 'absent' && states.length > 0) reasons.push(`${item}: a certificate is ${states.join(', ')}, expected none`);
  if (certificate !== undefined && certificate !== 'absent' && !states.includes(certificate))
    reasons.push(`${item}: its certificate is ${states.join(', ') || 'absent'}, expected ${certificate}`);
  const all = expected.only === true ? certificatesOf(scene, item, 'any').length : 1;
  if (all !== 1) reasons.push(`${item}: it has ${all} certificates, expected no other`);
  const present = (kind: 'decoding' | 'common' | 'seed'): string => (card?.keys[kind] === undefined ? 'absent' : 'present');
  const kind = keyItems[item];
  if (kind !== undefined) differ(kind === 'seed' ? 'the seed' : 'the key', present(kind), key);
  differ('its decoding key', present('decoding'), derived);
  return [...reasons, ...renewalReasons(scene, expected)];
}

/** True when the run itself may put new values on the card. */
const loads = ({ run, fault }: PlanPoint): boolean =>
  fault?.fault === 'memory' || (run.run === 'script' && run.commands.some((command) => ['load', 'correct', 'fill-memory'].includes(command.do)));

/** Items that are not as before, those of `except` and, where the point loads values, new ones left out. */
function changes(point: PlanPoint, scene: Scene, except: readonly string[]): string[] {
  const [before, after] = [cardIn(scene.before, scene.cardId), cardIn(scene.after, scene.cardId)];
  if (!before || !after) return [`card ${scene.cardId} is not in the world that was seen`];
  const ids = new Set(except.map((name) => scene.items[name]));
  const named = (world: AbstractWorld) => (entry: AbstractCertificate): boolean =>
    isKeyKind(entry.kind) ? except.some((name) => name in keyItems && (name === '$seed') === ofSeed(world, entry)) : ids.has(recordOf(world, entry)?.issueId ?? '');
  const list = (card: AbstractCard, world: AbstractWorld): string[] => [
    ...card.values.filter((entry) => !hidden(entry.state) && !ids.has(entry.issueId)).map(valueText),
    ...card.certificates.filter((entry) => !hidden(entry.state) && !named(world)(entry)).map(certificateText),
    ...except.some((name) => name in keyItems) ? [] : keysText(card),
  ];
  const [old, now] = [list(before, scene.before), list(after, scene.after)];
  const known = new Set(before.values.map(({ issueId }) => issueId));
  const fresh = (text: string): boolean => loads(point) && text.startsWith('value ') && !known.has(text.split(' ')[1]);
  return [
    ...old.filter((text) => !now.includes(text)).map((text) => `no longer there: ${text}`),
    ...now.filter((text) => !old.includes(text) && !fresh(text)).map((text) => `not there before: ${text}`),
  ];
}

/** What the goal of a scenario leaves on the card. */
function goalOf(run: ScenarioRun): ItemExpectation {
  const { id, goal } = frameOf(run.scenario);
  if (goal) return goal(run);
  throw new ScenarioError('PLAN_INVALID', `${id} has no goal this judge knows`, 'Its system has a judge of its own; describe the items instead');
}

/** What a goal leaves of further items. */
const besideOf = (run: ScenarioRun): readonly ItemExpectation[] => frameOf(run.scenario).beside?.(run) ?? [];

/** States an item may also be in when a run was cut: the one before, the goal, and those between. */
function betweenReasons(scene: Scene, run: ScenarioRun): string[] {
  const goal = goalOf(run);
  const between = frameOf(run.scenario).between?.(goal.item);
  if (!between) return [];
  const fits = [goal, ...between].some((expected) => itemReasons(scene, expected).length === 0);
  return fits ? [] : [`${goal.item} is neither as before nor as after success nor between: ${itemReasons(scene, goal).join('; ')}`];
}

function cardReasons(point: PlanPoint, scene: Scene): string[] {
  const { card } = point.expect;
  switch (card.is) {
    case 'unchanged': return changes(point, scene, []);
    case 'described':
      return [...card.items.flatMap((expected) => itemReasons(scene, expected)), ...changes(point, scene, card.items.map(({ item }) => item))];
    case 'as-after-success': {
      if (point.run.run === 'script') return [];
      const goal = goalOf(point.run);
      const beside = besideOf(point.run);
      return [...[goal, ...beside].flatMap((one) => itemReasons(scene, one)), ...changes(point, scene, [goal, ...beside].map(({ item }) => item))];
    }
    case 'either': {
      if (point.run.run === 'script') return [];
      return [...betweenReasons(scene, point.run), ...changes(point, scene, [goalOf(point.run), ...besideOf(point.run)].map(({ item }) => item))];
    }
  }
}

function safeReasons({ before, after }: Scene, expected: SafeExpectation): string[] {
  const count = (world: AbstractWorld): number => world.safes.reduce((sum, safe) => sum + safe.records.length, 0);
  const tombs = (world: AbstractWorld): number => world.safes.reduce((sum, safe) => sum + safe.records.filter(({ state }) => state === 'tombstone').length, 0);
  const [more, dead] = [count(after) - count(before), tombs(after) - tombs(before)];
  const say = (good: boolean, wanted: string): string[] =>
    (good ? [] : [`the safes hold ${more} records and ${dead} tombstones more than before, expected ${wanted}`]);
  switch (expected) {
    case 'any': return [];
    case 'unchanged': return say(more === 0 && dead === 0, 'no change');
    case 'nothing-stored': return say(more === 0 && dead === 0, 'nothing stored');
    case 'one-stored': return say(more === 1 && dead === 0, 'one record');
    case 'at-most-one': return say(more >= 0 && more <= 1 && dead === 0, 'at most one record');
    default: break;
  }
  if (expected === 'renewed') return say(more === 2 && dead === 2, 'two records and two tombstones');
  if (expected === 'tombstone') return say(more === 0 && dead === 1, 'one tombstone');
  const wanted = Number(expected.slice('stored-'.length));
  return say(more === wanted && dead === 0, `${wanted} records`);
}

const isScenario = (output: ScenarioOutput | ScriptOutput): output is ScenarioOutput => 'evidence' in output;

/** Steps at which a run may end; without a trace port the whole command that holds one of them. */
function placesAllowed(scenario: ScenarioId, expect: Expectation, hasTrace: boolean): readonly string[] | undefined {
  if (!expect.at || hasTrace) return expect.at;
  return expect.at.flatMap((step): readonly string[] => (step.startsWith('claim') ? [step] : [...exchangeOf(scenario, step)]));
}

function endReasons(point: PlanPoint, output: ScenarioOutput | ScriptOutput, hasTrace: boolean): string[] {
  const { expect } = point;
  const { cause, sw } = output;
  if (!expect.end.includes(cause)) {
    const where = isScenario(output) ? ` at ${output.step}` : output.failedAt === undefined ? '' : ` at command ${output.failedAt + 1}`;
    return [`ended in ${cause}${where}${sw === undefined ? '' : ` with ${sw}`} (${output.text}), expected ${expect.end.join(' or ')}`];
  }
  if (!isScenario(output) || cause === 'done') return [];
  const allowed = placesAllowed(output.scenario, expect, hasTrace);
  const elsewhere = allowed && !allowed.includes(output.step) ? [`ended at ${output.step}, expected ${allowed.join(' or ')}`] : [];
  return cause === 'refused' ? [...elsewhere, ...codeReasons(expect, output)] : elsewhere;
}

/** Status word and safe code of a refusal. */
function codeReasons({ sw: words, safeCode: codes }: Expectation, { sw, safeCode }: ScenarioOutput): string[] {
  const reasons: string[] = [];
  if (words && !words.some((pattern) => sw !== undefined && swFits(sw, pattern)))
    reasons.push(`answered ${sw ?? 'no status word'}, expected ${words.join(' or ')}`);
  if (codes && !codes.includes(safeCode ?? '')) reasons.push(`the safe answered ${safeCode ?? 'no code'}, expected ${codes.join(' or ')}`);
  return reasons;
}

function retryReasons({ expect }: PlanPoint, retry: ScenarioOutput | undefined): string[] {
  if (expect.retry === 'none') return [];
  const wanted = expect.retry === 'refused' ? 'refused' : 'done';
  if (!retry) return [`no retry was made, expected one that ends in ${wanted}`];
  return retry.cause === wanted ? [] : [`an honest retry ended in ${retry.cause} at ${retry.step} (${retry.text}), expected ${wanted}`];
}

function flagReasons(point: PlanPoint, output: ScenarioOutput | ScriptOutput): string[] {
  if (!isScenario(output) || output.cause !== 'done') return [];
  const silent = output.flags.filter((flag) => !point.flags.includes(flag));
  return silent.map((flag) => `${flag} was used although the point does not say so`);
}

function sceneOf({ before, after, cardId, items = {} }: Observation): Scene | undefined {
  return before && after && cardId !== undefined ? { before, after, cardId, items } : undefined;
}

/**
 * Judges a point. `unsupported` when capabilities are missing, `aborted` when the bench failed, `invalid` when the fault
 * was not carried out or nobody looked at the card; otherwise `fail` with a reason for each thing that is not as it must be, or `pass`.
 */
export function verdictOf(point: PlanPoint, seen: Observation): Judgement {
  const clause = clauseText(point);
  if (seen.missing.length > 0) return { verdict: 'unsupported', clause, reasons: [`needs ${seen.missing.join(', ')}`] };
  if (seen.aborted !== undefined || !seen.end || seen.end.cause === 'aborted')
    return { verdict: 'aborted', clause, reasons: [seen.aborted ?? seen.end?.text ?? 'the point was not run'] };
  return judge(point, { ...seen, end: seen.end }, clause);
}

function shortageReasons({ expect }: PlanPoint, { cause }: ScenarioOutput | ScriptOutput, told: boolean | undefined): string[] {
  return expect.shortage && cause === 'refused' && told !== true ? ['the card did not tell the shortage (DF01)'] : [];
}

/** The step that should have refused when a run went through, otherwise the one at which it ended; of a script its command. */
function stepAtFault({ expect, run }: PlanPoint, end: ScenarioOutput | ScriptOutput): string | undefined {
  if (!isScenario(end)) return run.run === 'script' && end.failedAt !== undefined ? run.commands[end.failedAt].do : undefined;
  const wentThrough = end.cause === 'done' && !expect.end.includes('done');
  return (wentThrough ? expect.at?.[0] : undefined) ?? end.step;
}

/** A point that was run. */
function judge(point: PlanPoint, seen: Observation & { readonly end: ScenarioOutput | ScriptOutput }, clause: string): Judgement {
  const step = stepAtFault(point, seen.end);
  const place = step === undefined ? {} : { step };
  const broken = seen.findings.map((finding) => `${finding.invariant}: ${finding.text}`);
  if (point.fault && !seen.faultApplied) {
    const early = seen.faultReached === false && seen.end.cause !== 'done'
      ? [`ended in ${seen.end.cause} before the fault could be carried out (${seen.end.text})`] : [];
    if (broken.length + early.length > 0) return { verdict: 'fail', ...place, clause, reasons: [...early, ...broken] };
    return { verdict: 'invalid', ...place, clause, reasons: [`the fault (${point.fault.fault}) was not carried out`] };
  }
  const scene = sceneOf(seen);
  const reasons = [
    ...endReasons(point, seen.end, seen.hasTrace), ...flagReasons(point, seen.end),
    ...scene ? [...cardReasons(point, scene), ...safeReasons(scene, point.expect.safe)] : [],
    ...shortageReasons(point, seen.end, seen.shortageTold),
    ...retryReasons(point, seen.retry), ...broken,
  ];
  const named = seen.findings.find((finding) => finding.step !== undefined)?.step;
  if (reasons.length === 0 && !scene) return { verdict: 'invalid', clause, reasons: ['card and safes were not looked at before and after'] };
  if (reasons.length === 0) return { verdict: 'pass', clause, reasons };
  return { verdict: 'fail', ...named !== undefined ? { step: named } : place, clause, reasons };
}
