import { toHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { runDefinition, memberDefinitions } from '../../scenarios/index.js';
import type { AbstractMemberWorld, MemberOptions, MemberPorts } from '../../scenarios/index.js';
import { CardBench } from '../world/card-bench.js';
import type { BenchState } from '../world/card-bench.js';
import type { SlotCard, SlotHooks } from '../world/card-slot.js';
import type { ChannelLine } from '../terminal/channel-line.js';
import { BenchError } from '../world/errors.js';
import { seededRandom } from '../world/random.js';
import { Centre } from './centre.js';
import { member, memberStatus } from './commands.js';
import type { MemberCommand, MemberStatus } from './commands.js';
import { createCentrePort, createMemberPort } from './port.js';

/** What a world of the member system is made from. */
export interface MemberWorldParts {
  readonly card: SlotCard;
  readonly seed: number;
  readonly ops: PublicKeyOps;
  readonly hooks?: SlotHooks;
}

const [registerDefinition, tradeDefinition] = memberDefinitions;

/** The scenarios by phase. */
export const memberScenarios = { register: registerDefinition, trade: tradeDefinition } as const;

/** A member's card and the settlement centre under one clock: everything of one emulated registration and its trades. */
export class MemberWorld {
  readonly bench: CardBench<'card'>;
  readonly centre: Centre;
  readonly ports: MemberPorts;

  constructor({ card, seed, ops, hooks = {} }: MemberWorldParts) {
    this.centre = new Centre(seededRandom(seed, 'member centre'), ops);
    this.bench = new CardBench({ cards: { card }, parties: [this.centre], hooks });
    this.ports = { card: createMemberPort(this.line), centre: createCentrePort(this.centre) };
  }

  /** The card's line. */
  get line(): ChannelLine {
    return this.bench.slot('card').line;
  }

  /** Powers the card, or powers it again after a cut, and selects the applet. */
  async open(): Promise<void> {
    await this.line.bringUp();
  }

  /** Personalises the card. Throws BenchError BENCH_PERSONALISE. */
  async personalise(): Promise<void> {
    const { publicKey, sealKey } = this.centre;
    for (const command of [member.initialise(), member.putData('centreKey', publicKey), member.putData('sealKey', sealKey), member.activate()]) {
      const { sw } = await this.line.transmit(command);
      if (sw !== 0x9000) throw new BenchError('BENCH_PERSONALISE', `${command.name} was answered ${sw.toString(16).toUpperCase().padStart(4, '0')}`);
    }
  }

  /** Registers honestly. Throws BenchError BENCH_PREPARE. */
  async register(options: MemberOptions): Promise<void> {
    const { cause, text } = await runDefinition(registerDefinition, { ports: this.ports, options });
    if (cause !== 'done') throw new BenchError('BENCH_PREPARE', `the registration beforehand ended: ${text}`);
  }

  /** What the card tells of itself. Throws BenchError BENCH_PREPARE when it does not tell. */
  async status(): Promise<MemberStatus> {
    return memberStatus(await this.#tell(member.getData('status')));
  }

  /** Centre and card as the invariants see them. */
  async abstract(): Promise<AbstractMemberWorld> {
    const { registered, hasKey, tries, lastTransaction, lastSettled } = await this.status();
    const key = hasKey ? toHex(await this.#tell(member.getData('verificationKey'))) : undefined;
    const number = registered ? toHex(await this.#tell(member.getData('memberNumber'))) : undefined;
    const { members, settlements, paid } = this.centre;
    return {
      members: members.map((record) => ({ number: record.number, verificationKey: toHex(record.verificationKey), balance: record.balance, issued: record.issued })),
      settlements: settlements.map(({ member: of, transaction, store, amount, claimed }) => ({ member: of, transaction, store, amount, claimed })), paid,
      card: { registered, lastTransaction, lastSettled, tries, ...key !== undefined && { verificationKey: key }, ...number !== undefined && { memberNumber: number } },
    };
  }

  /** Card and centre, between exchanges. */
  save(): BenchState {
    return this.bench.save();
  }

  /** Takes a state of this world back. */
  restore(state: BenchState): void {
    this.bench.restore(state);
  }

  async #tell(command: MemberCommand): Promise<Uint8Array> {
    const { sw, data } = await this.line.transmit(command);
    this.line.takeMarks();
    if (sw === 0x9000) return data;
    throw new BenchError('BENCH_PREPARE', `${command.name} was answered ${sw.toString(16).toUpperCase().padStart(4, '0')}`, 'the card cannot be looked at');
  }
}
