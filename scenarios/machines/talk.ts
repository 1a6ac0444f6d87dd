import { exchangeOf } from '../catalogue/registry.js';
import type { CertificateEntry, Outcome, Page, StepId, TalkPorts, ValueEntry } from '../ports.js';
import { judgeCard, judgeClaim, judgeSafe } from './judge.js';
import type { Judged } from './judge.js';
import { atCard, atSafe, list, need, operation, remove } from './operations.js';
import type { Operation, Run, Settled } from './operations.js';
import { boundaryNames, exchange, machine, nothing } from './sets.js';
import { asks, deletes, passes, reached, reachedWhole, start } from './states.js';
import type { ClaimState, Progress, ScenarioOptions } from './types.js';

type TalkRun = Run<TalkPorts>;

const onTalk = (carryOut: (run: TalkRun, first: StepId) => Promise<Settled>): Operation => operation<TalkPorts, ScenarioOptions, Progress>(carryOut);
const plain = (run: TalkRun): Run => run;
const hashOf = (run: TalkRun): NonNullable<ScenarioOptions['hash']> => run.options.hash ?? 'SHA-256';
const ownerOf = (run: TalkRun): NonNullable<ScenarioOptions['owner']> => run.options.owner ?? 'password';

/** The registration of a value is that of embodiment 3. */
const listValues = onTalk((run, first) => list(plain(run), first, (from) => run.ports.card.listValues(12, from)));
const registerBegin = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.registerBegin(12, 'public-key', need(plain(run), 'handle'), hashOf(run)), (request) => ({ progress: { request } })));
const register = onTalk((run, first) => atSafe(plain(run), first, run.ports.safe.register(need(plain(run), 'request')), (certificate) => ({ progress: { certificate } })));
const registerEnd = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.registerEnd(12, 'value', need(plain(run), 'certificate')), (stored) => ({ progress: { stored } })));

const keyRegisterBegin = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.keyRegisterBegin('decoding', run.ports.safe2.safeId, hashOf(run), 12), (request) => {
    const same = request.keyId !== undefined && request.keyId === run.progress.former?.keyId;
    return { progress: { request }, problem: same ? 'the card registers the former key again' : undefined };
  }));
/** The key goes to its safe with the owner's information. */
const registerOwned = onTalk((run, first) => atSafe(plain(run), first,
  run.ports.safe2.registerOwned(need(plain(run), 'request'), ownerOf(run)), (certificate) => ({ progress: { certificate } })));
const keyRegisterEnd = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.registerEnd(12, 'key', need(plain(run), 'certificate')), (stored) => ({ progress: { stored } })));

interface Listed<E> extends Judged {
  readonly entries: readonly E[];
}

/** All pages of a list, each judged alone; empty where one of them stops the run. */
async function whole<E>(run: TalkRun, first: StepId, turn: (from?: number) => Promise<Outcome<Page<E>>>): Promise<Listed<E>> {
  const entries: E[] = [];
  for (let from: number | undefined; ;) {
    const outcome = await turn(from);
    const judged = judgeCard(run.scenario, first, outcome, run.ports.card.hasTrace);
    if (judged.stop || !outcome.ok) return { ...judged, entries: [] };
    entries.push(...outcome.value.entries);
    const { next } = outcome.value;
    if (next === undefined) return { ...judged, entries };
    if (from !== undefined && next <= from) return { ...unexpected(run, first, judged, `the list goes back from position ${from} to ${next}`), entries: [] };
    from = next;
  }
}

const unexpected = (run: TalkRun, first: StepId, { evidence }: Judged, text: string): Judged =>
  ({ evidence, stop: { step: exchangeOf(run.scenario, first).at(-1) ?? first, cause: 'unexpected', text } });

const isDecodingKey = ({ kind, keyKind }: CertificateEntry): boolean => kind === 'key' && (keyKind === undefined || keyKind === 'decoding');

/** The certificate of the key that is lost. */
const listKeys = onTalk(async (run, first) => {
  const { entries, ...judged } = await whole(run, first, (from) => run.ports.card.listCertificates(12, 'key', from));
  const found = entries.find((entry) => isDecodingKey(entry) && entry.state === 'stored');
  if (judged.stop) return { ...judged, progress: {} };
  if (!found) return { ...unexpected(run, first, judged, `none of the ${entries.length} listed entries is the certificate of a decoding key`), progress: {} };
  return { ...judged, progress: { keyHandle: found.handle } };
});
const keyRecoverBegin = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.recoverBegin(12, 'key', need(plain(run), 'keyHandle')), (keyCertificate) => ({ progress: { keyCertificate } })));
const listCertificates = onTalk((run, first) => list(plain(run), first, (from) => run.ports.card.listCertificates(12, 'value', from)));
const recoverBegin = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.recoverBegin(12, 'value', need(plain(run), 'handle')), (certificate) => ({ progress: { certificate } })));

/** Steps that the key safe has done before the other safe failed it. */
function failedAtPeer(run: TalkRun, first: StepId, outcome: Outcome<unknown>): Judged {
  const judged = judgeSafe(run.scenario, first, outcome);
  if (outcome.ok || outcome.safeCode !== 'SAFE_PEER' || !judged.stop) return judged;
  const seen = (step: StepId, how: 'done' | 'refused') => ({ step, kinds: ['safe'], outcome: how } as const);
  return { evidence: [seen('4-9@safe2', 'done'), seen('4-10@owner', 'done'), seen('2-9@peer', 'refused')], stop: { ...judged.stop, step: '2-9@peer' } };
}

/** The owner's request to the key safe: what comes back must have been fetched from the other. */
const retrieveSet = onTalk(async (run, first) => {
  const outcome = await run.ports.safe2.retrieveSet(ownerOf(run), need(plain(run), 'keyCertificate'), need(plain(run), 'certificate'));
  const judged = failedAtPeer(run, first, outcome);
  if (judged.stop || !outcome.ok) return { ...judged, progress: {} };
  const { key, value, fetched } = outcome.value;
  if (!fetched) return { evidence: [], stop: { step: '2-9@peer', cause: 'unexpected', text: 'the other safe was not asked' }, progress: {} };
  return { ...judged, progress: { object: value, keyObject: key } };
});
const keyRecoverEnd = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.keyRecoverEnd(need(plain(run), 'keyHandle'), need(plain(run), 'keyObject'), 12), () => ({})));
const recoverEnd = onTalk((run, first) => atCard(plain(run), first,
  run.ports.card.recoverEnd(12, need(plain(run), 'handle'), need(plain(run), 'object')), (stored) => ({ progress: { stored } })));

const deposited = (run: TalkRun): boolean => (run.progress.entry as ValueEntry | undefined)?.state === 'deposited';
const formerOf = (run: TalkRun): NonNullable<Progress['former']> => need(plain(run), 'former');

/** The value to be encrypted anew, in whatever state an earlier run has left it. */
const listRecovered = listValues;

/** The certificate of the former registration of the value: spent. */
const listSpent = onTalk(async (run, first) => {
  const { entries, ...judged } = await whole(run, first, (from) => run.ports.card.listCertificates(12, 'value', from));
  if (judged.stop) return { ...judged, progress: {} };
  const issueId = run.progress.entry?.issueId;
  const spent = entries.find((entry) => entry.state === 'spent' && entry.issueId === issueId);
  if (!spent && !deposited(run)) return { ...unexpected(run, first, judged, 'the value has no spent certificate: it was not recovered'), progress: {} };
  return { ...judged, progress: { former: { ...spent && { value: spent.handle }, registered: false } } };
});

/**
 * The certificate of the former key: spent once the new key is registered; where a cut has left both stored, the one the
 * safe issued first. With no spent one left of value or key all is done.
 */
const listFormerKey = onTalk(async (run, first) => {
  const { entries, ...judged } = await whole(run, first, (from) => run.ports.card.listCertificates(12, 'key', from));
  if (judged.stop) return { ...judged, progress: {} };
  const keys = entries.filter(isDecodingKey);
  const stored = keys.filter(({ state }) => state === 'stored').sort((a, b) => a.counter - b.counter);
  const spent = keys.find(({ state }) => state === 'spent') ?? (stored.length > 1 ? stored[0] : undefined);
  const found = spent ?? stored.at(0);
  if (!found) return { ...unexpected(run, first, judged, 'there is no certificate of a decoding key'), progress: {} };
  const { value } = formerOf(run);
  if (!spent && value === undefined) return { ...judged, progress: { former: { registered: true } }, already: true };
  return { ...judged, progress: { former: { ...value !== undefined && { value }, key: found.handle, ...found.keyId !== undefined && { keyId: found.keyId }, registered: spent !== undefined } } };
});

const unless = (done: (run: TalkRun) => boolean, then: Operation): Operation =>
  onTalk((run, first) => (done(run) ? Promise.resolve(nothing) : then(plain(run), first)));
const keyDone = (run: TalkRun): boolean => formerOf(run).registered;

const renewKey = onTalk((run, first) => atCard(plain(run), first, run.ports.card.renewKey(), () => ({})));

/** One of the deletions of claim 26, of the former value or key; nothing where an earlier run has done it. */
const ofFormer = (what: 'value' | 'key', at: ClaimState, carryOut: (run: TalkRun, handle: number) => Promise<Settled>): Operation => onTalk((run) => {
  const handle = formerOf(run)[what];
  return handle === undefined ? Promise.resolve({ evidence: [{ step: at, kinds: ['inferred'], outcome: 'done' }], progress: {} }) : carryOut(run, handle);
});
const receiptOf = (what: 'value' | 'key', at: ClaimState): Operation => ofFormer(what, at, async (run, handle) => {
  const outcome = await run.ports.card.getReceipt(handle);
  return { ...judgeClaim(at, 'link', outcome), progress: outcome.ok ? { receipt: outcome.value } : {} };
});
const toSafe = (what: 'value' | 'key', at: ClaimState): Operation => ofFormer(what, at, async (run) =>
  ({ ...judgeClaim(at, 'safe', await (what === 'value' ? run.ports.safe : run.ports.safe2).receipt(need(plain(run), 'receipt'))), progress: {} }));
const deleted = (what: 'value' | 'key', at: ClaimState): Operation => ofFormer(what, at, (run, handle) => remove(plain(run), at, run.ports.card.delete(handle)));

/** Embodiment 12, registration of a value at safe 164 (steps 1-1 to 1-16, claim 25). */
export const talkBackup = machine('12/backup', {
  start: start('1-1', '1-5', '1-10', '1-13', 'claim-25'),
  ...exchange('', 1, [1, 4], listValues, '1-5'),
  '1-4': passes('1-4', '1-5', reachedWhole('claim-25'), reached('claim-25')),
  ...exchange('', 1, [5, 9], registerBegin, '1-10'),
  ...exchange('', 1, [10, 12], register, '1-13'),
  ...exchange('', 1, [13, 16], registerEnd, 'done'),
  '1-16': passes('1-16', 'done', deletes('claim-25', 'claim-25')),
  'claim-25': asks('claim-25', 'claim-25', 'done'),
});

/** Embodiment 12, registration of the key with its owner at safe 165 (named states from steps 3-1 to 3-11, claim 25). */
export const talkKeyBackup = machine('12/key-backup', {
  start: start('3-1', ...boundaryNames('3-5@safe2'), '3-8', 'claim-25'),
  ...exchange('', 3, [1, 4], keyRegisterBegin, '3-5@safe2'),
  ...exchange('safe2', 3, [5, 7], registerOwned, '3-8'),
  ...exchange('', 3, [8, 11], keyRegisterEnd, 'done'),
  '3-11': passes('3-11', 'done', deletes('claim-25', 'claim-25')),
  'claim-25': asks('claim-25', 'claim-25', 'done'),
});

/** Embodiment 12, the owner gets key and value from safe 165, which fetches the value from safe 164. */
export const talkRecover = machine('12/recover', {
  start: start('4-1', '4-5', '2-1', '2-5', ...boundaryNames('4-9@safe2'), '4-11', '2-11'),
  ...exchange('', 4, [1, 4], listKeys, '4-5'),
  ...exchange('', 4, [5, 8], keyRecoverBegin, '2-1'),
  ...exchange('', 2, [1, 4], listCertificates, '2-5'),
  '2-4': passes('2-4', '2-5', reached('done')),
  ...exchange('', 2, [5, 8], recoverBegin, '4-9@safe2'),
  '4-9@safe2': asks('4-9@safe2', retrieveSet, '4-10@owner'),
  '4-10@owner': passes('4-10@owner', '2-9@peer'),
  '2-9@peer': passes('2-9@peer', '2-10@peer'),
  '2-10@peer': passes('2-10@peer', '4-10@safe2'),
  '4-10@safe2': passes('4-10@safe2', '4-11'),
  ...exchange('', 4, [11, 14], keyRecoverEnd, '2-11'),
  ...exchange('', 2, [11, 15], recoverEnd, 'done'),
});

/** Embodiment 12, value and key are registered anew under a new pair; then the old copies go (claims 23, 44, 26). */
export const talkRenew = machine('12/renew', {
  start: start('1-1', ...boundaryNames('2-1@old', '4-1@old', '3-1@new'), '1-5', '1-10', '1-13', '3-1', ...boundaryNames('3-5@safe2'), '3-8',
    'claim-26-receipt', 'claim-26-safe', 'claim-26-delete', 'claim-26-receipt@key', 'claim-26-safe@key', 'claim-26-delete@key'),
  ...exchange('', 1, [1, 4], listRecovered, '2-1@old'),
  ...exchange('old', 2, [1, 4], listSpent, '4-1@old'),
  ...exchange('old', 4, [1, 4], listFormerKey, '3-1@new'),
  '4-4@old': passes('4-4@old', '3-1@new', reached('done')),
  ...exchange('new', 3, [1, 4], unless((run) => deposited(run) || keyDone(run), renewKey), '1-5'),
  ...exchange('', 1, [5, 9], unless(deposited, registerBegin), '1-10'),
  ...exchange('', 1, [10, 12], unless(deposited, register), '1-13'),
  ...exchange('', 1, [13, 16], unless(deposited, registerEnd), '3-1'),
  ...exchange('', 3, [1, 4], unless(keyDone, keyRegisterBegin), '3-5@safe2'),
  ...exchange('safe2', 3, [5, 7], unless(keyDone, registerOwned), '3-8'),
  ...exchange('', 3, [8, 11], unless(keyDone, keyRegisterEnd), 'claim-26-receipt'),
  'claim-26-receipt': asks('claim-26-receipt', receiptOf('value', 'claim-26-receipt'), 'claim-26-safe'),
  'claim-26-safe': asks('claim-26-safe', toSafe('value', 'claim-26-safe'), 'claim-26-delete'),
  'claim-26-delete': asks('claim-26-delete', deleted('value', 'claim-26-delete'), 'claim-26-receipt@key'),
  'claim-26-receipt@key': asks('claim-26-receipt@key', receiptOf('key', 'claim-26-receipt@key'), 'claim-26-safe@key'),
  'claim-26-safe@key': asks('claim-26-safe@key', toSafe('key', 'claim-26-safe@key'), 'claim-26-delete@key'),
  'claim-26-delete@key': asks('claim-26-delete@key', deleted('key', 'claim-26-delete@key'), 'done'),
});

