import { signerOf, toHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import type { PurseAction } from '../../scenarios/index.js';
import { seededRandom } from '../world/random.js';
import { challenge, issue, paymentObject } from './objects.js';
import { createAuthority, createMoneyIssuer } from './parties.js';
import { messages } from './signatures.js';
import type { PurseWorld } from './world.js';

type Forgery = Pick<Extract<PurseAction, { do: 'forge' }>, 'ca' | 'issuer'>;

/** Somebody with keys of his own who signs as if he were the CA or the issuer. */
function somebody(seed: number, ops: PublicKeyOps): { readonly authority: ReturnType<typeof createAuthority>; readonly issuer: ReturnType<typeof createMoneyIssuer> } {
  return { authority: createAuthority(seededRandom(seed, 'somebody CA'), ops), issuer: createMoneyIssuer(seededRandom(seed, 'somebody issuer'), ops) };
}

/** An issue (F6) under the key's next number as somebody else than the issuer would sign it. */
export function issueBySomebody(world: PurseWorld, publicKey: Uint8Array, amount: number): Uint8Array {
  const { issuer } = somebody(world.parts.seed, world.parts.ops);
  const key = toHex(publicKey);
  for (const record of world.issuer.records()) if (record.key === key) issuer.issue(publicKey, amount);
  return issuer.issue(publicKey, amount);
}

/**
 * A payment (F1) for a challenge by a payer that exists only on the bench. `other-key`: the issuer's true signature, but
 * for the key of the card. Nothing of it is entered in the issuer's records but what the issuer truly signs for it.
 */
export function forgedPayment(world: PurseWorld, challengeBytes: Uint8Array, { ca, issuer }: Forgery): Uint8Array {
  const { seed, ops } = world.parts;
  const payer = signerOf(seededRandom(seed, 'shadow payer')(32), ops);
  const { publicKey } = payer;
  const liar = somebody(seed, ops);
  const one = challenge.decode(challengeBytes);
  const authority = ca === 'right' ? world.authority : liar.authority;
  const records = world.issuer.save();
  const facts = issue.decode((issuer === 'wrong' ? liar.issuer : world.issuer).issue(issuer === 'other-key' ? world.keyOf('payer') : publicKey, one.amount));
  world.issuer.restore(records);
  const { issuedAmount, issueNumber, issuerSignature } = facts;
  return paymentObject.encode({
    protectedChallenge: one.protectedChallenge, payment: payer.sign(messages.payment(one)), publicKey,
    caSignature: authority.certify(new Uint8Array(8), publicKey), issuedAmount, issueNumber, issuerSignature,
  });
}
