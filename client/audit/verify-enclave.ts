/** One enclave of a bundle: its keyset, the evidence that binds it, and the attestors who approved it. */
import {
  fromHex,
  hardwareIdHashOf,
  keysetDigestOf,
  parseKeyset,
  recoverEip712,
  signerIdOf,
  toHex,
  utf8,
  type Hex,
  type Keyset,
  type OpenedOrder,
} from '#protocol/index.ts';
import { evidenceDigest, verifyEvidence, type Policy, type VerifiedEvidence } from '#attestation/index.ts';
import type { AuditBundle, AuditEnclave } from './bundle.ts';
import { refute, type AuditLedger, type AuditTrust } from './report.ts';

/** An enclave whose keyset and evidence hold. */
export interface AuditedEnclave {
  readonly keyset: Keyset;
  readonly keysetDigest: Hex;
  readonly signerId: bigint;
  readonly evidence: VerifiedEvidence;
  readonly hardwareIdHash: bigint;
}

interface EnclaveContext {
  readonly order: OpenedOrder;
  readonly policy: Policy;
  readonly trust: AuditTrust;
  readonly ledger: AuditLedger;
}

/** The times at which an enclave worked, by its receipts. */
function workingTimes({ segments }: AuditBundle, index: number): { first: number; last: number } {
  const times = segments
    .filter((segment) => segment.enclave === index)
    .flatMap(({ jobs }) => jobs.flatMap(({ receipt }) => [receipt.startedAtUnix, receipt.finishedAtUnix]));
  return { first: Math.min(...times), last: Math.max(...times) };
}

/** Checks one enclave; undefined when its keyset or evidence was refuted. */
export function verifyEnclaveOf(bundle: AuditBundle, index: number, context: EnclaveContext): AuditedEnclave | undefined {
  const { order, policy, trust, ledger } = context;
  const field = `enclaves[${index}]`;
  const wire = bundle.enclaves[index];
  if (wire === undefined) return undefined;
  const { first, last } = workingTimes(bundle, index);
  const keysetPlace = {
    id: `${field}.keyset`,
    field: `${field}.keyset`,
    binds: [`${field}.keyset`, 'order.opening.place.chainId'],
  };
  const keyset = ledger.check(keysetPlace, () => {
    if (!Number.isFinite(first)) refute('no segment of the bundle uses this enclave');
    const parsed = parseKeyset(fromHex(wire.keyset));
    if (parsed.chainId !== order.place.chainId) refute('the keyset is made for another chain than the order');
    return parsed;
  });
  if (keyset === undefined) return undefined;
  const digest = keysetDigestOf(fromHex(wire.keyset));
  const receiptTimes = bundle.segments.flatMap((segment, s) => (segment.enclave === index ? [`segments[${s}].jobs`] : []));
  const evidencePlace = {
    id: `${field}.evidence`,
    field: `${field}.evidence`,
    binds: [`${field}.evidence`, `${field}.keyset`, 'order.policy', ...receiptTimes],
  };
  const evidence = ledger.check(evidencePlace, () =>
    verifyEvidence(utf8(wire.evidence), { atUnix: first, roots: trust.roots, policy, keysetDigest: digest }),
  );
  if (evidence === undefined) return undefined;
  const enclave: AuditedEnclave = {
    keyset,
    keysetDigest: toHex(digest),
    signerId: signerIdOf(keyset.receiptKey),
    evidence,
    hardwareIdHash: hardwareIdHashOf(evidence.platformCode, evidence.hardwareId),
  };
  const expiry = `${field}.leafExpiresAtUnix`;
  ledger.check({ id: `${field}.expiry`, field: expiry, binds: [expiry, ...receiptTimes] }, () => {
    if (wire.leafExpiresAtUnix > keyset.expiresAtUnix) refute('the leaf outlives its keyset');
    if (last >= wire.leafExpiresAtUnix) refute('a job ran after the leaf had expired');
  });
  verifyApprovals(wire, field, enclave, context);
  return enclave;
}

/** Every approval must be signed by the attestor it names, over exactly this registration. */
function verifyApprovals(wire: AuditEnclave, field: string, enclave: AuditedEnclave, context: EnclaveContext): void {
  const { order, trust, ledger } = context;
  const valid = new Set<string>();
  const digest = toHex(evidenceDigest(utf8(wire.evidence)));
  const approved = wire.approvedEvidenceDigest ?? digest;
  if (approved !== digest)
    ledger.unknown(`${field}.approvedEvidence`, 'the attestors approved other evidence, which is not in the bundle', [
      `${field}.evidence`,
      `${field}.approvedEvidenceDigest`,
    ]);
  for (const [i, approval] of wire.approvals.entries()) {
    const at = `${field}.approvals[${i}]`;
    const binds = [
      at,
      'order.opening',
      'order.policy',
      ...['evidence', 'approvedEvidenceDigest', 'leafExpiresAtUnix', 'keyset'].map((name) => `${field}.${name}`),
    ];
    ledger.check({ id: `${at}.signature`, field: at, binds }, () => {
      const signer = recoverEip712(
        'EnclaveApproval',
        { chainId: order.place.chainId, verifyingContract: enclave.keyset.registry },
        {
          provider: enclave.keyset.provider,
          keysetDigest: enclave.keysetDigest,
          policyId: order.opening.policyId,
          hardwareIdHash: enclave.hardwareIdHash,
          platform: BigInt(enclave.evidence.platformCode),
          expiresAt: BigInt(wire.leafExpiresAtUnix),
          evidenceDigest: approved,
          nonce: BigInt(approval.nonce),
          deadline: BigInt(approval.deadlineUnix),
        },
        approval.signature,
      );
      if (signer !== approval.attestor) refute('the approval is not signed by the attestor it names');
      if (valid.has(signer)) refute('the attestor approved twice');
      valid.add(signer);
    });
  }
  const quorum = `${field}.quorum`;
  if (trust.attestors.length === 0) return ledger.unknown(quorum, 'no attestor was named to the auditor (--attestor)');
  ledger.check({ id: quorum, field: `${field}.approvals`, binds: [`${field}.approvals`] }, () => {
    const known = trust.attestors.filter((attestor) => valid.has(attestor)).length;
    if (known < trust.threshold) refute(`${trust.threshold} approvals of known attestors are needed, ${known} are there`);
  });
  return undefined;
}
