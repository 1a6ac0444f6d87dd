import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emulatedCard, type Finding } from '../devices/index.js';
import { commands, informationClasses, type ValueInformation } from './codec/index.js';
import { Desk } from './firmware/desk.js';
import { EmulatedLine } from './terminal/emulated-line.js';

const images = join(dirname(fileURLToPath(import.meta.url)), '..', 'devices', 'firmware', 'images');
const nameOf = (profile: string): string => (profile === 'c2000' ? 'card-small' : 'card');
const image = (profile: string): Buffer => readFileSync(join(images, `${nameOf(profile)}.elf`));
const stackOf = (profile: string): number =>
  (JSON.parse(readFileSync(join(images, `${nameOf(profile)}.size.json`), 'utf8')) as { stack: { coprocessor: { bytes: number } } }).stack.coprocessor.bytes;

/** The longest value information that there is: every element at its longest. */
const longest: ValueInformation = {
  infoClass: informationClasses.prePaidCard, name: 'n'.repeat(48), unitPrice: 1000, quantity: 2, totalAmount: 2000,
  place: 'p'.repeat(48), validity: { from: '2000-04-01', to: '2000-05-31' }, remaining: 800, remarks: 'r'.repeat(64),
  issueId: new Uint8Array(8),
};

describe('the whole card on the emulated chip with the longest objects', () => {
  test.each([
    ['c2000', 'T=1'], ['c2000', 'T=0'], ['c2010', 'T=1'], ['c2010', 'T=0'], ['modern', 'T=1'],
  ] as const)('%s, %s: both embodiments, key backup, recovery; no violation, stack within the report', async (profile, protocol) => {
    const card = emulatedCard({ profile, image: image(profile), protocol });
    const findings: Finding[] = [];
    const line = new EmulatedLine(card, { finding: (finding) => findings.push(finding) });
    await line.bringUp();
    const d = new Desk(line);
    await d.personalise();
    const plain = await d.register(1, 0, await d.load(longest));
    const handles: number[] = [];
    for (const variant of [1, 2] as const) {
      const value = await d.load(longest);
      const before = await d.read(value);
      const cert = await d.register(2, variant, value);
      const kind = variant === 1 ? 'decoding' : 'common';
      const key = await d.registerKey(kind);
      await d.send(commands.deleteItem(value));
      await d.send(commands.deleteKey(kind));
      await d.recoverKey(key);
      const back = await d.recover(2, cert);
      expect(await d.read(back)).toEqual(before);
      await d.settle(cert);
      handles.push(back);
    }
    await d.recover(1, plain);
    expect((await d.listing()).length).toBeGreaterThanOrEqual(4);
    expect(new Set(handles).size).toBe(2);
    expect(card.violations).toEqual([]);
    expect(findings.filter((finding) => finding.rule !== 'EMV')).toEqual([]);
    expect(findings.map((finding) => finding.detail)).toEqual(['TA1 is 95, permitted are 11 to 13', 'TB1 is absent']);
    const depth = card.chip.profile.ram.bytes - (card.usage().stackLow - 0x20000000);
    expect(depth).toBeGreaterThan(600);
    expect(depth).toBeLessThanOrEqual(stackOf(profile));
  });
});
