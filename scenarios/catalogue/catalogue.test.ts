import { describe, expect, test } from 'vitest';
import { ScenarioError } from '../errors.js';
import { basicScenarioIds } from './basic.js';
import { catalogue, parseCatalogue, seenAt, steps, stepText } from './catalogue.js';
import { exchangeOf, exchanges, scenarioParts } from './registry.js';

const codeOf = (act: () => unknown): string => {
  try { act(); } catch (error) { if (error instanceof ScenarioError) return error.code; }
  return 'nothing thrown';
};

describe('step catalogue', () => {
  test('holds every sequence of embodiments 1 and 2 with the source\'s number of steps', () => {
    expect(basicScenarioIds.map((id) => { const { embodiment, phase } = scenarioParts(id); return [id, steps(embodiment, phase).length]; }))
      .toEqual([['1/backup', 15], ['1/recover', 14], ['2/backup', 16], ['2/recover', 15], ['2/key-backup', 11], ['2/key-recover', 14]]);
    expect(catalogue).toHaveLength(18);
  });

  test('keeps the reconstructed flag and says it in the text', () => {
    expect(steps(1, 'backup').filter((step) => step.reconstructed).map((step) => step.id))
      .toEqual(['1-8', '1-9', '1-10', '1-11', '1-12', '1-13']);
    expect(stepText(1, 'backup', '1-8')).toBe('1-8 registration -> terminal: value information (reconstructed)');
    expect(stepText(2, 'key-backup', '3-5')).toBe('3-5 terminal -> safe: register the decoding key');
  });

  test('exchanges are the commands and requests of protocol.md 2.1', () => {
    expect(exchanges('2/backup')).toEqual([
      ['1-1', '1-2', '1-3', '1-4'], ['1-5', '1-6', '1-7', '1-8', '1-9'], ['1-10', '1-11', '1-12'], ['1-13', '1-14', '1-15', '1-16'],
    ]);
    expect(exchanges('2/key-recover').map(([first]) => first)).toEqual(['4-1', '4-5', '4-9', '4-11']);
    expect(exchangeOf('1/recover', '2-13')).toEqual(['2-11', '2-12', '2-13', '2-14']);
  });

  test('sees each step where protocol.md 4 says', () => {
    const seen = Object.fromEntries(steps(2, 'recover').map((step) => [step.id, seenAt(step)]));
    const where = (place: string): string[] => Object.keys(seen).filter((id) => seen[id] === place);
    expect(where('link')).toEqual(['2-1', '2-4', '2-5', '2-8', '2-11', '2-15']);
    expect(where('safe')).toEqual(['2-9', '2-10']);
    expect(where('inside')).toEqual(['2-2', '2-3', '2-6', '2-7', '2-12', '2-13', '2-14']);
  });

  test('unknown names are coded errors', () => {
    expect(codeOf(() => steps(3, 'nothing'))).toBe('CATALOGUE_UNKNOWN');
    expect(codeOf(() => stepText(1, 'backup', '9-9'))).toBe('CATALOGUE_UNKNOWN');
    expect(codeOf(() => exchangeOf('1/backup', '2-1'))).toBe('CATALOGUE_UNKNOWN');
    expect(codeOf(() => scenarioParts('3/nothing'))).toBe('SCENARIO_UNKNOWN');
  });

  const step = { id: '1-1', from: 'a', to: 'b', kind: 'act', text: 't' };
  const sequence = { system: 's', systemName: 'S', embodiment: 1, phase: 'p', title: 't', steps: [step] };
  test.each([
    ['no sequences', {}], ['null', null],
    ['no steps', { sequences: [{ ...sequence, steps: [] }] }],
    ['a text missing', { sequences: [{ ...sequence, title: undefined }] }],
    ['embodiment no number', { sequences: [{ ...sequence, embodiment: '1' }] }],
    ['unknown kind', { sequences: [{ ...sequence, steps: [{ ...step, kind: 'shout' }] }] }],
    ['id twice', { sequences: [{ ...sequence, steps: [step, step] }] }],
  ])('refuses a catalogue with %s', (_, value) => {
    expect(codeOf(() => parseCatalogue(value))).toBe('CATALOGUE_FORMAT');
  });

  test('reads a good one', () => {
    expect(parseCatalogue({ sequences: [sequence] })).toEqual([sequence]);
  });
});
