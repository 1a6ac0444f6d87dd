/** A settled payment instruction at the centre. Yen. */
export interface MemberSettlement {
  readonly transaction: number;
  readonly store: string;
  readonly amount: number;
  /** The store's claim has been paid. */
  readonly claimed: boolean;
}

/** The centre's registers, banks and what the card tells of itself. Plain data; hexadecimal and yen. */
export interface AbstractMemberWorld {
  readonly members: readonly { readonly number: string; readonly verificationKey: string; readonly balance: number; readonly issued: number }[];
  readonly settlements: readonly (MemberSettlement & { readonly member: string })[];
  /** Paid to stores' accounts. */
  readonly paid: number;
  readonly card: {
    readonly registered: boolean;
    readonly verificationKey?: string;
    readonly memberNumber?: string;
    readonly lastTransaction: number;
    readonly lastSettled: number;
    readonly tries: { readonly a: number; readonly b: number };
  };
}

/** A broken invariant. */
export interface MemberFinding {
  readonly invariant: string;
  readonly text: string;
}

const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);

/**
 * What holds at any moment at rest (docs/member.md 4 rule 6): B1 no balance is below zero, B2 what was issued is balance or
 * owed or paid to stores, B3 an instruction counts once, B4 card and centre agree on who is registered.
 */
export function checkMember({ members, settlements, paid, card }: AbstractMemberWorld): readonly MemberFinding[] {
  const findings: MemberFinding[] = [];
  const found = (invariant: string, text: string): void => { findings.push({ invariant, text }); };
  for (const { number, balance } of members) if (balance < 0) found('B1', `the balance of member ${number} is ${balance}`);
  const issued = sum(members.map((member) => member.issued));
  const held = sum(members.map(({ balance }) => balance)) + sum(settlements.filter(({ claimed }) => !claimed).map(({ amount }) => amount)) + paid;
  if (issued !== held) found('B2', `issued ${issued}, but balances, what is owed and what was paid are ${held}`);
  const names = settlements.map(({ member, transaction }) => `${member}/${transaction}`);
  for (const name of new Set(names)) if (names.filter((one) => one === name).length > 1) found('B3', `transaction ${name} is settled more than once`);
  const own = members.find(({ number }) => number === card.memberNumber);
  if (card.registered && own?.verificationKey !== card.verificationKey)
    found('B4', `the card is registered as ${card.memberNumber ?? 'nobody'}, whom the centre does not know with this key`);
  return findings;
}

/** What holds from one moment at rest to a later one: transaction numbers never go back, a key that is registered stays. */
export function checkMemberChange(before: AbstractMemberWorld, after: AbstractMemberWorld): readonly MemberFinding[] {
  const findings: MemberFinding[] = [];
  if (after.card.lastTransaction < before.card.lastTransaction)
    findings.push({ invariant: 'B3', text: `the card's transaction number went back from ${before.card.lastTransaction} to ${after.card.lastTransaction}` });
  if (before.card.registered && (!after.card.registered || after.card.verificationKey !== before.card.verificationKey))
    findings.push({ invariant: 'B4', text: 'a registered card has lost its registration or its key' });
  return findings;
}
