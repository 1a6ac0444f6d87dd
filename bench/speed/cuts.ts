import { readFileSync } from 'node:fs';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { WorldFactory } from '../certify/factory.js';
import { referenceFor } from '../certify/options.js';
import { runHonestly } from '../certify/prepare.js';
import { seededRandom } from '../world/random.js';
import { uintOf } from '../codec/index.js';
import { BootPlayer } from '../tear/boot-player.js';
import { Exhaust, partsOf } from '../tear/exhaust.js';
import { readyWorld } from '../tear/forward.js';
import { Judge } from '../tear/judge.js';
import { tearPoint } from '../tear/points.js';
import type { TearPoint } from '../tear/points.js';
import { exhaustivePolicies, policyOf } from '../tear/policies.js';
import { restOf, worldOf } from '../tear/rest.js';
import { restAt, timelineOf } from '../tear/timeline.js';
import type { Span } from '../tear/timeline.js';
import type { Row, Section } from './measure.js';
import { cpuSeconds, median } from './measure.js';

const POINT = '2-backup-Z-01';
const ROUNDS = 5;
const FORKS = 200;
const RERUNS = 6;
const ITEMS = [2, 8, 24] as const;
/** Page operations of the point: the journal's header, and a target page. */
const JUDGED_PARTS = [1, 2] as const;

interface Subject {
  readonly factory: WorldFactory;
  readonly point: TearPoint;
  readonly exhaust: Exhaust;
  readonly player: BootPlayer;
  /** Cuts within page operations, drawn by a seed. */
  readonly cuts: readonly { readonly span: Span; readonly cycle: number }[];
}

/** The point with so many more small values loaded beforehand. */
function crowded(items: number): TearPoint {
  const point = tearPoint(POINT);
  const more = Array.from({ length: items - point.prepare.values.length }, (_, i) => ({ as: `$more-${i}` as const, sample: 'smallest' }));
  return { ...point, prepare: { ...point.prepare, values: [...point.prepare.values, ...more] } };
}

async function subject(chip: string, point: TearPoint): Promise<Subject> {
  const factory = new WorldFactory({ image: loadImage(readFileSync(referenceFor(chip))), profile: loadProfile(chip), seed: 1, protocol: 'T=1' });
  const timeline = await timelineOf(factory, point);
  const exhaust = new Exhaust(factory, timeline);
  const intervals = partsOf(timeline).filter((part) => part !== 'rest').flatMap((part) => exhaust.intervals(part));
  const random = seededRandom(1, 'speed of cuts');
  const cuts = Array.from({ length: FORKS }, () => {
    const { span, from } = intervals[uintOf(random(4)) % intervals.length];
    return { span, cycle: from };
  });
  const player = new BootPlayer(worldOf(factory, point, restAt(timeline.spans[0], exhaust.imageOf(timeline.spans[0], timeline.from).nvm), { kind: 'new' }));
  return { factory, point, exhaust, player, cuts };
}

/** Restores what each cut leaves and boots it; boots that go another way than those before are run with the terminal. */
async function fork({ factory, point, exhaust, player, cuts }: Subject): Promise<void> {
  const policy = policyOf('new');
  for (const { span, cycle } of cuts) {
    const image = exhaust.imageOf(span, cycle);
    if (player.play({ nvm: image.nvm, policy, torn: image.torn, kind: span.eeprom }) !== undefined) continue;
    const world = worldOf(factory, point, restAt(span, image.nvm), policy.first);
    const learned = player.record(world);
    await world.open('none');
    learned(0);
  }
}

/** Runs from the card's reset up to each cut, takes the power away, and boots. */
async function rerun({ factory, point, cuts }: Subject): Promise<void> {
  for (const { cycle } of cuts.slice(0, RERUNS)) {
    const { world } = await readyWorld(factory, point);
    world.card.cutAt(cycle);
    await runHonestly(point.run, world);
    await worldOf(factory, point, restOf(world, await world.card.powerOff()), policyOf('new').first).open('none');
  }
}

async function secondsOf(run: () => Promise<void>): Promise<number> {
  const before = cpuSeconds();
  await run();
  return cpuSeconds() - before;
}

/** Cases a second of CPU time, judged to the end: all cuts in a journal header and in a target page, and one by one from reset. */
async function judgedRates({ factory, point, exhaust, cuts }: Subject): Promise<{ readonly campaign: number; readonly scratch: number }> {
  let cases = 0;
  const campaign = await secondsOf(async () => {
    for (const part of JUDGED_PARTS) cases += (await exhaust.run(part, { policies: exhaustivePolicies, depth: 1, sample: undefined, failures: 0 })).cases;
  });
  const chosen = cuts.slice(0, RERUNS);
  const scratch = await secondsOf(async () => {
    for (const { cycle } of chosen) {
      const { world, log, secrets } = await readyWorld(factory, point);
      world.card.cutAt(cycle);
      await runHonestly(point.run, world);
      const rest = restOf(world, await world.card.powerOff());
      await new Judge(factory, point, secrets).judge({ rest, before: log.states[log.states.length - 1], beforeId: '' }, policyOf('new'));
    }
  });
  return { campaign: cases / campaign, scratch: chosen.length / scratch };
}

/** Medians of alternating rounds, the first left out: cuts a second by restoring, and by running from reset. */
async function rates(one: Subject, withRerun: boolean): Promise<{ readonly forks: number; readonly reruns: number }> {
  const [forks, reruns]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const forked = FORKS / await secondsOf(() => fork(one));
    const again = withRerun ? RERUNS / await secondsOf(() => rerun(one)) : 0;
    if (round > 0) {
      forks.push(forked);
      reruns.push(again);
    }
  }
  return { forks: median(forks), reruns: median(reruns) };
}

async function growth(tell: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const add = async (subjectName: string, chip: string, point: TearPoint): Promise<void> => {
    tell(`cuts, ${subjectName}`);
    const { forks } = await rates(await subject(chip, point), false);
    rows.push({ section: 'cuts', subject: subjectName, what: 'restored and run on', value: forks, unit: 'cuts/s' });
  };
  for (const chip of ['c2000', 'c2010', 'modern']) await add(`${chip}, ${loadProfile(chip).eeprom.bytes / 1024} KB EEPROM`, chip, tearPoint(POINT));
  for (const items of ITEMS) await add(`c2010, ${items} items`, 'c2010', crowded(items));
  return rows;
}

/** Power cuts a second of CPU time on one core: restored from a fork and run on through the boot, against a run from reset. */
export const cutsSection: Section = {
  name: 'cuts',
  async run(tell) {
    tell('cuts, restored against rerun');
    const one = await subject('c2010', tearPoint(POINT));
    const { forks, reruns } = await rates(one, true);
    tell('cuts, judged to the end');
    const { campaign, scratch } = await judgedRates(one);
    const note = `cut in a page operation of ${POINT}, then the boot up to SELECT`;
    return [
      { section: 'cuts', subject: 'c2010', what: 'restored and run on', value: forks, unit: 'cuts/s', note },
      { section: 'cuts', subject: 'c2010', what: 'run again from reset', value: reruns, unit: 'cuts/s' },
      { section: 'cuts', subject: 'c2010', what: 'restored against rerun', value: forks / reruns, unit: 'times' },
      { section: 'cuts', subject: 'c2010', what: 'judged in a campaign', value: campaign, unit: 'cases/s', note: 'every cut in two page operations, five policies' },
      { section: 'cuts', subject: 'c2010', what: 'judged from reset', value: scratch, unit: 'cases/s' },
      { section: 'cuts', subject: 'c2010', what: 'campaign against reset', value: campaign / scratch, unit: 'times' },
      ...await growth(tell),
    ];
  },
};
