import type { CardLine } from '../terminal/card-line.js';
import { BenchError } from '../world/errors.js';
import { purse, purseIdentity } from './commands.js';
import type { PurseCommand } from './commands.js';
import type { Authority } from './parties.js';

/** What a card of the purse is given before it is used. */
export interface PurseData {
  /** Payee id (8). */
  readonly id: Uint8Array;
  readonly authority: Authority;
  readonly issuerKey: Uint8Array;
  readonly thirdPartyKey: Uint8Array;
  /** True: the card takes payments of embodiment 2 only. */
  readonly askedOnly?: boolean;
}

/** Sends a command that an honest card carries out. Throws BenchError BENCH_PERSONALISE. */
export async function mustDo(line: CardLine, command: PurseCommand): Promise<Uint8Array> {
  const { sw, data } = await line.transmit(command);
  if (sw === 0x9000) return data;
  throw new BenchError('BENCH_PERSONALISE', `${command.name} was answered ${sw.toString(16).toUpperCase().padStart(4, '0')}`, 'the purse is not operational');
}

/**
 * Personalises a blank purse in the order of docs/purse.md 2.1 and gives its public key. The applet must be selected
 * and the card formatted by the backup applet. Throws BenchError BENCH_PERSONALISE when the card refuses a step.
 */
export async function personalisePurse(line: CardLine, { id, authority, issuerKey, thirdPartyKey, askedOnly = false }: PurseData): Promise<Uint8Array> {
  await mustDo(line, purse.initialise());
  await mustDo(line, purse.putData('id', id));
  await mustDo(line, purse.putData('caKey', authority.publicKey));
  await mustDo(line, purse.putData('issuerKey', issuerKey));
  await mustDo(line, purse.putData('thirdPartyKey', thirdPartyKey));
  if (askedOnly) await mustDo(line, purse.putData('settings', Uint8Array.of(1)));
  await mustDo(line, purse.generateKey());
  const { publicKey } = purseIdentity(await mustDo(line, purse.getData('identity')));
  await mustDo(line, purse.putData('caSignature', authority.certify(id, publicKey)));
  await mustDo(line, purse.activate());
  return publicKey;
}
