import { equalBytes, toHex } from '../codec/index.js';
import type { AbstractPurse, PurseLogRecord } from '../../scenarios/index.js';
import type { CardLine } from '../terminal/card-line.js';
import { BenchError } from '../world/errors.js';
import { challengeIds, paymentsKept, purse, purseIdentity, purseStatus } from './commands.js';
import type { PurseCommand } from './commands.js';
import { logEntry } from './objects.js';

async function tell(line: CardLine, command: PurseCommand): Promise<Uint8Array> {
  const { sw, data } = await line.transmit(command);
  line.takeMarks();
  if (sw === 0x9000) return data;
  throw new BenchError('BENCH_PREPARE', `${command.name} was answered ${sw.toString(16).toUpperCase().padStart(4, '0')}`, 'the card cannot be looked at');
}

async function waitingOn(line: CardLine): Promise<readonly PurseLogRecord[]> {
  const found: PurseLogRecord[] = [];
  for (const id of challengeIds(await tell(line, purse.getData('waiting')))) {
    const entry = logEntry.decode(await tell(line, purse.log(id)));
    if (!equalBytes(entry.challengeId, id)) throw new BenchError('BENCH_PREPARE', `LOG of challenge ${toHex(id)} answered that of ${toHex(entry.challengeId)}`);
    found.push({ payeeId: toHex(entry.payeeId), challengeId: toHex(id), payerKey: toHex(entry.publicKey), amount: entry.amount });
  }
  return found;
}

/**
 * What a card of the purse tells of itself, by GET DATA and LOG, which change nothing. Throws BenchError BENCH_PREPARE
 * when it does not tell, CodecError when it tells nonsense.
 */
export async function lookAt(line: CardLine): Promise<AbstractPurse> {
  const { payeeId, publicKey } = purseIdentity(await tell(line, purse.getData('identity')));
  const { balance, issued, received, paid, lastIssue } = purseStatus(await tell(line, purse.getData('status')));
  const open = challengeIds(await tell(line, purse.getData('open'))).map(toHex);
  const waiting = await waitingOn(line);
  const payments = paymentsKept(await tell(line, purse.getData('paid'))).map(({ challengeId, amount }) => ({ challengeId: toHex(challengeId), amount }));
  return { id: toHex(payeeId), key: toHex(publicKey), balance, issued, received, paid, lastIssue, open, waiting, payments };
}
