import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BenchError } from '../world/errors.js';
import { referenceImage, referenceStatement } from './options.js';
import { parseStatement, readStatement, statementFor, statementJsonSchema, withoutStatement } from './statement.js';

const complaint = (text: string): string => {
  try { parseStatement(text, 'x.yaml'); } catch (error) { if (error instanceof BenchError) return `${error.code}: ${error.message}`; }
  return 'nothing thrown';
};

describe('conformance statement', () => {
  test('says what is offered, in groups or in one list', () => {
    const { name, offered } = parseStatement('name: mine\nembodiments: [7, 1]\nsystems: [purse]\ntransports: [T=1]\nchip: [trace-port]\n', 'x.yaml');
    expect({ name, offered }).toEqual({ name: 'mine', offered: ['embodiment-1', 'embodiment-7', 'purse', 'T=1', 'trace-port'] });
    expect(parseStatement('supports: [T=0, embodiment-2]', 'x.yaml')).toEqual({ name: 'x.yaml', offered: ['embodiment-2', 'T=0'] });
  });

  test.each([
    ['name: a\ntransport: [T=1]\nembodiments: [1]', 'unknown key transport; did you mean transports?'],
    ['name: a\ntransports: [T=1]\nembodiment: [1]', 'unknown key embodiment; did you mean embodiments?'],
    ['name: a\ntransports: [T=1]\nembodiments: [1]\nvariants: [comon-key]', 'variants.0: there is no comon-key; did you mean common-key?'],
    ['name: a\ntransports: [T=1]\nembodiments: [1]\nvariants: [trace-port]', 'variants.0: there is no trace-port; it belongs in chip'],
    ['name: a\ntransports: [T=2]\nembodiments: [1]', 'transports.0: there is no T=2'],
    ['supports: [T=1, embodiment-13]', 'there is no embodiment-13; did you mean embodiment-1'],
    ['suports: [T=1, embodiment-1]', 'unknown key suports'],
    ['name: a\ntransports: [T=1]\nembodiments: [13]', 'embodiments.0: '],
    ['name: a\ntransports: [raw-apdu]\nembodiments: [1]', 'give T=0 or T=1'],
    ['name: a\ntransports: [T=1]', 'claims no embodiment and no system'],
    ['name: a\ntransports: [T=1]\nembodiments: [7]\nfeatures: [purse]', 'claims embodiment-7, but the features leave out seed'],
    ['embodiments: [1', 'no YAML'],
    ['- T=1', 'BENCH_USAGE'],
  ])('%j is refused: %s', (text, words) => {
    expect(complaint(text)).toContain(words);
  });

  test('the shipped schema is what the reader reads by', () => {
    const file: unknown = JSON.parse(readFileSync(fileURLToPath(new URL('../../devices/firmware/ics.schema.json', import.meta.url)), 'utf8'));
    expect(file).toEqual(JSON.parse(JSON.stringify(statementJsonSchema())));
  });

  test('images of the reference firmware and its faulty builds have the shipped statement, others embodiments 1 and 2', () => {
    const shipped = readStatement(referenceStatement);
    expect(statementFor(referenceImage, undefined, referenceStatement)).toEqual(shipped);
    expect(statementFor(referenceImage.replace('card.elf', 'faulty/not-spent.elf'), undefined, referenceStatement)).toEqual(shipped);
    expect(statementFor('/elsewhere/card.elf', undefined, referenceStatement)).toBe(withoutStatement);
    expect(withoutStatement.offered).toEqual(expect.arrayContaining(['embodiment-1', 'embodiment-2', 'power-control']));
    expect(withoutStatement.offered.filter((one) => ['fault-resistance', 'embodiment-3', 'embodiment-10', 'purse'].includes(one))).toEqual([]);
  });
});
