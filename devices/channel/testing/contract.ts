import { describe, expect, test } from 'vitest';
import { isDeviceError } from '../../errors.js';
import type { Command } from '../../iso7816/apdu.js';
import type { ContactChannel } from '../contact.js';
import type { BytePort } from '../port.js';
import type { Protocol, Reply } from '../types.js';

/** A card on some device, for the contract. */
export interface ContractSubject {
  readonly channel: ContactChannel;
  readonly port: BytePort;
  /** Frees the device. */
  release(): Promise<void>;
}

/** A command and what the card under test must answer. */
export interface ContractCommand {
  readonly name: string;
  readonly command: Command;
  readonly check: (reply: Reply) => void;
}

/** What every channel must do, whatever is behind it. */
export interface ContractPlan {
  readonly make: (protocol: Protocol) => Promise<ContractSubject>;
  readonly commands: readonly ContractCommand[];
  /** Findings that the device itself brings about and that are not the card's. */
  readonly tolerated?: readonly string[];
}

async function using(plan: ContractPlan, protocol: Protocol, work: (subject: ContractSubject) => Promise<void>): Promise<void> {
  const subject = await plan.make(protocol);
  try {
    await work(subject);
  } finally {
    await subject.release();
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return error.code;
  }
}

/** Runs the one contract of all card channels and character ports. */
export function cardContract(name: string, plan: ContractPlan): void {
  describe.each(['T=0', 'T=1'] as const)(`${name}, %s`, (protocol) => {
    channelContract(plan, protocol);
    portContract(plan, protocol);
  });
}

function channelContract(plan: ContractPlan, protocol: Protocol): void {
  const isoFindings = (findings: Reply['findings']) => findings.filter((f) => f.rule === 'ISO' && !plan.tolerated?.includes(f.code));
  const [first] = plan.commands;

  test('open: ATR, the protocol asked for, time passes', () => using(plan, protocol, async ({ channel }) => {
    const session = await channel.open();
    expect(session.protocol).toBe(protocol);
    expect([0x3b, 0x3f]).toContain(session.atr.bytes[0]);
    expect(session.endedAt.ms).toBeGreaterThan(session.startedAt.ms);
    expect(isoFindings(session.findings)).toEqual([]);
  }));

  test('commands are answered, in time', () => using(plan, protocol, async ({ channel }) => {
    await channel.open();
    for (const { command, check } of plan.commands) {
      const reply = await channel.transmit(command);
      check(reply);
      expect(reply.endedAt.ms).toBeGreaterThan(reply.startedAt.ms);
      expect(isoFindings(reply.findings)).toEqual([]);
    }
  }));

  test('warm and cold reset give the same ATR and a working card', () => using(plan, protocol, async ({ channel }) => {
    const { atr } = await channel.open();
    for (const kind of ['warm', 'cold', 'warm'] as const) {
      expect((await channel.reset(kind)).atr.bytes).toEqual(atr.bytes);
      first.check(await channel.transmit(first.command));
    }
  }));

  test('a closed channel refuses commands, and opens again', () => using(plan, protocol, async ({ channel }) => {
    expect(await codeOf(channel.transmit(first.command))).toBe('CHANNEL_CLOSED');
    expect(await codeOf(channel.reset('warm'))).toBe('CHANNEL_CLOSED');
    await channel.open();
    await channel.close();
    expect(channel.session).toBeUndefined();
    expect(await codeOf(channel.transmit(first.command))).toBe('CHANNEL_CLOSED');
    await channel.open();
    first.check(await channel.transmit(first.command));
  }));

  test('one exchange at a time; malformed commands never reach the card', () => using(plan, protocol, async ({ channel }) => {
    await channel.open();
    const running = channel.transmit(first.command);
    expect(await codeOf(channel.transmit(first.command))).toBe('CHANNEL_BUSY');
    first.check(await running);
    const before = channel.now();
    expect(await codeOf(channel.transmit(Uint8Array.of(0x80)))).toBe('COMMAND_FORMAT');
    if (before.cycles !== undefined) expect(channel.now()).toEqual(before);
  }));

  observerContract(plan, protocol);
}

function observerContract(plan: ContractPlan, protocol: Protocol): void {
  const [first] = plan.commands;

  test('observers see APDU lines, blocks and characters until they are removed', () => using(plan, protocol, async ({ channel }) => {
    await channel.open();
    const lines: string[] = [];
    let characters = 0;
    let blocks = 0;
    const remove = channel.observe({ apdu: (e) => lines.push(e.line), character: () => { characters++; }, block: () => { blocks++; } });
    await channel.transmit(first.command);
    remove();
    await channel.transmit(first.command);
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^A>> ${protocol} \\(4\\+\\d{4}\\) [0-9A-F]{8}`)),
      expect.stringMatching(/^A<< \(\d{4}\+2\) \(\d+ ms\) .*[0-9A-F]{4}$/),
    ]);
    expect(blocks).toBeGreaterThanOrEqual(2);
    expect(characters).toBeGreaterThan(6);
  }));
}

function portContract(plan: ContractPlan, protocol: Protocol): void {
  test('port: a deadline without a character passes, and not before', () => using(plan, protocol, async ({ channel, port }) => {
    await channel.open();
    const deadline = port.now() + 50 * port.etu();
    expect(await port.receive(deadline)).toBeUndefined();
    expect(port.now()).toBeGreaterThanOrEqual(deadline);
  }));

  test('port: idle lets exactly the time pass that is asked for, or a little more', () => using(plan, protocol, async ({ channel, port }) => {
    await channel.open();
    const moment = port.now() + 20 * port.etu();
    await port.idle(moment);
    expect(port.now()).toBeGreaterThanOrEqual(moment);
    if (port.clock.unit === 'cycle') expect(port.now() - moment).toBeLessThan(32);
  }));

  test('port: the etu follows F and D', () => using(plan, protocol, async ({ channel, port }) => {
    await channel.open();
    await port.configure({ F: 372, D: 1 });
    const etu = port.etu();
    await port.configure({ F: 512, D: 4 });
    expect(port.etu() / etu).toBeCloseTo(512 / 4 / 372, 9);
  }));

  test('port: the ATR comes character by character, at least 12 etu apart', () => using(plan, protocol, async ({ port }) => {
    const rise = await port.reset('cold');
    const edges: number[] = [];
    let first = 0;
    while (edges.length < 4) {
      const character = await port.receive(port.now() + 9600 * port.etu());
      if (!character) break;
      if (edges.length === 0) first = character.byte;
      edges.push(character.at);
    }
    expect(first).toBe(0x3b);
    expect(edges).toHaveLength(4);
    expect(edges[0]).toBeGreaterThan(rise);
    const slack = port.clock.uncertainty + 1;
    for (let i = 1; i < edges.length; i++) expect(edges[i] - edges[i - 1] + slack).toBeGreaterThanOrEqual(12 * port.etu());
  }));
}
