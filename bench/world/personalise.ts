import { answers, commands } from '../codec/index.js';
import type { CardCommand, CardSettings, Credential, SafeEntry } from '../codec/index.js';
import type { CardLine } from '../terminal/card-line.js';
import { BenchError } from './errors.js';
import type { Issuer } from './issuer.js';

/** What a card is given before it is issued. */
export interface CardData {
  readonly cardId: Uint8Array;
  readonly safes: readonly SafeEntry[];
  /** 4-12 ASCII digits. */
  readonly pin: string;
  readonly settings: CardSettings;
}

async function must(line: CardLine, command: CardCommand, secret = false): Promise<Uint8Array> {
  const { sw, data } = await line.transmit(command, secret);
  if (sw === 0x9000) return data;
  const status = sw.toString(16).toUpperCase().padStart(4, '0');
  throw new BenchError('BENCH_PERSONALISE', `${command.name} was answered ${status}`, 'the card is not operational');
}

/**
 * Personalises a blank card in the order of docs/protocol.md 2.2 and makes it operational. The applet must be
 * selected. Throws BenchError BENCH_PERSONALISE when the card refuses a step.
 */
export async function personalise(line: CardLine, issuer: Issuer, data: CardData): Promise<Credential> {
  await must(line, commands.initialise());
  await must(line, commands.putCardId(data.cardId));
  await must(line, commands.putIssuerKey(issuer.publicKey));
  for (const safe of data.safes) await must(line, commands.putSafe(safe));
  await must(line, commands.putPin(data.pin), true);
  await must(line, commands.putSettings(data.settings));
  for (const kind of ['signing', 'transport', 'decoding', 'common'] as const)
    await must(line, commands.generateKey(kind));
  const keys = answers.publicKeys(await must(line, commands.getData('publicKeys')));
  const credential = issuer.certify({ cardId: data.cardId, ...keys });
  await must(line, commands.putCredentialSignature(credential.signature));
  await must(line, commands.issue());
  return credential;
}
