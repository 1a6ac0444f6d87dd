import { uintBytes } from './bytes.js';
import { informationClasses } from './elements.js';
import type { ValueInformation } from './objects.js';

const issueId = (number: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, ...uintBytes(number, 4));

/** The four samples of value information of fig. 19, with issue ids 1-4. */
export const samples: readonly [ValueInformation, ValueInformation, ValueInformation, ValueInformation] = [
  {
    infoClass: informationClasses.movieTicket, name: 'movie ticket A', unitPrice: 1600, quantity: 1, totalAmount: 1600,
    place: 'B', validity: { from: '2000-04-01', to: '2000-05-31' }, remaining: 0, remarks: '', issueId: issueId(1),
  },
  {
    infoClass: informationClasses.concertTicket, name: 'concert ticket C', unitPrice: 4500, quantity: 2,
    totalAmount: 9000, place: 'D', validity: { from: '2000-04-29', to: '2000-04-29' }, remaining: 0, remarks: '',
    issueId: issueId(2),
  },
  {
    infoClass: informationClasses.prePaidCard, name: 'pre-paid card E', unitPrice: 1000, quantity: 1,
    totalAmount: 1000, place: 'F', validity: null, remaining: 800, remarks: '', issueId: issueId(3),
  },
  {
    infoClass: informationClasses.movieTicket, name: 'movie ticket G', unitPrice: 1600, quantity: 2, totalAmount: 3200,
    place: 'H', validity: { from: '2000-05-01', to: '2000-06-30' }, remaining: 0, remarks: '', issueId: issueId(4),
  },
];
