import type { CardPort, CertificateObject, HashAlgorithm, Outcome, Ports, RequestObject, RetrievedObject, SafePort } from './ports.js';

/** Embodiments in which an owner is authenticated (docs/protocol.md 2.9). */
export type OwnerEmbodiment = 8 | 9 | 10;

/**
 * What the owner enters, by name: passwords and templates never enter scenarios, records or traces. `template`: the very
 * one that is registered; `template-within` and `template-beyond`: as far from it as the threshold allows, and a bit more.
 */
export type OwnerChoice = 'password' | 'wrong-password' | 'template' | 'template-within' | 'template-beyond';

/** How the owner's information reaches authentication means 149: under a temporary common key (claim 16), under its public key (claim 17). */
export type OwnerTransport = 'common-key' | 'public-key';

/** An object on its way. */
export interface CarriedObject {
  readonly bytes: Uint8Array;
}

/** Grant of a path by a safe (F0). */
export interface GrantObject extends CarriedObject {
  /** Hexadecimal. */
  readonly pathId: string;
}

/** The card with the commands of embodiments 8, 9 and 10 (docs/protocol.md 2.9). */
export interface OwnerCardPort extends CardPort {
  pathRegister(embodiment: OwnerEmbodiment, handle: number, hash: HashAlgorithm, grant: GrantObject): Promise<Outcome<RequestObject>>;
  /** Resolves to the value's handle. */
  pathRecover(embodiment: OwnerEmbodiment, certificate: number, object: RetrievedObject): Promise<Outcome<number>>;
}

/** A safe with what it does for owners (docs/protocol.md 3.1). A grant without certificate is for a value to come. */
export interface OwnerSafePort extends SafePort {
  enrol(choice: OwnerChoice): Promise<Outcome<GrantObject>>;
  present(certificate: CertificateObject, choice: OwnerChoice): Promise<Outcome<GrantObject>>;
  ownerChallenge(): Promise<Outcome<CarriedObject>>;
  ownerResult(result: CarriedObject, certificate?: CertificateObject): Promise<Outcome<GrantObject>>;
  deviceHello(hello: CarriedObject): Promise<Outcome<CarriedObject>>;
  deviceProof(proof: CarriedObject, certificate?: CertificateObject): Promise<Outcome<GrantObject>>;
  registerOver(grant: GrantObject, request: RequestObject): Promise<Outcome<CertificateObject>>;
  retrieveOver(grant: GrantObject, certificate: CertificateObject): Promise<Outcome<RetrievedObject>>;
}

/** Owner information input 145, owner authentication information storage 148 and owner authentication means 149 at the terminal. */
export interface OwnerMeansPort {
  /** The result for the safe that gave the challenge. */
  authenticate(challenge: CarriedObject, choice: OwnerChoice, transport: OwnerTransport): Promise<Outcome<CarriedObject>>;
}

/** An authentication device in reader 151. */
export interface DevicePort {
  /** Its id and a challenge of its own. */
  hello(): Promise<Outcome<CarriedObject>>;
  /** Its proof, once the check has proved itself. */
  prove(check: CarriedObject): Promise<Outcome<CarriedObject>>;
}

/** Peers of the scenarios of embodiments 8, 9 and 10. */
export interface OwnerPorts extends Ports {
  readonly card: OwnerCardPort;
  readonly safe: OwnerSafePort;
  readonly owner: OwnerMeansPort;
  readonly device: DevicePort;
}
