import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { CodecError, fromHex, nobleOps, safeEntry, toHex } from '../codec/index.js';
import {
  SafeError, askOver, createCompartments, createSafe, fingerprintOf, indexCsv, initHome, isInitialised, lmdbStore, openHome, ownTls, readDevices, readTls, serveSafe,
} from '../safe/index.js';
import type { Peer, SafeServer, SafeStore, TlsPair } from '../safe/index.js';
import type { CommandIo } from './exec.js';
import type { LoadIo } from './safe-load.js';

/** Usage of `cardbench safe`. */
export const SAFE_USAGE = `cardbench safe serve --store DIR [--port 7816] [--host 127.0.0.1] [--tls [--cert FILE --key FILE]]
                     [--id HEX] [--counter-limit N] [--allow-legacy] [--empty-digest] [--issuer HEXKEY]...
                     [--authenticator HEXKEY]... [--devices FILE] [--concurrent N] [--compartments]
                     [--peer-entry HEX --peer-fingerprint HEX [--peer URL]]
cardbench safe init --store DIR [--id HEX]
cardbench safe entry --store DIR [--host 127.0.0.1]
cardbench safe index --store DIR
cardbench safe load [--certificates N] ... (see safe load --help)
serve makes the safe when DIR is new, prints its address on stdout and runs until Ctrl-C or SIGTERM.
entry prints what another safe must be told of this one: its entry ED and the SHA-256 of its TLS certificate.
--peer-entry and --peer-fingerprint name the one other safe that may ask here, --peer where it is asked; both need --tls.
index prints hash, counter, path of item and path of certificate as CSV, sorted by counter.
Exit: 0 done, 2 usage or configuration, 3 the store failed`;

const setup = (message: string): SafeError => new SafeError('SAFE_SETUP', message);

const options = {
  store: { type: 'string' }, port: { type: 'string', default: '7816' }, host: { type: 'string', default: '127.0.0.1' },
  tls: { type: 'boolean', default: false }, cert: { type: 'string' }, key: { type: 'string' }, id: { type: 'string' },
  'counter-limit': { type: 'string', default: '0xFFFFFFFF' }, 'allow-legacy': { type: 'boolean', default: false },
  'empty-digest': { type: 'boolean', default: false }, issuer: { type: 'string', multiple: true, default: [] as string[] },
  authenticator: { type: 'string', multiple: true, default: [] as string[] }, devices: { type: 'string' },
  compartments: { type: 'boolean', default: false }, concurrent: { type: 'string', default: '1024' },
  peer: { type: 'string' }, 'peer-entry': { type: 'string' }, 'peer-fingerprint': { type: 'string' }, help: { type: 'boolean', default: false },
} as const;
const belongs: Readonly<Record<string, readonly string[]>> = {
  serve: Object.keys(options), init: ['store', 'id', 'help'], entry: ['store', 'host', 'help'], index: ['store', 'help'],
};

function parse(argv: readonly string[]) {
  try {
    const { values, positionals, tokens } = parseArgs({ args: [...argv], allowPositionals: true, options, tokens: true });
    const [action = '', ...rest] = positionals;
    const strange = tokens.find((token) => token.kind === 'option' && !belongs[action]?.includes(token.name));
    if (values.help) return { action: 'help', values };
    if (!Object.hasOwn(belongs, action) || rest.length > 0) throw setup(`give one of ${Object.keys(belongs).join(', ')}`);
    if (strange?.kind === 'option') throw setup(`--${strange.name} does not belong to 'safe ${action}'`);
    return { action, values };
  } catch (error) {
    throw error instanceof SafeError ? error : setup((error as Error).message);
  }
}
type Values = ReturnType<typeof parse>['values'];

function number(text: string, what: string, most: number, least = 0): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw setup(`--${what}: expected ${least}-${most}, got '${text}'`);
  return value;
}

function hex(text: string, what: string, length: number): Uint8Array {
  try {
    const bytes = fromHex(text);
    if (bytes.length === length) return bytes;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  throw setup(`--${what}: expected ${length} bytes in hex`);
}

function directoryOf(values: Values): string {
  if (values.store === undefined) throw setup('--store DIR is missing');
  return values.store;
}

function init(values: Values, io: CommandIo): void {
  const directory = directoryOf(values);
  const id = values.id === undefined ? undefined : hex(values.id, 'id', 8);
  initHome(directory, (length) => Uint8Array.from(randomBytes(length)), id);
  io.err(`cardbench: safe ${toHex(openHome(directory).id)} made in ${directory}; keys and operator token are in its keys folder`);
}

async function index(values: Values, io: CommandIo): Promise<void> {
  const store = lmdbStore(openHome(directoryOf(values)).records);
  for (const line of indexCsv(store).split('\r\n').slice(0, -1)) io.out(line);
  await store.close();
}

async function entry(values: Values, io: CommandIo): Promise<void> {
  const directory = directoryOf(values);
  const { id, keys } = openHome(directory);
  const { cert } = await ownTls(directory, values.host);
  io.out(`entry ${toHex(safeEntry.encode({ safeId: id, verificationKey: keys.signer.publicKey, transportKey: nobleOps.agreementPublic(keys.agreement) }))}`);
  io.out(`fingerprint ${fingerprintOf(cert)}`);
}

/** The other safe, by its entry and TLS certificate. */
function peerOf(values: Values, tls: TlsPair | undefined): { readonly peer: Peer; readonly fingerprint: string } | undefined {
  const { peer: url, 'peer-entry': of, 'peer-fingerprint': fingerprint } = values;
  if (of === undefined && fingerprint === undefined && url === undefined) return undefined;
  if (of === undefined || fingerprint === undefined) throw setup('--peer-entry and --peer-fingerprint go together, --peer needs both');
  if (!tls) throw setup('--peer-entry needs --tls: each safe shows its certificate to the other');
  if (!/^([0-9A-Fa-f]{2}:?){32}$/.test(fingerprint)) throw setup('--peer-fingerprint: expected a SHA-256 in hex');
  if (url !== undefined && !(URL.canParse(url) && new URL(url).protocol === 'https:')) throw setup(`--peer: '${url}' is no address like https://127.0.0.1:7816`);
  try {
    const known = safeEntry.decode(fromHex(of));
    return { fingerprint, peer: { entry: known, ...url !== undefined && { ask: askOver(tls)(url, fingerprint) } } };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw setup('--peer-entry: expected the entry that `safe entry` prints');
  }
}

async function tlsOf(values: Values, directory: string): Promise<TlsPair | undefined> {
  if ((values.cert === undefined) !== (values.key === undefined)) throw setup('--cert and --key go together');
  if (!values.tls) {
    if (values.cert !== undefined) throw setup('--cert and --key need --tls');
    return undefined;
  }
  return values.cert !== undefined && values.key !== undefined
    ? readTls(values.key, values.cert) : ownTls(directory, values.host);
}

function stopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

async function start(values: Values, directory: string, store: SafeStore, io: CommandIo): Promise<SafeServer> {
  const home = openHome(directory);
  const tls = await tlsOf(values, directory);
  const other = peerOf(values, tls);
  const safe = createSafe({
    ...other && { peer: () => other.peer },
    id: home.id, keys: home.keys, store, settings: {
      counterLimit: number(values['counter-limit'], 'counter-limit', 0xffffffff), allowLegacy: values['allow-legacy'],
      emptyDigest: values['empty-digest'], issuers: values.issuer.map((key) => hex(key, 'issuer', 32)),
      authenticators: values.authenticator.map((key) => hex(key, 'authenticator', 32)), ...(values.devices === undefined ? {} : { devices: readDevices(values.devices) }),
    },
  });
  if (tls) io.err(`cardbench: TLS certificate SHA-256 ${fingerprintOf(tls.cert)}`);
  if (values.issuer.length === 0) io.err('cardbench: no --issuer: key objects and receipts will be refused');
  return serveSafe({
    safe, host: values.host, port: number(values.port, 'port', 65535), operatorToken: home.operatorToken,
    ...(values.compartments ? { compartments: createCompartments(home, store, askOver(tls)) } : {}), ...other && { peerFingerprint: other.fingerprint },
    limits: { concurrent: number(values.concurrent, 'concurrent', 65535, 1) }, ...(tls ? { tls } : {}),
  });
}

async function serve(values: Values, io: CommandIo): Promise<void> {
  const directory = directoryOf(values);
  if (!isInitialised(directory)) init(values, io);
  const { id, records } = openHome(directory);
  if (values.id !== undefined && toHex(hex(values.id, 'id', 8)) !== toHex(id))
    throw setup(`${directory} is the safe ${toHex(id)}, not ${values.id}`);
  const store = lmdbStore(records);
  try {
    const end = stopped();
    const server = await start(values, directory, store, io);
    io.out(`safe ${toHex(id)} at ${server.url}`);
    io.err(`cardbench: ${await end}: finishing requests under way`);
    await server.close();
  } finally {
    await store.close();
  }
}

/** `cardbench safe`: serve, init, index, load. Returns the exit code. */
export async function safeCommand(argv: readonly string[], io: LoadIo): Promise<number> {
  try {
    if (argv[0] === 'load') return await (await import('./safe-load.js')).safeLoad(argv.slice(1), io);
    const { action, values } = parse(argv);
    if (action === 'help') io.out(SAFE_USAGE);
    else if (action === 'init') init(values, io);
    else if (action === 'entry') await entry(values, io);
    else if (action === 'index') await index(values, io);
    else await serve(values, io);
    return 0;
  } catch (error) {
    if (!(error instanceof SafeError)) throw error;
    io.err(`cardbench: ${error.code}: ${error.message}`);
    io.err(`  still true: ${error.stillTrue}`);
    io.err(`  next: ${error.next}`);
    return error.code === 'SAFE_SETUP' ? 2 : 3;
  }
}
