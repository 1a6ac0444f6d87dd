import { steps } from './catalogue.js';
import { frame } from './frame.js';
import type { ScenarioFrame } from './frame.js';

const phase = (name: string, title: string, exchanges: Readonly<Record<string, string>>): ScenarioFrame => frame({
  id: `twin/1/${name}`, system: 'twin', embodiment: 1, phase: name, title, covers: [], steps: steps(1, name, 'twin'),
  begins: Object.keys(exchanges), exchanges: Object.values(exchanges).map((exchange) => ({ name: exchange, party: 'device' })), ports: ['device'],
});

/** Primary and secondary card: entry checks, backup, promotion, restore. */
export const twinFrames: readonly ScenarioFrame[] = [
  phase('start', 'entry checks of the backup device', {
    101: 'begin', 103: 'enterPin', 104: 'choose', 105: 'compare', 106: 'compare', 107: 'route', 108: 'compare', 109: 'countError',
  }),
  phase('backup', 'copy of the primary card on the secondary card', {
    301: 'read', 303: 'verify', 305: 'read', 307: 'verify', 309: 'allChecked', 310: 'copy', 311: 'show', 312: 'show',
  }),
  phase('promote', 'the secondary card becomes the primary card', { 401: 'read', 403: 'verify', 405: 'confirm', 406: 'promote', 407: 'report', 410: 'show' }),
  phase('restore', 'an invalidated primary card comes back', {
    501: 'read', 503: 'verify', 505: 'show', 506: 'invalidate', 507: 'show', 508: 'verify', 510: 'restorable', 511: 'restore',
  }),
];
