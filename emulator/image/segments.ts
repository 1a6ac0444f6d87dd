import { EmulatorError } from '../errors.js';
import type { ImageSegment } from './image.js';

/**
 * Sorts segments by address and joins neighbours.
 * @throws EmulatorError IMAGE_EMPTY, IMAGE_OVERLAP
 */
export function sortSegments(segments: readonly ImageSegment[]): ImageSegment[] {
  if (segments.length === 0) throw new EmulatorError('IMAGE_EMPTY', 'the image has no bytes to load', 'link it with loadable sections');
  const sorted = segments.toSorted((a, b) => a.address - b.address);
  sorted.forEach((segment, k) => {
    const next = sorted[k + 1] as ImageSegment | undefined;
    if (next === undefined || segment.address + segment.data.length <= next.address) return;
    throw new EmulatorError('IMAGE_OVERLAP', `two segments hold address 0x${next.address.toString(16)}`, 'check the linker script');
  });
  return sorted;
}
