import { equalBytes, signerOf, toHex } from '../codec/index.js';
import { TlvReader, writeTlv } from '../codec/tlv.js';
import type { ObjectCodec } from '../codec/schema.js';
import type { MemberAction, MemberAlteration, Outcome } from '../../scenarios/index.js';
import { admission, connectionObject, notice } from './objects.js';
import { admissionOf, centreOutcome, connectionOf, noticeOf, orderOf } from './port.js';
import { signatures } from './signatures.js';
import type { Signed } from './signatures.js';
import type { MemberWorld } from './world.js';

const somebody = signerOf(new Uint8Array(32).fill(0x5b));

/** An object as it arrives: altered, signed by nobody again. */
export function altered(bytes: Uint8Array, alteration: MemberAlteration | undefined): Uint8Array {
  if (!alteration) return bytes;
  if (alteration.change === 'append') return Uint8Array.of(...bytes, 0);
  const reader = new TlvReader(bytes);
  const outer = reader.next();
  const inside = reader.inside(outer);
  const parts: Uint8Array[] = [];
  while (!inside.done) {
    const { tag, content } = inside.next();
    const changed = content.slice();
    if (tag === parseInt(alteration.tag, 16)) changed[changed.length - 1] ^= 1;
    parts.push(writeTlv(tag, changed));
  }
  return writeTlv(outer.tag, Uint8Array.from(parts.flatMap((part) => [...part])));
}

/** The same object signed by somebody else. */
function resigned<T extends { readonly signature: Uint8Array }>(codec: ObjectCodec<T>, kind: Signed<T>, bytes: Uint8Array): Uint8Array {
  return kind.sign(codec.decode(bytes), somebody);
}

/** What came of a script: the first thing that was not as expected. */
export interface MemberScriptOutput {
  readonly problem?: string;
}

/** Carries out direct commands and requests; objects are kept by name. */
class ScriptRun {
  readonly #world: MemberWorld;
  readonly #kept = new Map<string, Uint8Array>();

  constructor(world: MemberWorld) {
    this.#world = world;
  }

  /** What is not as the action says; undefined when all is. */
  async carryOut(action: MemberAction): Promise<string | undefined> {
    const { card } = this.#world.ports;
    switch (action.do) {
      case 'passwords': return this.#sw(action, await card.passwords(action.a, action.b));
      case 'contents': return this.#sw(action, await card.contents(action.text));
      case 'seed': return this.#sw(action, await card.seed(action.text));
      case 'sign': return this.#sw(action, await card.sign(action.method));
      case 'fetch': return this.#sw(action, await card.fetch(action.a));
      case 'a': return this.#sw(action, await card.enterA(action.password));
      case 'b': return this.#sw(action, await card.enterB(action.password));
      case 'send': return this.#telegram(action, await card.send());
      case 'pay': return this.#telegram(action, await card.pay({ ...orderOf(this.#get(action.order)), bytes: altered(this.#get(action.order), action.alter) }));
      case 'history': return this.#history(action);
      case 'reset':
        await this.#world.line.reset(action.kind);
        return undefined;
      default: return this.#between(action);
    }
  }

  async #between(action: Exclude<MemberAction, { readonly do: 'passwords' | 'contents' | 'seed' | 'sign' | 'fetch' | 'a' | 'b' | 'send' | 'pay' | 'history' | 'reset' }>): Promise<string | undefined> {
    const { centre, ports: { card } } = this.#world;
    switch (action.do) {
      case 'connect': {
        const bytes = centre.connect();
        const carried = altered(action.by ? resigned(connectionObject, signatures.connection, bytes) : bytes, action.alter);
        return this.#sw(action, await card.connect({ ...connectionOf(bytes), bytes: carried }));
      }
      case 'admit': {
        const bytes = this.#get(action.admission);
        const carried = altered(action.by ? resigned(admission, signatures.admission, bytes) : bytes, action.alter);
        return this.#sw(action, await card.admitted({ ...admissionOf(bytes), bytes: carried }));
      }
      case 'settled': {
        const bytes = this.#get(action.notice);
        const carried = altered(action.by ? resigned(notice, signatures.settlement, bytes) : bytes, action.alter);
        return this.#sw(action, await card.settled({ ...noticeOf(bytes), bytes: carried }));
      }
      default: return this.#atCentre(action);
    }
  }

  #atCentre(action: Extract<MemberAction, { readonly do: 'register' | 'order' | 'settle' | 'issue' | 'claim' }>): string | undefined {
    const { centre } = this.#world;
    const number = centre.members.at(-1)?.number ?? '';
    switch (action.do) {
      case 'order':
        this.#kept.set(action.as, action.transaction === undefined ? centre.order(number, action.amount) : centre.foreignOrder(action.transaction, action.amount));
        return undefined;
      case 'register': return this.#answer(action, () => centre.register(altered(this.#get(action.telegram), action.alter)));
      case 'settle': return this.#answer(action, () => centre.pay(altered(this.#get(action.telegram), action.alter)));
      case 'issue': return this.#refusal(action, () => { centre.issue(number, action.amount, action.way, action.confirmed); });
      case 'claim': {
        const order = orderOf(this.#get(action.order));
        const claim = centre.claimFor(order.bytes, action.amount ?? order.amount, action.by ? somebody : undefined);
        return this.#refusal(action, () => { centre.claim(claim); });
      }
    }
  }

  #get(name: string): Uint8Array {
    const bytes = this.#kept.get(name);
    if (!bytes) throw new Error(`the script has no object ${name}`);
    return bytes;
  }

  #sw(action: MemberAction & { readonly sw?: string }, outcome: Outcome<unknown>): string | undefined {
    const sw = outcome.ok ? '9000' : outcome.sw ?? outcome.text;
    const wanted = action.sw ?? '9000';
    return sw === wanted ? undefined : `${action.do} was answered ${sw}, expected ${wanted}`;
  }

  #telegram(action: Extract<MemberAction, { readonly do: 'send' | 'pay' }>, outcome: Outcome<{ readonly bytes: Uint8Array }>): string | undefined {
    if (outcome.ok) this.#kept.set(action.as, outcome.value.bytes);
    return this.#sw(action, outcome) ?? this.#same(action);
  }

  #same({ do: what, as, same }: { readonly do: string; readonly as: string; readonly same?: string }): string | undefined {
    if (same === undefined || equalBytes(this.#get(as), this.#get(same))) return undefined;
    return `${what} gave ${toHex(this.#get(as)).slice(0, 16)}.., expected what ${same} is`;
  }

  async #history(action: Extract<MemberAction, { readonly do: 'history' }>): Promise<string | undefined> {
    const outcome = await this.#world.ports.card.history();
    const wrong = this.#sw(action, outcome);
    if (wrong !== undefined || !outcome.ok || !action.entries) return wrong;
    const found = outcome.value.map(({ transaction }) => transaction).join(', ');
    return found === action.entries.join(', ') ? undefined : `the history shows transactions ${found || 'none'}, expected ${action.entries.join(', ') || 'none'}`;
  }

  #answer(action: Extract<MemberAction, { readonly do: 'register' | 'settle' }>, call: () => Uint8Array): string | undefined {
    const outcome = centreOutcome(call, (bytes) => bytes);
    if (outcome.ok) this.#kept.set(action.as, outcome.value);
    return this.#code(action, outcome) ?? (outcome.ok ? this.#same(action) : undefined);
  }

  #refusal(action: MemberAction & { readonly code?: string }, call: () => void): string | undefined {
    return this.#code(action, centreOutcome(() => { call(); return new Uint8Array(0); }, () => undefined));
  }

  #code(action: MemberAction & { readonly code?: string }, outcome: Outcome<unknown>): string | undefined {
    const code = outcome.ok ? undefined : outcome.safeCode;
    return code === action.code ? undefined : `the centre answered ${action.do} with ${code ?? 'success'}, expected ${action.code ?? 'success'}`;
  }
}

/** Carries out direct commands and requests in order, up to the first that does not come out as it says. */
export async function runMemberScript(world: MemberWorld, actions: readonly MemberAction[]): Promise<MemberScriptOutput> {
  const run = new ScriptRun(world);
  for (const [at, action] of actions.entries()) {
    const problem = await run.carryOut(action);
    if (problem !== undefined) return { problem: `action ${at + 1}: ${problem}` };
  }
  return {};
}
