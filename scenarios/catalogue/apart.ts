import type { PortRole, ScenarioId } from '../ports.js';
import { basicFrames } from './basic.js';
import { steps } from './catalogue.js';
import type { Step } from './catalogue.js';
import { derived, frame } from './frame.js';
import type { ScenarioFrame } from './frame.js';

/** Steps of embodiment 2, those of the safe at the second one. */
const atSafe2 = (of: readonly Step[]): readonly Step[] => of.flatMap((step) =>
  [step.from, step.to].includes('safe') ? derived([step], { at: 'safe2', parties: { safe: 'safe2' } }) : [step]);

const prepares = { safes: 2 } as const;

/** What embodiment 3 has of embodiment 2, with its own name; keys at the second safe. */
function varied(phase: 'backup' | 'recover' | 'key-backup' | 'key-recover', title: string, prior?: ScenarioFrame['prior']): ScenarioFrame {
  const from: ScenarioId = `2/${phase}`;
  const model = basicFrames.find(({ id }) => id === from);
  if (!model) throw new TypeError(`embodiment 2 has no ${phase}`);
  const keys = phase.startsWith('key');
  const party = (of: PortRole): PortRole => (keys && of === 'safe' ? 'safe2' : of);
  return frame({
    ...model, id: `3/${phase}`, embodiment: 3, phase, title, steps: keys ? atSafe2(steps(2, phase)) : steps(2, phase), covers: [6],
    exchanges: model.exchanges.map((exchange) => ({ ...exchange, party: party(exchange.party) })), ports: ['card', party('safe')], prepares,
    ...prior && { prior },
  });
}

/** Frames of embodiment 3: values at the first safe, the key that opens them at the second. */
export const apartFrames: readonly ScenarioFrame[] = [
  varied('backup', 'value registration, its key at another safe'),
  varied('recover', 'value recovery, its key at another safe', { scenario: '3/backup' }),
  varied('key-backup', 'decoding-key registration at the second safe'),
  varied('key-recover', 'decoding-key recovery from the second safe', { scenario: '3/key-backup', options: { deleteAfterRegistration: true } }),
];
