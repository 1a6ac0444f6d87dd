import type { Cycles, Device, DeviceHost } from '../../types.js';

/** First address and size of the fake's only memory. */
export const FAKE_RAM = { base: 0x20000000, bytes: 4096 } as const;

/** A host without a core: one block of RAM, recorded violations, and a clock that runs devices from event to event. */
export class FakeHost implements DeviceHost {
  now: Cycles = 0;
  readonly levels = new Map<number, boolean>();
  readonly violations: { code: string; detail: string; address: number | undefined; cycle: Cycles }[] = [];
  readonly ram = new Uint8Array(FAKE_RAM.bytes);
  exitCode: number | undefined;
  reschedules = 0;
  readonly irq = { set: (irq: number, level: boolean): void => void this.levels.set(irq, level) };

  /** Counts the calls. */
  reschedule(): void {
    this.reschedules++;
  }

  /** Records it. */
  violation(code: string, detail: string, address?: number): void {
    this.violations.push({ code, detail, address, cycle: this.now });
  }

  /** Reads RAM. */
  peek(address: number, length: number): Uint8Array | undefined {
    const at = address - FAKE_RAM.base;
    return at >= 0 && at + length <= FAKE_RAM.bytes ? this.ram.slice(at, at + length) : undefined;
  }

  /** Writes RAM. */
  pokeRam(address: number, bytes: Uint8Array): boolean {
    const at = address - FAKE_RAM.base;
    if (at < 0 || at + bytes.length > FAKE_RAM.bytes) return false;
    this.ram.set(bytes, at);
    return true;
  }

  /** Records the code. */
  exit(code: number): void {
    this.exitCode = code;
  }

  /** Codes of the violations so far. */
  codes(): string[] {
    return this.violations.map((violation) => violation.code);
  }

  /** Runs the device's events up to and including `until`, each at its cycle, and sets the clock there. */
  run(device: Device, until: Cycles): void {
    for (let at = device.nextEvent(); at <= until; at = device.nextEvent()) {
      this.now = at;
      device.onEvent(at);
      if (device.nextEvent() <= at) throw new Error(`${device.name} stays at its event ${at}`);
    }
    this.now = until;
  }
}
