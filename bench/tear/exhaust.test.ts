import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { countWeak, loadImage, loadProfile, nvmDigest } from '../../emulator/index.js';
import { WorldFactory } from '../certify/factory.js';
import { uintOf } from '../codec/index.js';
import { seededRandom } from '../world/random.js';
import { caseId, caseOf } from './case-id.js';
import { CutJudge } from './cut-judge.js';
import { Exhaust, partsOf } from './exhaust.js';
import { intervalTable } from './evidence.js';
import { tearPoint } from './points.js';
import { expandPolicies } from './policies.js';
import { replayCut } from './replay.js';
import { timelineOf } from './timeline.js';
import type { Timeline } from './timeline.js';

const factoryOf = (name: string): WorldFactory => new WorldFactory({
  image: loadImage(readFileSync(new URL(`../../devices/firmware/images/${name}.elf`, import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1',
});
const all = ['new', 'old', 'flip', 'unstable', 'random'];

/** Cases drawn over all intervals by a seed. */
function drawn(exhaust: Exhaust, count: number, seed: number): { readonly cycle: number; readonly policy: string }[] {
  const random = seededRandom(seed, 'exhaust test');
  const pick = (most: number): number => uintOf(random(4)) % most;
  const intervals = partsOf(exhaust.timeline).flatMap((part) => exhaust.intervals(part));
  return Array.from({ length: count }, () => {
    const { span, from, to } = intervals[pick(intervals.length)];
    const policies = expandPolicies(all, countWeak(exhaust.imageOf(span, from).nvm.weak));
    return { cycle: from + pick(to - from), policy: policies[pick(policies.length)].name };
  });
}

const spanOf = ({ spans }: Timeline, cycle: number) => spans.filter(({ from, to }) => from <= cycle && cycle < to)[0];

describe('every cycle', () => {
  test('lies in exactly one interval, with a reason for its begin', async () => {
    const factory = factoryOf('card');
    const timeline = await timelineOf(factory, tearPoint('1-recover-Z-01'));
    const rows = intervalTable(factory, timeline).trim().split('\n').slice(1).map((row) => row.split(','));
    expect(rows[0][0]).toBe(String(timeline.from));
    expect(rows.at(-1)?.[1]).toBe(String(timeline.to));
    expect(rows.slice(1).every(([from], i) => from === rows[i][1])).toBe(true);
    expect(new Set(rows.map((row) => row[2]))).toEqual(new Set(['phase', 'operation', 'cell', 'byte', 'answer', 'safe', 'mark']));
  });

  test.each(['card', 'faulty/value-before-certificate'])('%s: a case gives what it gives from scratch, with the power really going at its cycle', async (name) => {
    const factory = factoryOf(name);
    const timeline = await timelineOf(factory, tearPoint('1-backup-Z-02'));
    const exhaust = new Exhaust(factory, timeline);
    const judge = new CutJudge(factory, timeline);
    const scratch = factoryOf(name);
    let broken = 0;
    for (const { cycle, policy } of drawn(exhaust, 60, 5)) {
      const image = exhaust.imageOf(spanOf(timeline, cycle), cycle);
      const [expanded] = expandPolicies([policy], countWeak(image.nvm.weak));
      const id = caseId(caseOf(factory.setup, '1-backup-Z-02', [cycle], [expanded.name]));
      const { judged } = await judge.judge(image, expanded);
      const real = await replayCut(scratch, id);
      const { findings, retries, pages, cycles, atrClocks } = real;
      expect({ id, digest: nvmDigest(image.nvm), findings: judged.findings, retries: judged.retries, pages: judged.pages, cycles: judged.cycles, atr: judged.atrClocks })
        .toEqual({ id, digest: real.digest, findings, retries, pages, cycles, atr: atrClocks });
      broken += Number(findings.length > 0);
    }
    expect(broken > 0).toBe(name !== 'card');
  }, 120_000);
});
