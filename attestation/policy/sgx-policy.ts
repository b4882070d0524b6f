/** What a customer admits of SGX: only enclaves that are named. Every field is required. */
import type { FieldReader } from '../json/fields.ts';
import type { IntelPolicy } from './intel-policy.ts';
import { intelPolicyKeys, readIntelPolicy } from './intel-policy.ts';
import type { Skip } from './policy-fields.ts';
import { hexOrSkip, isSkip, maxEntries, readSkip, refusePolicy } from './policy-fields.ts';

/** An enclave that is admitted, by its measurement, its signer, or both; 32 bytes each as `0x` hex. */
export interface SgxEnclave {
  readonly mrEnclave: string | Skip;
  readonly mrSigner: string | Skip;
  /** ISVPRODID, 0 to 65535: a signer's products are told apart by it. */
  readonly isvProdId: number | Skip;
  /** Floor of ISVSVN, 0 to 65535. */
  readonly minIsvSvn: number;
}

export interface SgxPolicy extends IntelPolicy {
  readonly enclaves: readonly SgxEnclave[];
}

function readEnclave(fields: FieldReader): SgxEnclave {
  fields.only('mrEnclave', 'mrSigner', 'isvProdId', 'minIsvSvn');
  const mrEnclave = hexOrSkip(fields, 'mrEnclave', 32);
  const mrSigner = hexOrSkip(fields, 'mrSigner', 32);
  if (isSkip(mrEnclave) && isSkip(mrSigner)) refusePolicy('enclaves must name mrEnclave or mrSigner');
  const isvProdId =
    typeof fields.value('isvProdId') === 'number' ? fields.integer('isvProdId', 0, 65_535) : readSkip(fields.object('isvProdId'));
  return { mrEnclave, mrSigner, isvProdId, minIsvSvn: fields.integer('minIsvSvn', 0, 65_535) };
}

/** Reads the SGX part of a policy. @throws `STUN_POLICY_FORMAT`, naming the field */
export function readSgxPolicy(fields: FieldReader): SgxPolicy {
  fields.only(...intelPolicyKeys, 'enclaves');
  return { ...readIntelPolicy(fields), enclaves: fields.objects('enclaves', maxEntries).map(readEnclave) };
}
