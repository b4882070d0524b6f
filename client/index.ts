/**
 * Public interface of the client: what a customer or integrator imports.
 * Connect with `connectClient`, open an order, submit payloads, fetch verified results, keep receipt files.
 */
export { exportBackup, restoreBackup } from './store/backup.ts';
export { chooseEnclave, enclaveTrust, fetchEnclave, type EnclaveWish } from './choose-enclave.ts';
export { connectClient, type ClientConnection, type ClientOptions } from './connection.ts';
export { MAX_EVIDENCE_AGE_SECONDS, policyIdOfPolicy, verifyEnclave, type EnclaveTrust, type VerifiedEnclave } from './enclave.ts';
export { inferenceProofOf } from './inference-proof.ts';
export type { OrderLevel } from './order-level.ts';
export {
  closeOrder,
  openOrder,
  orderState,
  refundOrder,
  resumeOpening,
  topUpOrder,
  type OpenedOnChain,
  type OrderPlan,
  type OrderRefund,
  type OrderState,
} from './order.ts';
export { disclosureSchema, verifyDisclosure, type Disclosure, type VerifiedDisclosure } from './disclosure.ts';
export { lookAfterCourt, type CourtLook, type CourtSide, type CourtStep, type LookOptions } from './court-watch.ts';
export { checkResult, type CheckedResult, type ReceiptContext } from './receipt-check.ts';
export { receiptFileOf, receiptFileSchema, verifyReceiptFile, type ReceiptFile, type VerifiedReceipt } from './receipt.ts';
export { fetchResult, receiptContext, type JobResult, type WaitOptions } from './result.ts';
export { resubmitJobs, type ResubmittedJob } from './resubmit.ts';
export {
  evidenceBytes,
  requestBytesOf,
  ServiceApi,
  type ListedEnclave,
  type ListedModel,
  type ServedEnclave,
} from './service-api.ts';
export { ServiceHttp, type ServiceIdentity, type ServiceOptions } from './service-http.ts';
export type { OrderRecord, ProviderBudget } from './store/order-record.ts';
export { openStore, type ClientStore } from './store/store.ts';
export type { StoredJob } from './store/stored-job.ts';
export { defaultScryptCost, type ScryptCost } from './store/vault.ts';
export {
  answersOf,
  modelToHold,
  settledBatches,
  type AnswerFinding,
  type AnswerSource,
  type ModelRun,
  type SettledAnswer,
  type SettledBatch,
} from './settled-answers.ts';
export { encodeInputs, resumeJobs, submitJobs, type OnSubmitted, type SubmittedJob } from './submit.ts';
export { auditBundleSchema, type AuditBundle } from './audit/bundle.ts';
export { exportAuditBundle, type AuditScope, type KeySource } from './audit/export.ts';
export { AuditLedger, type AuditCheck, type AuditTrust } from './audit/report.ts';
export { settlementOfReceipt, type ReceiptSettlement } from './audit/settlement-of-receipt.ts';
export { auditOnChain, type ChainFindings, type ProviderSums } from './audit/verify-chain.ts';
export { auditCourt, type BatchOutcome, type ChallengeOutcome, type CourtAudit } from './audit/verify-court.ts';
export { auditModel, type CeremonyFinding, type ModelAudit } from './audit/verify-model.ts';
export { auditOffline, auditReport, verifyAuditBundle, type AuditedBundle, type AuditReport } from './audit/verify.ts';
