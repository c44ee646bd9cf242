import { contentPart, type TokenClaims } from '../../src/model/decision-token.ts';
import type { TokenSeal } from '../../src/stages/token-seal.ts';

/** The token of one proposition, as a decision that shows nothing else gives it. */
export function tokenOf(seal: TokenSeal, orgId: string, ecid: string | null, claims: TokenClaims): string {
  return seal.signer(orgId, ecid, claims)(contentPart(claims));
}
