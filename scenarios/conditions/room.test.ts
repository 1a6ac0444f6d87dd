import { describe, expect, test } from 'vitest';
import { makeRoom } from './room.js';
import type { Attempt, RoomChoice, RoomPorts } from './room.js';
import type { EndCause } from '../machines/types.js';

const short: Attempt = { is: 'short', needed: 256, free: 64 };

function scene(attempts: readonly (Attempt | Error)[], backup: EndCause = 'done'): { ports: RoomPorts; calls: string[] } {
  const calls: string[] = [];
  const next = [...attempts];
  return {
    calls,
    ports: {
      attempt: () => { calls.push('attempt'); const one = next.shift() ?? new Error('asked too often'); return one instanceof Error ? Promise.reject(one) : Promise.resolve(one); },
      show: ({ needed, free }) => { calls.push(`show ${needed}/${free}`); },
      backup: () => { calls.push('backup'); return Promise.resolve(backup); },
      byHand: () => { calls.push('by hand'); return Promise.resolve(backup); },
    },
  };
}

describe('an item that needs room', () => {
  test.each<[string, readonly (Attempt | Error)[], RoomChoice, EndCause, string, boolean, readonly string[]]>([
    ['fits', [{ is: 'done' }], 'continue', 'done', 'done', false, ['attempt']],
    ['fits after a backup by the conditions', [short, { is: 'done' }], 'continue', 'done', 'done', true, ['attempt', 'show 256/64', 'backup', 'attempt']],
    ['fits after a backup by hand', [short, { is: 'done' }], 'by-hand', 'done', 'done', true, ['attempt', 'show 256/64', 'by hand', 'attempt']],
    ['is suspended when the user interrupts', [short], 'interrupt', 'done', 'suspended', false, ['attempt', 'show 256/64']],
    ['is suspended and shown again when the backup makes too little room', [short, short], 'continue', 'done', 'suspended', true, ['attempt', 'show 256/64', 'backup', 'attempt', 'show 256/64']],
    ['is suspended when the safe cannot be reached', [short], 'continue', 'link', 'suspended', false, ['attempt', 'show 256/64', 'backup']],
    ['fails for another reason', [{ is: 'failed', text: '6982' }], 'continue', 'done', 'failed', false, ['attempt']],
    ['fails for another reason after room was made', [short, { is: 'failed', text: '6982' }], 'continue', 'done', 'failed', true, ['attempt', 'show 256/64', 'backup', 'attempt']],
    ['fails with the bench', [new Error('broken')], 'continue', 'done', 'failed', false, ['attempt']],
  ])('%s', async (_, attempts, choice, backup, end, madeRoom, calls) => {
    const { ports, calls: made } = scene(attempts, backup);
    expect(await makeRoom(ports, choice)).toMatchObject({ end, madeRoom });
    expect(made).toEqual(calls);
  });
});
