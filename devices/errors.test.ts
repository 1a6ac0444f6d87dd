import { expect, test } from 'vitest';
import { DEVICE_ERROR_CODES, DeviceError, isDeviceError } from './index.js';

test.each(DEVICE_ERROR_CODES)('%s says what happened, what is still true and what to do', (code) => {
  const error = new DeviceError(code, { what: 'this happened' });
  expect(error.stillTrue.length).toBeGreaterThan(10);
  expect(error.next.length).toBeGreaterThan(10);
  expect(error.message).toBe(`${code}: this happened; still true: ${error.stillTrue}; next: ${error.next}`);
  expect(isDeviceError(error, code)).toBe(true);
  expect(isDeviceError(error, code === 'CARD_LATE' ? 'CARD_SILENT' : 'CARD_LATE')).toBe(false);
});

test('facts of the case replace the general ones', () => {
  const cause = new Error('why');
  const error = new DeviceError('CARD_LINK', { what: 'a', stillTrue: 'b', next: 'c', cycle: 12, cause });
  expect(error).toMatchObject({ stillTrue: 'b', next: 'c', cycle: 12, cause });
  expect(isDeviceError(cause)).toBe(false);
});
