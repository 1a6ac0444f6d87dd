import { statusMeaning, toHex, uintOf } from '../codec/index.js';
import type { CommandName, PublicKeyOps } from '../codec/index.js';
import { checkChange, checkState } from '../../scenarios/index.js';
import type { AbstractLedgerEntry, AbstractSafe, AbstractWorld } from '../../scenarios/index.js';
import { changesOf, forbidden, missing } from './changes.js';
import type { GenuineRun } from './genuine.js';
import type { Understood } from './session.js';
import { viewOf } from './view.js';
import type { CardView } from './view.js';

/** What the oracle has to know of the card besides its memory. */
export interface OracleFacts {
  readonly ops: PublicKeyOps;
  readonly cardId: string;
  readonly genuine: GenuineRun;
  readonly safes: readonly AbstractSafe[];
}

/** Commands that commit an object of issuer or safe, and where it begins in their data. */
const objectAt: Partial<Record<CommandName, number>> = { 'REGISTER END': 0, 'RECOVER END': 4, 'KEY RECOVER END': 4, LOAD: 0, CORRECT: 4 };

/** Hexadecimal digits of an Ed25519 signature, which ends an E3. */
const signatureDigits = 128;
const registeredValueTag = 'e3';

/** Status words that a card with sound memory may give to a command (docs/protocol.md 2.5). */
export function statusProblem(sw: number, name: CommandName | undefined): string | undefined {
  const { hex, class: kind } = statusMeaning(sw);
  if (kind === 'unknown') return `status word ${hex} is not in the contract`;
  if (kind === 'memory') return `status word ${hex} without a worn cell`;
  if (kind === 'warning' && name !== 'VERIFY') return `status word ${hex} to another command than VERIFY`;
  return undefined;
}

/** Follows a card's memory through a hostile session and says what must not have happened to it. */
export class Oracle {
  readonly #facts: OracleFacts;
  readonly #ledger: Map<string, AbstractLedgerEntry>;
  #memory: Buffer;
  #view: CardView;

  constructor(facts: OracleFacts, memory: Uint8Array, ledger: readonly AbstractLedgerEntry[]) {
    this.#facts = facts;
    this.#ledger = new Map(ledger.map((entry) => [entry.issueId, entry]));
    this.#memory = Buffer.from(memory);
    this.#view = viewOf(memory, facts.ops, facts.cardId);
  }

  get operational(): boolean {
    return this.#view.lifeCycle === 'operational';
  }

  get view(): CardView {
    return this.#view;
  }

  /**
   * Why a command must not have been carried out with these data. RECOVER END again is known by the certified hash
   * (docs/protocol.md 2.4 rule 5): where nothing changes, the signature of an E3 need not be right once more.
   */
  objectProblem({ name, data }: Understood, memory: Uint8Array): string | undefined {
    const from = objectAt[name];
    if (from === undefined) return undefined;
    const { objects } = this.#facts.genuine;
    const object = toHex(data.slice(from));
    if (objects.has(object)) return undefined;
    const again = name === 'RECOVER END' && this.#memory.equals(memory) && object.toLowerCase().startsWith(registeredValueTag);
    if (again && [...objects].some((hex) => hex.slice(0, -signatureDigits) === object.slice(0, -signatureDigits))) return undefined;
    return `${name} accepted an object that nobody issued`;
  }

  /** Why a receipt must not have been given: its certificate is not SPENT (docs/protocol.md 2.4 rule 6). */
  receiptProblem({ name, data }: Understood): string | undefined {
    if (name !== 'GET RECEIPT') return undefined;
    const handle = uintOf(data.slice(2, 4));
    const state = this.#view.card.certificates.find((certificate) => certificate.handle === handle)?.state;
    return state === 'spent' ? undefined : `GET RECEIPT of a certificate that is ${state ?? 'not there'}`;
  }

  /**
   * Compares the memory with what it was. `names`: commands that may have been carried out; `refusedVerify`: one that may
   * have cost a try. The new state becomes the one to compare with.
   */
  check(memory: Uint8Array, names: readonly CommandName[], refusedVerify: boolean): readonly string[] {
    if (this.#memory.equals(memory)) return [];
    const before = this.#view;
    const after = viewOf(memory, this.#facts.ops, this.#facts.cardId);
    const changes = changesOf(before, after);
    const allowed = refusedVerify ? changes.filter((change) => change !== 'tries down') : changes;
    const world = this.#world(before);
    this.#book(before, after, names);
    const lacking = missing(changes);
    const problems = [
      ...lacking === undefined ? [] : [lacking],
      ...forbidden(allowed, names, this.operational).map((change) => `${change}, ${names.length > 0 ? `by ${names.join(', ')}` : 'though refused'}`),
      ...after.problems.filter((problem) => !before.problems.includes(problem)).map((problem) => `memory: ${problem}`),
      ...this.#strangeCertificates(before, after),
      ...this.#invariants(world, this.#world(after)),
    ];
    this.#view = after;
    this.#memory = Buffer.from(memory);
    return problems;
  }

  #strangeCertificates(before: CardView, after: CardView): readonly string[] {
    const { objects } = this.#facts.genuine;
    return [...after.certificates].filter(([handle, bytes]) => before.certificates.get(handle) !== bytes && !objects.has(bytes))
      .map(([handle]) => `certificate ${handle} was issued by no safe`);
  }

  #invariants(before: AbstractWorld, after: AbstractWorld): readonly string[] {
    if (this.#view.lifeCycle !== 'operational') return [];
    return [...checkState(after), ...checkChange(before, after)].map(({ invariant, text }) => `${invariant}: ${text}`);
  }

  #world({ card }: CardView): AbstractWorld {
    return { cards: [card], safes: this.#facts.safes, ledger: [...this.#ledger.values()], lostLog: [] };
  }

  /** What the issuer's book has to say of a change it must know of: values loaded, replaced and spent. */
  #book(before: CardView, after: CardView, names: readonly CommandName[]): void {
    for (const value of after.card.values) {
      const { handle, issueId, quantity, remaining } = value;
      const old = before.card.values.find((other) => other.handle === handle);
      const issued = this.#facts.genuine.issued.get(issueId)?.value;
      if (issued !== undefined && old?.issueId !== issueId && !this.#ledger.has(issueId))
        this.#ledger.set(issueId, { issueId, quantity: issued.quantity, remaining: issued.remaining, spentQuantity: 0, spentAmount: 0 });
      if (old === undefined || old.issueId === '' || issueId === '') continue;
      const entry = this.#ledger.get(old.issueId);
      if (entry === undefined) continue;
      if (old.issueId !== issueId && names.includes('CORRECT')) this.#ledger.set(old.issueId, { ...entry, withdrawn: true });
      if (old.issueId !== issueId || !names.includes('USE')) continue;
      this.#ledger.set(issueId, {
        ...entry, spentQuantity: entry.spentQuantity + Math.max(0, old.quantity - quantity),
        spentAmount: entry.spentAmount + Math.max(0, old.remaining - remaining),
      });
    }
  }
}
