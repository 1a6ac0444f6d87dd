import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChipError } from '../devices/errors.js';
import { PROFILE_NAMES, loadProfile, profileFolder, readProfileText } from './files.js';
import { nearestName, parseProfile } from './parse.js';
import { profileJsonSchema } from './schema.js';

function failure(run: () => unknown): ChipError {
  try {
    run();
  } catch (error) {
    if (error instanceof ChipError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('chip profiles', () => {
  it('every file in the folder is valid and carries its name', () => {
    const files = readdirSync(profileFolder()).filter((file) => file.endsWith('.yaml')).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual([...PROFILE_NAMES].sort());
    for (const name of PROFILE_NAMES) expect(loadProfile(name).name).toBe(name);
  });

  it('has the sizes and clocks of the chip table', () => {
    const rows = PROFILE_NAMES.map((name) => {
      const p = loadProfile(name);
      return [name, p.cpu.hz, p.card.hz, p.ram.bytes / 1024, p.eeprom.bytes / 1024, p.code.bytes / 1024, p.peripherals];
    });
    expect(rows).toEqual([
      ['c2000', 3_571_200, 3_571_200, 2, 16, 32, true],
      ['c2010', 30_000_000, 3_571_200, 8, 64, 64, true],
      ['modern', 60_000_000, 3_571_200, 24, 256, 512, true],
      ['generic', 30_000_000, 3_571_200, 64, 0, 256, false],
    ]);
    const old = loadProfile('c2000').crypto;
    expect([old.x25519, old.aes128Block, old.sha256Block, old.start]).toEqual([8 * 366_575, 560, 800, 40]);
  });

  it('takes overrides in decimal and hexadecimal, the last one wins', () => {
    const profile = loadProfile('c2010', ['ram.bytes=0xC00', 'crypto.present=false', 'eeprom.cells.offset=-0.1', 'ram.bytes=3072']);
    expect([profile.ram.bytes, profile.crypto.present, profile.eeprom.cells.offset]).toEqual([3072, false, -0.1]);
    expect(loadProfile('c2010').ram.bytes).toBe(8192);
  });

  it('names the nearest known key for an unknown one', () => {
    expect(failure(() => loadProfile('c2010', ['ram.byte=1']))).toMatchObject({ code: 'PROFILE_UNKNOWN_KEY', advice: 'did you mean ram.bytes?' });
    expect(failure(() => loadProfile('c2010', ['eprom.page=32'])).advice).toContain('eeprom');
    expect(failure(() => loadProfile('c2010', ['ram.bytes.x=1'])).code).toBe('PROFILE_UNKNOWN_KEY');
    const text = readProfileText('c2010').replace('sigma:', 'sigmas:');
    expect(failure(() => parseProfile(text))).toMatchObject({ code: 'PROFILE_UNKNOWN_KEY', advice: 'did you mean eeprom.wear.sigma?' });
  });

  it('reports every wrong value with its path', () => {
    const error = failure(() => loadProfile('c2010', ['ram.bytes=ten', 'eeprom.page=48']));
    expect(error.code).toBe('PROFILE_INVALID');
    expect(error.message).toContain('ram.bytes');
    expect(failure(() => loadProfile('c2010', ['eeprom.page=48'])).message).toContain('power of two');
    expect(failure(() => loadProfile('c2010', ['eeprom.bytes=100'])).message).toContain('(given 100)');
  });

  it('reports bad syntax and missing files by code', () => {
    expect(failure(() => parseProfile('- a\n b: [')).code).toBe('PROFILE_SYNTAX');
    expect(failure(() => parseProfile('text')).code).toBe('PROFILE_SYNTAX');
    expect(failure(() => loadProfile('c2011')).code).toBe('PROFILE_NOT_FOUND');
    expect(failure(() => loadProfile('./none.yaml')).code).toBe('PROFILE_NOT_FOUND');
    expect(failure(() => loadProfile('c2010', ['ram.bytes'])).code).toBe('OVERRIDE_SYNTAX');
  });

  it('takes an object and leaves it unchanged', () => {
    const source = structuredClone(loadProfile('c2000'));
    expect(parseProfile(source, ['rng.cycles=7']).rng.cycles).toBe(7);
    expect(source.rng.cycles).toBe(32);
  });

  it('the JSON Schema file equals fresh output', () => {
    const file: unknown = JSON.parse(readFileSync(join(profileFolder(), 'profile.schema.json'), 'utf8'));
    expect(file).toEqual(JSON.parse(JSON.stringify(profileJsonSchema())));
  });

  it('finds near names', () => {
    expect(nearestName('wiat', ['wait', 'write'])).toBe('wait');
    expect(nearestName('x', [])).toBeUndefined();
  });
});
