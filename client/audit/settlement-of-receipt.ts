/** What an audited bundle shows of one receipt. */
import { fieldToHex } from '#protocol/field.ts';
import { receiptHashOf } from '#protocol/receipt.ts';
import type { Hex } from '#protocol/bytes.ts';
import type { AuditedBundle } from './verify.ts';

/** How far a receipt is shown to be settled. */
export type ReceiptSettlement =
  /** In no segment of the bundle. */
  | { readonly state: 'not in the bundle' }
  /** Under a statement that the enclave signed, but no proof of the bundle holds for it. */
  | { readonly state: 'receipted' }
  /** Under a settlement proof, with no transaction that sends it. */
  | { readonly state: 'proven' }
  /** A signed transaction settles it; whether the chain took it only the chain knows. */
  | { readonly state: 'settlement signed'; readonly transactionHash: Hex };

/**
 * Finds a receipt among the segments that the offline audit did not refute.
 * @param receiptHash - R_k, 32 bytes hex
 */
export function settlementOfReceipt(audited: AuditedBundle | undefined, receiptHash: Hex): ReceiptSettlement {
  const segment = audited?.segments.find((one) => one?.receipts.some((each) => fieldToHex(receiptHashOf(each)) === receiptHash));
  if (segment === undefined) return { state: 'not in the bundle' };
  if (!segment.proven) return { state: 'receipted' };
  const { transactionHash } = segment;
  return transactionHash === undefined ? { state: 'proven' } : { state: 'settlement signed', transactionHash };
}
