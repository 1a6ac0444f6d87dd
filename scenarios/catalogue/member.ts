import { steps } from './catalogue.js';
import { frame } from './frame.js';
import type { Exchange, ScenarioFrame } from './frame.js';

const card = (name: string): Exchange => ({ name, party: 'card' });

/** Registration of signed information with the settlement centre, and payment by signed instruction. */
export const memberFrames: readonly ScenarioFrame[] = [
  frame({
    id: 'member/1/register', system: 'member', embodiment: 1, phase: 'register', title: 'registration of signed information', covers: [],
    steps: steps(1, 'register', 'member'), begins: ['S1', 'S2', 'S3', 'S6', 'S7', 'S8', 'S9', 'S10'],
    exchanges: ['passwords', 'contents', 'seed', 'sign', 'fetch', 'connect', 'send', 'signAtOnce'].map(card), ports: ['card', 'centre'],
  }),
  frame({
    id: 'member/1/trade', system: 'member', embodiment: 1, phase: 'trade', title: 'payment by signed instruction', covers: [],
    steps: steps(1, 'trade', 'member'), begins: ['S11', 'S12', 'S13', 'S14'],
    exchanges: ['enterA', 'history', 'enterB', 'pay'].map(card), ports: ['card', 'centre'],
  }),
];
