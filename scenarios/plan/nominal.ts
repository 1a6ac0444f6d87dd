import { basicScenarioIds } from '../catalogue/basic.js';
import { frameOf } from '../catalogue/registry.js';
import type { BasicScenarioId, HashAlgorithm, ScenarioId, StepId } from '../ports.js';
import { clause, completes, item, other, ready, scenarioOf, scenarioPoint, twoValues } from './frames.js';
import type { Draft } from './frames.js';
import type { Ref } from './script.js';
import type { PlanPoint } from './types.js';

const all = (scenario: ScenarioId): StepId[] => {
  return frameOf(scenario).steps.map((step) => step.id as StepId);
};

const titles: Record<BasicScenarioId, string> = {
  '1/backup': 'a value is registered and its certificate stored',
  '1/recover': 'a registered value comes back',
  '2/backup': 'a value is encrypted, signed and registered (public-key variant)',
  '2/recover': 'a registered value comes back, is verified and decrypted (public-key variant)',
  '2/key-backup': 'the decoding key is registered',
  '2/key-recover': 'the decoding key comes back to a card that has lost it',
};

/** Numbers 1 to 9: the scenario as such, over both transports, after deletions. */
function plain(scenario: BasicScenarioId): PlanPoint[] {
  const at = (number: number, draft: Partial<Draft> & { title: string }): PlanPoint => scenarioPoint(scenario, 'N', number, {
    clause: clause(all(scenario), ['2.4', '2.6'], frameOf(scenario).covers), expect: completes(scenario), ...draft,
  });
  return [
    at(1, { title: titles[scenario] }),
    at(2, { title: `${titles[scenario]}, over T=0`, needs: ['T=0'], prepare: ready(scenario, { transport: 'T=0' }) }),
    at(3, { title: `${titles[scenario]}, over T=1`, needs: ['T=1'], prepare: ready(scenario, { transport: 'T=1' }) }),
  ];
}

function deletions(embodiment: 1 | 2): PlanPoint[] {
  const backup: ScenarioId = `${embodiment}/backup`;
  const recover: ScenarioId = `${embodiment}/recover`;
  const gone = ready(recover, {}, { deleteAfterRegistration: true });
  return [
    scenarioPoint(backup, 'N', 10, {
      title: 'the value is deleted once its certificate is stored', clause: clause([], ['2.4-3'], [25, 35]),
      options: { deleteAfterRegistration: true }, expect: completes(backup),
    }),
    scenarioPoint(recover, 'N', 10, {
      title: 'a value that was deleted from the card comes back', clause: clause(all(recover), ['2.4-4', '2.4-5'], [25]),
      prepare: gone, expect: completes(recover),
    }),
    scenarioPoint(recover, 'N', 11, {
      title: 'receipt to the safe, tombstone there, certificate deleted here', clause: clause([], ['2.4-3', '2.4-6', '3-e'], [26]),
      options: { deleteAfterRecovery: true }, expect: completes(recover, { safe: 'tombstone' }),
    }),
    scenarioPoint(recover, 'N', 12, {
      title: 'value deleted before, certificate and copy deleted after its recovery', clause: clause([], ['2.4-3', '2.4-6', '3-e'], [25, 26]),
      prepare: gone, options: { deleteAfterRecovery: true }, expect: completes(recover, { safe: 'tombstone' }),
    }),
    scenarioPoint(backup, 'N', 11, {
      title: 'a value that came back is registered again under a new sequence', clause: clause(all(backup), ['2.4-1', '2.4-5']),
      prepare: { ...twoValues, before: [scenarioOf(backup), scenarioOf(recover)] }, expect: completes(backup),
    }),
  ];
}

/** Values at the limits of the encoding, and the other samples of fig. 19. */
function sizes(embodiment: 1 | 2): PlanPoint[] {
  const names = ['concert-ticket-C', 'pre-paid-card-E', 'movie-ticket-G', 'smallest', 'largest', 'utf-8', 'cash'] as const;
  return names.flatMap((sample, index) => {
    const values = [{ as: item, sample }, { as: other, sample: 'movie-ticket-A' }];
    const deleted = { deleteAfterRegistration: true };
    const backup: ScenarioId = `${embodiment}/backup`;
    const recover: ScenarioId = `${embodiment}/recover`;
    return [
      scenarioPoint(backup, 'N', 20 + index, {
        title: `sample ${sample} is registered`, clause: clause(all(backup), ['1.1', '1.2']), prepare: ready(backup, { values }),
        expect: completes(backup),
      }),
      scenarioPoint(recover, 'N', 20 + index, {
        title: `sample ${sample} comes back to a card that had deleted it`, clause: clause(all(recover), ['1.1', '1.2']),
        prepare: ready(recover, { values }, deleted), expect: completes(recover),
      }),
    ];
  });
}

/** Legacy hashes, flagged; SHA-1 of 20 bytes and MD5 of 16 also change the certificate's length. */
function legacy(): PlanPoint[] {
  const scenarios: readonly BasicScenarioId[] = basicScenarioIds;
  const hashes: readonly HashAlgorithm[] = ['SHA-1', 'MD5'];
  return scenarios.flatMap((scenario) => hashes.map((hash, index) => {
    const before = scenario.endsWith('recover');
    return scenarioPoint(scenario, 'N', 30 + index, {
      title: `${titles[scenario]}, ${hash}`, clause: clause(all(scenario), ['1.5'], [2]), needs: ['legacy-hashes'],
      prepare: ready(scenario, { settings: { legacyHashes: true } }, before ? { hash } : {}),
      options: before ? {} : { hash }, flags: [`legacy-hash ${hash}`], expect: completes(scenario),
    });
  }));
}

function emptyDigest(): PlanPoint[] {
  const scenarios: readonly BasicScenarioId[] = ['1/backup', '1/recover', '2/backup', '2/recover'];
  return scenarios.map((scenario) => scenarioPoint(scenario, 'N', 40, {
    title: `${titles[scenario]}, empty digest`, clause: clause(all(scenario), ['1.2', '3-f'], [2]), needs: ['empty-digest'],
    prepare: ready(scenario, { settings: { emptyDigest: true } }), expect: completes(scenario),
  }));
}

const decoding: Ref = '$decoding';

/** Common-key variant, key deletion, recovery of both. */
function variants(): PlanPoint[] {
  const common = { variant: 'common-key' } as const;
  const keyKind = 'common' as const;
  return [
    scenarioPoint('2/backup', 'N', 50, {
      title: 'a value is encrypted, signed and registered (common-key variant)', clause: clause(all('2/backup'), ['1.4'], [4]),
      needs: ['common-key'], options: common, expect: completes('2/backup'),
    }),
    scenarioPoint('2/recover', 'N', 50, {
      title: 'a registered value comes back (common-key variant)', clause: clause(all('2/recover'), ['1.4'], [4]), needs: ['common-key'],
      prepare: ready('2/recover', {}, common), expect: completes('2/recover'),
    }),
    scenarioPoint('2/recover', 'N', 51, {
      title: 'a deleted value comes back (common-key variant)', clause: clause(all('2/recover'), ['1.4', '2.4-3'], [4, 25]), needs: ['common-key'],
      prepare: ready('2/recover', {}, { ...common, deleteAfterRegistration: true }), expect: completes('2/recover'),
    }),
    scenarioPoint('2/key-backup', 'N', 50, {
      title: 'the common key is registered', clause: clause(all('2/key-backup'), ['1.4', '2.4-7'], [5]), needs: ['common-key'],
      options: { keyKind }, expect: completes('2/key-backup'),
    }),
    scenarioPoint('2/key-backup', 'N', 51, {
      title: 'the decoding key is deleted once its certificate is stored', clause: clause([], ['2.4-7'], [5, 25]),
      options: { deleteAfterRegistration: true }, expect: completes('2/key-backup'),
    }),
    scenarioPoint('2/key-recover', 'N', 50, {
      title: 'the common key comes back', clause: clause(all('2/key-recover'), ['2.4-7'], [5]), needs: ['common-key'], options: { keyKind },
      prepare: ready('2/key-recover', { before: [scenarioOf('2/key-backup', { keyKind, deleteAfterRegistration: true })] }),
      expect: completes('2/key-recover'),
    }),
    scenarioPoint('2/key-recover', 'N', 51, {
      title: 'a key that is still there comes back and changes nothing', clause: clause(all('2/key-recover'), ['2.4-7'], [5]),
      prepare: ready('2/key-recover', { before: [scenarioOf('2/key-backup')] }),
      expect: completes('2/key-recover', { card: { is: 'described', items: [{ item: decoding, key: 'present', certificate: 'stored' }] } }),
    }),
    scenarioPoint('2/recover', 'N', 52, {
      title: 'key lost, key recovered, then the value recovered with it', clause: clause(all('2/recover'), ['2.4-5', '2.4-7'], [5]),
      prepare: ready('2/recover', {
        before: [scenarioOf('2/backup'), scenarioOf('2/key-backup', { deleteAfterRegistration: true }), scenarioOf('2/key-recover')],
      }),
      expect: completes('2/recover'),
    }),
  ];
}

/** The counter of the safe at its upper limit. */
function wrapAround(): PlanPoint[] {
  const backups: readonly ScenarioId[] = ['1/backup', '2/backup', '2/key-backup'];
  const recovers: readonly ScenarioId[] = ['1/recover', '2/recover'];
  return [
    ...backups.map((scenario) => scenarioPoint(scenario, 'N', 60, {
      title: 'the safe\'s counter returns to 0', clause: clause([], ['1.6', '3-h'], [2]), prepare: ready(scenario, { counter: { limit: 7, at: 7 } }),
      expect: completes(scenario),
    })),
    ...recovers.map((scenario) => scenarioPoint(scenario, 'N', 60, {
      title: 'a record from before the counter returned to 0 stays findable', clause: clause([], ['1.6', '3-h'], [2]),
      prepare: ready(scenario, {
        counter: { limit: 7, at: 6 },
        before: [scenarioOf(scenario === '1/recover' ? '1/backup' : '2/backup'), scenarioOf(scenario === '1/recover' ? '1/backup' : '2/backup', {}, other)],
      }),
      expect: completes(scenario),
    })),
  ];
}

/** Points in which nothing goes wrong. */
export const nominal: readonly PlanPoint[] = [
  ...basicScenarioIds.flatMap(plain), ...deletions(1), ...deletions(2), ...sizes(1), ...sizes(2), ...legacy(), ...emptyDigest(),
  ...variants(), ...wrapAround(),
];
