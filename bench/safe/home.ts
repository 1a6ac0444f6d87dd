import { X509Certificate } from 'node:crypto';
import {
  closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { CodecError, fromHex, heldSigner, toHex } from '../codec/index.js';
import type { KnownDevice } from './device-check.js';
import { SafeError } from './errors.js';
import type { SafeKeys } from './safe.js';

/** Gives so many random bytes. */
export type RandomSource = (length: number) => Uint8Array;

/** What a safe's directory holds beside its records. */
export interface SafeHome {
  readonly id: Uint8Array;
  readonly keys: SafeKeys;
  readonly operatorToken: string;
  /** Directory of the records. */
  readonly records: string;
}

const setup = (message: string, cause?: unknown): SafeError => new SafeError('SAFE_SETUP', message, { cause });

/** Key files in `DIR/keys` and their length in bytes; each holds one line of hex, mode 0600. */
const keyFiles = { 'id': 8, 'signing.key': 32, 'agreement.key': 32, 'store.key': 32, 'operator.token': 16 } as const;
type KeyFile = keyof typeof keyFiles;

function writePrivate(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes several private files as one new directory: all of them or none. */
function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
  const fresh = `${folder}.new`;
  try {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) writePrivate(join(fresh, name), text);
    renameSync(fresh, folder);
  } catch (cause) {
    throw setup(`cannot write ${folder} (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

/** True when the directory has been initialised. */
export function isInitialised(directory: string): boolean {
  return existsSync(join(directory, 'keys'));
}

/** Makes keys, id and operator token for a new safe. Throws SafeError SAFE_SETUP when there are some already. */
export function initHome(directory: string, random: RandomSource, id: Uint8Array = random(8)): void {
  if (isInitialised(directory)) throw setup(`${directory} is initialised already; its keys were left as they are`);
  if (id.length !== 8) throw setup(`safe id: expected 8 bytes, got ${id.length}`);
  const names = Object.keys(keyFiles) as KeyFile[];
  const contents = names.map((name) => [name, `${toHex(name === 'id' ? id : random(keyFiles[name]))}\n`]);
  writeFolder(join(directory, 'keys'), Object.fromEntries(contents) as Record<string, string>);
}

function readPrivate(path: string): string {
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      throw setup(`${path} can be read by others: make it 0600 and consider its keys known`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof SafeError) throw cause;
    throw setup(`cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

function readKey(directory: string, name: KeyFile): Uint8Array {
  const path = join(directory, 'keys', name);
  try {
    const bytes = fromHex(readPrivate(path));
    if (bytes.length === keyFiles[name]) return bytes;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  throw setup(`${path} does not hold ${keyFiles[name]} bytes in hex`);
}

/** Reads keys, id and operator token of a safe. Throws SafeError SAFE_SETUP (missing, damaged, readable by others). */
export function openHome(directory: string): SafeHome {
  if (!isInitialised(directory)) throw setup(`${directory} is no safe: run 'cardbench safe init --store ${directory}'`);
  const key = (name: KeyFile): Uint8Array => readKey(directory, name);
  return {
    id: key('id'), keys: { signer: heldSigner(key('signing.key')), agreement: key('agreement.key'), store: key('store.key') },
    operatorToken: toHex(key('operator.token')), records: join(directory, 'records'),
  };
}

/** Authentication devices in a private file: a line `ID KEY` in hex (8 and 32 bytes) for each. Throws SafeError SAFE_SETUP. */
export function readDevices(path: string): readonly KnownDevice[] {
  const lines = readPrivate(path).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, at) => {
    const fields = /^([0-9a-f]{16})\s+([0-9a-f]{64})$/i.exec(line.trim());
    if (fields === null) throw setup(`${path}, line ${at + 1}: expected 8 and 32 bytes in hex`);
    return { id: fromHex(fields[1]), key: fromHex(fields[2]) };
  });
}

/** PEM key and certificate of a server. */
export interface TlsPair {
  readonly key: string;
  readonly cert: string;
}

/** Reads a given PEM pair. Throws SafeError SAFE_SETUP. */
export function readTls(keyFile: string, certFile: string): TlsPair {
  try {
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  } catch (cause) {
    throw setup(`cannot read the TLS key or certificate (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

/** The pair in `DIR/tls`, made self-signed (P-256, for localhost, 127.0.0.1, ::1 and `host`) when it is missing. */
export async function ownTls(directory: string, host: string): Promise<TlsPair> {
  const folder = join(directory, 'tls');
  if (!existsSync(folder)) {
    const addresses = [...new Set(['127.0.0.1', '::1', ...(/^[\d.]+$|:/.test(host) ? [host] : [])])];
    const made = await generate([{ name: 'commonName', value: 'cardbench safe' }], {
      keyType: 'ec', curve: 'P-256', algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'subjectAltName', altNames: [
          { type: 2, value: 'localhost' }, ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ] },
      ],
    });
    writeFolder(folder, { 'key.pem': made.private, 'cert.pem': made.cert });
  }
  return { key: readPrivate(join(folder, 'key.pem')), cert: readPrivate(join(folder, 'cert.pem')) };
}

/** SHA-256 fingerprint of a PEM certificate, as tools print it. Throws SafeError SAFE_SETUP. */
export function fingerprintOf(cert: string): string {
  try {
    return new X509Certificate(cert).fingerprint256;
  } catch (cause) {
    throw setup('the TLS certificate is not readable PEM', cause);
  }
}
