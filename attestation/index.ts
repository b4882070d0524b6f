/**
 * Public interface of attestation: parse, verify and validate hardware evidence. No I/O, no clock.
 * Simulated hardware is apart, in `simulated/`, and is not exported here.
 */
export type { Check, CheckId } from './checks.ts';
export {
  evidenceChecks,
  gpuPolicyChecks,
  gpuVerificationChecks,
  sgxPolicyChecks,
  sgxVerificationChecks,
  snpPolicyChecks,
  snpVerificationChecks,
  tdxPolicyChecks,
  tdxVerificationChecks,
} from './checks.ts';
export type { EarAssessment, EarTokenInput, ReportedCheck, VerifiedEar } from './ear/assess.ts';
export { assessEar } from './ear/assess.ts';
export type { EarInput, EarStatus } from './ear/claims.ts';
export { buildEarClaims, earPolicyId } from './ear/claims.ts';
export type { EvidenceDocument, IntelEvidenceDocument, SnpEvidenceDocument } from './evidence/document.ts';
export { encodeEvidence, evidenceDigest, maxEvidenceBytes, parseEvidence } from './evidence/document.ts';
export type { GpuEvidence, GpuEvidenceDevice } from './evidence/gpu-evidence.ts';
export type {
  EvidenceAssessment,
  EvidenceContext,
  PlatformAssessment,
  QuoteAssessment,
  QuoteInput,
  SgxAssessment,
  TdxAssessment,
  VerifiedEvidence,
} from './evidence/verify-evidence.ts';
export {
  assessDocument,
  assessEvidence,
  assessQuote,
  assessSgx,
  assessTdx,
  platformCode,
  verifyEvidence,
} from './evidence/verify-evidence.ts';
export { checkSourceOf, explainReport } from './evidence/explain.ts';
export type { EvidenceKind, EvidenceReport } from './evidence/report.ts';
export { reportOf } from './evidence/report.ts';
export type { PlatformSummary } from './evidence/summary.ts';
export type { IntelCollateral, IntelCollateralJson } from './intel/collateral.ts';
export { parseIntelCollateral, readIntelCollateralJson } from './intel/collateral.ts';
export type { CollateralKey, PckRequest } from './intel/collateral-key.ts';
export { collateralKeyOf, pckRequestOf } from './intel/collateral-key.ts';
export type { PckExtension } from './intel/pck-extension.ts';
export type { CertificationData } from './intel/certification-data.ts';
export type { EnclaveReport } from './intel/enclave-report.ts';
export type { IntelQuote, QuoteEnvelope, QuoteHeader } from './intel/quote.ts';
export { encodeIntelQuote, parseIntelQuote, quoteKind } from './intel/quote.ts';
export type { BodyType, QuoteBody, TdBodyType, TdReport, TdReportField } from './intel/quote-body.ts';
export type { TcbEvaluation } from './intel/tcb-evaluation.ts';
export type { ComponentStatus, PlatformStatus, TcbStatus } from './intel/tcb-status.ts';
export type { VerifiedIntel } from './intel/verify.ts';
export { maxGraceSeconds } from './intel/verify.ts';
export type { JwsAlgorithm, PublicJwk } from './jose/jwks.ts';
export { encodeJwks, jwkThumbprint, parseJwks } from './jose/jwks.ts';
export type { JwsSigner } from './jose/jws.ts';
export { signJws } from './jose/jws.ts';
export type { JsonLimits, JsonObject, JsonValue } from './json/capped-json.ts';
export { defaultJsonLimits, parseCappedJson, parseCappedJsonBytes } from './json/capped-json.ts';
export type { GpuAssessment, GpuInput } from './nvidia/assess.ts';
export { assessGpu } from './nvidia/assess.ts';
export type { NrasAssessment, NrasDevice, NrasInput } from './nvidia/eat/nras.ts';
export { assessNras } from './nvidia/eat/nras.ts';
export { holdRims } from './nvidia/rim/hold.ts';
export { rimSubjectOf } from './nvidia/rim/subject.ts';
export type { RimAssessment, RimInput, RimSubject, VerifiedRim } from './nvidia/rim/verify.ts';
export { assessRims } from './nvidia/rim/verify.ts';
export { gpuCheckSources } from './nvidia/check-sources.ts';
export { parseDeviceChain } from './nvidia/device-chain.ts';
export type { OcspResponse, OcspStatus } from './nvidia/ocsp.ts';
export { parseOcspResponse } from './nvidia/ocsp.ts';
export type { GpuOpaqueField } from './nvidia/opaque-data.ts';
export { opaqueType } from './nvidia/opaque-data.ts';
export type { GpuArchitecture, GpuFacts, GpuMode } from './nvidia/report-facts.ts';
export { gpuArchitectures, gpuModes } from './nvidia/report-facts.ts';
export type { GpuMeasurement, GpuReport, GpuReportFields } from './nvidia/report.ts';
export { encodeGpuReport, parseGpuReport } from './nvidia/report.ts';
export type { CertificateRevocation } from './nvidia/revocation.ts';
export type { ValidatedGpu } from './nvidia/validate.ts';
export { validateGpu } from './nvidia/validate.ts';
export type { GpuCollateral, VerifiedGpu } from './nvidia/verify.ts';
export { verifyGpu } from './nvidia/verify.ts';
export { defaultPolicy } from './policy/default-policy.ts';
export type { AdvisoryRule, IntelPolicy, StatusRule } from './policy/intel-policy.ts';
export type { GpuPolicy } from './policy/gpu-policy.ts';
export type { Policy } from './policy/policy.ts';
export type { Skip } from './policy/policy-fields.ts';
export { canonicalPolicyJson, parsePolicy } from './policy/policy.ts';
export type { SgxEnclave, SgxPolicy } from './policy/sgx-policy.ts';
export type { TdxMeasurement, TdxPolicy } from './policy/tdx-policy.ts';
export { measuredFields } from './policy/tdx-policy.ts';
export type { SnpPolicy, SnpTcbFloors } from './policy/snp-policy.ts';
export { computeGpuEvidenceDigest, computeGpuNonce, computeReportData } from './report-data.ts';
export type { SgxQuote } from './sgx/quote.ts';
export { encodeSgxQuote, parseSgxQuote } from './sgx/quote.ts';
export type { ValidatedSgx } from './sgx/validate.ts';
export { validateSgx } from './sgx/validate.ts';
export type { VerifiedSgx } from './sgx/verify.ts';
export { verifySgx } from './sgx/verify.ts';
export type { SnpCollateralKey } from './snp/collateral-key.ts';
export { snpCollateralKeyOf } from './snp/collateral-key.ts';
export type { SnpEndorsementBytes, SnpEndorsements, SnpEndorsementsJson } from './snp/endorsements.ts';
export { decodeSnpEndorsements, encodeSnpEndorsements, parseSnpEndorsements } from './snp/endorsements.ts';
export type { SnpTcb } from './snp/product.ts';
export { readSnpTcb } from './snp/product.ts';
export type { SnpReport, SnpReportFields, SnpSignerKind } from './snp/report.ts';
export { encodeSnpReport, parseSnpReport } from './snp/report.ts';
export type { SnpAssessment, SnpInput } from './snp/assess.ts';
export { assessSnp } from './snp/assess.ts';
export { snpCheckSources } from './snp/check-sources.ts';
export type { ValidatedSnp } from './snp/validate.ts';
export { validateSnp } from './snp/validate.ts';
export type { SnpTcbs, VerifiedSnp } from './snp/verify.ts';
export { verifySnp } from './snp/verify.ts';
export type { CcelEvent } from './tdx/ccel.ts';
export { parseCcel } from './tdx/ccel.ts';
export type { TdxQuote } from './tdx/quote.ts';
export { encodeTdxQuote, parseTdxQuote } from './tdx/quote.ts';
export type { Measurement, RtmrIndex, Rtmrs } from './tdx/rtmr.ts';
export { replayMeasurements, verifyMeasurements } from './tdx/rtmr.ts';
export type { RuntimeEvent } from './tdx/runtime-events.ts';
export { parseRuntimeEvents, runtimeEventDigest, runtimeEventType } from './tdx/runtime-events.ts';
export type { ValidatedTdx } from './tdx/validate.ts';
export { validateTdx } from './tdx/validate.ts';
export type { VerifiedTdx } from './tdx/verify.ts';
export { verifyTdx } from './tdx/verify.ts';
export type { AmdTrustRoot, IntelTrustRoot, NvidiaPurpose, NvidiaTrustRoot, SnpProduct, TrustRoot } from './trust/roots.ts';
export {
  amdRoots,
  defaultTrustRoots,
  intelSgxRoot,
  nvidiaDeviceRoot,
  nvidiaRimRoot,
  nvidiaRoots,
  parseTrustRoots,
  snpProducts,
} from './trust/roots.ts';
