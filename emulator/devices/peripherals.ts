import type { Cycles, Device, DeviceHost } from '../types.js';
import type { EepromArray } from '../eeprom/array.js';
import type { ChipProfile } from '../profiles/schema.js';
import type { CryptoCache } from './crypto-cache.js';
import { Crypto } from './crypto.js';
import { EepromController } from './eeprom-controller.js';
import { GatedDevice } from './gated.js';
import type { ContactLink } from './link.js';
import { Rng } from './rng.js';
import { Sysctl } from './sysctl.js';
import { Timer } from './timer.js';
import { Trace } from './trace.js';
import { Uart } from './uart.js';

/** What the peripherals are connected to. */
export interface PeripheralsConfig {
  readonly profile: ChipProfile;
  readonly seed: number;
  /** With the machine's `setStackLimit` where it has one. */
  readonly host: DeviceHost & { setStackLimit(address: number): void };
  readonly eeprom: EepromArray;
  readonly link: ContactLink;
  readonly cryptoCache: CryptoCache;
  /** First address of the EEPROM window and of RAM. */
  readonly eepromBase: number;
  readonly ramBase: number;
}

/** All peripherals of a chip; `devices` are those the profile has, gated, in the order of their events. */
export interface Peripherals {
  readonly devices: readonly Device[];
  readonly sysctl: Sysctl;
  readonly uart: Uart;
  readonly rng: Rng;
  readonly trace: Trace;
}

/** Number of devices {@link createPeripherals} makes for a profile. */
export function peripheralCount(profile: ChipProfile): number {
  if (!profile.peripherals) return 0;
  return profile.crypto.present ? 7 : 6;
}

/** Makes the peripherals of docs/chip.md. */
export function createPeripherals(config: PeripheralsConfig): Peripherals {
  const { profile, host, eeprom, link, seed } = config;
  const sysctl = new Sysctl(host, profile, seed, (address) => { host.setStackLimit(address); });
  const uart = new Uart(host, { coreHz: profile.cpu.hz, cardHz: profile.card.hz }, link);
  const rng = new Rng(host, { seed, session: 1, cycles: profile.rng.cycles });
  const trace = new Trace(host);
  const gated: Device[] = [uart, new EepromController(host, eeprom, profile.eeprom.erased, config.eepromBase), new Timer(host), rng];
  const crypto = new Crypto(host, {
    profile: profile.crypto, cache: config.cryptoCache, ramBase: config.ramBase, ramBytes: profile.ram.bytes,
    load: (address, length, now) => load(config, address, length, now),
  });
  const devices = [
    sysctl,
    ...gated.map((device, i) => gate(device, i + 1)),
    ...(profile.crypto.present ? [gate(crypto, 5)] : []),
    gate(trace, 6),
  ];
  return { devices: profile.peripherals ? devices : [], sysctl, uart, rng, trace };

  function gate(device: Device, bit: number): Device {
    return new GatedDevice(device, host, () => sysctl.clocked(bit));
  }
}

/** Reads as a bus master: the EEPROM window through its cells, everything else as it lies in memory. */
function load(config: PeripheralsConfig, address: number, length: number, now: Cycles): Uint8Array | undefined {
  const bytes = config.host.peek(address, length);
  const offset = address - config.eepromBase;
  const { eeprom } = config;
  if (bytes === undefined || !eeprom.anySpecial || offset < 0 || offset + length > eeprom.bytes.length) return bytes;
  for (let i = 0; i < length; i++) {
    if (eeprom.special(Math.floor((offset + i) / eeprom.pageBytes))) bytes[i] = eeprom.read(offset + i, 1, now);
  }
  return bytes;
}
