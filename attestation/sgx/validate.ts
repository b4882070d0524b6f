/** Validation of a verified SGX quote: is it of an enclave that the policy names? All checks run. Source: docs/design.md, section 6. */
import { toHex } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { sgxPolicyChecks } from '../checks.ts';
import type { PolicyAssessment } from '../intel/validate.ts';
import { checkPlatform, PolicyRun, refuse } from '../intel/validate.ts';
import type { Policy } from '../policy/policy.ts';
import { isSkip } from '../policy/policy-fields.ts';
import type { SgxEnclave } from '../policy/sgx-policy.ts';
import type { VerifiedSgx } from './verify.ts';

/** A verified quote that also satisfies a policy. */
export interface ValidatedSgx {
  readonly verified: VerifiedSgx;
  readonly policy: Policy;
  readonly checks: readonly Check[];
}

function matches({ body }: VerifiedSgx, enclave: SgxEnclave): boolean {
  return (
    (isSkip(enclave.mrEnclave) || toHex(body.mrEnclave) === enclave.mrEnclave) &&
    (isSkip(enclave.mrSigner) || toHex(body.mrSigner) === enclave.mrSigner) &&
    (isSkip(enclave.isvProdId) || body.isvProdId === enclave.isvProdId) &&
    body.isvSvn >= enclave.minIsvSvn
  );
}

/** Runs every check of a policy; throws nothing for a refusal, the assessment carries it. */
export function assessSgxPolicy(verified: VerifiedSgx, policy: Policy): PolicyAssessment {
  const run = new PolicyRun(...sgxPolicyChecks);
  const { sgx } = policy;
  run.check('policy-kind', () => (sgx === null ? refuse('STUN_POLICY_KIND', 'the policy does not admit SGX') : undefined));
  run.check('policy-simulated', () =>
    verified.simulated && !policy.allowSimulated ? refuse('STUN_POLICY_SIMULATED', 'the hardware is simulated') : undefined,
  );
  if (sgx === null) return run.result();
  checkPlatform(run, verified, sgx);
  run.check('policy-enclave', () =>
    sgx.enclaves.some((enclave) => matches(verified, enclave))
      ? undefined
      : refuse('STUN_POLICY_ENCLAVE', `the enclave ${toHex(verified.body.mrEnclave)} is none that the policy names`),
  );
  return run.result();
}

/**
 * Validates a verified quote against a policy.
 * @throws the first refusal, of class policy: see `policy-…` in docs/attestation.md
 */
export function validateSgx(verified: VerifiedSgx, policy: Policy): ValidatedSgx {
  const { checks, refusal } = assessSgxPolicy(verified, policy);
  if (refusal !== null) throw refusal;
  return Object.freeze({ verified, policy, checks });
}
