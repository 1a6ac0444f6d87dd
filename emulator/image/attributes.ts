import { EmulatorError } from '../errors.js';

const TAG_FILE = 1;
const TAG_CPU_ARCH = 6;
/** Tag_CPU_arch values an ARMv6-M core can run: v6-M and v6S-M (ARM IHI 0045, build attributes). */
const V6M = [11, 12];
const ARCHITECTURES = [
  'pre-v4', 'v4', 'v4T', 'v5T', 'v5TE', 'v5TEJ', 'v6', 'v6KZ', 'v6T2', 'v6K', 'v7', 'v6-M', 'v6S-M', 'v7E-M', 'v8-A', 'v8-R', 'v8-M.baseline', 'v8-M.mainline',
];
/** Tags whose value is a string: CPU_raw_name, CPU_name, compatibility's second part, also_compatible_with, conformance. */
const STRING_TAGS = [4, 5, 65, 67];

function uleb(data: Uint8Array, start: number): [number, number] {
  let value = 0;
  let at = start;
  for (let shift = 0; at < data.length; shift += 7) {
    const byte = data[at++];
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) break;
  }
  return [value, at];
}

function afterString(data: Uint8Array, start: number): number {
  const end = data.indexOf(0, start);
  return end < 0 ? data.length : end + 1;
}

function cpuArch(data: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  while (at < end) {
    const [tag, next] = uleb(data, at);
    at = next;
    if (STRING_TAGS.includes(tag)) {
      at = afterString(data, at);
      continue;
    }
    const [value, after] = uleb(data, at);
    at = tag === 32 ? afterString(data, after) : after;
    if (tag === TAG_CPU_ARCH) return value;
  }
  return undefined;
}

/**
 * Checks `.ARM.attributes`: code for another architecture (ARMv7-M has IT, CBZ, MOVW, UDIV) must not run here.
 * @throws EmulatorError IMAGE_ARCHITECTURE
 */
export function checkArchitecture(data: Uint8Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const vendorEnd = afterString(data, 5);
  if (data.length < 11 || data[0] !== 0x41 || vendorEnd + 5 > data.length || data[vendorEnd] !== TAG_FILE) return;
  const size = view.getUint32(vendorEnd + 1, true);
  const arch = cpuArch(data, vendorEnd + 5, Math.min(vendorEnd + size, data.length));
  if (arch === undefined || V6M.includes(arch)) return;
  const name = ARCHITECTURES[arch] ?? `number ${arch}`;
  throw new EmulatorError('IMAGE_ARCHITECTURE', `the image is built for ARM ${name}, expected v6-M`, 'build it with -mcpu=cortex-m0');
}
