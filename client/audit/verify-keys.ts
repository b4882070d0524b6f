/** The verification keys of a bundle: each must be the one that the order's terms name. */
import { fromHex, type OpenedOrder } from '#protocol/index.ts';
import type { AuditBundle } from './bundle.ts';
import { settlementFamily } from './groth16.ts';
import { refute, type AuditLedger } from './report.ts';

/** A key that is the order's. */
export interface AuditedKey {
  readonly key: Uint8Array;
  readonly maxJobs: number;
}

/** Checks every key; a bundle with settlements needs exactly one. */
export function verifyKeys(bundle: AuditBundle, order: OpenedOrder, ledger: AuditLedger): AuditedKey | undefined {
  let found: AuditedKey | undefined;
  for (const [i, { key, maxJobs }] of bundle.verificationKeys.entries()) {
    const field = `verificationKeys[${i}]`;
    const place = { id: `${field}.family`, field, binds: [field, 'order.opening.terms.settlementFamily'] };
    found = ledger.check(place, () => {
      const bytes = fromHex(key);
      if (settlementFamily(maxJobs, bytes) !== order.terms.settlementFamily)
        refute('the key is not that of the settlement family');
      if (found !== undefined) refute('the key stands there twice');
      return { key: bytes, maxJobs };
    });
  }
  return found;
}
