import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../../emulator/index.js';
import { WorldFactory } from '../../certify/factory.js';
import { tearPoints } from '../points.js';
import { cutLine, runCuts } from '../results.js';

/** Parts into which the phases are split, so that workers share them. */
export const CUT_PARTS = 4;

/** Registers the tests of one part of all phases: every so many-th from `part` on, 0 to CUT_PARTS - 1. */
export function testCuts(part: number): void {
  const image = loadImage(readFileSync(new URL('../../../devices/firmware/images/card.elf', import.meta.url)));
  const factory = new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
  describe('random cycles of each phase, reference image, default cells', () => {
    test.each(tearPoints.filter((_, at) => at % CUT_PARTS === part))('$id: $title', async (point) => {
      // Putting a key together is nearly all arithmetic: 3 % of its cycles lie in an operation of the EEPROM.
      const cuts = point.id.startsWith('6-key-recover-') ? 2000 : 500;
      const [result] = await runCuts({ factory, cuts, seed: 20, points: [point] });
      expect(result.reasons, cutLine(result)).toEqual([]);
      expect(result.verdict).toBe('pass');
      const { report } = result;
      expect(report).toMatchObject({ cuts, failures: [], uncut: [] });
      expect(report?.inOperation).toBeGreaterThan(20);
      expect(report?.weak).toBeGreaterThan(3);
      expect(report?.distinct).toBeGreaterThan(15);
      expect(report?.recoveries).toBeGreaterThan(report?.distinct ?? 0);
      expect(report?.worst.pages).toBeLessThanOrEqual(4);
      expect(report?.worst.retries).toBeLessThanOrEqual(3);
      expect(report?.worst.atrFrom).toBeGreaterThanOrEqual(400);
      expect(report?.worst.atrTo).toBeLessThanOrEqual(40_000);
    });
  });
}
