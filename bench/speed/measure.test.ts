import { describe, expect, it } from 'vitest';
import { measure, median } from './measure.js';
import { chipSubject, genericSubject, readImage, rp2040Subject } from './subjects.js';

describe('the speed table', () => {
  it('takes the median of the rounds behind the warm-up, against the last subject', () => {
    let clock = 0;
    const subject = (name: string, times: number[]) => ({ name, run: (count: number) => { clock += times.shift() ?? 1; return count; } });
    const speeds = measure(
      [
        { subject: subject('a', [100, 1, 2, 4]), count: 8e6 },
        { subject: subject('b', [100, 8, 8, 8]), count: 8e6 },
      ],
      3,
      1,
      () => clock,
    );
    expect(speeds).toEqual([
      { name: 'a', mips: 4, ratio: 4 },
      { name: 'b', mips: 1, ratio: 1 },
    ]);
    expect(median([3, 1, 2])).toBe(2);
  });

  it('runs the same program everywhere: each subject gets about the instructions asked for', async () => {
    const subjects = [
      genericSubject(await readImage('crypto-speed.elf')),
      chipSubject(await readImage('crypto-tick.elf')),
      rp2040Subject(await readImage('crypto-speed-10000000.elf')),
    ];
    for (const subject of subjects) {
      const done = subject.run(100_000);
      expect(done / 100_000).toBeGreaterThan(0.8);
      expect(done / 100_000).toBeLessThan(1.25);
    }
  });
});
