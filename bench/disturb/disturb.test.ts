import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { referenceImage } from '../certify/options.js';
import { withoutStatement } from '../certify/statement.js';
import { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import type { TestSetup } from '../certify/factory.js';
import { fromHex } from '../codec/index.js';
import { pageMap } from '../nvm/index.js';
import { BenchError } from '../world/errors.js';
import { disturbCommand } from '../cli/disturb.js';
import { replayCommand } from '../cli/replay.js';
import { disturbCaseId, disturbCaseOf, parseDisturbCase } from './case-id.js';
import type { DisturbCase } from './case-id.js';
import { disturbDefinition, replayDisturbance, setupOf } from './definition.js';
import type { DisturbOptions, DisturbUnitResult } from './definition.js';
import { disturbPoint, disturbPoints } from './points.js';
import { readyPhase } from './ready.js';
import type { ReadyPhase } from './ready.js';
import { Disturber } from './run.js';
import type { DisturbReport } from './run.js';
import { attackKinds, disturbKinds } from './spec.js';
import type { Disturbance, DisturbKind } from './spec.js';

const imageFile = (name: string): string => fileURLToPath(new URL(`../../devices/firmware/images/${name}.elf`, import.meta.url));

function setup(name = 'card', protocol: 'T=0' | 'T=1' = 'T=1'): TestSetup {
  return { image: loadImage(readFileSync(imageFile(name))), profile: loadProfile('c2010'), seed: 1, protocol };
}

/** A phase made ready, and who disturbs it. */
interface Scene {
  readonly phase: ReadyPhase;
  readonly disturber: Disturber;
}

async function scene(point: string, kind: DisturbKind = 'noise', of = setup()): Promise<Scene> {
  const factory = new WorldFactory(setupOf(of, kind));
  const phase = await readyPhase(factory, disturbPoint(point));
  return { phase, disturber: new Disturber(factory, phase) };
}

/** Runs disturbances until one breaks an invariant. */
async function firstBreach({ disturber }: Scene, list: readonly Disturbance[], policy = 'new'): Promise<DisturbReport | undefined> {
  for (const what of list) {
    const report = await disturber.run(what, policy);
    if (report.outcome === 'breach') return report;
  }
  return undefined;
}

const offsetOf = (where: Uint8Array, what: Uint8Array): number => Buffer.from(where).indexOf(what);
const invariantsOf = (report: DisturbReport | undefined): string[] => report?.findings.map(({ invariant }) => invariant) ?? [];

describe('case ids', () => {
  const about = { firmware: '01234567', chip: 'c2010', protocol: 'T=1', seed: 7, point: '2-backup-D-01', policy: 'random-2' } as const;
  const examples: readonly (readonly [string, Disturbance])[] = [
    ['flip:812:r3.17', { kind: 'flip', cycle: 812, register: 3, bit: 17 }],
    ['flip:812:psr.30', { kind: 'flip', cycle: 812, register: 16, bit: 30 }],
    ['ram:812:1fc.7', { kind: 'ram', cycle: 812, offset: 0x1fc, bit: 7 }],
    ['skip:812:3', { kind: 'skip', cycle: 812, count: 3 }],
    ['worn:812:24.511', { kind: 'worn', cycle: 812, page: 24, bit: 511 }],
    ['stuck:812:24.511.1', { kind: 'stuck', cycle: 812, page: 24, bit: 511, value: 1 }],
    ['drift:812:24.511.450', { kind: 'drift', cycle: 812, page: 24, bit: 511, lost: 450 }],
    ['brownout:812:900.finish', { kind: 'brownout', cycle: 812, after: 900, end: 'finish' }],
    ['clock:812:5000000.stays', { kind: 'clock', cycle: 812, hz: 5_000_000, terminal: 'stays' }],
    ['noise:0:tc12a08+fb3p.2+fc1d+tb2u+fb9l100.0', {
      kind: 'noise', cycle: 0, faults: [
        { direction: 'to-card', unit: 'character', nth: 12, action: 'alter', mask: 8 },
        { direction: 'from-card', unit: 'block', nth: 3, action: 'parity', index: 2 },
        { direction: 'from-card', unit: 'character', nth: 1, action: 'drop' },
        { direction: 'to-card', unit: 'block', nth: 2, action: 'duplicate' },
        { direction: 'from-card', unit: 'block', nth: 9, action: 'delay', etu: 100, index: 0 },
      ],
    }],
  ];

  test.each(examples)('%s says all and can be read back', (text, what) => {
    const one: DisturbCase = { ...about, what };
    expect(disturbCaseId(one)).toBe(`dis:01234567:c2010:T=1:7:2-backup-D-01:${text}:random-2`);
    expect(parseDisturbCase(disturbCaseId(one))).toEqual(one);
  });

  test('every kind has an example', () => {
    expect([...new Set(examples.map(([, { kind }]) => kind))].sort()).toEqual([...disturbKinds].sort());
  });

  test.each(['flip:8:r13.1', 'flip:8:r1', 'ram:8:xyz.1', 'skip:8:', 'worn:8:1', 'stuck:8:1.2.3', 'drift:8:1.2', 'brownout:8:1.never', 'clock:8:1', 'noise:0:qc1p', 'melt:8:1'])(
    '%s is no disturbance', (text) => {
      expect(() => parseDisturbCase(`dis:01234567:c2010:T=1:7:2-backup-D-01:${text}:new`)).toThrow(BenchError);
    });

  test('points are the phases of the power cuts under their own letter', () => {
    expect(disturbPoints.map(({ id }) => id)).toContain('2-key-recover-D-01');
    expect(() => disturbPoint('2-backup-Z-01')).toThrow(BenchError);
  });
});

describe('a disturbance that does not take place is invalid', () => {
  let backup: Scene;
  beforeAll(async () => { backup = await scene('1-backup-D-01'); });

  test.each<[DisturbKind, (facts: ReadyPhase['facts']) => Disturbance]>([
    ['flip', ({ to }) => ({ kind: 'flip', cycle: to + 1_000_000, register: 3, bit: 1 })],
    ['flip', ({ from }) => ({ kind: 'flip', cycle: from + 1000, register: 13, bit: 0 })],
    ['ram', ({ to }) => ({ kind: 'ram', cycle: to + 1_000_000, offset: 0, bit: 1 })],
    ['skip', ({ to }) => ({ kind: 'skip', cycle: to + 1_000_000, count: 1 })],
    ['worn', ({ from }) => ({ kind: 'worn', cycle: from + 1000, page: 1000, bit: 1 })],
    ['stuck', ({ from }) => ({ kind: 'stuck', cycle: from + 1000, page: 1000, bit: 1, value: 0 })],
    ['drift', ({ from }) => ({ kind: 'drift', cycle: from + 1000, page: 1000, bit: 1, lost: 700 })],
    ['brownout', ({ to }) => ({ kind: 'brownout', cycle: to - 100, after: 1_000_000, end: 'abrupt' })],
    ['brownout', ({ to }) => ({ kind: 'brownout', cycle: to - 100, after: 1_000_000, end: 'recover' })],
    ['clock', ({ to }) => ({ kind: 'clock', cycle: to + 1_000_000, hz: 2_000_000, terminal: 'follows' })],
    ['noise', () => ({ kind: 'noise', cycle: 0, faults: [{ direction: 'to-card', unit: 'block', nth: 9_999, action: 'drop' }] })],
  ])('%s %#', async (_, what) => {
    const report = await backup.disturber.run(what(backup.phase.facts), 'new');
    expect(report).toMatchObject({ outcome: 'invalid', findings: [], end: 'done' });
  });

  test('and a campaign of such ones too', () => {
    const report: DisturbReport = { case: 'dis:x', cycle: 1, outcome: 'invalid', proof: '', end: 'done', digest: '', findings: [] };
    const result: DisturbUnitResult = { wanted: 2, reports: [report, { ...report, outcome: 'masked' }], missing: [] };
    const verdict = disturbDefinition.events(options({}), [{ unit: '1-backup-D-01/noise/1', result }], []).at(-1);
    expect(verdict).toMatchObject({ verdict: 'invalid', reasons: ['1 of 2 disturbances took place'] });
  });
});

describe('what the reference firmware withstands, with proof', () => {
  test.each<[string, (facts: ReadyPhase['facts']) => Disturbance, string, RegExp]>([
    ['a lost block', () => ({ kind: 'noise', cycle: 0, faults: [{ direction: 'from-card', unit: 'block', nth: 2, action: 'drop' }] }), 'masked', /^1 of 1 fired: drop block 2 from-card at cycle \d+$/],
    ['a short glitch while a page is written', ({ operations: [op] }) => ({ kind: 'brownout', cycle: op.start + 500, after: 20_000, end: 'recover' }), 'none', /^supply fell at cycle \d+, recovered at \d+$/],
    ['power that goes while the charge finishes the page', ({ operations: [op] }) => ({ kind: 'brownout', cycle: op.start + 500, after: 85_000, end: 'finish' }), 'detected', /power went \(finish\) at \d+$/],
    ['a clock the terminal follows', ({ from }) => ({ kind: 'clock', cycle: from + 1000, hz: 5_000_000, terminal: 'follows' }), 'masked', /factor 0\.71\d, expected 0\.714\)$/],
    ['a clock the terminal does not follow', ({ from }) => ({ kind: 'clock', cycle: from + 500_000, hz: 8_000_000, terminal: 'stays' }), 'detected', /expected 0\.446\)$/],
    ['a worn cell', ({ operations }) => ({ kind: 'worn', cycle: operations[0].start - 50_000, page: 1, bit: 0 }), 'detected', /^cell 0 of page 1: \d+ reads .*, [1-9]\d* page operations/],
  ])('%s', async (_, what, outcome, proof) => {
    const { phase, disturber } = await scene('1-backup-D-01');
    const report = await disturber.run(what(phase.facts), 'new');
    expect(report.findings).toEqual([]);
    expect(report.outcome).toBe(outcome);
    expect(report.proof).toMatch(proof);
  });
});

describe('a planted weakness is seen', () => {
  /** The issue id in a value that lies on the card, as a place in its memory. */
  async function cellOf(kind: DisturbKind): Promise<{ readonly at: Scene; readonly page: number; readonly bit: number; readonly value: 0 | 1 }> {
    const at = await scene('1-backup-D-01', kind);
    const { world } = at.phase;
    const memory = world.memory();
    const offset = offsetOf(memory, fromHex([...world.names.values()][0]));
    const programmed = [0, 1, 2, 3, 4, 5, 6, 7].find((bit) => ((memory[offset] >> bit) & 1) === 0) ?? 0;
    return { at, page: offset >> 6, bit: (offset & 63) * 8 + programmed, value: 1 };
  }

  test('stuck: a value kept without a check is altered', async () => {
    const { at, page, bit, value } = await cellOf('stuck');
    const report = await at.disturber.run({ kind: 'stuck', cycle: at.phase.facts.from + 1000, page, bit, value }, 'new');
    expect(report.outcome).toBe('breach');
    expect(invariantsOf(report)).toEqual(expect.arrayContaining(['I1']));
  });

  test('drift: the same by a cell that leaks', async () => {
    const { at, page, bit } = await cellOf('drift');
    const report = await at.disturber.run({ kind: 'drift', cycle: at.phase.facts.from + 1000, page, bit, lost: 700 }, 'new');
    expect(report.outcome).toBe('breach');
    expect(report.proof).toMatch(/: [1-9]\d* reads gave the wrong value/);
  });

  test('ram: a value altered between its check and its writing', async () => {
    const at = await scene('1-recover-D-02');
    const { phase } = at;
    const { chip, port } = phase.world.card;
    const id = fromHex([...phase.world.names.values()][0]);
    const { owners } = pageMap(phase.world.memory());
    const data = phase.facts.operations.filter(({ page }) => ['free', 'region'].includes(owners[page].kind));
    const list: Disturbance[] = [];
    phase.world.restore(phase.start);
    port.probeAt(data.map(({ start }) => start + 1000), (cycle) => {
      const ram = Buffer.from(chip.machine.peek(0x20000000, phase.world.parts.profile.ram.bytes) ?? []);
      for (let offset = ram.indexOf(id); offset >= 0; offset = ram.indexOf(id, offset + 1)) list.push({ kind: 'ram', cycle, offset: offset + id.length - 1, bit: 0 });
    });
    await phase.world.rehearse(() => runHonestly(phase.point.run, phase.world));
    const report = await firstBreach(at, list);
    expect(report?.proof).toMatch(/^cycle \d+ at [0-9a-f]{8}.*: RAM 2000[0-9a-f]{4} bit 0 [0-9a-f]{8} -> [0-9a-f]{8}, [1-9]\d* instructions after it$/);
    expect(invariantsOf(report)).toContain('I1');
  });

  test.each([
    ['flip', /: r\d+ bit \d+ [0-9a-f]{8} -> [0-9a-f]{8}, [1-9]\d* instructions after it$/],
    ['skip', /^skipped [0-9a-f]{8} \(\w+\) \w+.* at cycle \d+/],
  ] as const)('%s: a fault in the cipher leaves a value that cannot be got back', async (kind, proof) => {
    const at = await scene('2-backup-D-01');
    const { instructions } = at.phase.facts;
    const list = Array.from({ length: 60 }, (_, i): Disturbance => {
      const cycle = instructions[Math.floor(((i + 0.5) / 60) * instructions.length)];
      return kind === 'skip' ? { kind, cycle, count: 1 } : { kind, cycle, register: 1 + (i % 7), bit: i % 32 };
    });
    const report = await firstBreach(at, list);
    expect(report?.proof).toMatch(proof);
    expect(report?.findings.length).toBeGreaterThan(0);
  });

  test.each<[DisturbKind, string, string, string, (facts: ReadyPhase['facts']) => Disturbance[]]>([
    ['worn', 'index-before-data', '1-backup-D-01', 'I2', ({ operations, from }) => operations.map(({ page }) => ({ kind: 'worn', cycle: from + 1000, page, bit: 208 }))],
    ['brownout', 'no-journal', '1-backup-D-01', 'I2', ({ operations }) => operations.map(({ start, end }) => ({ kind: 'brownout', cycle: start, after: end - start + 2000, end: 'abrupt' }))],
    ['clock', 'not-spent', '1-backup-D-01', 'I1', ({ from }) => [{ kind: 'clock', cycle: from + 1000, hz: 4_000_000, terminal: 'follows' }]],
  ])('%s: the build %s', async (kind, name, point, invariant, list) => {
    const at = await scene(point, kind, setup(`faulty/${name}`));
    const report = await firstBreach(at, list(at.phase.facts));
    expect(report?.outcome).toBe('breach');
    expect(invariantsOf(report)).toContain(invariant);
    expect(report?.proof).not.toMatch(/not reached|^0 of/);
  });
});

describe('link noise over T=0, where nothing but parity guards a byte', () => {
  /** Single bits of the certificate on its way to the card (only GET RESPONSE follows it), each altered in a run of its own. */
  const altered = ({ toCard: { characters } }: ReadyPhase['facts']): Disturbance[] => Array.from({ length: 28 }, (_, i) => (
    { kind: 'noise', cycle: 0, faults: [{ direction: 'to-card', unit: 'character', nth: characters - 10 - 5 * i, action: 'alter', mask: 1 }] }
  ));

  test('a build that does not check the signature of the safe keeps a certificate that fits nothing', async () => {
    const at = await scene('1-backup-D-01', 'noise', setup('faulty/no-safe-signature', 'T=0'));
    const report = await firstBreach(at, altered(at.phase.facts));
    expect(report?.proof).toMatch(/^1 of 1 fired: alter character \d+ to-card at cycle \d+$/);
    expect(invariantsOf(report).filter((invariant) => ['I2', 'I7'].includes(invariant))).not.toEqual([]);
  });

  test('the reference refuses every one of them and registers when asked again', async () => {
    const at = await scene('1-backup-D-01', 'noise', setup('card', 'T=0'));
    for (const what of altered(at.phase.facts)) expect(await at.disturber.run(what, 'new')).toMatchObject({ findings: [], outcome: expect.stringMatching(/^(detected|hang)$/) as string });
  });
});

test('a terminal whose etu does not follow the clock under T=0 gives up in the end', async () => {
  const at = await scene('2-key-recover-D-01', 'clock', setup('card', 'T=0'));
  const { from, to } = at.phase.facts;
  for (let part = 0.1; part < 0.9; part += 0.1) {
    const report = await at.disturber.run({ kind: 'clock', cycle: Math.floor(from + part * (to - from)), hz: 2_000_000, terminal: 'stays' }, 'new');
    expect(report).toMatchObject({ findings: [], end: expect.stringMatching(/^(link|late|unexpected) at 4-/) as string });
  }
});

/** Options of a small campaign on the reference. */
function options(change: Partial<DisturbOptions>): DisturbOptions {
  return {
    image: referenceImage, chip: 'c2010', overrides: [], seed: 1, protocol: 'T=1', points: ['1-backup-D-01'], kinds: ['noise'], count: 3,
    offered: withoutStatement.offered, ...change,
  };
}

async function run(of: DisturbOptions): Promise<{ readonly results: { unit: string; result: DisturbUnitResult }[]; readonly verdict: Record<string, unknown> }> {
  const serve = disturbDefinition.serve(of);
  const results = [];
  for (const unit of await disturbDefinition.units(of)) results.push({ unit, result: await serve(unit, () => undefined) });
  return { results, verdict: disturbDefinition.events(of, results, []).at(-1) as unknown as Record<string, unknown> };
}

describe('a campaign', () => {
  test('has the same results in any order and on a fresh server', async () => {
    const of = options({ kinds: ['brownout', 'noise'], count: 4 });
    const { results } = await run(of);
    const again = await disturbDefinition.serve(of)(results[1].unit, () => undefined);
    expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(results[1].result)));
    expect(again.reports).toHaveLength(again.reports.filter(({ outcome }) => outcome === 'invalid').length + 4);
  });

  test('is cut into units, and a missing one does not pass', async () => {
    const of = options({ count: 120, kinds: ['clock', 'noise'] });
    const units = await disturbDefinition.units(of);
    expect(units).toEqual(['noise', 'clock'].flatMap((kind) => [1, 2, 3].map((part) => `1-backup-D-01/${kind}/${part}`)));
    expect(disturbDefinition.events(of, [], units).flatMap((event) => (event.type === 'verdict' ? [event.verdict] : []))).toEqual(['aborted', 'aborted']);
  });

  test('what the firmware lacks is unsupported', async () => {
    const { verdict } = await run(options({ offered: ['embodiment-2'] }));
    expect(verdict).toMatchObject({ verdict: 'unsupported' });
  });

  test('cases replay to the same end', async () => {
    const { results: [{ result: { reports } }] } = await run(options({ kinds: ['brownout'], count: 3 }));
    for (const report of reports) expect(await replayDisturbance(setup(), report.case)).toEqual(report);
    await expect(replayDisturbance({ ...setup(), seed: 2 }, reports[0].case)).rejects.toThrow('belongs to another setup');
  });

  test('attacks are information unless fault-resistance is claimed, and then a breach fails', () => {
    const found: DisturbReport = {
      case: 'dis:x', cycle: 1, outcome: 'breach', proof: 'p', end: 'done', digest: '', findings: [{ invariant: 'I2', text: 'value is lost' }],
    };
    const result: DisturbUnitResult = { wanted: 1, reports: [found], missing: [] };
    for (const kind of disturbKinds) {
      const verdictOf = (offered: DisturbOptions['offered']) =>
        disturbDefinition.events(options({ offered }), [{ unit: `1-backup-D-01/${kind}/1`, result }], []).at(-1);
      const plain = verdictOf(withoutStatement.offered);
      expect(plain).toMatchObject({ verdict: attackKinds.includes(kind) ? 'unsupported' : 'fail' });
      expect(JSON.stringify(plain)).toContain('I2: value is lost (1 times, first dis:x)');
      expect(verdictOf([...withoutStatement.offered, 'fault-resistance'])).toMatchObject({ verdict: 'fail' });
    }
    expect(withoutStatement.offered).not.toContain('fault-resistance');
  });
});

describe('cardbench disturb', () => {
  test.each([
    [['--scenario', '13/backup'], '--scenario'],
    [['--kinds', 'noise,melt'], '--kinds'],
    [['--count', '0'], '--count'],
    [['--ics', 'nowhere.yaml'], '--ics'],
  ])('%j is refused with exit code 2', async (argv, named) => {
    const errors: string[] = [];
    const io = {
      terminal: false, colour: false, now: () => 0, progress: () => undefined, onInterrupt: () => () => undefined,
      out: () => { throw new Error('nothing is to be told'); }, err: (line: string) => { errors.push(line); },
    };
    expect(await disturbCommand(argv, io)).toBe(2);
    expect(errors[0]).toContain(`BENCH_USAGE: ${named}`);
  });

  test('replay repeats a case by its id and says how it ended', async () => {
    const lines: string[] = [];
    const io = { out: (line: string) => { lines.push(line); }, err: (line: string) => { lines.push(line); }, now: () => 0 };
    const { phase } = await scene('1-backup-D-01');
    const what: Disturbance = { kind: 'skip', cycle: phase.facts.instructions[1000], count: 1 };
    const id = disturbCaseId(disturbCaseOf(setup(), '1-backup-D-01', what, 'new'));
    expect(await replayCommand([id], io)).toBe(0);
    expect(lines[1]).toMatch(/^proof: skipped [0-9a-f]{8}/);
    const never = disturbCaseId(disturbCaseOf(setup(), '1-backup-D-01', { ...what, cycle: phase.facts.to + 1_000_000 }, 'new'));
    expect(await replayCommand([never], io)).toBe(3);
    expect(await replayCommand([id.replace('T=1', 'T=9')], io)).toBe(2);
  });
});
