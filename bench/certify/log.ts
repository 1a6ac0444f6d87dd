import { toHex } from '../codec/index.js';
import type { Finding as LineFinding } from '../../devices/index.js';
import type { Violation } from '../../emulator/index.js';
import type { PointRelatedEvent, UsageEvent } from '../../reports/index.js';
import { scenarioParts } from '../../scenarios/index.js';
import type { ScenarioId, ScenarioListener } from '../../scenarios/index.js';
import type { ChannelExchange } from '../terminal/channel-line.js';
import type { LineExchange } from '../terminal/emulated-line.js';
import type { SafeExchange } from '../terminal/safe-port.js';
import type { SlotWatch } from '../world/slot-watch.js';
import type { World, WorldHooks } from '../world/world.js';

/** What the power sessions of a point have used in all. */
interface Used {
  cycles: number;
  readonly pages: Set<number>;
  ram: number;
  stackLow: number;
}

/** Collects what happens in one point as record events; virtual time runs on over resets and power sessions. */
export class PointLog {
  readonly point: string;
  readonly events: PointRelatedEvent[] = [];
  readonly violations: Violation[] = [];
  /** What an authentication device's chip does not permit, in words. */
  readonly deviceProblems: string[] = [];
  /** Departures of the cards from the transmission rules. */
  readonly lineFindings: LineFinding[] = [];
  readonly #used: Used = { cycles: 0, pages: new Set(), ram: 0, stackLow: Number.POSITIVE_INFINITY };
  #world: World | undefined;
  #deviceWatch: SlotWatch | undefined;

  constructor(point: string) {
    this.point = point;
  }

  /** The hooks a world needs to be logged. */
  readonly hooks: WorldHooks = {
    exchanged: (exchange) => { this.#apdu(exchange); },
    safe: (exchange) => { this.#safe(exchange); },
    device: (exchange) => { this.#device(exchange); },
    finding: (finding) => { this.lineFindings.push(finding); },
    ending: (world) => { this.#collect(world); },
  };

  /** Says which world is logged; its clock becomes the point's. */
  watch(world: World): void {
    this.#world = world;
    this.#deviceWatch = world.parts.device?.watch(this.point);
  }

  /** Virtual time since the point began, in cycles. */
  now(): number {
    return this.#used.cycles + (this.#world?.line.now() ?? 0);
  }

  /** A listener that records the steps of a scenario. */
  listener(scenario: ScenarioId): ScenarioListener {
    const { system, embodiment, phase } = scenarioParts(scenario);
    return (event) => {
      if (event.type !== 'step') return;
      const { step, kinds, outcome, cycle } = event.evidence;
      this.events.push({
        type: 'step', point: this.point, ...(system === 'backup' ? {} : { system }), embodiment, phase, step, evidence: kinds, outcome,
        ...(cycle === undefined ? {} : { cycle: this.#used.cycles + cycle }),
      });
    };
  }

  /** Ends the collection: what the last session has used, and the sum of all. */
  usage(world: World): UsageEvent {
    this.#collect(world);
    const shown = this.#deviceWatch?.end();
    this.events.push(...shown?.events ?? []);
    this.deviceProblems.push(...shown?.problems ?? []);
    const { profile } = world.parts;
    const { cycles, pages, ram, stackLow } = this.#used;
    const top = 0x20000000 + profile.ram.bytes;
    const { freeBytes } = world.room();
    return {
      type: 'usage', point: this.point, cycles, eepromBytes: profile.eeprom.bytes - freeBytes, eepromPages: pages.size, ram,
      ...(Number.isFinite(stackLow) ? { stack: top - stackLow } : {}),
    };
  }

  #apdu({ protocol, command, answer, startedAt, endedAt, secret }: LineExchange): void {
    this.events.push({
      type: 'apdu', point: this.point, cycle: this.#used.cycles + startedAt, cycles: endedAt - startedAt, protocol,
      command: `${toHex(command)}${secret ? '..' : ''}`, answer: toHex(answer),
    });
  }

  /** An exchange of the second card: what it took is time of the first one, which idles meanwhile. */
  #device({ protocol, command, answer, startedAt, endedAt }: ChannelExchange): void {
    this.events.push({
      type: 'apdu', point: this.point, card: 'device', cycle: this.now(), cycles: endedAt - startedAt, protocol, command: toHex(command), answer: toHex(answer),
    });
  }

  #safe({ safeId, operation, sent, received, status, code }: SafeExchange): void {
    this.events.push({
      type: 'safe', point: this.point, cycle: this.now(), cycles: 0, safe: safeId, operation, sent, received, status,
      ...(code === undefined ? {} : { code }),
    });
  }

  #collect(world: World): void {
    const { card } = world;
    for (const violation of card.violations) {
      this.violations.push(violation);
      const { cycle, code, pc, symbol, detail } = violation;
      this.events.push({
        type: 'violation', point: this.point, cycle: this.#used.cycles + cycle, code, pc, text: detail,
        ...(symbol === undefined ? {} : { symbol }),
      });
    }
    const { stackLow, ramTouched, pagesWritten } = card.usage();
    for (const page of pagesWritten) this.#used.pages.add(page);
    this.#used.ram = Math.max(this.#used.ram, ramTouched);
    this.#used.stackLow = Math.min(this.#used.stackLow, stackLow);
    this.#used.cycles += world.line.now();
  }
}
