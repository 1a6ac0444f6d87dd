import { expect, test } from 'vitest';
import { samples, valueInformation } from '../codec/index.js';
import { decode } from '../nvm/index.js';
import { dataStart, entryPage, formatted, le16, put, putItem, sealedPage } from '../nvm/testing/build.js';
import { lostRoom } from './rest.js';

const at = dataStart(64);

/** Reserves two pages for a certificate in the slot after the first. */
const reserve = (image: Uint8Array, handle: number): void =>
  put(image, 25, entryPage({ class: 'B', state: 2, handle, firstPage: at + 8, pages: 2, size: 0 }));

test('I12: room for a certificate belongs to a pending value or to the open key registration', () => {
  const image = formatted();
  reserve(image, 2);
  expect(lostRoom(decode(image))).toEqual([{ invariant: 'I12', text: '2 pages are reserved for certificate 2, which no registration waits for' }]);
  put(image, 14, sealedPage({ 0: [1, 1, 1], 48: le16(3) }));
  expect(lostRoom(decode(image))).toHaveLength(1);
  put(image, 14, sealedPage({ 0: [1, 1, 1], 48: le16(2) }));
  expect(lostRoom(decode(image))).toEqual([]);
});

test('I12: a value that is active again waits for no certificate', () => {
  const image = formatted();
  reserve(image, 2);
  const value = valueInformation.encode(samples[1]);
  putItem(image, 0, at, value, { class: 'A', state: 2, handle: 1, partner: 2 });
  expect(lostRoom(decode(image))).toEqual([]);
  putItem(image, 0, at, value, { class: 'A', state: 1, handle: 1, partner: 2 });
  expect(lostRoom(decode(image))).toHaveLength(1);
});
