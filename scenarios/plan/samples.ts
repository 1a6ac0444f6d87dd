/** Value information 201 without its issue id, which the bench's issuer gives. Amounts in yen, dates `YYYY-MM-DD`. */
export interface SampleValue {
  /** Tag 80: 1 movie ticket, 2 concert ticket, 3 pre-paid card, 4 coupon, 5 electronic cash. */
  readonly infoClass: number;
  readonly name: string;
  readonly unitPrice: number;
  readonly quantity: number;
  readonly totalAmount: number;
  readonly place: string;
  /** null = no limit. */
  readonly validity: { readonly from: string; readonly to: string } | null;
  readonly remaining: number;
  readonly remarks: string;
}

/** Values the plan loads. The first four are those of fig. 19; the others lie at the limits of protocol.md 1.1. */
export const samples = {
  'movie-ticket-A': {
    infoClass: 1, name: 'movie ticket A', unitPrice: 1600, quantity: 1, totalAmount: 1600, place: 'B',
    validity: { from: '2000-04-01', to: '2000-05-31' }, remaining: 0, remarks: '',
  },
  'concert-ticket-C': {
    infoClass: 2, name: 'concert ticket C', unitPrice: 4500, quantity: 2, totalAmount: 9000, place: 'D',
    validity: { from: '2000-04-29', to: '2000-04-29' }, remaining: 0, remarks: '',
  },
  'pre-paid-card-E': {
    infoClass: 3, name: 'pre-paid card E', unitPrice: 1000, quantity: 1, totalAmount: 1000, place: 'F',
    validity: null, remaining: 800, remarks: '',
  },
  'movie-ticket-G': {
    infoClass: 1, name: 'movie ticket G', unitPrice: 1600, quantity: 2, totalAmount: 3200, place: 'H',
    validity: { from: '2000-05-01', to: '2000-06-30' }, remaining: 0, remarks: '',
  },
  /** Shortest encoding: one-byte name, no place, no limit, no remarks. */
  smallest: {
    infoClass: 4, name: 'c', unitPrice: 0, quantity: 1, totalAmount: 0, place: '', validity: null, remaining: 0, remarks: '',
  },
  /** Longest encoding: name and place 48 bytes, remarks 64 bytes. */
  largest: {
    infoClass: 2, name: 'n'.repeat(48), unitPrice: 4294967295, quantity: 65535, totalAmount: 4294967295, place: 'p'.repeat(48),
    validity: { from: '1999-12-31', to: '2099-12-31' }, remaining: 4294967295, remarks: 'r'.repeat(64),
  },
  /** As long as the largest, but worth nothing beside its quantity, so that it can be spent whole. */
  'long-ticket': {
    infoClass: 2, name: 'n'.repeat(48), unitPrice: 900, quantity: 3, totalAmount: 2700, place: 'p'.repeat(48),
    validity: { from: '1999-12-31', to: '2099-12-31' }, remaining: 0, remarks: 'r'.repeat(64),
  },
  /** Name and place of several bytes a character in UTF-8. */
  'utf-8': {
    infoClass: 4, name: '映画券', unitPrice: 500, quantity: 3, totalAmount: 1500, place: '東京', validity: null, remaining: 0, remarks: '割引',
  },
  /** Electronic cash, spent by amount. */
  cash: {
    infoClass: 5, name: 'electronic cash', unitPrice: 0, quantity: 1, totalAmount: 0, place: '', validity: null, remaining: 5000, remarks: '',
  },
} as const satisfies Record<string, SampleValue>;

/** Name of a sample. */
export type SampleName = keyof typeof samples;
