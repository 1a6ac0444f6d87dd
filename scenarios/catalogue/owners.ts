import type { ScenarioId } from '../ports.js';
import { backupBetween, backupGoal, recoverBetween, recoverGoal, recoveryDeleted, valueDeleted } from './basic.js';
import { steps } from './catalogue.js';
import type { Step } from './catalogue.js';
import { derived, frame } from './frame.js';
import type { Exchange, FrameDraft, ScenarioFrame } from './frame.js';

type OwnerEmbodiment = 8 | 9 | 10;
type Phase = 'backup' | 'recover';

/** One exchange by which an owner is authenticated: what its states are called after, and who is asked. */
interface Authentication extends Pick<Exchange, 'name' | 'sends' | 'receives' | 'needs'> {
  readonly at: string;
  readonly party: 'safe' | 'owner' | 'device';
}

/** In order; the last one gives the path. */
const authentications: Readonly<Record<OwnerEmbodiment, (phase: Phase) => readonly Authentication[]>> = {
  8: (phase) => [
    phase === 'backup' ? { at: 'owner', name: 'enrol', party: 'safe', receives: 'grant' }
      : { at: 'owner', name: 'present', party: 'safe', sends: 'certificate', receives: 'grant', needs: ['certificate'] },
  ],
  9: () => [
    { at: 'challenge', name: 'ownerChallenge', party: 'safe', receives: 'challenge' },
    { at: '149', name: 'authenticate', party: 'owner', sends: 'challenge', receives: 'owner-result', needs: ['carried'] },
    { at: 'owner', name: 'ownerResult', party: 'safe', sends: 'owner-result', receives: 'grant', needs: ['carried'] },
  ],
  10: () => [
    { at: 'device', name: 'hello', party: 'device', receives: 'device-hello' },
    { at: 'check', name: 'deviceHello', party: 'safe', sends: 'device-hello', receives: 'check-proof', needs: ['carried'] },
    { at: 'proof', name: 'prove', party: 'device', sends: 'check-proof', receives: 'device-proof', needs: ['carried'] },
    { at: 'owner', name: 'deviceProof', party: 'safe', sends: 'device-proof', receives: 'grant', needs: ['carried'] },
  ],
};

/** Steps of the safe's exchange of embodiment 2 that the exchanges with other parties are derived from. */
const safeSteps: Readonly<Record<Phase, readonly string[]>> = { backup: ['1-10', '1-11', '1-12'], recover: ['2-9', '2-10'] };

const asked = (phase: Phase, { at, party }: Authentication): readonly Step[] =>
  derived(steps(2, phase), { at, only: safeSteps[phase], parties: { safe: party } });

const between = (phase: Phase, first: string, last: string): readonly Step[] => {
  const all = steps(2, phase);
  const place = (id: string): number => all.findIndex((step) => step.id === id);
  return all.slice(place(first), place(last) + 1);
};

const also = (authentication: Authentication, known: Exchange['needs'] = []): Exchange => {
  const { name, party, sends, receives, needs = [] } = authentication;
  return { name, party, ...sends && { sends }, ...receives && { receives }, needs: [...known, ...needs] };
};

/** Embodiment 10 is prepared with the owner's device in the reader. */
const prepared = (embodiment: OwnerEmbodiment): Pick<FrameDraft, 'prepares'> => (embodiment === 10 ? { prepares: { device: 'right' } } : {});

const shared = { ports: ['card', 'safe', 'owner', 'device'], without: ['variant', 'keyKind'] } as const satisfies Partial<FrameDraft>;

/** What each embodiment is about; claims 16 and 17 are about one transport each, so points name them. */
const covers: Readonly<Record<OwnerEmbodiment, readonly number[]>> = { 8: [14, 37], 9: [15, 37, 39], 10: [18, 19, 37, 41] };

/** And what a recovery is about besides: the value is given out. */
const givenOut: Readonly<Record<OwnerEmbodiment, number>> = { 8: 38, 9: 40, 10: 42 };

const whose: Readonly<Record<OwnerEmbodiment, string>> = {
  8: 'owner authenticated at the safe', 9: 'owner authenticated at the terminal', 10: 'owner authenticated by a device',
};

function backup(embodiment: OwnerEmbodiment): ScenarioFrame {
  const owner = authentications[embodiment]('backup');
  return frame({
    ...shared, ...prepared(embodiment), id: `${embodiment}/backup`, embodiment, phase: 'backup', title: `value registration, ${whose[embodiment]}`, covers: covers[embodiment],
    steps: [...between('backup', '1-1', '1-4'), ...owner.flatMap((one) => asked('backup', one)), ...between('backup', '1-5', '1-16')],
    begins: ['1-1', ...owner.map(({ at }) => `1-10@${at}`), '1-5', '1-10', '1-13'],
    exchanges: [
      { name: 'listValues', party: 'card', receives: 'list' },
      ...owner.map((one) => also(one, ['handle'])),
      { name: 'pathRegister', party: 'card', sends: 'grant', receives: 'request', needs: ['handle', 'grant'] },
      { name: 'registerOver', party: 'safe', sends: 'request', receives: 'certificate', needs: ['handle', 'grant', 'request'] },
      { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['handle', 'certificate'] },
    ],
    claims: valueDeleted, list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween,
    midway: [{ item: '$item', value: 'pending', certificate: 'absent' }],
  });
}

function recover(embodiment: OwnerEmbodiment): ScenarioFrame {
  const owner = authentications[embodiment]('recover');
  const prior: ScenarioId = `${embodiment}/backup`;
  return frame({
    ...shared, ...prepared(embodiment), id: `${embodiment}/recover`, embodiment, phase: 'recover', title: `value recovery, ${whose[embodiment]}`, covers: [...covers[embodiment], givenOut[embodiment]],
    steps: [...between('recover', '2-1', '2-8'), ...owner.flatMap((one) => asked('recover', one)), ...between('recover', '2-9', '2-15')],
    begins: ['2-1', '2-5', ...owner.map(({ at }) => `2-9@${at}`), '2-9', '2-11'],
    exchanges: [
      { name: 'listCertificates', party: 'card', receives: 'list' },
      { name: 'recoverBegin', party: 'card', receives: 'certificate', needs: ['handle'] },
      ...owner.map((one) => also(one, ['handle', 'certificate'])),
      { name: 'retrieveOver', party: 'safe', sends: 'certificate', receives: 'path-reply', needs: ['handle', 'certificate', 'grant'] },
      { name: 'pathRecover', party: 'card', sends: 'path-reply', needs: ['handle', 'object'] },
    ],
    claims: recoveryDeleted, list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'plain' }, goal: recoverGoal, between: recoverBetween,
    midway: [{ item: '$item', value: 'deposited', certificate: 'recovering' }], prior: { scenario: prior },
  });
}

/** Frames of embodiments 8, 9 and 10: values over a path that a safe opens for an authenticated owner. */
export const ownerFrames: readonly ScenarioFrame[] = ([8, 9, 10] as const).flatMap((embodiment) => [backup(embodiment), recover(embodiment)]);
