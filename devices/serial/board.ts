import type { SerialPortStream } from '@serialport/stream';
import { DeviceError } from '../errors.js';
import type { DeviceErrorCode } from '../errors.js';
import { ContactChannel } from '../channel/contact.js';
import type { ContactOptions } from '../channel/contact.js';
import { wallClock } from './clock.js';
import type { WallTime } from './clock.js';
import { StreamPort } from './stream-port.js';
import type { StreamWiring } from './stream-port.js';

/** Settings of a card or board on a real serial port. */
export interface SerialBoardOptions extends ContactOptions, StreamWiring {
  /** Path of the port, for example `/dev/ttyUSB0` or `COM3`. */
  readonly path: string;
  /** Contact clock in Hz; default 3,571,200 (9600 bit/s). */
  readonly cardHz?: number;
  /** Baud rate to keep instead of cardHz * D / F. */
  readonly baudRate?: number;
  readonly parity?: 'even' | 'none';
  /** How far time stamps may be off, in ms; default 20 (driver and USB latency). */
  readonly uncertaintyMs?: number;
  /** Source of wall time; default: the host's. */
  readonly time?: WallTime;
}

/** What is known of a serial port of this host. */
export interface SerialPortDescription {
  readonly path: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
  readonly vendorId?: string;
  readonly productId?: string;
}

/** A card channel over a serial port; `release` closes the port. */
export interface SerialBoard {
  readonly channel: ContactChannel;
  readonly port: StreamPort;
  release(): Promise<void>;
}

/** Lists the serial ports of this host (on Linux this needs Debian's `udev`). @throws DeviceError DEVICE_UNSUPPORTED */
export async function listSerialPorts(): Promise<SerialPortDescription[]> {
  const { SerialPort } = await loadSerialport();
  try {
    const ports = await SerialPort.list();
    return ports.map((port) => Object.fromEntries(
      Object.entries(port).filter(([key, value]) => value !== undefined && key !== 'pnpId' && key !== 'locationId'),
    ) as unknown as SerialPortDescription);
  } catch (cause) {
    throw new DeviceError('DEVICE_UNSUPPORTED', {
      what: `serial ports cannot be listed: ${(cause as Error).message}`,
      next: 'install udev (`bash .ci/system-packages`)',
      cause,
    });
  }
}

/** The code for an error of opening a port. */
export function openErrorCode(message: string): DeviceErrorCode {
  if (/no such file|not found|cannot find|ENOENT|No such device/i.test(message)) return 'DEVICE_MISSING';
  return /lock|busy|access denied|EBUSY|temporarily unavailable/i.test(message) ? 'DEVICE_BUSY' : 'DEVICE_UNSUPPORTED';
}

/** Loaded only when a real port is wanted: it brings a native module. */
function loadSerialport(): Promise<typeof import('serialport')> {
  return import('serialport');
}

async function openStream(options: SerialBoardOptions): Promise<SerialPortStream> {
  const { SerialPort } = await loadSerialport();
  const { path, cardHz = 3_571_200, parity = 'even' } = options;
  const baudRate = options.baudRate ?? Math.round(cardHz / 372);
  return new Promise((resolve, reject) => {
    const stream = new SerialPort({ path, baudRate, dataBits: 8, parity, stopBits: 2, autoOpen: false });
    stream.open((cause) => {
      if (!cause) return resolve(stream);
      reject(new DeviceError(openErrorCode(cause.message), { what: `${path} cannot be opened: ${cause.message}`, cause }));
    });
  });
}

/**
 * Opens a card or board on a real serial port; time is wall time.
 *
 * @throws DeviceError DEVICE_MISSING, DEVICE_BUSY, DEVICE_UNSUPPORTED
 */
export async function serialBoard(options: SerialBoardOptions): Promise<SerialBoard> {
  const stream = await openStream(options);
  const port = new StreamPort(stream, {
    ...options,
    clock: wallClock(options.uncertaintyMs ?? 20, options.time),
    fixedBaud: options.baudRate !== undefined,
  });
  return { channel: new ContactChannel(port, options), port, release: () => port.close() };
}
