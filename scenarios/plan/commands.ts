import { clause, item, midway, ready, scenarioPoint, scriptPoint, twoValues } from './frames.js';
import { begin } from './scripts.js';
import type { ScriptCommand } from './script.js';
import type { PlanPoint } from './types.js';

const raw = (apdu: string, expect: string | readonly string[]): ScriptCommand => ({ do: 'raw', apdu, expect });
const rule = (...rules: string[]): ReturnType<typeof clause> => clause([], rules);

const restart: readonly ScriptCommand[] = [{ do: 'reset', kind: 'cold', expect: 'ATR' }, { do: 'select', expect: '9000' }];

/** PIN: tries, blocking, commands without it. Numbers are never given anew. */
const pin: readonly PlanPoint[] = [
  scriptPoint('2/pin', 'P', 1, {
    title: 'a wrong PIN costs a try, the right one gives all back', clause: rule('2.4-11'),
    commands: [
      { do: 'get-data', tag: 'DF04', field: 'status.pinTries', save: '$tries', expect: '9000' }, { do: 'verify', pin: 'wrong', expect: '63Cx' },
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.pinTries', op: '<', than: '$tries' }] },
      { do: 'verify', pin: 'right', expect: '9000' },
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.pinTries', op: '=', than: '$tries' }] },
    ],
  }),
  scriptPoint('2/pin', 'P', 2, {
    title: 'a wrong PIN takes back the right one given before', clause: rule('2.1', '2.4-11'),
    commands: [{ do: 'verify', pin: 'wrong', expect: '63Cx' }, begin(2, item, '$r', '6982'), { do: 'verify', pin: 'right', expect: '9000' }],
  }),
  scriptPoint('2/pin', 'P', 3, {
    title: 'wrong PINs to blocking: blocked for good, over resets, and nothing of the wallet can be reached', clause: rule('2.4-11'), needs: ['power-control'],
    commands: [
      { do: 'verify', pin: 'wrong', times: 15, expect: ['63Cx', '6983'] }, { do: 'verify', pin: 'right', expect: '6983' }, ...restart,
      { do: 'verify', pin: 'right', expect: '6983' }, { do: 'verify', pin: 'ask', expect: '6983' }, begin(2, item, '$r', '6982'),
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.pinTries', op: '=', than: 0 }] },
    ],
  }),
  scriptPoint('2/pin', 'P', 4, {
    title: 'a try is lost even when power goes right after the wrong PIN', clause: rule('2.4-11', '2.4-12'), needs: ['power-control'],
    commands: [
      { do: 'get-data', tag: 'DF04', field: 'status.pinTries', save: '$tries', expect: '9000' }, { do: 'verify', pin: 'wrong', expect: '63Cx' }, ...restart,
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.pinTries', op: '<', than: '$tries' }] }, { do: 'verify', pin: 'right', expect: '9000' },
    ],
  }),
  scriptPoint('2/pin', 'P', 5, {
    title: 'asking for the tries costs none; a PIN of wrong form is refused', clause: rule('2.1', '2.4-11'),
    commands: [
      { do: 'verify', pin: 'ask', times: 5, expect: '63Cx' }, { do: 'verify', pin: 'short', expect: ['6700', '6A80', '63Cx'] },
      { do: 'verify', pin: 'right', expect: '9000' }, { do: 'verify', pin: 'long', expect: ['6700', '6A80', '63Cx'] }, { do: 'verify', pin: 'right', expect: '9000' },
      { do: 'verify', pin: 'not-digits', expect: ['6A80', '63Cx'] }, { do: 'verify', pin: 'right', expect: '9000' },
    ],
  }),
  scriptPoint('2/pin', 'P', 6, {
    title: 'a changed PIN counts, the old one no longer', clause: rule('2.1'), needs: ['power-control'],
    commands: [{ do: 'change-pin', pin: 'new', expect: '9000' }, ...restart, { do: 'verify', pin: 'right', expect: '63Cx' }, { do: 'verify', pin: 'new', expect: '9000' }],
  }),
  ...([1, 2] as const).map((embodiment) => scriptPoint(`${embodiment}/pin`, 'P', 7, {
    title: 'no protocol or wallet command without PIN', clause: rule('2.1'), prepare: { ...twoValues, pin: 'none' },
    commands: [
      { do: 'list-values', embodiment, expect: '6982' }, begin(embodiment, item, '$r', '6982'), { do: 'list-certificates', embodiment, what: 'value', expect: '6982' },
      { do: 'recover-begin', embodiment, what: 'value', item, expect: '6982' }, { do: 'read', item, expect: '6982' }, { do: 'use', item, quantity: 1, expect: '6982' },
      { do: 'delete', item, expect: '6982' }, { do: 'cancel', item, expect: '6982' }, { do: 'list', what: 'all', expect: '6982' }, { do: 'get-receipt', item, expect: '6982' },
      { do: 'delete-key', kind: 'decoding', expect: '6982' }, { do: 'generate-key', kind: 'decoding', expect: '6982' }, { do: 'change-pin', pin: 'new', expect: '6982' },
      { do: 'key-register-begin', kind: 'decoding', safe: 'safe', hash: 'SHA-256', expect: '6982' },
    ],
  })),
  scriptPoint('2/pin', 'P', 9, {
    title: 'the tries are lowered in the memory before the comparison: even for the right PIN', clause: rule('2.4-11'), needs: ['trace-port'],
    commands: [
      { do: 'verify', pin: 'right', expect: '9000', check: [{ is: 'tries-lowered-first' }] }, { do: 'verify', pin: 'wrong', expect: '63Cx' },
      { do: 'verify', pin: 'right', expect: '9000', check: [{ is: 'tries-lowered-first' }] },
    ],
  }),
  scriptPoint('2/pin', 'P', 8, {
    title: 'SELECT and a warm reset take the PIN away', clause: rule('2.1'), needs: ['power-control'],
    commands: [
      { do: 'select', expect: '9000' }, begin(2, item, '$r', '6982'), { do: 'verify', pin: 'right', expect: '9000' },
      { do: 'reset', kind: 'warm', expect: 'ATR' }, { do: 'select', expect: '9000' }, begin(2, item, '$r', '6982'),
    ],
  }),
  ...(['1/backup', '2/backup'] as const).map((scenario) => {
    const before = scenario === '1/backup' ? '1-12' as const : '1-13' as const;
    return scenarioPoint(scenario, 'P', 1, {
      title: `a wrong PIN between the registration and ${before}`, clause: clause([before], ['2.1', '2.4-11']), fault: { fault: 'pin', before, choice: 'wrong', times: 1 },
      expect: { end: ['refused'], at: [before], sw: ['6982'], card: midway(scenario), safe: 'one-stored', retry: 'completes' },
    });
  }),
  scenarioPoint('2/recover', 'P', 1, {
    title: 'a wrong PIN between presentation and 2-11', clause: clause(['2-11'], ['2.1', '2.4-11']), prepare: ready('2/recover'),
    fault: { fault: 'pin', before: '2-11', choice: 'wrong', times: 1 },
    expect: { end: ['refused'], at: ['2-11'], sw: ['6982'], card: midway('2/recover'), safe: 'unchanged', retry: 'completes' },
  }),
];

const aid = 'F04341524442454E4348';

/** Command headers and lengths (ISO/IEC 7816-4). */
const headers: readonly PlanPoint[] = [
  scriptPoint('2/apdu', 'X', 1, { title: 'unknown class', clause: rule('2.5'), needs: ['raw-apdu'], commands: [raw('C0100200', '6E00'), raw('20A4040000', '6E00'), raw('A0100200', '6E00')] }),
  scriptPoint('2/apdu', 'X', 2, { title: 'unknown instruction', clause: rule('2.5'), needs: ['raw-apdu'], commands: [raw('80FE0000', '6D00'), raw('00B00000', '6D00'), raw('80000000', '6D00')] }),
  scriptPoint('2/apdu', 'X', 3, {
    title: 'wrong P1 or P2', clause: rule('2.5', '2.1'), needs: ['raw-apdu'],
    commands: [raw('80100D0000', '6A86'), raw('8010000000', '6A86'), raw('8010020100', '6A86'), raw('8024010004' + '8B020001', '6A86'), raw('8012020304' + '8B020001', '6A86'), raw('00200002', '6A86')],
  }),
  scriptPoint('2/apdu', 'X', 4, {
    title: 'wrong length or no data where there must be some', clause: rule('2.5'), needs: ['raw-apdu'],
    commands: [raw('80240000', ['6700', '6A80']), raw('8024000003' + '8B0200', ['6700', '6A80']), raw('8024000005' + '8B02000100', ['6700', '6A80']), raw('8012020103' + '950101', ['6700', '6A80'])],
  }),
  scriptPoint('2/apdu', 'X', 5, {
    title: 'elements in the wrong order, twice, unknown, or with a long length form', clause: rule('1'), needs: ['raw-apdu'],
    commands: [
      raw('8012020107' + '950101' + '8B020001', '6A80'), raw('801202010A' + '8B020001' + '950101' + '950101', '6A80'), raw('8012020108' + '8B81020001' + '950101', '6A80'),
      raw('8012020107' + '8B020001' + '960101', '6A80'), raw('8012020107' + '8B020001' + '950104', '6A80'),
    ],
  }),
  scriptPoint('2/apdu', 'X', 6, {
    title: 'a chain that is not continued is dropped', clause: rule('2', '2.1'), needs: ['raw-apdu'],
    commands: [raw('9012020104' + '8B020001', '9000'), { do: 'list', what: 'values', expect: '9000' }, raw('8012020103' + '950101', ['6A80', '6700'])],
  }),
  scriptPoint('2/apdu', 'X', 7, {
    title: 'a chain beyond the longest command', clause: rule('2', '2.2'), needs: ['raw-apdu'],
    commands: [{ do: 'raw', apdu: `90140201FA${'00'.repeat(250)}`, times: 20, expect: ['9000', '6700', '6A84', '6883', '6884'] }, raw(`80140201FA${'00'.repeat(250)}`, ['6700', '6A80', '6883'])],
  }),
  scriptPoint('2/apdu', 'X', 8, {
    title: 'GET RESPONSE with nothing to fetch', clause: rule('2.1'), needs: ['raw-apdu'], commands: [raw('00C0000010', ['6985', '6A82', '6D00', '6700'])],
  }),
  scriptPoint('2/apdu', 'X', 9, {
    title: 'SELECT of another applet, and what card tools probe with', clause: rule('2.1'), needs: ['raw-apdu'],
    commands: [{ do: 'select', aid: 'wrong', expect: '6A82' }, raw('00A4000C023F00', ['6A86', '6A82', '9000']), raw(`00A404000A${aid}`, ['9000', '61xx'])],
  }),
  scriptPoint('2/apdu', 'X', 10, {
    title: 'personalisation commands on an operational card', clause: rule('2.2'), needs: ['raw-apdu'],
    commands: [
      { do: 'initialise', expect: ['6985', '6982'] }, { do: 'issue', expect: ['6985', '6982'] }, { do: 'put-data', tag: 'DF14', data: '03', expect: ['6985', '6982'] },
      { do: 'put-data', tag: 'DF10', data: '0102030405060708', expect: ['6985', '6982'] }, { do: 'generate-key', kind: 'signing', expect: ['6985', '6A86'] },
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.lifeCycle', op: '=', than: 2 }] },
    ],
  }),
  scriptPoint('2/apdu', 'X', 11, {
    title: 'GET DATA of an unknown tag', clause: rule('2.2'), needs: ['raw-apdu'], commands: [raw('80CADF7700', ['6A82', '6A86']), raw('80CA000000', ['6A82', '6A86'])],
  }),
  scriptPoint('2/apdu', 'X', 12, {
    title: 'a card that is not operational refuses the protocol', clause: rule('2.2'), needs: ['personalisation'], prepare: { values: [], lifeCycle: 'blank', pin: 'none' },
    commands: [{ do: 'issue', expect: '6985' }, { do: 'list-values', embodiment: 2, expect: ['6985', '6982'] }, { do: 'verify', pin: 'right', expect: ['6985', '6983', '6982'] }],
  }),
  scenarioPoint('2/backup', 'X', 1, {
    title: 'unknown commands between the steps change nothing', clause: clause(['1-5', '1-13'], ['2.5']), needs: ['raw-apdu'],
    fault: { fault: 'apdu', before: '1-13', commands: [{ apdu: '80FE0000', expect: ['6D00'] }, { apdu: 'C0100200', expect: ['6E00'] }, { apdu: '80100D0000', expect: ['6A86'] }] },
    expect: { end: ['done'], card: { is: 'as-after-success' }, safe: 'one-stored', retry: 'none' },
  }),
  scenarioPoint('2/recover', 'X', 1, {
    title: 'a chain begun and dropped before 2-11 does not mix with it', clause: clause(['2-11'], ['2.1']), needs: ['raw-apdu'], prepare: ready('2/recover'),
    fault: { fault: 'apdu', before: '2-11', commands: [{ apdu: '901A020004' + '8B020001', expect: ['9000'] }, { apdu: '80CADF0400', expect: ['9000', '61xx'] }] },
    expect: { end: ['done'], card: { is: 'as-after-success' }, safe: 'unchanged', retry: 'none' },
  }),
];

/** Points about PIN and raw commands. */
export const commands: readonly PlanPoint[] = [...pin, ...headers];
