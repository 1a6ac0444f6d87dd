import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRecord, summary } from '../../reports/index.js';
import type { SystemPoint } from '../../scenarios/index.js';
import { chosenPoints, runCampaign } from './campaign.js';
import { certifyOptions } from './options.js';
import { inlinePool } from './pool.js';
import { backupRunner, pointEvent, verdictEvent } from './runner.js';
import type { PointRunner } from './runner.js';
import { headerOf, loadSetup } from './setup.js';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'runner-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const point = (number: number, needs: SystemPoint['needs'] = ['purse']): SystemPoint => ({
  id: `purse-1-toy-N-0${number}`, title: `toy ${number}`, system: 'purse', scenario: 'purse/1/toy', clause: { steps: ['P-1'], claims: [], rules: [] }, needs, flags: [],
});
const points = [point(1), point(2), point(3, ['purse', 'fault-resistance']), point(4)];

/** A system that judges in its own way: points with an even number fail, the fourth is a defect of the bench. */
const toy: PointRunner = {
  system: 'purse',
  plan: 'toy/1',
  points: () => points,
  run(id, { replay }) {
    const at = points.findIndex((one) => one.id === id);
    if (at === 3) return Promise.reject(new Error('broken on purpose'));
    return Promise.resolve([
      pointEvent(points[at]),
      { type: 'step', point: id, system: 'purse', embodiment: 1, phase: 'transfer', step: 'P-1', evidence: ['link'], outcome: 'done' },
      verdictEvent(points[at], at === 1 ? { verdict: 'fail', reasons: ['an even number'] } : { verdict: 'pass', reasons: [] }, { cycle: 5, replay: replay(id) }),
    ]);
  },
};

test('points of another system are listed, run and judged by its own runner, beside those of the backup system', async () => {
  const options = { ...certifyOptions(['--cuts', '0', '--point', '1-backup-N-01', '--point', 'toy', '--out', folder]), offered: ['embodiment-1', 'T=1', 'purse'] as const };
  const image = readFileSync(options.image);
  const runners = [backupRunner, toy];
  const { recordFile } = await runCampaign({
    options, header: headerOf(options, image, loadSetup(options, image)), pool: inlinePool(options, runners), runners, stopped: () => false,
    progress: () => ({ step: () => undefined, end: () => undefined }),
  });
  const record = parseRecord(readFileSync(recordFile, 'utf8'));
  const verdicts = record.events.flatMap((event) => (event.type === 'verdict' ? [[event.point, event.verdict, event.reasons.join()]] : []));
  expect(verdicts).toEqual([
    ['1-backup-N-01', 'pass', ''], ['purse-1-toy-N-01', 'pass', ''], ['purse-1-toy-N-02', 'fail', 'an even number'],
    ['purse-1-toy-N-03', 'unsupported', 'needs fault-resistance'],
    ['purse-1-toy-N-04', 'aborted', expect.stringContaining('broken on purpose')],
  ]);
  expect(summary(record)).toMatch(/purse\/1\/transfer +P-1 +2 /);
});

test('without runners of other systems their points do not exist', () => {
  expect(() => chosenPoints({ points: ['purse-1-toy'], from: undefined, cuts: 0 })).toThrow('no point fits');
  expect(chosenPoints({ points: ['purse-1-toy'], from: 'purse-1-toy-N-03', cuts: 0 }, [toy])).toHaveLength(2);
});
