/** The ledger of checks: what was proven, what was refuted and with which code, what stayed unknown. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/stun-error.ts';

/** Checks of the verification of a TDX quote, in the order in which they run. */
export const tdxVerificationChecks = [
  'quote-format',
  'collateral-format',
  'pck-chain',
  'pck-extension',
  'pck-crl-issuer-chain',
  'tcb-info-chain',
  'qe-identity-chain',
  'root-ca-crl',
  'pck-crl',
  'certificate-revocation',
  'tcb-info-signature',
  'tcb-info-content',
  'tcb-info-dates',
  'tcb-info-platform',
  'qe-identity-signature',
  'qe-identity-content',
  'qe-identity-dates',
  'evaluation-number',
  'qe-report-signature',
  'qe-report-binding',
  'qe-report-identity',
  'quote-signature',
  'tdx-module-identity',
  'tcb-evaluation',
] as const;

/** Checks of the verification of an SGX quote, in the order in which they run: an enclave has no TDX module. */
export const sgxVerificationChecks = tdxVerificationChecks.filter((id) => id !== 'tdx-module-identity');

/** Checks of the validation of a verified TDX quote against a policy; all of them run. */
export const tdxPolicyChecks = [
  'policy-kind',
  'policy-simulated',
  'policy-revocation',
  'policy-collateral-age',
  'policy-evaluation-number',
  'policy-tcb-status',
  'policy-advisories',
  'policy-debug',
  'policy-hardware',
  'policy-sept-ve-disable',
  'policy-td-attributes',
  'policy-xfam',
  'policy-measurements',
  'policy-service-td',
] as const;

/** Checks of the validation of a verified SGX quote against a policy; all of them run. */
export const sgxPolicyChecks = [
  'policy-kind',
  'policy-simulated',
  'policy-revocation',
  'policy-collateral-age',
  'policy-evaluation-number',
  'policy-tcb-status',
  'policy-advisories',
  'policy-debug',
  'policy-hardware',
  'policy-enclave',
] as const;

/** Checks of the verification of a SEV-SNP report. Those after a failure still run and are refuted or unknown. */
export const snpVerificationChecks = [
  'report-format',
  'endorsements-format',
  'ark-product',
  'ark-key',
  'chain-names',
  'chain-constraints',
  'ask-signature',
  'vek-signature',
  'certificate-dates',
  'ark-crl',
  'certificate-revocation',
  'signer-kind',
  'product',
  'report-signature',
  'tcb',
  'hwid',
  'tcb-layout',
] as const;

/** Checks of the validation of a verified SEV-SNP report against a policy; all of them run. */
export const snpPolicyChecks = [
  'policy-kind',
  'policy-simulated',
  'policy-revocation',
  'policy-report-version',
  'policy-product',
  'policy-signer',
  'policy-debug',
  'policy-migration',
  'policy-guest-policy',
  'policy-alias-check',
  'policy-platform-info',
  'policy-tcb-order',
  'policy-tcb',
  'policy-launch-tcb',
  'policy-mitigations',
  'policy-vmpl',
  'policy-guest-svn',
  'policy-firmware',
  'policy-id-key',
  'policy-author-key',
  'policy-host-data',
  'policy-measurements',
  'policy-hardware',
] as const;

/** What RIM documents speak for. */
export const rimKinds = ['driver', 'vbios'] as const;
const rimFileChecks = ['cert-chain', 'cert-expired', 'signature', 'digest', 'version', 'measurement'] as const;

export type RimCheckId =
  'rim-format' | `rim-${(typeof rimKinds)[number]}-${(typeof rimFileChecks)[number]}` | 'rim-index-owner' | 'rim-ocsp';

/** Checks of NVIDIA's reference values; they stand outside the verification of the device, and all of them run. */
export const rimChecks: readonly RimCheckId[] = [
  'rim-format',
  ...rimKinds.flatMap((kind) => rimFileChecks.map((check) => `rim-${kind}-${check}` as const)),
  'rim-index-owner',
  'rim-ocsp',
];
/** Checks of the verification of NVIDIA's measurement reports. Those after a failure still run and are refuted or unknown. */
export const gpuVerificationChecks = [
  'report-format',
  'chain-format',
  'chain',
  'report-signature',
  'chain-names',
  'chain-constraints',
  'certificate-dates',
  'architecture',
  'fwid',
  'device-identity',
  'nonce',
  'ocsp',
] as const;

/** Checks of the validation of a verified GPU report against a policy; all of them run. */
export const gpuPolicyChecks = [
  'policy-kind',
  'policy-simulated',
  'policy-revocation',
  'policy-hold',
  'policy-rim',
  'policy-rim-revocation',
  'policy-architecture',
  'policy-nonce',
  'policy-debug',
  'policy-mode',
  'policy-driver',
  'policy-vbios',
  'policy-firmware',
  'policy-hardware',
] as const;

/** Checks of an attestation result (EAR) and its signature, before what it says of the evidence. */
export const earChecks = [
  'ear-format',
  'ear-signature',
  'ear-issuer',
  'ear-time',
  'ear-profile',
  'ear-keyset',
  'ear-evidence',
  'ear-policy',
  'ear-status',
] as const;

/** Checks of an answer of NVIDIA's attestation service (NRAS). */
export const nrasChecks = [
  'nras-format',
  'nras-signature',
  'nras-device-signature',
  'nras-device-digest',
  'nras-issuer',
  'nras-time',
  'nras-nonce',
  'nras-result',
  'nras-measurement',
  'nras-secure-boot',
  'nras-debug',
  'nras-architecture',
  'nras-driver-version',
  'nras-vbios-version',
] as const;

/** Checks that an evidence document adds to those of its quote. */
export const evidenceChecks = [
  'evidence-format',
  'evidence-kind',
  'evidence-simulated-tag',
  'report-data',
  'evidence-gpu',
  'policy-gpus',
] as const;

export type CheckId =
  | (typeof tdxVerificationChecks)[number]
  | (typeof tdxPolicyChecks)[number]
  | (typeof sgxPolicyChecks)[number]
  | (typeof snpVerificationChecks)[number]
  | (typeof snpPolicyChecks)[number]
  | RimCheckId
  | (typeof gpuVerificationChecks)[number]
  | (typeof gpuPolicyChecks)[number]
  | (typeof earChecks)[number]
  | (typeof nrasChecks)[number]
  | (typeof evidenceChecks)[number];

/** One line of the report. `code` is there when the status is refuted, and when it is unknown for a reason that has one. */
export interface Check {
  readonly id: CheckId;
  readonly status: 'proven' | 'refuted' | 'unknown';
  readonly code?: ErrorCode;
}

/** Records checks as they run. Every check is `unknown` until it was made. */
export class CheckLedger {
  readonly #checks = new Map<CheckId, Check>();

  constructor(...ids: readonly CheckId[]) {
    for (const id of ids) this.#checks.set(id, { id, status: 'unknown' });
  }

  /**
   * Runs one check.
   * @returns what `body` returns
   * @throws the StunError of `body`, after recording it
   */
  prove<T>(id: CheckId, body: () => T): T {
    try {
      const value = body();
      this.#checks.set(id, { id, status: 'proven' });
      return value;
    } catch (thrown) {
      const error = asStunError(thrown);
      this.#checks.set(id, { id, status: 'refuted', code: error.code });
      throw error;
    }
  }

  /** Records that a check could not be made, and why. */
  unknown(id: CheckId, code?: ErrorCode): void {
    this.#checks.set(id, code === undefined ? { id, status: 'unknown' } : { id, status: 'unknown', code });
  }

  /** The checks in the order of the constructor. */
  list(): readonly Check[] {
    return Object.freeze([...this.#checks.values()].map((check) => Object.freeze({ ...check })));
  }
}

/**
 * Runs checks that do not need each other's results, also after one has failed, so that a report names everything that is wrong.
 * What holds after a failure stays unknown: it rests on something refuted.
 */
export class Attempts {
  readonly #ledger: CheckLedger;
  failure: StunError | null = null;

  constructor(ledger: CheckLedger) {
    this.#ledger = ledger;
  }

  run<T>(id: CheckId, body: () => T): T | null {
    try {
      const value = this.#ledger.prove(id, body);
      if (this.failure !== null) this.#ledger.unknown(id);
      return value;
    } catch (thrown) {
      this.failure ??= asStunError(thrown);
      return null;
    }
  }
}
