/** @phala/dcap-qvl, the most used verifier in JavaScript: what ours is measured beside. Its collateral is the same JSON, byte fields in hex. */
import { verify } from '@phala/dcap-qvl';
import type { Collateral } from '@phala/dcap-qvl';

/** Its collateral from JSON text. */
export function peerCollateral(text: string): Collateral {
  return JSON.parse(text) as Collateral;
}

/** Verifies a quote at a time in unix seconds and gives the TCB status. Throws when it refuses. */
export function peerVerify(quote: Uint8Array, collateral: Collateral, atUnix: number): string {
  return verify(quote, collateral, atUnix).status;
}
