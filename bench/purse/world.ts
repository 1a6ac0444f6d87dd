import { fromHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import type { AbstractPurse, AbstractPurseWorld, PursePorts } from '../../scenarios/index.js';
import { CardBench } from '../world/card-bench.js';
import type { BenchState } from '../world/card-bench.js';
import type { SlotCard, SlotHooks } from '../world/card-slot.js';
import { BenchError } from '../world/errors.js';
import { seededRandom } from '../world/random.js';
import { purse } from './commands.js';
import { lookAt } from './look.js';
import { createAuthority, createMoneyIssuer, createThirdParty } from './parties.js';
import type { Authority, MoneyIssuer, ThirdParty } from './parties.js';
import { mustDo, personalisePurse } from './personalise.js';
import { createPursePort, createThirdPartyPort } from './port.js';
import type { LogExchange } from './port.js';

/** The cards of a transfer. */
export const purseRoles = ['payer', 'payee'] as const;
/** A card of a transfer. */
export type PurseRole = (typeof purseRoles)[number];

/** Payee ids of the cards. */
export const purseIds: Readonly<Record<PurseRole, Uint8Array>> = { payer: fromHex('A0 00 00 00 00 00 00 01'), payee: fromHex('B0 00 00 00 00 00 00 02') };

/** What a world of the purse is made from. */
export interface PurseWorldParts {
  readonly cards: Readonly<Record<PurseRole, SlotCard>>;
  readonly seed: number;
  readonly ops: PublicKeyOps;
  readonly hooks?: SlotHooks & { log?(exchange: LogExchange): void };
}

/** Two cards, CA, issuer and third party under one clock: everything of one emulated transfer. */
export class PurseWorld {
  readonly parts: PurseWorldParts;
  readonly bench: CardBench<PurseRole>;
  readonly authority: Authority;
  readonly issuer: MoneyIssuer;
  readonly thirdParty: ThirdParty;
  /** Honest ports to all of them. */
  readonly ports: PursePorts;
  readonly #keys = new Map<PurseRole, Uint8Array>();

  constructor(parts: PurseWorldParts) {
    const { cards, seed, ops, hooks = {} } = parts;
    this.parts = parts;
    this.authority = createAuthority(seededRandom(seed, 'purse CA'), ops);
    this.issuer = createMoneyIssuer(seededRandom(seed, 'purse issuer'), ops);
    this.thirdParty = createThirdParty({ random: seededRandom(seed, 'purse third party'), caKey: this.authority.publicKey, issuerKey: this.issuer.publicKey, ops });
    this.bench = new CardBench({ cards, parties: [this.authority, this.issuer, this.thirdParty], hooks });
    this.ports = {
      payer: createPursePort(this.bench.slot('payer').line),
      payee: createPursePort(this.bench.slot('payee').line),
      thirdparty: createThirdPartyPort(this.thirdParty, (exchange) => hooks.log?.(exchange)),
    };
  }

  /** Powers both cards and selects the applet. Throws BenchError BENCH_PREPARE when a card does not know it. */
  async open(): Promise<void> {
    for (const role of purseRoles) await this.#bringUp(role);
  }

  async #bringUp(role: PurseRole): Promise<void> {
    const { line } = this.bench.slot(role);
    await line.resetOnly('cold');
    const { sw } = await line.select();
    if (sw !== 0x9000) throw new BenchError('BENCH_PREPARE', `SELECT of the purse on the card '${role}' was answered ${sw.toString(16).toUpperCase()}`);
  }

  /** Personalises both cards. Throws BenchError BENCH_PERSONALISE. */
  async personalise(askedOnly = false): Promise<void> {
    const { authority, issuer, thirdParty } = this;
    const data = { authority, issuerKey: issuer.publicKey, thirdPartyKey: thirdParty.publicKey, askedOnly };
    for (const role of purseRoles) this.#keys.set(role, await personalisePurse(this.bench.slot(role).line, { ...data, id: purseIds[role] }));
  }

  /** Public key of a personalised card. */
  keyOf(role: PurseRole): Uint8Array {
    const key = this.#keys.get(role);
    if (!key) throw new Error(`the card '${role}' has no key yet`);
    return key;
  }

  /** Says which keys the cards have, where another world has personalised them. */
  learn(keys: ReadonlyMap<PurseRole, Uint8Array>): void {
    for (const [role, key] of keys) this.#keys.set(role, key);
  }

  /** The cards' keys. */
  get keys(): ReadonlyMap<PurseRole, Uint8Array> {
    return this.#keys;
  }

  /** Issues an amount to a card and loads it. Throws BenchError BENCH_PERSONALISE. */
  async load(role: PurseRole, amount: number): Promise<void> {
    await mustDo(this.bench.slot(role).line, purse.loadIssue(this.issuer.issue(this.keyOf(role), amount)));
  }

  /** Powers on what has no power and selects the applet there; gives the cards it did. */
  async recover(): Promise<readonly PurseRole[]> {
    const dark = purseRoles.filter((role) => !this.bench.slot(role).powered);
    for (const role of dark) await this.#bringUp(role);
    return dark;
  }

  /** Cards, issuing records and log as the invariants see them; both cards must have power. */
  async abstract(): Promise<AbstractPurseWorld> {
    const cards: AbstractPurse[] = [];
    for (const role of purseRoles) cards.push(await lookAt(this.bench.slot(role).line));
    return { cards, issues: this.issuer.records(), log: this.thirdParty.entries() };
  }

  /** Cards and parties between exchanges. */
  save(): BenchState {
    return this.bench.save();
  }

  /** Takes a state of this world back, as often as wanted. */
  restore(state: BenchState): void {
    this.bench.restore(state);
  }
}
