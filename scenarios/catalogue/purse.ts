import type { PurseEmbodiment } from '../purse-ports.js';
import { steps } from './catalogue.js';
import { frame } from './frame.js';
import type { Exchange, ScenarioFrame } from './frame.js';

const challenge: Exchange = { name: 'challenge', party: 'payee' };
const pay: Exchange = { name: 'pay', party: 'payer' };
const log: Exchange = { name: 'log', party: 'thirdparty' };

const transfer = (embodiment: PurseEmbodiment, title: string, begins: readonly string[], exchanges: readonly Exchange[]): ScenarioFrame => frame({
  id: `purse/${embodiment}/transfer`, system: 'purse', embodiment, phase: 'transfer', title, covers: [],
  steps: steps(embodiment, 'transfer', 'purse'), begins, exchanges, ports: ['payer', 'payee', 'thirdparty'],
});

/** The transfers of card-to-card money: between two cards, with the log at a third party. */
export const purseFrames: readonly ScenarioFrame[] = [
  transfer(1, 'payment between two cards with a third-party log', ['P-1', 'P-2', 'P-3', 'P-5'],
    [challenge, pay, { name: 'receive', party: 'payee' }, log]),
  transfer(2, 'payment that first asks whether the log can be taken', ['P-1', 'P-2', 'P-3', 'P-3a', 'P-3b', 'P-5'],
    [challenge, pay, { name: 'prepare', party: 'payee' }, { name: 'query', party: 'thirdparty' }, { name: 'accept', party: 'payee' }, log]),
];
