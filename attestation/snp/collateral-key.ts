/** What to fetch for a SEV-SNP report. Read from a report that nobody verified yet: good for a request, not for a decision. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import type { SnpProduct } from '../trust/roots.ts';
import type { SnpTcb } from './product.ts';
import { productOfCpuid, readSnpTcb } from './product.ts';
import type { SnpReport } from './report.ts';

/** The names under which AMD publishes a report's endorsements. */
export interface SnpCollateralKey {
  readonly product: SnpProduct;
  readonly signer: 'vcek' | 'vlek';
  /** CHIP_ID as AMD's service takes it: lower-case hex, 64 bytes, 8 of Turin; null for a VLEK. */
  readonly hwid: string | null;
  /** REPORTED_TCB. */
  readonly tcb: SnpTcb;
}

/**
 * Reads it. Verifies nothing.
 * @throws `STUN_SNP_PRODUCT` when the report names no product line (version 2 never does) | `STUN_SNP_SIGNER` when nobody signed it | `STUN_SNP_TCB`
 */
export function snpCollateralKeyOf(report: SnpReport): SnpCollateralKey {
  const { cpuid, signer, chipId } = report;
  const product = cpuid === null ? null : productOfCpuid(cpuid.family, cpuid.model);
  if (product === null)
    throw new StunError('STUN_SNP_PRODUCT', 'the report names no product line, so its certificates cannot be found');
  if (signer === 'none') throw new StunError('STUN_SNP_SIGNER', 'the report is not signed');
  const tcb = readSnpTcb(report.reportedTcb, product);
  if (tcb === null) throw new StunError('STUN_SNP_TCB', `REPORTED_TCB has not the layout of ${product}`);
  const hwid = toHex(product === 'Turin' ? chipId.subarray(0, 8) : chipId).slice(2);
  return { product, signer, hwid: signer === 'vlek' ? null : hwid, tcb };
}
