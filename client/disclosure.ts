/**
 * A selective disclosure: the receipt of a job as its enclave signed it, a statement about the job's output, and the proof that the committed
 * output makes it true. It shows nothing else of input and output.
 *
 * It does not show that the receipt was settled, nor that the keyset is an enclave's: an audit bundle shows the first, evidence over the
 * keyset's digest the second. It runs in browsers.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { fromHex, toHex, type Hex } from '#protocol/bytes.ts';
import {
  disclosedTensorSchema,
  disclosureSignals,
  disclosureStatementSchema,
  type DisclosedTensor,
  type DisclosureStatement,
} from '#protocol/disclosure.ts';
import { recoverEip712 } from '#protocol/eip712.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { keysetDigestOf, parseKeyset, secpAddressOf } from '#protocol/keyset.ts';
import { receiptHashOf, type Receipt } from '#protocol/receipt.ts';
import { proofPointsSchema } from '#protocol/wire/proof-points.ts';
import { receiptFromWire, receiptRecordSchema } from '#protocol/wire/receipt.ts';
import { addressHex, bytes32Hex, bytesHex, readDocument } from '#protocol/wire/scalars.ts';
import { verifyProof } from './audit/groth16.ts';

export const disclosureSchema = z.strictObject({
  format: z.literal('stun-disclosure/1'),
  tensor: disclosedTensorSchema,
  statement: disclosureStatementSchema,
  proof: proofPointsSchema,
  /** Of the verification key that the proof is for. */
  vkHash: bytes32Hex,
  receipt: receiptRecordSchema.shape.receipt,
  receiptSignature: receiptRecordSchema.shape.receiptSignature,
  keyset: bytesHex,
  escrow: addressHex,
});
export type Disclosure = z.infer<typeof disclosureSchema>;

/** What a disclosure was found to show. */
export interface VerifiedDisclosure {
  readonly tensor: DisclosedTensor;
  readonly statement: DisclosureStatement;
  readonly receipt: Receipt;
  /** R_k. */
  readonly receiptHash: Hex;
  /** Whose key signed the receipt. */
  readonly keysetDigest: Hex;
  readonly chainId: bigint;
  readonly escrow: string;
  readonly vkHash: Hex;
}

/**
 * Verifies a disclosure offline.
 * @param verificationKey - fixed encoding of the key that the caller trusts for outputs of this shape
 * @throws `STUN_INPUT` for a document or statement that is none, `STUN_SIGNATURE` when the keyset did not sign the receipt, `STUN_KEYSET_*`;
 *   `STUN_PROOF_INVALID` when the proof is for another key, or does not hold
 */
export function verifyDisclosure(document: unknown, verificationKey: Uint8Array): VerifiedDisclosure {
  const wire = readDocument(disclosureSchema, document, 'disclosure');
  const vkHash = toHex(sha256(verificationKey));
  if (wire.vkHash !== vkHash)
    throw new StunError('STUN_PROOF_INVALID', `the disclosure is proven under the key ${wire.vkHash}, not under ${vkHash}`);
  const receipt = receiptFromWire(wire.receipt);
  const receiptHash = receiptHashOf(receipt);
  const keysetBytes = fromHex(wire.keyset);
  const keyset = parseKeyset(keysetBytes);
  const domain = { chainId: keyset.chainId, verifyingContract: wire.escrow };
  if (recoverEip712('Receipt', domain, { receipt: receiptHash }, wire.receiptSignature) !== secpAddressOf(keyset))
    throw new StunError('STUN_SIGNATURE', 'the receipt is signed by another key than that of the keyset');
  verifyProof(verificationKey, wire.proof, disclosureSignals(wire.tensor, receipt.outputCommitment, wire.statement));
  return {
    tensor: wire.tensor,
    statement: wire.statement,
    receipt,
    receiptHash: fieldToHex(receiptHash),
    keysetDigest: toHex(keysetDigestOf(keysetBytes)),
    chainId: keyset.chainId,
    escrow: wire.escrow,
    vkHash,
  };
}
