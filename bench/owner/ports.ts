import { sha256 } from '@noble/hashes/sha2.js';
import { certificate, concat, deriveKeyPair, fromHex, paths, sealOwner, textBytes, toHex, writeTlv } from '../codec/index.js';
import type { PublicKeyOps, SafeEntry } from '../codec/index.js';
import type { CarriedObject, CertificateObject, DevicePort, GrantObject, Outcome, OwnerChoice, OwnerMeansPort, OwnerSafePort, SafePort } from '../../scenarios/index.js';
import type { OwnerOperation, SafeClient } from '../safe/index.js';
import { certificateObject, retrievedObject } from '../terminal/convert.js';
import { safeOutcome } from '../terminal/safe-port.js';
import type { SafeExchange } from '../terminal/safe-port.js';
import type { DeviceCard } from './device.js';
import { askMeans } from './means.js';
import type { OwnerInput } from './means.js';
import { methodOf, ownerSecret } from './secrets.js';

/** What a safe's port for owners is made from. */
export interface OwnerSafeParts {
  readonly entry: SafeEntry;
  readonly client: SafeClient;
  readonly cardId: Uint8Array;
  readonly ops: PublicKeyOps;
  /** Secret of owner information input means 145, from which the keys of its messages are derived. */
  readonly secret: Uint8Array;
  readonly tell: (exchange: SafeExchange) => void;
}

const carried = (bytes: Uint8Array): CarriedObject => ({ bytes });

function grantOf(bytes: Uint8Array): GrantObject {
  return { bytes, pathId: toHex(paths.grant.decode(bytes).pathId) };
}

/** A safe with what it does for owners, over its plain port. Owner information leaves the terminal sealed for the safe. */
export function ownerSafePort(port: SafePort, { entry, client, cardId, ops, secret, tell }: OwnerSafeParts): OwnerSafePort {
  const ask = <T>(operation: OwnerOperation, body: Uint8Array, parse: (bytes: Uint8Array) => T): Promise<Outcome<T>> =>
    safeOutcome(() => client.owner(operation, body), parse, (received, status, code) => {
      tell({ safeId: port.safeId, operation: `owner/${operation}`, sent: body.length, received, status, ...(code === undefined ? {} : { code }) });
    });
  const challenge = (): Promise<Outcome<Uint8Array>> =>
    ask('challenge', paths.challengeRequest.encode({ cardId }), (bytes) => paths.challenge.decode(bytes).challenge);
  const sealed = (choice: OwnerChoice, once: Uint8Array) => {
    const information = ownerSecret(choice);
    const method = methodOf(information);
    const ephemeral = deriveKeyPair(sha256(concat(textBytes('cardbench owner to safe v1'), secret, once, information.bytes)));
    return { method, sealed: sealOwner({ to: entry.safeId, cardId, method, challenge: once }, information.bytes, entry.transportKey, ephemeral, ops) };
  };
  /** The object goes as it is: judging it is the safe's business. */
  const on = (tag: number, pathId: string, object: Uint8Array): Uint8Array => writeTlv(tag, concat(writeTlv(0xc9, fromHex(pathId)), object));
  const behind = (object: CarriedObject, of?: CertificateObject): Uint8Array => (of === undefined ? object.bytes : concat(object.bytes, of.bytes));
  return {
    ...port,
    async enrol(choice) {
      const once = await challenge();
      return once.ok ? ask('enrol', paths.enrolment.encode({ cardId, ...sealed(choice, once.value) }), grantOf) : once;
    },
    async present(of, choice) {
      const once = await challenge();
      if (!once.ok) return once;
      const { method, sealed: information } = sealed(choice, once.value);
      return ask('present', writeTlv(0xf5, concat(of.bytes, writeTlv(0xcb, Uint8Array.of(method)), writeTlv(0xcc, information))), grantOf);
    },
    ownerChallenge: () => ask('challenge', paths.challengeRequest.encode({ cardId }), carried),
    ownerResult: (result, of) => ask('result', behind(result, of), grantOf),
    deviceHello: (hello) => ask('device', hello.bytes, carried),
    deviceProof: (proof, of) => ask('prove', behind(proof, of), grantOf),
    registerOver: ({ pathId }, { bytes }) => ask('register',
      on(0xfa, pathId, bytes), (answer) => certificateObject(answer, certificate.decode(answer))),
    retrieveOver: ({ pathId }, { bytes, hashAlgorithm }) => ask('retrieve',
      on(0xfc, pathId, bytes), (answer) => retrievedObject(answer, hashAlgorithm)),
  };
}

/** Means 145, 148 and 149 at the terminal. */
export function ownerMeansPort(input: OwnerInput, about: { readonly cardId: Uint8Array; readonly safeId: Uint8Array }): OwnerMeansPort {
  return {
    authenticate: ({ bytes }, choice, transport) => safeOutcome(
      () => Promise.resolve().then(() => askMeans(input, { ...about, challenge: paths.challenge.decode(bytes).challenge }, ownerSecret(choice), transport)),
      carried, () => undefined,
    ),
  };
}

/** The device in reader 151, made when it is first wanted. `spent` is told how long an exchange took, ticks. */
export function devicePort(device: () => DeviceCard, cardId: Uint8Array, spent: (ticks: number) => Promise<void>): DevicePort {
  const timed = async <T>(run: (card: DeviceCard) => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const card = device();
    const from = card.now;
    const outcome = await run(card);
    await spent(card.now - from);
    return outcome;
  };
  return {
    hello: () => timed((card) => card.hello(cardId)),
    prove: ({ bytes }) => timed((card) => card.prove(cardId, bytes)),
  };
}
