import { describe, expect, test, vi } from 'vitest';
import { basicScenarioIds } from '../catalogue/basic.js';
import { frameOf, scenarioParts } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import type { CardPort, SafePort, ScenarioId, StepMark } from '../ports.js';
import { alter, cut, decode, FakeCard, FakeSafe, meddle } from '../testing/fakes.js';
import { boundaries } from './context.js';
import { basicMachines } from './registry.js';
import { runScenario } from './run.js';
import type { ScenarioClock, Transition } from './run.js';
import type { ResumePoint, ScenarioEvent, ScenarioOptions, ScenarioOutput } from './types.js';

interface Bench { readonly card: FakeCard; readonly safe: FakeSafe }

const bench = (hasTrace = true): Bench => {
  const card = new FakeCard({ hasTrace });
  for (const name of ['ticket', 'concert', 'cash']) card.load(name);
  return { card, safe: new FakeSafe() };
};

const idsOf = (id: ScenarioId): string[] => frameOf(id).steps.map((step) => step.id);

/** Brings a bench to where the scenario can begin. */
async function ready(id: ScenarioId, hasTrace = true): Promise<Bench> {
  const made = bench(hasTrace);
  const ports = made;
  const need: Partial<Record<ScenarioId, ScenarioId>> = { '1/recover': '1/backup', '2/recover': '2/backup', '2/key-recover': '2/key-backup' };
  const before = need[id];
  if (before) expect((await runScenario(before, { ports })).cause).toBe('done');
  if (id === '2/key-recover') made.card.keys.delete('decoding');
  return made;
}

const end = ({ cause, step, sw, safeCode }: ScenarioOutput): unknown => ({ cause, step, ...sw && { sw }, ...safeCode && { safeCode } });

describe.each(basicScenarioIds)('%s', (id) => {
  test('every step of the catalogue is a state, and no other state looks like a step', () => {
    const keys = Object.keys(basicMachines[id].states);
    expect(keys.filter((key) => /^\d/.test(key))).toEqual(idsOf(id));
    expect(keys).toEqual(expect.arrayContaining(['done', 'refused', 'late', 'link', 'unexpected', 'aborted']));
  });

  test('runs to done with marks as evidence of each step', async () => {
    const ports = await ready(id);
    const output = await runScenario(id, { ports });
    expect(end(output)).toEqual({ cause: 'done', step: idsOf(id).at(-1) });
    expect(output.verdict).toBe('pass');
    expect(output.evidence.map(({ step }) => step)).toEqual(idsOf(id));
    for (const step of frameOf(id).steps) {
      const kinds = output.evidence.find((entry) => entry.step === step.id)?.kinds;
      const ends = [step.from, step.to];
      expect(kinds).toEqual(ends.includes('safe') ? ['safe'] : ends.includes('terminal') ? ['link', 'mark'] : ['mark']);
    }
  });

  test('runs to done on a card without trace port, inner steps inferred', async () => {
    const ports = await ready(id, false);
    const { cause, evidence } = await runScenario(id, { ports });
    expect(cause).toBe('done');
    expect(new Set(evidence.flatMap(({ kinds }) => kinds))).toEqual(new Set(['link', 'safe', 'inferred']));
  });

  test('output is plain data', async () => {
    const output = await runScenario(id, { ports: await ready(id) });
    expect(structuredClone(output)).toEqual(output);
  });

  test('without PIN the first command is refused', async () => {
    const ports = await ready(id);
    ports.card.pinVerified = false;
    expect(end(await runScenario(id, { ports }))).toEqual({ cause: 'refused', step: idsOf(id)[0], sw: '6982' });
  });

  test('can be taken up at every boundary and ends as the uncut run does', async () => {
    const points: ResumePoint[] = [];
    const options = { deleteAfterRegistration: true, deleteAfterRecovery: true };
    const listener = (event: ScenarioEvent): void => { if (event.type === 'boundary') points.push(event.resume); };
    expect((await runScenario(id, { ports: await ready(id), options, listener })).cause).toBe('done');
    expect(points.map(({ at }) => at)).toEqual(boundaries(id));
    for (const stopAt of boundaries(id)) {
      const ports = await ready(id);
      let point: ResumePoint | undefined;
      const first = await runScenario(id, { ports: cutBefore(ports, stopAt, id), options, listener: (event) => { if (event.type === 'boundary') point = event.resume; } });
      expect([stopAt, first.cause]).toEqual([stopAt, 'link']);
      expect(first.resume).toEqual(point);
      const second = await runScenario(id, { ports, options, resume: first.resume });
      expect([stopAt, second.cause]).toEqual([stopAt, 'done']);
    }
  });

  test('a rejected port call aborts the run and says why', async () => {
    const ports = await ready(id);
    const card = meddle<CardPort>(ports.card, { listValues: broken, listCertificates: broken, keyRegisterBegin: broken });
    const output = await runScenario(id, { ports: { ...ports, card } });
    expect(output).toMatchObject({ cause: 'aborted', verdict: 'aborted', step: idsOf(id)[0], text: 'the bench broke' });
  });

  test('a call without answer is late by the injected clock', async () => {
    const ports = await ready(id);
    const never = (): Promise<never> => new Promise(() => undefined);
    const card = meddle<CardPort>(ports.card, { listValues: never, listCertificates: never, keyRegisterBegin: never });
    const waits: number[] = [];
    const clock: ScenarioClock = { setTimeout: (fn, ms) => { waits.push(ms); queueMicrotask(() => { fn(); }); return 1; }, clearTimeout: () => undefined };
    const output = await runScenario(id, { ports: { ...ports, card }, options: { patience: 1234 } }, { clock });
    expect(output).toMatchObject({ cause: 'late', step: idsOf(id)[0], text: 'no answer within 1234 ms' });
    expect(waits).toContain(1234);
  });
});

const broken = (): Promise<never> => Promise.reject(new Error('the bench broke'));

/** Ports whose call that begins at `at` meets a broken link before the peer sees it. */
function cutBefore(ports: Bench, at: string, id: ScenarioId): { card: CardPort; safe: SafePort } {
  const gone = (): Promise<ReturnType<typeof cut>> => Promise.resolve(cut('link'));
  const index = boundaries(id).indexOf(at as never);
  const key = id === '2/key-backup';
  const names: Record<string, readonly string[]> = {
    backup: ['listValues', 'registerBegin', 'safe.register', 'registerEnd', 'delete'],
    recover: ['listCertificates', 'recoverBegin', 'safe.retrieve', 'recoverEnd', 'getReceipt', 'safe.receipt', 'delete'],
    'key-backup': ['keyRegisterBegin', 'safe.register', 'registerEnd', 'deleteKey'],
    'key-recover': ['listCertificates', 'recoverBegin', 'safe.retrieve', 'keyRecoverEnd'],
  };
  const name = names[key ? 'key-backup' : scenarioParts(id).phase][index];
  const [peer, call] = name.startsWith('safe.') ? ['safe', name.slice(5)] : ['card', name];
  return peer === 'safe' ? { ...ports, safe: meddle<SafePort>(ports.safe, { [call]: gone }) } : { ...ports, card: meddle<CardPort>(ports.card, { [call]: gone }) };
}

describe('marks', () => {
  const run = async (change: (marks: readonly StepMark[]) => readonly StepMark[]): Promise<ScenarioOutput> => {
    const ports = bench();
    const card = meddle<CardPort>(ports.card, {
      registerBegin: async (call, ...args) => { const outcome = await call(...args); return { ...outcome, marks: change(outcome.marks) }; },
    });
    return runScenario('2/backup', { ports: { ...ports, card } });
  };

  test.each<[string, (marks: readonly StepMark[]) => readonly StepMark[], string]>([
    ['a missing mark inside', (marks) => marks.filter(({ id }) => id !== '1-7'), '1-7'],
    ['a missing last mark', (marks) => marks.slice(0, -1), '1-9'],
    ['no mark at all', () => [], '1-5'],
    ['two marks exchanged', ([a, b, c, ...rest]) => [a, c, b, ...rest], '1-6'],
    ['a mark twice', ([a, ...rest]) => [a, a, ...rest], '1-6'],
    ['a mark of embodiment 1', (marks) => marks.map((mark) => (mark.id === '1-8' ? { ...mark, embodiment: 1 } : mark)), '1-8'],
    ['a mark too many', (marks) => [...marks, marks[4]], '1-9'],
    ['a cycle that goes back', (marks) => marks.map((mark) => (mark.id === '1-8' ? { ...mark, cycle: 1 } : mark)), '1-8'],
    ['an unknown outcome', (marks) => marks.map((mark) => (mark.id === '1-6' ? { ...mark, outcome: 7 } : mark)), '1-6'],
    ['a refusal marked under 9000', (marks) => marks.map((mark) => (mark.id === '1-9' ? { ...mark, outcome: 1 } : mark)), '1-9'],
  ])('%s ends in unexpected', async (_, change, step) => {
    expect(end(await run(change))).toEqual({ cause: 'unexpected', step });
  });

  test('a refusal with marks but none that refuses is unexpected, and keeps the status word', async () => {
    const ports = bench();
    const card = meddle<CardPort>(ports.card, {
      registerBegin: () => Promise.resolve({ ok: false, cause: 'refused', sw: '6A84', text: 'full', marks: [{ embodiment: 2, id: '1-5', outcome: 0, cycle: 1 }] }),
    });
    expect(end(await runScenario('2/backup', { ports: { ...ports, card } }))).toEqual({ cause: 'unexpected', step: '1-6', sw: '6A84' });
  });

  test('the answer step may be marked after the refusal, nothing else', async () => {
    const refusedAt = (...marks: [StepMark['id'], number][]): CardPort => meddle<CardPort>(bench().card, {
      listValues: () => Promise.resolve({ ok: false, cause: 'refused', sw: '6985', text: 'no', marks: marks.map(([id, outcome], cycle) => ({ embodiment: 2, id, outcome, cycle })) }),
    });
    const ends = async (card: CardPort): Promise<unknown> => end(await runScenario('2/backup', { ports: { card, safe: new FakeSafe() } }));
    expect(await ends(refusedAt(['1-1', 0], ['1-2', 1], ['1-4', 1]))).toEqual({ cause: 'refused', step: '1-2', sw: '6985' });
    expect(await ends(refusedAt(['1-1', 0], ['1-2', 1], ['1-3', 0]))).toEqual({ cause: 'unexpected', step: '1-4', sw: '6985' });
    expect(await ends(refusedAt(['1-1', 0], ['1-2', 1], ['1-4', 1], ['1-4', 1]))).toEqual({ cause: 'unexpected', step: '1-4', sw: '6985' });
  });

  test.each(['link', 'late', 'unexpected'] as const)('%s ends at the first step without mark', async (cause) => {
    const ports = bench();
    const card = meddle<CardPort>(ports.card, {
      registerEnd: async (call, ...args) => cut(cause, (await call(...args)).marks.slice(0, 2)),
    });
    const output = await runScenario('1/backup', { ports: { ...ports, card } });
    expect(end(output)).toEqual({ cause, step: '1-14' });
    expect(output.evidence.at(-1)).toMatchObject({ step: '1-13', kinds: ['mark'], outcome: 'done' });
  });

  test('without trace port a broken link shows at the answer', async () => {
    const ports = bench(false);
    const card = meddle<CardPort>(ports.card, { registerEnd: () => Promise.resolve(cut('link')) });
    expect(end(await runScenario('1/backup', { ports: { ...ports, card } }))).toEqual({ cause: 'link', step: '1-15' });
  });
});

describe('refusals by the card', () => {
  const cases: [string, ScenarioId, (made: Bench) => void, unknown, ScenarioOptions?][] = [
    ['deposited value', '1/backup', ({ card }) => { card.values[0].state = 'deposited'; }, { cause: 'refused', step: '1-7', sw: '6985' }, { select: { handle: 1, states: ['deposited'] } }],
    ['no room for the certificate', '2/backup', ({ card }) => { card.free = 0; }, { cause: 'refused', step: '1-7', sw: '6A84' }],
    ['common key absent', '2/backup', ({ card }) => { card.keys.delete('common'); }, { cause: 'refused', step: '1-8', sw: '6985' }, { variant: 'common-key' }],
    ['safe unknown to the card', '1/backup', ({ card }) => { card.knownSafes.length = 0; }, { cause: 'refused', step: '1-14', sw: '6A82' }],
    ['key absent', '2/key-backup', ({ card }) => { card.keys.clear(); }, { cause: 'refused', step: '3-3', sw: '6985' }],
    ['safe unknown to the card', '2/key-backup', ({ card }) => { card.knownSafes.length = 0; }, { cause: 'refused', step: '3-3', sw: '6A82' }],
    ['no room for the key certificate', '2/key-backup', ({ card }) => { card.free = 0; }, { cause: 'refused', step: '3-3', sw: '6A84' }],
    ['spent certificate', '1/recover', ({ card }) => { card.certificates[0].state = 'spent'; }, { cause: 'refused', step: '2-7', sw: '6985' }, { select: { issueId: 'i1', states: ['spent'] } }],
    ['no room for the value', '2/recover', ({ card }) => { card.values.splice(0, 1); card.free = 0; }, { cause: 'refused', step: '2-7', sw: '6A84' }],
    ['decoding key absent', '2/recover', ({ card }) => { card.keys.delete('decoding'); }, { cause: 'refused', step: '2-12', sw: '6985' }],
  ];
  test.each(cases)('%s in %s', async (_, id, spoil, expected, options = {}) => {
    const ports = await ready(id);
    spoil(ports);
    expect(end(await runScenario(id, { ports, options }))).toEqual(expected);
  });

  test.each<[string, ScenarioId, Parameters<typeof alter>[1], unknown]>([
    ['card id', '2/backup', { cardId: 'c9' }, { cause: 'refused', step: '1-15', sw: '6A80' }],
    ['sequence', '2/backup', { sequence: 99 }, { cause: 'refused', step: '1-15', sw: '6985' }],
    ['kind', '2/backup', { kind: 'plain' }, { cause: 'refused', step: '1-15', sw: '6A80' }],
    ['safe id', '2/backup', { safeId: 's9' }, { cause: 'refused', step: '1-15', sw: '6A82' }],
    ['hash', '2/backup', { hash: '00' }, { cause: 'refused', step: '1-15', sw: '6A80' }],
    ['signature', '2/backup', { seal: 'x' }, { cause: 'refused', step: '1-15', sw: '6982' }],
    ['hash', '1/backup', { hash: '00' }, { cause: 'refused', step: '1-14', sw: '6A80' }],
    ['signature', '2/key-backup', { seal: 'x' }, { cause: 'refused', step: '3-10', sw: '6982' }],
  ])('altered %s on the way into the card, %s', async (_, id, fields, expected) => {
    const ports = await ready(id);
    const card = meddle<CardPort>(ports.card, { registerEnd: (call, embodiment, what, certificate) => call(embodiment, what, alter(certificate, fields)) });
    const output = await runScenario(id, { ports: { ...ports, card } });
    expect(end(output)).toEqual(expected);
    expect(ports.card.certificates).toEqual([]);
    expect((await runScenario(id, { ports })).cause).toBe('done');
  });

  test.each<[string, ScenarioId, Parameters<typeof alter>[1], unknown]>([
    ['value', '1/recover', { body: '{"issueId":"i1","name":"x"}' }, { cause: 'refused', step: '2-13', sw: '6A80' }],
    ['signature', '2/recover', { body: 'x' }, { cause: 'refused', step: '2-12', sw: '6982' }],
    ['key reply seal', '2/key-recover', { seal: 'x' }, { cause: 'refused', step: '4-12', sw: '6982' }],
    ['key', '2/key-recover', { body: 'x' }, { cause: 'refused', step: '4-13', sw: '6A80' }],
  ])('altered %s on the way into the card, %s', async (_, id, fields, expected) => {
    const ports = await ready(id);
    const card = meddle<CardPort>(ports.card, {
      recoverEnd: (call, embodiment, certificate, object) => call(embodiment, certificate, alter(object, fields)),
      keyRecoverEnd: (call, certificate, object) => call(certificate, alter(object, fields)),
    });
    expect(end(await runScenario(id, { ports: { ...ports, card } }))).toEqual(expected);
    expect((await runScenario(id, { ports })).cause).toBe('done');
  });
});

describe('the safe', () => {
  test.each([['link', '1-10'], ['late', '1-12'], ['unexpected', '1-12']] as const)('%s on registration', async (cause, step) => {
    const ports = bench();
    const safe = meddle<SafePort>(ports.safe, { register: () => Promise.resolve(cut(cause)) });
    expect(end(await runScenario('2/backup', { ports: { ...ports, safe } }))).toEqual({ cause, step });
    expect(ports.card.calls.includes('registerEnd')).toBe(false);
  });

  test.each<[ScenarioId, string, string]>([['2/recover', '2-10', 'SAFE_UNKNOWN'], ['1/recover', '2-10', 'SAFE_UNKNOWN'], ['2/key-recover', '4-10', 'SAFE_UNKNOWN']])(
    '%s is refused in the act when the record is gone', async (id, step, safeCode) => {
      const ports = await ready(id);
      ports.safe.records.length = 0;
      const output = await runScenario(id, { ports });
      expect(end(output)).toEqual({ cause: 'refused', step, safeCode });
      expect(output.evidence.at(-1)).toEqual({ step, kinds: ['safe'], outcome: 'refused' });
    });

  test('refuses an altered request and an altered certificate', async () => {
    const ports = await ready('2/recover');
    const other = meddle<SafePort>(ports.safe, {
      register: (call, request) => call(alter(request, { sequence: 0 })),
      retrieve: (call, certificate) => call(alter(certificate, { counter: 77 })),
    });
    expect(end(await runScenario('2/backup', { ports: { ...ports, safe: other } }))).toEqual({ cause: 'refused', step: '1-11', safeCode: 'SAFE_BAD_OBJECT' });
    expect(end(await runScenario('2/recover', { ports: { ...ports, safe: other } }))).toEqual({ cause: 'refused', step: '2-10', safeCode: 'SAFE_BAD_SIGNATURE' });
  });
});

describe('checks of the terminal in embodiment 1', () => {
  test.each<[string, Parameters<typeof alter>[1], RegExp]>([
    ['kind', { kind: 'registered' }, /kind/], ['card id', { cardId: 'c9' }, /card id/], ['sequence', { sequence: 99 }, /sequence/],
    ['algorithm', { hashAlgorithm: 'MD5' }, /algorithm/], ['hash', { hash: '00' }, /hash X1/], ['safe', { safeId: 's9' }, /safe id/],
  ])('certificate with another %s is not handed over', async (_, fields, text) => {
    const ports = bench();
    const safe = meddle<SafePort>(ports.safe, {
      register: async (call, request) => { const outcome = await call(request); return outcome.ok ? { ...outcome, value: alter(outcome.value, fields) } : outcome; },
    });
    const output = await runScenario('1/backup', { ports: { ...ports, safe } });
    expect(end(output)).toEqual({ cause: 'unexpected', step: '1-11' });
    expect(output.text).toMatch(text);
    expect(ports.card.calls.includes('registerEnd')).toBe(false);
  });

  test('a value that differs from the list is not sent to the safe', async () => {
    const ports = bench();
    const card = meddle<CardPort>(ports.card, {
      registerBegin: async (call, ...args) => { const outcome = await call(...args); return outcome.ok ? { ...outcome, value: { ...outcome.value, digest: { quantity: 9 } } } : outcome; },
    });
    const output = await runScenario('1/backup', { ports: { ...ports, card } });
    expect(output).toMatchObject({ cause: 'unexpected', step: '1-8', text: 'the value differs from the list in quantity' });
    expect(ports.safe.records).toEqual([]);
  });

  test('another certificate than the listed one is not presented; another value than the certified is not handed over', async () => {
    const ports = await ready('1/recover');
    const card = meddle<CardPort>(ports.card, {
      recoverBegin: async (call, ...args) => { const outcome = await call(...args); return outcome.ok ? { ...outcome, value: alter(outcome.value, { counter: 5 }) } : outcome; },
    });
    expect(end(await runScenario('1/recover', { ports: { ...ports, card } }))).toEqual({ cause: 'unexpected', step: '2-8' });
    const safe = meddle<SafePort>(ports.safe, {
      retrieve: async (call, certificate) => { const outcome = await call(certificate); return outcome.ok ? { ...outcome, value: { ...outcome.value, objectHash: '00' } } : outcome; },
    });
    expect(end(await runScenario('1/recover', { ports: { ...ports, safe } }))).toEqual({ cause: 'unexpected', step: '2-10' });
    expect(ports.card.calls.includes('recoverEnd')).toBe(false);
  });
});

describe('options', () => {
  test('selects by name over several pages, and asks no page twice', async () => {
    const ports = bench();
    const output = await runScenario('2/backup', { ports, options: { select: { name: 'cash' } } });
    expect(output.resume.handle).toBe(3);
    expect(ports.card.calls.slice(0, 2)).toEqual(['listValues 0', 'listValues 2']);
  });

  test.each([[{ issueId: 'i2' }, 2], [{ handle: 3 }, 3], [{ informationClass: 1 }, 1]])('selects by %j', async (select, handle) => {
    expect((await runScenario('1/backup', { ports: bench(), options: { select } })).resume.handle).toBe(handle);
  });

  test('an item that is not listed is unexpected at the list, or done where its absence is the goal', async () => {
    const select = { name: 'nothing' };
    expect(end(await runScenario('1/backup', { ports: bench(), options: { select } }))).toEqual({ cause: 'unexpected', step: '1-4' });
    const ports = bench();
    const output = await runScenario('1/backup', { ports, options: { select, absentMeansDone: true, deleteAfterRegistration: true } });
    expect(output).toMatchObject({ cause: 'done', already: true });
    expect(ports.card.calls.includes('delete')).toBe(false);
  });

  test('a list that goes back does not hang the terminal', async () => {
    const ports = bench();
    const card = meddle<CardPort>(ports.card, {
      listValues: async (call, embodiment, from) => { const outcome = await call(embodiment, from); return outcome.ok ? { ...outcome, value: { ...outcome.value, next: 2 } } : outcome; },
    });
    expect(end(await runScenario('1/backup', { ports: { ...ports, card } }))).toEqual({ cause: 'unexpected', step: '1-4' });
  });

  test('embodiment 3, sealed: what can be read goes no further, to the safe or into the card', async () => {
    const ports = bench();
    const seen: unknown[] = [];
    const card = meddle<CardPort>(ports.card, { registerBegin: (call, ...args) => { seen.push(args); return call(...args); } });
    expect(end(await runScenario('3/backup', { ports: { ...ports, card }, options: { sealed: true } }))).toEqual({ cause: 'unexpected', step: '1-9' });
    expect(seen).toEqual([[3, 'public-key', 1, 'SHA-256', ports.safe.safeId]]);
    expect(ports.safe.calls).toEqual([]);
    const back = bench();
    expect((await runScenario('2/backup', { ports: back })).cause).toBe('done');
    expect(end(await runScenario('3/recover', { ports: back, options: { sealed: true } }))).toEqual({ cause: 'unexpected', step: '2-10' });
    expect(back.card.calls.includes('recoverEnd')).toBe(false);
  });

  test('the variant, hash algorithm and key kind asked for reach the card', async () => {
    const ports = bench();
    const seen: unknown[] = [];
    const card = meddle<CardPort>(ports.card, {
      registerBegin: (call, ...args) => { seen.push(args); return call(...args); },
      keyRegisterBegin: (call, ...args) => { seen.push(args); return call(...args); },
    });
    const output = await runScenario('2/backup', { ports: { ...ports, card }, options: { variant: 'common-key', hash: 'SHA-1' } });
    await runScenario('2/key-backup', { ports: { ...ports, card }, options: { keyKind: 'common' } });
    await runScenario('1/backup', { ports: { ...ports, card } });
    expect(seen).toEqual([[2, 'common-key', 1, 'SHA-1'], ['common', 's1', 'SHA-256'], [1, 'plain', 2, 'SHA-256']]);
    expect(output.flags).toEqual(['legacy-hash SHA-1']);
    expect((await runScenario('2/recover', { ports })).flags).toEqual(['legacy-hash SHA-1']);
  });

  test('claim 25 deletes the value, claim 26 deletes record and certificate after the receipt', async () => {
    const ports = bench();
    const backup = await runScenario('2/backup', { ports, options: { deleteAfterRegistration: true } });
    expect(backup.evidence.at(-1)).toEqual({ step: 'claim-25', kinds: ['link'], outcome: 'done' });
    expect(ports.card.values.map(({ issueId }) => issueId)).toEqual(['i2', 'i3']);
    const recover = await runScenario('2/recover', { ports, options: { deleteAfterRecovery: true } });
    expect(recover.evidence.slice(-3).map(({ step, kinds }) => [step, ...kinds])).toEqual([
      ['claim-26-receipt', 'link'], ['claim-26-safe', 'safe'], ['claim-26-delete', 'link'],
    ]);
    expect(ports.card.certificates).toEqual([]);
    expect(ports.safe.records.map(({ state }) => state)).toEqual(['tombstone']);
    expect(ports.card.values.map(({ issueId }) => issueId)).toEqual(['i2', 'i3', 'i1']);
  });

  test('the certificate stays when the safe does not acknowledge the receipt', async () => {
    const ports = await ready('2/recover');
    const safe = meddle<SafePort>(ports.safe, { receipt: () => Promise.resolve(cut('link')) });
    const options = { deleteAfterRecovery: true, select: { issueId: 'i1' } };
    expect(end(await runScenario('2/recover', { ports: { ...ports, safe }, options }))).toEqual({ cause: 'link', step: 'claim-26-safe' });
    expect(ports.card.certificates).toHaveLength(1);
    const again = await runScenario('2/recover', { ports, options });
    expect(again).toMatchObject({ cause: 'done', already: true });
    expect(ports.card.certificates).toEqual([]);
  });

  test('a retry of what is done says so, and only the deletion is left to do', async () => {
    const ports = bench();
    const options = { select: { issueId: 'i1' } };
    await runScenario('2/backup', { ports, options });
    const again = await runScenario('2/backup', { ports, options });
    expect(again).toMatchObject({ cause: 'done', already: true, step: '1-4' });
    const third = await runScenario('2/backup', { ports, options: { ...options, deleteAfterRegistration: true } });
    expect(third).toMatchObject({ cause: 'done', step: 'claim-25' });
    expect(ports.card.calls.filter((name) => name === 'registerBegin')).toHaveLength(1);
  });

  test('a deletion whose answer was lost is done when it is repeated, but not otherwise', async () => {
    const ports = bench();
    await runScenario('1/backup', { ports, options: { deleteAfterRegistration: true } });
    const resume = { at: 'claim-25', handle: 1 };
    expect((await runScenario('1/backup', { ports, resume })).cause).toBe('done');
    const card = meddle<CardPort>(ports.card, { delete: () => Promise.resolve({ ok: false, cause: 'refused', sw: '6A82', text: 'not found', marks: [] }) });
    expect(end(await runScenario('1/backup', { ports: { ...ports, card }, options: { deleteAfterRegistration: true } })))
      .toEqual({ cause: 'refused', step: 'claim-25', sw: '6A82' });
  });

  test('key backup may delete the key, and key recovery brings it back', async () => {
    const ports = bench();
    await runScenario('2/key-backup', { ports, options: { deleteAfterRegistration: true } });
    expect([...ports.card.keys]).toEqual(['common']);
    expect((await runScenario('2/key-recover', { ports, options: { keyKind: 'decoding' } })).cause).toBe('done');
    expect([...ports.card.keys]).toEqual(['common', 'decoding']);
    expect(end(await runScenario('2/key-recover', { ports, options: { keyKind: 'common' } }))).toEqual({ cause: 'unexpected', step: '4-4' });
  });
});

describe('what may not be started', () => {
  const code = (act: () => unknown): string => {
    try { act(); } catch (error) { if (error instanceof ScenarioError) return error.code; }
    return 'nothing thrown';
  };
  test('unknown scenario, foreign option, impatience', () => {
    const ports = bench();
    expect(code(() => void runScenario('3/nothing', { ports }))).toBe('SCENARIO_UNKNOWN');
    expect(code(() => void runScenario('1/backup', { ports, options: { variant: 'common-key' } }))).toBe('SCENARIO_OPTIONS');
    expect(code(() => void runScenario('1/backup', { ports, options: { patience: 0 } }))).toBe('SCENARIO_OPTIONS');
    expect(ports.card.calls).toEqual([]);
  });

  test('a resume point of nowhere, or without what is needed there', () => {
    const ports = bench();
    for (const resume of [{ at: '9-9' }, { at: 'claim-26-safe', handle: 1 }, { at: '1-9', handle: 1 }, { at: '1-15', handle: 1 }])
      expect(code(() => void runScenario('1/backup', { ports, resume }))).toBe('SCENARIO_RESUME');
    expect(ports.card.calls).toEqual([]);
  });

  test('a step within an exchange takes up the exchange', async () => {
    const output = await runScenario('1/backup', { ports: bench(), resume: { at: '1-7', handle: 2 } });
    expect(output.cause).toBe('done');
    expect(output.evidence[0].step).toBe('1-5');
  });
});

describe('tracing', () => {
  test('the listener hears steps in order, then the end', async () => {
    const listener = vi.fn<(event: ScenarioEvent) => void>();
    const output = await runScenario('1/recover', { ports: await ready('1/recover'), listener });
    const events = listener.mock.calls.map(([event]) => event);
    expect(events.flatMap((event) => (event.type === 'step' ? event.evidence.step : []))).toEqual(idsOf('1/recover'));
    expect(events.at(-1)).toEqual({ type: 'end', output });
  });

  test('inspect tells equal transitions for equal runs', async () => {
    const trace = async (): Promise<Transition[]> => {
      const seen: Transition[] = [];
      await runScenario('2/backup', { ports: bench() }, { inspect: (transition) => seen.push(transition) });
      return seen;
    };
    const first = await trace();
    expect(first.map(({ state }) => state)).toEqual(expect.arrayContaining([...idsOf('2/backup'), 'done']));
    expect(await trace()).toEqual(first);
  });

  test('the fake objects decode', () => {
    expect(decode(new Uint8Array([0xff]))).toBeUndefined();
  });
});
