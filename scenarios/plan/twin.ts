import type { TwinOptions } from '../machines/twin.js';
import type { StepId } from '../ports.js';
import type { SystemPlan } from './system.js';
import type { TwinAction, TwinEnd, TwinLeaves, TwinPoint, TwinPreparation } from './twin-types.js';
import { TWIN_ISSUED, twinPoints } from './twin-points.js';

const { run, script } = twinPoints();

const range = (from: number, to: number): readonly StepId[] => Array.from({ length: to - from + 1 }, (_, at): StepId => `${from + at}`);

const asIssued: TwinLeaves = { primary: 'A', balance: TWIN_ISSUED, listed: '', blocked: false };
const promotedB: TwinLeaves = { primary: 'B', balance: 0, listed: 'A' };
const nobody: TwinLeaves = { primary: '-', listed: 'A' };
const backedUp: TwinPreparation = { state: 'backed-up' };
const lost: TwinPreparation = { state: 'backed-up', slots: '-B' };
const withdrawn: TwinPreparation = { state: 'withdrawn' };
const promotion = ['401', '402', '403', '404', '405', '406', '407', '410'] as const;
const backup: TwinOptions = { function: 'backup' };
const promote: TwinOptions = { function: 'promote' };
const restore: TwinOptions = { function: 'restore' };

const refusedAt = (failed: string, at: string, more: Pick<TwinEnd, 'sw' | 'code'> = {}): TwinEnd => ({ end: 'refused', failed, at, ...more });
const wrongDevicePin: TwinAction = { do: 'start', options: { ...backup, devicePin: 'wrong' }, ...refusedAt('103', '109', { code: 'DEVICE_PIN' }) };
const blocking: readonly TwinAction[] = [wrongDevicePin, wrongDevicePin, { ...wrongDevicePin, at: '110' }];

const startNominal: readonly TwinPoint[] = [
  run('start', false, { title: 'entry checks for a backup', steps: range(101, 107), rules: ['4-1'], leaves: asIssued }),
  run('start', false, { title: 'entry checks for a restore', steps: ['104', '107'], rules: ['4-1'], options: restore, leaves: asIssued }),
  run('start', false, { title: 'entry checks for a promotion, the primary card is lost', steps: ['101', '108'], rules: ['4-1'], prepare: lost, options: promote, leaves: asIssued }),
  script('start', false, { title: 'the issuer unblocks a device that has blocked itself', steps: ['109', '110'], rules: ['4-2', '5-1'], prepare: backedUp },
    [...blocking, { do: 'unblock' }, { do: 'run', options: backup }], asIssued),
  script('start', false, { title: 'two errors, then a right entry: the count begins anew', steps: ['109'], rules: ['4-2'] },
    [wrongDevicePin, wrongDevicePin, { do: 'start', options: backup }, wrongDevicePin, wrongDevicePin, { do: 'device', expect: { errors: 2, blocked: false } }], asIssued),
];

const startWrong: readonly TwinPoint[] = [
  run('start', true, { title: 'a wrong device PIN', steps: ['103', '109'], rules: ['4-2'], options: { devicePin: 'wrong' }, ...refusedAt('103', '109', { code: 'DEVICE_PIN' }), leaves: asIssued }),
  run('start', true, { title: 'a device PIN that is too short', steps: ['103'], rules: ['4-2'], options: { devicePin: 'short' }, ...refusedAt('103', '109', { code: 'DEVICE_PIN' }), leaves: asIssued }),
  script('start', true, { title: 'three errors block the device for whatever the holder does', steps: ['109', '110'], rules: ['4-2'] },
    [...blocking, { do: 'start', options: backup, end: 'refused', at: '102', code: 'DEVICE_BLOCKED' }, { do: 'reset', card: 'A', kind: 'cold' }, { do: 'start', options: promote, end: 'refused', at: '102', code: 'DEVICE_BLOCKED' },
      { do: 'phase', phase: 'backup', ...refusedAt('301', '312', { code: 'DEVICE_ORDER' }) }], { ...asIssued, blocked: true }),
  run('start', true, { title: 'another card in the primary slot', steps: ['105'], rules: ['4-1'], prepare: { slots: 'CB' }, ...refusedAt('105', '109', { code: 'DEVICE_CARD' }), leaves: asIssued }),
  run('start', true, { title: 'the cards exchanged', steps: ['105'], rules: ['4-1'], prepare: { slots: 'BA' }, ...refusedAt('105', '109', { code: 'DEVICE_CARD' }), leaves: asIssued }),
  run('start', true, { title: 'another card in the secondary slot', steps: ['106'], rules: ['4-1'], prepare: { slots: 'AC' }, ...refusedAt('106', '109', { code: 'DEVICE_CARD' }), leaves: asIssued }),
  run('start', true, { title: 'no card in the primary slot', steps: ['105'], rules: ['4-1'], prepare: { slots: '-B' }, ...refusedAt('105', '109', { code: 'DEVICE_EMPTY' }), leaves: asIssued }),
  run('start', true, { title: 'promotion with another card in the secondary slot', steps: ['108'], rules: ['4-1'], prepare: { slots: '-C' }, options: promote, ...refusedAt('108', '109', { code: 'DEVICE_CARD' }), leaves: asIssued }),
  run('start', true, { title: 'promotion with the primary card in the secondary slot', steps: ['108'], rules: ['4-1'], prepare: { slots: '-A' }, options: promote, ...refusedAt('108', '109', { code: 'DEVICE_CARD' }), leaves: asIssued }),
  script('start', true, { title: 'three times wrong cards block the device too', steps: ['105', '106', '110'], rules: ['4-2'], prepare: { slots: 'AC' } },
    [{ do: 'start', options: backup, ...refusedAt('106', '109') }, { do: 'insert', slots: 'BA' }, { do: 'start', options: backup, ...refusedAt('105', '109') }, { do: 'start', options: promote, ...refusedAt('108', '110') }], { ...asIssued, blocked: true }),
  script('start', true, { title: 'an unblocking altered on its way leaves the device blocked', steps: ['110'], rules: ['5-1'] },
    [...blocking, { do: 'alter-link' }, { do: 'unblock', code: 'LINK_ALTERED' }, { do: 'start', options: backup, end: 'refused', code: 'DEVICE_BLOCKED' }], { ...asIssued, blocked: true }),
];

const backupNominal: readonly TwinPoint[] = [
  run('backup', false, { title: 'backup on a new secondary card', steps: range(301, 311), rules: ['3-5', '3-6'], leaves: asIssued }),
  run('backup', false, { title: 'backup once more', steps: ['310'], rules: ['3-6'], prepare: backedUp, leaves: asIssued }),
  run('backup', false, { title: 'backup of a card from which money has been paid', steps: ['310'], rules: ['3-5'], prepare: { spent: 2500 }, leaves: { ...asIssued, balance: TWIN_ISSUED - 2500 } }),
  run('backup', false, { title: 'the promoted card is backed up on the next secondary card, whose number it takes over', steps: ['301', '310'], rules: ['3-5'], prepare: { state: 'promoted' }, leaves: promotedB }),
  script('backup', false, { title: 'worked example: figures 4 and 5', steps: ['310'], rules: ['1.1', '3-5', '3-6'] }, [
    { do: 'table', card: 'A', expect: { cardNumber: '1234567A', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 10_000 } },
    { do: 'run', options: backup },
    { do: 'table', card: 'A', expect: { cardNumber: '1234567A', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 10_000 } },
    { do: 'table', card: 'B', expect: { cardNumber: '1234567B', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 0 } },
    { do: 'device', expect: { terminalNumber: 'ABCDEFGH', restoreNumber: '', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0 } },
  ], asIssued),
];

const verified = (card: 'A' | 'B', purpose: 'backup-primary' | 'backup-secondary' | 'promote' | 'invalidated'): TwinAction => ({ do: 'card', card, command: 'verify', purpose });
const exported: readonly TwinAction[] = [verified('A', 'backup-primary'), { do: 'card', card: 'A', command: 'export', secondary: '1234567B', keep: 'k' }];

const backupWrong: readonly TwinPoint[] = [
  run('backup', true, { title: 'a wrong card PIN of the primary card', steps: ['303', '312'], rules: ['3-4'], options: { primaryPin: 'wrong' }, ...refusedAt('303', '312', { sw: '63C2' }), leaves: asIssued }),
  run('backup', true, { title: 'a wrong card PIN of the secondary card', steps: ['307', '312'], rules: ['3-4'], options: { secondaryPin: 'wrong' }, ...refusedAt('307', '312', { sw: '63C2' }), leaves: asIssued }),
  run('backup', true, { title: 'a card PIN too short', steps: ['303'], rules: ['3-4'], options: { primaryPin: 'short' }, ...refusedAt('303', '312', { sw: '6700' }), leaves: asIssued }),
  run('backup', true, { title: 'a card PIN too long', steps: ['307'], rules: ['3-4'], options: { secondaryPin: 'long' }, ...refusedAt('307', '312', { sw: '6700' }), leaves: asIssued }),
  script('backup', true, { title: 'three wrong card PINs block the PIN of the card', steps: ['303'], rules: ['3-4'] }, [
    ...(['63C2', '63C1', '63C0'] as const).map((sw): TwinAction => ({ do: 'run', options: { ...backup, primaryPin: 'wrong' }, ...refusedAt('303', '312', { sw }) })),
    { do: 'run', options: backup, ...refusedAt('303', '312', { sw: '6983' }) }, { do: 'reset', card: 'A', kind: 'cold' }, { do: 'run', options: backup, ...refusedAt('303', '312', { sw: '6983' }) },
    { do: 'table', card: 'A', expect: { tries: 0 } },
  ], asIssued),
  script('backup', true, { title: 'a primary card on the black list is not backed up', steps: ['304'], rules: ['4-3'] },
    [{ do: 'list', card: 'A' }, { do: 'run', options: backup, ...refusedAt('304', '312', { code: 'DEVICE_LISTED' }) }, { do: 'table', card: 'B', expect: { primaryNumber: '' } }], nobody),
  script('backup', true, { title: 'a secondary card on the black list takes no backup', steps: ['308'], rules: ['4-3'] },
    [{ do: 'list', card: 'B' }, { do: 'run', options: backup, ...refusedAt('308', '312', { code: 'DEVICE_LISTED' }) }, { do: 'table', card: 'B', expect: { primaryNumber: '' } }], { ...asIssued, listed: 'B' }),
  run('backup', true, { title: 'an invalidated card is no primary card', steps: ['302'], rules: ['3-3'], prepare: { state: 'invalidated' }, ...refusedAt('302', '312', { sw: '6985' }), leaves: nobody }),
  script('backup', true, { title: 'a secondary card that has been promoted elsewhere is none any more', steps: ['306'], rules: ['3-3'], prepare: backedUp },
    [{ do: 'insert', slots: '-B' }, { do: 'run', options: promote }, { do: 'insert', slots: 'CB' }, { do: 'set-secondary', card: 'B' },
      { do: 'card', card: 'B', command: 'read', purpose: 'backup-secondary', sw: '6985' }], promotedB),
  script('backup', true, { title: 'a command altered on its way is refused, the session is over', steps: ['303'], rules: ['1.2', '3-2'] },
    [{ do: 'start', options: backup }, { do: 'tamper', how: 'flip-command' }, { do: 'phase', phase: 'backup', ...refusedAt('301', '312', { sw: '6982' }) }], asIssued),
  script('backup', true, { title: 'a command cut short on its way is refused', steps: ['303'], rules: ['1.2', '3-2'] },
    [{ do: 'start', options: backup }, { do: 'tamper', how: 'cut-command' }, { do: 'phase', phase: 'backup', ...refusedAt('301', '312', { sw: '6982' }) }], asIssued),
  script('backup', true, { title: 'an answer altered on its way is not believed', steps: ['301'], rules: ['1.2', '3-2'] },
    [{ do: 'start', options: backup }, { do: 'tamper', how: 'flip-answer' }, { do: 'phase', phase: 'backup', end: 'unexpected' }], asIssued),
  script('backup', true, { title: 'a sealed command sent once more is refused', steps: ['303'], rules: ['1.2', '3-2'] },
    [verified('A', 'backup-primary'), { do: 'tamper', how: 'repeat-command' }, { do: 'card', card: 'A', command: 'verify', purpose: 'backup-primary', sw: '6982' }], asIssued),
  script('backup', true, { title: 'a recorded session played again is refused: the card draws a challenge of its own', steps: ['303'], rules: ['1.2', '3-1'] },
    [{ do: 'reset', card: 'A', kind: 'cold' }, verified('A', 'backup-primary'), { do: 'replay', card: 'A', sw: '6982' }], asIssued),
  script('backup', true, { title: 'no copy before the PIN, nor after that of another purpose', steps: ['310'], rules: ['3-5'] },
    [{ do: 'card', card: 'A', command: 'export', secondary: '1234567B', sw: '6985' }, { do: 'card', card: 'A', command: 'verify', purpose: 'restore' }, { do: 'card', card: 'A', command: 'export', secondary: '1234567B', sw: '6985' }], asIssued),
  script('backup', true, { title: 'no copy of a secondary card by way of a backup', steps: ['310'], rules: ['3-5'], prepare: backedUp },
    [verified('B', 'backup-primary'), { do: 'card', card: 'B', command: 'export', secondary: '1234567C', sw: '6985' }], asIssued),
  script('backup', true, { title: 'a copy with a balance is not stored', steps: ['310'], rules: ['3-6'] },
    [...exported, verified('B', 'backup-secondary'), { do: 'card', card: 'B', command: 'store', from: 'k', change: { balance: 10_000 }, sw: '6A80' }, { do: 'table', card: 'B', expect: { balance: 0, primaryNumber: '' } }], asIssued),
  script('backup', true, { title: 'a copy for another card, for its own primary, with its number on the list is not stored', steps: ['310'], rules: ['3-6'] },
    [...exported, verified('B', 'backup-secondary'), { do: 'card', card: 'B', command: 'store', from: 'k', change: { secondaryNumber: '1234567C' }, sw: '6A80' },
      { do: 'card', card: 'B', command: 'store', from: 'k', change: { primaryNumber: '1234567B' }, sw: '6A80' }, { do: 'card', card: 'B', command: 'store', from: 'k', change: { blackList: ['1234567B'] }, sw: '6A80' },
      { do: 'table', card: 'B', expect: { primaryNumber: '' } }], asIssued),
  script('backup', true, { title: 'no copy is stored before the PIN, none on a primary card', steps: ['310'], rules: ['3-6'] },
    [...exported, { do: 'card', card: 'B', command: 'store', from: 'k', sw: '6985' }, { do: 'card', card: 'A', command: 'verify', purpose: 'backup-secondary' }, { do: 'card', card: 'A', command: 'store', from: 'k', change: { secondaryNumber: '1234567A', primaryNumber: '1234567B' }, sw: '6985' }], asIssued),
  script('backup', true, { title: 'commands outside of any session, with wrong P1 P2, unknown ones, ISSUE once more', steps: ['301', '303'], rules: ['2', '2.1'] }, [
    ...([['80 14 00 00', '6982'], ['80 16 01 00 04 32 34 36 38', '6982'], ['80 14 06 00', '6A86'], ['80 14 00 01', '6A86'], ['80 16 00 00', '6A86'], ['80 10 03 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00', '6A86'],
      ['80 10 01 00 04 01 02 03 04', '6700'], ['80 26 00 00', '6D00'], ['80 11 01 00', '6D00'], ['00 14 00 00', '6D00'], ['A0 14 00 00', '6E00'], ['80 46 00 00 04 31 32 33 34', '6985'], ['80 46 01 00', '6A86'], ['80 24 00 00 03 00 00 00', '6700']] as const)
      .map(([apdu, sw]): TwinAction => ({ do: 'raw', card: 'A', apdu, sw })),
  ], asIssued),
  script('backup', true, { title: 'wrong order: functions without entry checks', steps: ['301', '401', '501'], rules: ['4-1'] },
    [{ do: 'phase', phase: 'backup', ...refusedAt('301', '312', { code: 'DEVICE_ORDER' }) }, { do: 'phase', phase: 'promote', ...refusedAt('401', '410', { code: 'DEVICE_ORDER' }) },
      { do: 'start', options: backup }, { do: 'phase', phase: 'restore', ...refusedAt('501', '507', { code: 'DEVICE_ORDER' }) }], asIssued),
];

const promoteNominal: readonly TwinPoint[] = [
  run('promote', false, { title: 'the primary card is lost, the secondary card takes its place', steps: promotion, rules: ['3-7'], prepare: lost, leaves: promotedB }),
  run('promote', false, { title: 'with the primary card still in its slot', steps: promotion, rules: ['3-7'], prepare: backedUp, leaves: promotedB }),
  script('promote', false, { title: 'worked example: figure 7, then the issuer sends what is left', steps: ['406', '407'], rules: ['3-7', '3-10', '5-3'], prepare: lost }, [
    { do: 'run', options: promote },
    { do: 'table', card: 'B', expect: { cardNumber: '1234567B', primaryNumber: '1234567B', secondaryNumber: '', blackList: ['1234567A'], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 0 } },
    { do: 'set-secondary', card: 'C' }, { do: 'insert', slots: 'BC' }, { do: 'run', options: backup },
    { do: 'table', card: 'B', expect: { cardNumber: '1234567B', primaryNumber: '1234567B', secondaryNumber: '1234567C', blackList: ['1234567A'], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 0 } },
    { do: 'table', card: 'C', expect: { cardNumber: '1234567C', primaryNumber: '1234567B', secondaryNumber: '1234567C', blackList: ['1234567A'], creditNumber: '98765432', balance: 0 } },
    { do: 'confirm-balance', card: 'B' }, { do: 'deliver' }, { do: 'table', card: 'B', expect: { balance: 10_000 } },
  ], { primary: 'B', balance: TWIN_ISSUED, listed: 'A' }),
  script('promote', false, { title: 'what a thief has paid with the lost card before its number was black-listed is taken off', steps: ['407'], rules: ['3-10', '3-11', '5-3'], prepare: lost },
    [{ do: 'shop', card: 'A', amount: 3000 }, { do: 'run', options: promote }, { do: 'shop', card: 'A', amount: 100, code: 'ISSUER_LISTED' }, { do: 'confirm-balance', card: 'B' }, { do: 'deliver' }, { do: 'shop', card: 'B', amount: 1000 }],
    { primary: 'B', balance: TWIN_ISSUED - 4000, listed: 'A' }),
  script('promote', false, { title: 'the same balance order twice counts once', steps: ['407'], rules: ['3-10'], prepare: lost },
    [{ do: 'run', options: promote }, { do: 'card', as: 'issuer', card: 'B', command: 'balance', order: 1, amount: 500 }, { do: 'shop', card: 'B', amount: 200 }, { do: 'card', as: 'issuer', card: 'B', command: 'balance', order: 1, amount: 500 }],
    { primary: 'B', balance: 300, listed: 'A' }),
  script('promote', false, { title: 'C is promoted in the place of B', steps: promotion, rules: ['3-7'], prepare: { state: 'promoted' } },
    [{ do: 'run', options: backup }, { do: 'insert', slots: '-C' }, { do: 'run', options: promote }, { do: 'table', card: 'C', expect: { primaryNumber: '1234567C', blackList: ['1234567A', '1234567B'] } }], { primary: 'C', balance: 0, listed: 'AB' }),
  script('promote', false, { title: 'the link is down at step 407: the device tells the issuer when it is up again', steps: ['407'], rules: ['4-4'], prepare: lost },
    [{ do: 'link-down' }, { do: 'run', options: promote, end: 'link', at: '407' }, { do: 'device', expect: { primaryNumber: '1234567B', blackList: ['1234567A'] } }, { do: 'link-up' }, { do: 'settle' }], promotedB),
];

const promoteWrong: readonly TwinPoint[] = [
  run('promote', true, { title: 'a wrong card PIN', steps: ['403', '410'], rules: ['3-4'], prepare: lost, options: { secondaryPin: 'wrong' }, ...refusedAt('403', '410', { sw: '63C2' }), leaves: asIssued }),
  run('promote', true, { title: 'the holder says no at step 405', steps: ['405', '410'], rules: ['4-1'], prepare: lost, options: { confirm: false }, ...refusedAt('405', '410', { code: 'DEVICE_DECLINED' }), leaves: asIssued }),
  script('promote', true, { title: 'a secondary card on the black list is not promoted', steps: ['404'], rules: ['4-3'], prepare: lost },
    [{ do: 'list', card: 'B' }, { do: 'run', options: promote, ...refusedAt('404', '410', { code: 'DEVICE_LISTED' }) }], { ...asIssued, listed: 'B' }),
  run('promote', true, { title: 'a secondary card without a backup is not promoted', steps: ['406'], rules: ['3-7'], prepare: { slots: '-B' }, ...refusedAt('406', '410', { sw: '6985' }), leaves: asIssued }),
  script('promote', true, { title: 'a promoted card is not promoted once more', steps: ['402'], rules: ['3-3', '3-7'], prepare: lost },
    [{ do: 'run', options: promote }, { do: 'set-secondary', card: 'B' }, { do: 'run', options: promote, ...refusedAt('402', '410', { sw: '6985' }) }], promotedB),
  script('promote', true, { title: 'a secondary card serves no shop before its promotion', steps: ['402'], rules: ['3-11'], prepare: lost },
    [{ do: 'shop', card: 'B', amount: 0, sw: '6985' }, { do: 'shop', card: 'B', amount: 100, sw: '6985' }], asIssued),
  script('promote', true, { title: 'a new secondary card serves no shop', steps: ['402'], rules: ['3-11'] }, [{ do: 'shop', card: 'C', amount: 0, sw: '6985' }, { do: 'shop', card: 'B', amount: 0, sw: '6985' }], asIssued),
  script('promote', true, { title: 'no promotion without the card PIN, nor with it for another purpose', steps: ['406'], rules: ['3-7'], prepare: lost },
    [{ do: 'card', card: 'B', command: 'promote', sw: '6985' }, verified('B', 'backup-secondary'), { do: 'card', card: 'B', command: 'promote', sw: '6985' },
      verified('B', 'promote'), { do: 'reset', card: 'B', kind: 'warm' }, { do: 'card', card: 'B', command: 'promote', sw: '6985' }], asIssued),
  script('promote', true, { title: 'the PROMOTE command altered on its way changes nothing', steps: ['406'], rules: ['1.2', '3-2'], prepare: lost },
    [verified('B', 'promote'), { do: 'tamper', how: 'flip-command' }, { do: 'card', card: 'B', command: 'promote', sw: '6982' }, { do: 'card', card: 'B', command: 'promote', sw: '6985' }], asIssued),
  script('promote', true, { title: 'PROMOTE in a session of the issuer, PROMOTE in none', steps: ['406'], rules: ['3-1'], prepare: lost },
    [{ do: 'card', as: 'issuer', card: 'B', command: 'promote', sw: '6982' }, { do: 'reset', card: 'B', kind: 'warm' }, { do: 'raw', card: 'B', apdu: '80 1C 00 00', sw: '6982' }], asIssued),
  script('promote', true, { title: 'the notice of step 407 altered on its way is not believed, and sent again', steps: ['407'], rules: ['4-4', '5-1'], prepare: lost },
    [{ do: 'alter-link' }, { do: 'run', options: promote, ...refusedAt('407', '410', { code: 'LINK_ALTERED' }) }, { do: 'settle' }], promotedB),
  script('promote', true, { title: 'no balance for a secondary card, none by the device, none of an earlier order', steps: ['407'], rules: ['3-1', '3-10'], prepare: lost }, [
    { do: 'card', as: 'issuer', card: 'B', command: 'balance', order: 1, amount: 500, sw: '6985' }, { do: 'run', options: promote }, { do: 'card', card: 'B', command: 'balance', order: 1, amount: 500, sw: '6982' },
    { do: 'card', as: 'issuer', card: 'B', command: 'balance', order: 2, amount: 500 }, { do: 'card', as: 'issuer', card: 'B', command: 'balance', order: 1, amount: 900, sw: '6985' },
  ], { primary: 'B', balance: 500, listed: 'A' }),
  script('promote', true, { title: 'a shop asks for more than there is', steps: ['407'], rules: ['3-11'], prepare: backedUp }, [{ do: 'shop', card: 'A', amount: TWIN_ISSUED + 1, sw: '6A80' }], asIssued),
];

const restoreNominal: readonly TwinPoint[] = [
  run('restore', false, { title: 'a card withdrawn from the black list comes back', steps: ['501', '502', '508', '509', '510', '511', '507'], rules: ['3-6', '5-2'], prepare: withdrawn, leaves: asIssued }),
  run('restore', false, { title: 'a valid card: nothing to restore', steps: ['501', '502', '503', '504', '505'], rules: ['4-1'], prepare: backedUp, at: '505', leaves: asIssued }),
  script('restore', false, { title: 'worked example: figure 6, then withdrawal and restore', steps: ['506', '511'], rules: ['3-6', '3-8', '5-2'], prepare: backedUp }, [
    { do: 'run', options: { ...restore, primaryPin: 'wrong' }, ...refusedAt('503', '507', { sw: '63C2' }) },
    { do: 'table', card: 'A', expect: { cardNumber: '1234567A', primaryNumber: '', secondaryNumber: '', blackList: ['1234567A'], creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0 } },
    { do: 'device', expect: { blackList: ['1234567A'], restoreNumber: '' } },
    { do: 'withdraw', card: 'A' }, { do: 'set-restore', card: 'A' }, { do: 'device', expect: { blackList: [], restoreNumber: '1234567A', balance: 10_000 } },
    { do: 'run', options: restore },
    { do: 'table', card: 'A', expect: { cardNumber: '1234567A', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '98765432', hasCreditPin: true, moneyId: 'Abcd-40', balance: 10_000 } },
    { do: 'device', expect: { terminalNumber: 'ABCDEFGH', restoreNumber: '', primaryNumber: '1234567A', secondaryNumber: '1234567B', blackList: [], creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0 } },
  ], asIssued),
  script('restore', false, { title: 'what was paid before the invalidation is not given back', steps: ['511'], rules: ['5-3'], prepare: { ...backedUp, spent: 1200 } },
    [{ do: 'run', options: { ...restore, primaryPin: 'wrong' }, ...refusedAt('503', '507') }, { do: 'withdraw', card: 'A' }, { do: 'set-restore', card: 'A' }, { do: 'run', options: restore }], { ...asIssued, balance: TWIN_ISSUED - 1200 }),
  script('restore', false, { title: 'tries used up at step 508 lead to 506; the withdrawal gives the tries back', steps: ['508', '506'], rules: ['3-4', '3-9'], prepare: withdrawn }, [
    ...(['63C2', '63C1', '63C0'] as const).map((sw): TwinAction => ({ do: 'run', options: { ...restore, primaryPin: 'wrong' }, ...refusedAt('508', '507', { sw }) })),
    { do: 'device', expect: { blackList: ['1234567A'] } }, { do: 'withdraw', card: 'A' }, { do: 'set-restore', card: 'A' }, { do: 'run', options: restore },
  ], asIssued),
];

const restoreWrong: readonly TwinPoint[] = [
  run('restore', true, { title: 'a wrong PIN on a valid card invalidates it', steps: ['503', '506', '507'], rules: ['3-8'], prepare: backedUp, options: { primaryPin: 'wrong' }, ...refusedAt('503', '507', { sw: '63C2' }), leaves: nobody }),
  script('restore', true, { title: 'a valid card on the black list is invalidated', steps: ['504', '506', '507'], rules: ['3-8', '4-3'], prepare: backedUp },
    [{ do: 'list', card: 'A' }, { do: 'run', options: restore, ...refusedAt('504', '507', { code: 'DEVICE_LISTED' }) }, { do: 'table', card: 'A', expect: { primaryNumber: '', balance: 0, blackList: ['1234567A'] } }], nobody),
  run('restore', true, { title: 'without withdrawal the card refuses at step 509', steps: ['509', '507'], rules: ['3-4', '5-2'], prepare: { state: 'invalidated' }, ...refusedAt('509', '507', { sw: '6985' }), leaves: nobody }),
  script('restore', true, { title: 'withdrawn at the card alone: the device refuses at step 509', steps: ['509'], rules: ['4-3'], prepare: { state: 'invalidated' } },
    [{ do: 'card', as: 'issuer', card: 'A', command: 'withdraw' }, { do: 'run', options: restore, ...refusedAt('509', '507', { code: 'DEVICE_LISTED' }) }], nobody),
  script('restore', true, { title: 'without the restore card number step 510 refuses', steps: ['510', '507'], rules: ['5-2'], prepare: { state: 'invalidated' } },
    [{ do: 'set-restore', card: 'A', code: 'ISSUER_LISTED' }, { do: 'withdraw', card: 'A' }, { do: 'run', options: restore, ...refusedAt('510', '507', { code: 'DEVICE_RESTORE' }) }], { primary: '-', listed: '' }),
  run('restore', true, { title: 'a wrong PIN at step 508', steps: ['508', '507'], rules: ['3-4'], prepare: withdrawn, options: { primaryPin: 'wrong' }, ...refusedAt('508', '507', { sw: '63C2' }), leaves: { primary: '-', listed: '' } }),
  script('restore', true, { title: 'a card whose secondary card has been promoted is not withdrawn', steps: ['509'], rules: ['5-2'], prepare: { state: 'promoted', slots: 'AB' } },
    [{ do: 'withdraw', card: 'A', code: 'ISSUER_PROMOTED' }, { do: 'start', options: restore, ...refusedAt('105', '109', { code: 'DEVICE_CARD' }) }], promotedB),
  script('restore', true, { title: 'WITHDRAW by the device, without a session', steps: ['509'], rules: ['3-1', '3-9'], prepare: { state: 'invalidated' } },
    [{ do: 'card', card: 'A', command: 'withdraw', sw: '6982' }, { do: 'reset', card: 'A', kind: 'warm' }, { do: 'raw', card: 'A', apdu: '80 20 00 00', sw: '6982' }, { do: 'table', card: 'A', expect: { blackList: ['1234567A'] } }], nobody),
  script('restore', true, { title: 'a secondary card is not made primary by way of a restore', steps: ['511'], rules: ['3-6'], prepare: backedUp },
    [...exported, verified('B', 'invalidated'), { do: 'card', card: 'B', command: 'store', copy: 'restore', from: 'k', change: { primaryNumber: '1234567B', secondaryNumber: '1234567C' }, sw: '6985' }], asIssued),
  script('restore', true, { title: 'a copy for another card, with a balance, with its number on the list does not restore', steps: ['511'], rules: ['3-6'], prepare: withdrawn }, [
    { do: 'card', card: 'B', command: 'export', copy: 'restore', keep: 'k' }, verified('A', 'invalidated'), { do: 'card', card: 'A', command: 'store', copy: 'restore', from: 'k', change: { primaryNumber: '1234567C' }, sw: '6A80' },
    { do: 'card', card: 'A', command: 'store', copy: 'restore', from: 'k', change: { balance: 1 }, sw: '6A80' }, { do: 'card', card: 'A', command: 'store', copy: 'restore', from: 'k', change: { blackList: ['1234567A'] }, sw: '6A80' },
    { do: 'table', card: 'A', expect: { primaryNumber: '' } },
  ], { primary: '-', listed: '' }),
  script('restore', true, { title: 'no restore before the PIN, nor from a card that is no secondary card', steps: ['511'], rules: ['3-5', '3-6'], prepare: withdrawn },
    [{ do: 'card', card: 'A', command: 'export', copy: 'restore', sw: '6985' }, { do: 'card', card: 'B', command: 'export', copy: 'restore', keep: 'k' }, { do: 'card', card: 'A', command: 'store', copy: 'restore', from: 'k', sw: '6985' }], { primary: '-', listed: '' }),
  script('restore', true, { title: 'restore card number and balance altered on their way are not taken', steps: ['510'], rules: ['5-1'], prepare: { state: 'invalidated' } },
    [{ do: 'withdraw', card: 'A' }, { do: 'alter-link' }, { do: 'set-restore', card: 'A', code: 'LINK_ALTERED' }, { do: 'run', options: restore, ...refusedAt('510', '507', { code: 'DEVICE_RESTORE' }) }], { primary: '-', listed: '' }),
  script('restore', true, { title: 'the WITHDRAW command altered on its way changes nothing', steps: ['509'], rules: ['1.2', '3-2'], prepare: { state: 'invalidated' } },
    [{ do: 'tamper', how: 'flip-command' }, { do: 'withdraw', card: 'A', code: 'ISSUER_CARD' }, { do: 'table', card: 'A', expect: { blackList: ['1234567A'] } }], nobody),
  script('restore', true, { title: 'an invalidated card serves no shop and is no primary card', steps: ['506'], rules: ['3-8', '3-11'], prepare: withdrawn },
    [{ do: 'shop', card: 'A', amount: 0, sw: '6985' }, { do: 'card', as: 'issuer', card: 'A', command: 'balance', order: 1, amount: 10, sw: '6985' }], { primary: '-', listed: '' }),
];

/** The plan of primary and secondary card. */
export const twinPlan: SystemPlan<TwinPoint> = {
  system: 'twin', id: 'twin/1', points: [
    ...startNominal, ...startWrong, ...backupNominal, ...backupWrong, ...promoteNominal, ...promoteWrong, ...restoreNominal, ...restoreWrong,
  ],
};
