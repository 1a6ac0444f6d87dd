import { describe, expect, test } from 'vitest';
import { conclusionOf, junit, matrixOf, parseRecord, summary, writeRecord } from '../../reports/index.js';
import type { ConclusionEvent, MatrixEvent, PointRelatedEvent, RunEvent } from '../../reports/index.js';
import { capabilities, catalogue, frames, sourceClaims } from '../../scenarios/index.js';
import type { ListedPoint, Step } from '../../scenarios/index.js';
import { exitCodeOf } from './campaign.js';
import { Matrix } from './matrix.js';
import { pointEvent, verdictEvent } from './runner.js';

type Place = Pick<(typeof catalogue)[number], 'system' | 'embodiment' | 'phase'>;

const point = (id: string, scenario: string, claims: readonly number[] = [], rules: readonly string[] = []): ListedPoint =>
  ({ id, title: id, scenario, clause: { steps: [], claims, rules }, needs: [], flags: [] });

const stepEvent = (id: string, { system, embodiment, phase }: Place, step: string, outcome: 'done' | 'refused' = 'done'): PointRelatedEvent =>
  ({ type: 'step', point: id, ...system !== 'backup' && { system }, embodiment, phase, step, evidence: ['mark', 'link'], outcome });

const verdict = (of: ListedPoint, kind: 'pass' | 'fail' | 'unsupported', step?: string): PointRelatedEvent =>
  verdictEvent(of, { verdict: kind, reasons: [], ...step !== undefined && { step } });

const backup1: Place = { system: 'backup', embodiment: 1, phase: 'backup' };
const rowsOf = (events: readonly RunEvent[]): MatrixEvent[] => events.filter((event): event is MatrixEvent => event.type === 'matrix');
const endOf = (events: readonly RunEvent[]): ConclusionEvent => events.at(-1) as ConclusionEvent;
const row = (events: readonly RunEvent[], kind: MatrixEvent['row'], id: string): MatrixEvent | undefined => rowsOf(events).find((entry) => entry.row === kind && entry.id === id);

/** A matrix to which every step and claim was shown, but for what is left out. */
function whole(without: { readonly step?: string; readonly claim?: number } = {}): readonly RunEvent[] {
  const matrix = new Matrix();
  const places: readonly (Place & { readonly steps: readonly Step[] })[] = [...catalogue, ...frames];
  for (const [at, place] of places.entries()) {
    const one = point(`point-${at}`, place.system === 'backup' ? `${place.embodiment}/${place.phase}` : `${place.system}/${place.phase}`);
    const steps = place.steps.filter(({ id }) => `${place.embodiment}/${place.phase}/${id}` !== without.step);
    matrix.take(one, [pointEvent(one), ...steps.map(({ id }) => stepEvent(one.id, place, id)), verdict(one, 'pass')]);
  }
  for (const { number, embodiments } of sourceClaims.filter((claim) => claim.number !== without.claim)) {
    const one = point(`claim-${number}`, `${embodiments[0]}/anything`, [number]);
    matrix.take(one, [pointEvent(one), stepEvent(one.id, backup1, '1-1'), verdict(one, 'pass')]);
  }
  const page = point('page', '11/auto-backup', [], ['source-65']);
  matrix.take(page, [pointEvent(page), stepEvent(page.id, backup1, '1-1'), verdict(page, 'pass')]);
  return matrix.events(capabilities, 'a statement');
}

describe('matrix of steps and claims', () => {
  test('has 183 step ids and 44 claims, each once, and marks what was rebuilt', () => {
    const rows = rowsOf(new Matrix().events([], 'nothing'));
    const ids = (kind: MatrixEvent['row']): string[] => rows.flatMap(({ row: is, id }) => (is === kind ? [id] : []));
    expect([ids('step').length, new Set(ids('step')).size, ids('claim').length, new Set(ids('claim')).size]).toEqual([183, 183, 44, 44]);
    expect(rows.flatMap(({ reconstructed, id }) => (reconstructed ? [id] : []))).toEqual([
      ...['1-8', '1-9', '1-10', '1-11', '1-12', '1-13'].map((step) => `1/backup/${step}`), '22', '23', '39', '41', 'source-65',
    ]);
    expect(new Set(rows.map((entry) => entry.verdict))).toEqual(new Set(['no evidence']));
  });

  test('certifies when every row has evidence, and not when one has none, which it names', () => {
    expect(endOf(whole())).toMatchObject({ certified: true, steps: { shown: 183, all: 183 }, claims: { shown: 44, all: 44 }, reasons: [] });
    const lacking = endOf(whole({ step: '2/recover/2-7' }));
    expect(lacking).toMatchObject({ certified: false, steps: { shown: 182, all: 183 } });
    expect(lacking.reasons.join()).toContain('2/recover/2-7');
    expect(endOf(whole({ claim: 33 })).reasons.join()).toBe('1 claims are claimed and have no evidence: 33');
  });

  test('a step counts only where it was done in a point that passed', () => {
    const matrix = new Matrix();
    const [good, bad, refused, skipped] = ['good', 'bad', 'refused', 'skipped'].map((id) => point(id, '1/backup', [1]));
    matrix.take(good, [pointEvent(good), stepEvent('good', backup1, '1-1'), verdict(good, 'pass')]);
    matrix.take(bad, [pointEvent(bad), stepEvent('bad', backup1, '1-2'), verdict(bad, 'fail', '1-3')]);
    matrix.take(refused, [pointEvent(refused), stepEvent('refused', backup1, '1-4', 'refused'), verdict(refused, 'pass')]);
    matrix.take(skipped, [pointEvent(skipped), stepEvent('skipped', backup1, '1-5'), verdict(skipped, 'unsupported')]);
    const events = matrix.events(['embodiment-1'], 's');
    const verdicts = [1, 2, 3, 4, 5].map((step) => row(events, 'step', `1/backup/1-${step}`)?.verdict);
    expect(verdicts).toEqual(['pass', 'no evidence', 'fail', 'no evidence', 'no evidence']);
    expect(row(events, 'claim', '1')).toMatchObject({ verdict: 'fail', points: ['good', 'refused'], failed: ['bad'], claimed: true });
    expect(endOf(events).reasons).toContain('1 points did not pass, the first is bad');
  });

  test('a point of another embodiment than the claim\'s is no evidence for it, nor one of which nothing was seen', () => {
    const matrix = new Matrix();
    const [wallet, silent] = [point('wallet', '2/wallet', [20]), point('silent', '11/auto-backup', [36])];
    matrix.take(wallet, [pointEvent(wallet), stepEvent('wallet', backup1, '1-1'), verdict(wallet, 'pass')]);
    matrix.take(silent, [pointEvent(silent), verdict(silent, 'pass')]);
    const events = matrix.events(capabilities, 's');
    expect([row(events, 'claim', '20')?.verdict, row(events, 'claim', '36')?.verdict]).toEqual(['no evidence', 'no evidence']);
  });

  test('steps of other systems are kept apart from those of the backup system', () => {
    const matrix = new Matrix();
    const one = point('twin', 'twin/backup');
    matrix.take(one, [pointEvent(one), stepEvent('twin', { system: 'twin', embodiment: 1, phase: 'backup' }, '301'), verdict(one, 'pass')]);
    const shown = rowsOf(matrix.events(['twin'], 's')).filter((entry) => entry.verdict === 'pass');
    expect(shown).toMatchObject([{ id: 'twin/1/backup/301', claimed: true, scenarios: ['twin/backup'] }]);
  });
});

describe('matrix in record and reports', () => {
  const header = { tool: '0', firmware: { image: 'x', sha256: '' }, chip: { profile: 'c', overrides: '', coreHz: 1 }, seed: 1, protocol: 'T=1', plan: 'p' };
  const record = (events: readonly RunEvent[]) => parseRecord(writeRecord(header, events));

  test('is read back whole, and drawn from the record', () => {
    const certified = record(whole());
    expect(matrixOf(certified)).toHaveLength(183 + 44 + 1 + rowsOf(whole()).filter((entry) => entry.row === 'state').length);
    expect(summary(certified)).toMatch(/183 of 183 step ids.*44 of 44 claims.*\nCERTIFIED\n/);
    expect(summary(certified)).toMatch(/1\/backup\/1-8 +pass +link, mark +1\/backup +\S+ .*reconstructed/);
    expect(junit(certified)).toContain('<property name="claim.41" value="pass, link, mark, 1 points, reconstructed"/>');
    expect(junit(certified)).toContain('<property name="conclusion" value="certified"/>');
  });

  test('shows what has no evidence also in brief', () => {
    const text = summary(record(whole({ claim: 33 })), { brief: true });
    expect(text).toMatch(/claim 33 +no evidence/);
    expect(text).not.toMatch(/claim 34 +pass/);
    expect(text).toMatch(/NOT CERTIFIED\n {2}1 claims are claimed and have no evidence: 33/);
  });

  test('what has no evidence decides the exit code', () => {
    const counts = { pass: 9, fail: 0, invalid: 0, aborted: 0, unsupported: 0 };
    const code = (events: readonly RunEvent[], complete = true, more = counts): number => exitCodeOf(more, complete, conclusionOf(record(events)));
    expect([code(whole()), code(whole({ claim: 1 })), code(whole({ step: '2/recover/2-7' })), code(whole({ claim: 1 }), false)]).toEqual([0, 1, 1, 3]);
    expect([code(whole(), true, { ...counts, invalid: 1 }), code(whole(), true, { ...counts, fail: 1, aborted: 1 })]).toEqual([3, 1]);
  });
});
