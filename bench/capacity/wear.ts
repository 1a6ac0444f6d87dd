import { endurance } from '../../emulator/index.js';
import type { ChipProfile, NvmState } from '../../emulator/index.js';
import { runScenario, stable } from '../../scenarios/index.js';
import type { AbstractWorld, Boundary, Finding, ScenarioOutput } from '../../scenarios/index.js';
import { worldFindings } from '../certify/findings.js';
import { optionsOf } from '../certify/prepare.js';
import { commands } from '../codec/index.js';
import { intercepted } from '../faults/intercept.js';
import { orBrick } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import { World } from '../world/world.js';
import { statesTo } from './levels.js';
import { endSession, goOn, spendAll, Watch } from './look.js';
import { ended, named, plain, reasonsOf } from './rows.js';
import { withNvm } from './stage.js';
import type { Stages } from './stage.js';
import { placesOf } from './subject.js';
import type { CapacityRow, RowOutcome } from './types.js';

/**
 * How far beyond its endurance a page is: `rare` it misses a cell in one operation of fifty, `often` in every second
 * one, `stuck` cells never change again from the first operation within the exchange on.
 */
export const wearModes = ['rare', 'often', 'stuck'] as const;

/** See {@link wearModes}. */
export type WearMode = (typeof wearModes)[number];

/** A page that the scenario writes, and where it does so first. */
export interface WrittenPage {
  readonly page: number;
  /** First step of the exchange in which it is written first. */
  readonly at: Boundary;
  /** Operations on it in the same power session before that exchange. */
  readonly earlier: number;
}

/** Excess over the endurance, in spans, at which the chance of a failure is that of the mode. */
const excess: Readonly<Record<Exclude<WearMode, 'stuck'>, number>> = { rare: 0.01, often: 0.7 };

/** So short that a page is stuck with the first operation beyond its endurance. */
const suddenSpan = 1e-7;

/** The pages the scenario writes with ample room, in the order in which it does. */
export async function writtenPages(stages: Stages): Promise<readonly WrittenPage[]> {
  const { run } = stages.subject;
  const world = stages.fork(await stages.prepared());
  await world.open();
  const found = new Map<number, WrittenPage>();
  const { eeprom } = world.card.chip;
  const ports = intercepted(run.scenario, world.ports, {
    async around(call, sent, proceed) {
      const from = eeprom.writes.length;
      const outcome = await proceed(sent);
      for (const { page } of eeprom.writes.slice(from)) {
        if (found.has(page)) continue;
        const earlier = eeprom.writes.slice(0, from).filter((write) => write.page === page).length;
        found.set(page, { page, at: call.steps[0], earlier });
      }
      return outcome;
    },
  });
  await runScenario(run.scenario, { ports, options: optionsOf(run, world) });
  return [...found.values()];
}

/** A memory in which pages are worn; the wear itself is the chip's. */
export function wornMemory(
  nvm: NvmState, pages: readonly WrittenPage[], { mode, more = 0 }: { readonly mode: WearMode; readonly more?: number }, profile: ChipProfile, seed: number,
): NvmState {
  const cycles = nvm.cycles.slice();
  for (const { page, earlier } of pages) {
    const life = endurance(profile.eeprom.wear, seed, page);
    cycles[page] = mode === 'stuck' ? life - earlier : Math.ceil(life * (1 + excess[mode] * profile.eeprom.wear.span)) + more;
  }
  return { ...nvm, cycles };
}

/** The profile under which a mode takes effect. */
function wornProfile(profile: ChipProfile, mode: WearMode): ChipProfile {
  if (mode !== 'stuck') return profile;
  return { ...profile, eeprom: { ...profile.eeprom, wear: { ...profile.eeprom.wear, span: suddenSpan } } };
}

/** Where a run ended; `verified` is false when the card did not even take the PIN. */
interface WornEnd extends Pick<ScenarioOutput, 'cause' | 'step' | 'sw' | 'text'> {
  readonly verified: boolean;
}

/** How a run on worn pages ended. */
interface WornRun {
  readonly end: WornEnd;
  /** What came of CANCEL and another attempt, which may take other pages. */
  readonly afterCancel: string | undefined;
  readonly cycle: number;
  readonly rest: Rest;
  readonly digest: string;
  /** Operations on the worn pages that missed their content. */
  readonly missed: number;
  readonly last: AbstractWorld;
}

/** READ of every value that is in force: what was committed must still be there. */
async function readBack(world: World): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { issueId, state } of world.abstract().cards[0].values) {
    if (state === 'reserved' || state === 'deleting') continue;
    const { sw } = await world.line.transmit(commands.readItem(world.handleOf(issueId, 'value') ?? 0));
    world.line.takeMarks();
    const word = sw.toString(16).toUpperCase();
    if (sw !== 0x9000 && sw !== 0x6982) findings.push({ invariant: 'I12', text: `value ${issueId} is committed and READ was answered ${word}` });
  }
  return findings;
}

/** A boot on the worn memory: the same state, and every value can be read. */
async function bootAgain(stages: Stages, rest: Rest, profile: ChipProfile, before: AbstractWorld, watch: Watch): Promise<{ findings: readonly Finding[]; rest: Rest }> {
  const world = stages.fork(rest, watch.hooks, undefined, (parts) => new World({ ...parts, profile }));
  const findings: Finding[] = [];
  await orBrick(findings, 'boot with worn pages', async () => {
    await world.open('none');
    findings.push(...stable(before.cards[0], world.abstract().cards[0], 'strong'));
    await world.verify();
    findings.push(...await readBack(world));
  });
  watch.collect(world);
  return { findings, rest: (await endSession(world)).rest };
}

const memoryFailure = ({ cause, sw }: Pick<ScenarioOutput, 'cause' | 'sw'>): boolean => cause === 'refused' && sw === '6581';

/** Presents the PIN and runs the scenario, up to three times while the card answers 6581. */
async function attempt(stages: Stages, world: World, history: AbstractWorld[]): Promise<WornEnd> {
  const { run } = stages.subject;
  const pin = await world.ports.card.verifyPin('right');
  if (!pin.ok && pin.sw === '6581') return { cause: 'refused', step: placesOf(stages.subject)[0], sw: pin.sw, text: 'VERIFY was answered 6581', verified: false };
  let end: Omit<WornEnd, 'verified'> = await runScenario(run.scenario, { ports: world.ports, options: optionsOf(run, world), listener: statesTo(world, history) });
  for (let retry = 0; retry < 2 && memoryFailure(end); retry += 1) end = await goOn(stages, world, statesTo(world, history));
  return { ...end, verified: true };
}

/** Gives up what was begun and tries once more. */
async function cancelAndRetry(stages: Stages, world: World, history: AbstractWorld[]): Promise<string> {
  const { run } = stages.subject;
  const issueId = run.item === undefined ? undefined : world.names.get(run.item);
  const what = run.scenario.endsWith('backup') ? 'value' : 'certificate';
  const handle = issueId === undefined ? undefined : world.handleOf(issueId, what);
  if (issueId !== undefined && handle === undefined) return 'nothing to give up';
  const { sw } = await world.line.transmit(handle === undefined ? commands.cancelKey() : commands.cancel(handle));
  world.line.takeMarks();
  history.push(world.abstract());
  const end = await goOn(stages, world, statesTo(world, history));
  return `CANCEL ${sw.toString(16).toUpperCase()}, then ${end.cause === 'done' ? 'done on other pages' : end.sw ?? end.cause}`;
}

async function runWorn(stages: Stages, worn: Rest, profile: ChipProfile, watch: Watch, pages: ReadonlySet<number>, findings: Finding[]): Promise<WornRun> {
  const world = stages.fork(worn, watch.hooks, undefined, (parts) => new World({ ...parts, profile }));
  await world.open('none');
  const history: AbstractWorld[] = [world.abstract()];
  const end = await attempt(stages, world, history);
  const cycle = world.line.now();
  const afterCancel = end.verified && memoryFailure(end) ? await orBrick(findings, 'after CANCEL', () => cancelAndRetry(stages, world, history)) : undefined;
  const last = world.abstract();
  history.push(last);
  findings.push(...worldFindings(history, world));
  watch.collect(world);
  const missed = world.card.chip.eeprom.writes.filter((write) => pages.has(write.page) && !write.verified).length;
  const { rest, digest } = await endSession(world);
  return { end, afterCancel, cycle, rest, digest, missed, last };
}

/** The same memory on cells that work: what was committed comes to its end there, and is spent. */
async function healed(stages: Stages, rest: Rest, watch: Watch, findings: Finding[]): Promise<void> {
  const whole = withNvm(rest, { ...rest.nvm, cycles: new Uint32Array(rest.nvm.cycles.length) });
  const world = stages.fork(whole, watch.hooks);
  await orBrick(findings, 'the same memory on sound cells', async () => {
    await world.open();
    const { cause, step, text } = await goOn(stages, world);
    if (cause !== 'done') findings.push({ invariant: 'I12', text: `on sound cells the scenario ended at ${step}: ${text}` });
  });
  watch.collect(world);
  findings.push(...await spendAll(stages, (await endSession(world)).rest));
}

function reasonsFor(end: WornEnd, findings: readonly Finding[]): string[] {
  const allowed = end.cause === 'done' || memoryFailure(end);
  return [...allowed ? [] : [`ended in ${end.cause} at ${end.step} (${end.text}), expected done or 6581`], ...reasonsOf(findings)];
}

const didText = ({ end, missed, afterCancel }: WornRun): string =>
  `${missed} operations missed; ${end.cause === 'done' ? 'went through all the same' : `ended with ${end.sw ?? end.cause}`}${afterCancel === undefined ? '' : `; ${afterCancel}`}`;

/** One run on pages worn so far, with everything after it. */
async function wornOnce(stages: Stages, pages: readonly WrittenPage[], mode: WearMode, more: number): Promise<WornRun & { readonly findings: readonly Finding[] }> {
  const { factory: { setup } } = stages;
  const prepared = await stages.prepared();
  const profile = wornProfile(setup.profile, mode);
  const worn = withNvm(prepared, wornMemory(prepared.nvm, pages, { mode, more }, profile, setup.seed));
  const watch = new Watch();
  const findings: Finding[] = [];
  const seen = await runWorn(stages, worn, profile, watch, new Set(pages.map(({ page }) => page)), findings);
  const booted = await bootAgain(stages, seen.rest, profile, seen.last, watch);
  findings.push(...booted.findings);
  await healed(stages, booted.rest, watch, findings);
  return { ...seen, findings: [...findings, ...watch.findings] };
}

/** Numbers of operations more than the mode says, tried in this order until an operation misses. */
const tries = [0, 7, 13, 29, 41, 57, 71, 97] as const;

/** Runs the scenario with worn pages and judges that no committed value is lost by it. */
export async function runWear(stages: Stages, pages: readonly WrittenPage[], mode: WearMode, name: string): Promise<CapacityRow> {
  let seen = await wornOnce(stages, pages, mode, tries[0]);
  for (const more of mode === 'stuck' ? [] : tries.slice(1)) {
    if (seen.missed > 0 || seen.findings.length > 0) break;
    seen = await wornOnce(stages, pages, mode, more);
  }
  const { end, missed, cycle, digest, findings } = seen;
  const reasons = reasonsFor(end, findings);
  const noEffect = missed === 0 ? ['no operation on the worn pages missed its content'] : [];
  const outcome: RowOutcome = end.cause === 'done' ? 'done' : end.cause === 'refused' ? 'refused' : 'broke';
  return {
    ...named(stages, {
      part: 'wear', title: `worn pages (${mode}): ${name}`, before: pages[0]?.at ?? 'start', condition: `worn-${name}-${mode}`, what: ['wear', name, mode],
    }),
    applied: noEffect.length === 0, outcome, ...ended(end), did: didText(seen), conserved: findings.length === 0,
    findings: plain(findings), verdict: reasons.length > 0 ? 'fail' : noEffect.length > 0 ? 'invalid' : 'pass', reasons: [...reasons, ...noEffect], cycle, digest,
  };
}

/** The worn conditions of a scenario by name: each page it writes alone, and all of them together. */
export async function wearCases(stages: Stages, mode: WearMode): Promise<ReadonlyMap<string, readonly WrittenPage[]>> {
  const pages = await writtenPages(stages);
  const alone = mode === 'rare' ? [] : pages.map((page) => [`page-${page.page}`, [page]] as const);
  return new Map([...alone, ['all', pages] as const]);
}
