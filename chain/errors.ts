/**
 * Turns what a node, ethers or a contract throws into a StunError. Matches by custom-error selector and by ethers' codes, never by
 * message text.
 */
import { Interface, isError, type Fragment, type JsonFragment } from 'ethers';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { artifacts } from './artifacts.ts';

/** Every custom error of the contracts by name, with the code it becomes. A test holds this table complete. */
export const solidityErrorCodes = {
  // OrderEscrow: opening
  OrderIdInvalid: 'STUN_ORDER_INVALID',
  OrderExists: 'STUN_ORDER_EXISTS',
  OrderUnknown: 'STUN_ORDER_UNKNOWN',
  DomainMismatch: 'STUN_ORDER_DOMAIN',
  TokenNotListed: 'STUN_TOKEN_NOT_LISTED',
  DeadlineInvalid: 'STUN_ORDER_INVALID',
  GraceInvalid: 'STUN_ORDER_INVALID',
  ProvidersInvalid: 'STUN_ORDER_INVALID',
  ProvidersNotSorted: 'STUN_ORDER_INVALID',
  BudgetInvalid: 'STUN_ORDER_INVALID',
  AddressZero: 'STUN_ORDER_INVALID',
  FeeMismatch: 'STUN_ORDER_TERMS',
  PriceScaleZero: 'STUN_ORDER_TERMS',
  SegmentLengthInvalid: 'STUN_ORDER_TERMS',
  TermUnused: 'STUN_ORDER_TERMS',
  AssuranceUnavailable: 'STUN_ASSURANCE_UNAVAILABLE',
  ValueMismatch: 'STUN_ORDER_PAYMENT',
  TokenAmountMismatch: 'STUN_ORDER_PAYMENT',
  NativePermit: 'STUN_ORDER_PAYMENT',
  ERC20InsufficientAllowance: 'STUN_ORDER_PAYMENT',
  ERC20InsufficientBalance: 'STUN_ORDER_PAYMENT',
  FeeTooHigh: 'STUN_CHAIN_NOT_ALLOWED',
  // OrderEscrow: life and money
  OrderClosed: 'STUN_ORDER_CLOSED',
  OrderNotRefundable: 'STUN_ORDER_NOT_REFUNDABLE',
  NothingToRefund: 'STUN_NOTHING_DUE',
  NothingToWithdraw: 'STUN_NOTHING_DUE',
  NativeTransferFailed: 'STUN_PAYOUT_FAILED',
  SafeERC20FailedOperation: 'STUN_PAYOUT_FAILED',
  ReentrancyGuardReentrantCall: 'STUN_CHAIN_NOT_ALLOWED',
  OwnableUnauthorizedAccount: 'STUN_CHAIN_NOT_ALLOWED',
  OwnableInvalidOwner: 'STUN_CHAIN_NOT_ALLOWED',
  // OrderEscrow: settlement
  SignalNotCanonical: 'STUN_SETTLE_SIGNAL',
  PayeeMalformed: 'STUN_SETTLE_SIGNAL',
  TotalTooLarge: 'STUN_SETTLE_SIGNAL',
  NotProviderOrOperator: 'STUN_SETTLE_CALLER',
  ProviderNotInOrder: 'STUN_SETTLE_PROVIDER',
  LaneMoved: 'STUN_SETTLE_LANE_MOVED',
  LaneNotAdvanced: 'STUN_SETTLE_LANE',
  ValidAtInFuture: 'STUN_SETTLE_FUTURE',
  ValidAtStale: 'STUN_SETTLE_STALE',
  RootNotLive: 'STUN_SETTLE_ROOT',
  ProofInvalid: 'STUN_SETTLE_PROOF',
  AssuranceMismatch: 'STUN_SETTLE_ASSURANCE',
  NotCourt: 'STUN_CHAIN_NOT_ALLOWED',
  SuccessionNotNeeded: 'STUN_FAMILY_REFUSED',
  SuccessionSignatureInvalid: 'STUN_FAMILY_REFUSED',
  // VerifierRouter
  FamilyUnknown: 'STUN_FAMILY_UNKNOWN',
  FamilyExists: 'STUN_FAMILY_REFUSED',
  FamilyIsTombstoned: 'STUN_FAMILY_TOMBSTONED',
  FamilyIsFrozen: 'STUN_FAMILY_FROZEN',
  FamilyNotFrozen: 'STUN_FAMILY_REFUSED',
  FreezeTooLong: 'STUN_FAMILY_REFUSED',
  TooManyFreezes: 'STUN_FAMILY_REFUSED',
  DevelopmentVerifierRefused: 'STUN_CHAIN_DEVELOPMENT_VERIFIER',
  VerificationKeyMismatch: 'STUN_FAMILY_REFUSED',
  MaxJobsMismatch: 'STUN_FAMILY_REFUSED',
  CeremonyNotAllowed: 'STUN_FAMILY_REFUSED',
  NotAForgery: 'STUN_FAMILY_REFUSED',
  FamilyKindMismatch: 'STUN_FAMILY_KIND',
  NotGuardian: 'STUN_CHAIN_NOT_ALLOWED',
  ZeroValue: 'STUN_FAMILY_REFUSED',
  SafeCastOverflowedUintDowncast: 'STUN_FAMILY_REFUSED',
  // ChallengeCourt: orders above attested
  NotEscrow: 'STUN_CHAIN_NOT_ALLOWED',
  ChallengeTermInvalid: 'STUN_ORDER_TERMS',
  ChallengeTermUnused: 'STUN_ORDER_TERMS',
  AnswerCountMismatch: 'STUN_INFERENCE_PROOF_COUNT',
  InferenceProofInvalid: 'STUN_INFERENCE_PROOF',
  // ChallengeCourt: challenges
  BatchExists: 'STUN_CHALLENGE_BATCH',
  BatchNotPending: 'STUN_CHALLENGE_BATCH',
  PairsMismatch: 'STUN_CHALLENGE_PAIR',
  PairNotPaid: 'STUN_CHALLENGE_PAIR',
  NotChallenger: 'STUN_CHALLENGE_CALLER',
  BondMismatch: 'STUN_CHALLENGE_BOND',
  ChallengeWindowClosed: 'STUN_CHALLENGE_WINDOW',
  ChallengeWindowOpen: 'STUN_CHALLENGE_PENDING',
  ChallengeExists: 'STUN_CHALLENGE_STATE',
  ChallengeNotOpen: 'STUN_CHALLENGE_STATE',
  ChallengesOpen: 'STUN_CHALLENGE_PENDING',
  AnswerPeriodOver: 'STUN_CHALLENGE_LATE',
  AnswerPeriodRunning: 'STUN_CHALLENGE_PENDING',
  // ChallengeCourt: stakes
  StakeAmountInvalid: 'STUN_STAKE_AMOUNT',
  StakeTokenNotListed: 'STUN_TOKEN_NOT_LISTED',
  StakeTooLow: 'STUN_STAKE_TOO_LOW',
  UnbondNotDue: 'STUN_STAKE_NOT_DUE',
  // ModelRegistry
  ModelUnknown: 'STUN_MODEL_UNREGISTERED',
  ModelExists: 'STUN_MODEL_REGISTERED',
  ModelKeyLength: 'STUN_MODEL_KEY',
  ModelKeyPoint: 'STUN_MODEL_KEY',
  ModelKeyForgeable: 'STUN_MODEL_KEY',
  DevelopmentModelRefused: 'STUN_CHAIN_DEVELOPMENT_VERIFIER',
  CoordinatorUnchanged: 'STUN_MODEL_APPROVALS',
  CoordinatorThresholdInvalid: 'STUN_MODEL_APPROVALS',
  CoordinatorQuorumNotReached: 'STUN_MODEL_APPROVALS',
  CoordinatorsNotSorted: 'STUN_MODEL_APPROVALS',
  NotACoordinator: 'STUN_MODEL_APPROVALS',
  ModelApprovalExpired: 'STUN_MODEL_APPROVALS',
  ModelApprovalInvalid: 'STUN_MODEL_APPROVALS',
  // EnclaveRegistry
  KeysetLength: 'STUN_REGISTER_KEYSET',
  KeysetMagic: 'STUN_REGISTER_KEYSET',
  KeysetKem: 'STUN_REGISTER_KEYSET',
  KeysetSecp256k1KeyInvalid: 'STUN_REGISTER_KEYSET',
  KeysetChainMismatch: 'STUN_REGISTER_KEYSET',
  KeysetRegistryMismatch: 'STUN_REGISTER_KEYSET',
  ReceiptKeyInvalid: 'STUN_REGISTER_KEYSET',
  ValueNotCanonical: 'STUN_REGISTER_KEYSET',
  KeysetExpired: 'STUN_REGISTER_EXPIRY',
  LeafExpiryInvalid: 'STUN_REGISTER_EXPIRY',
  PlatformUnknown: 'STUN_REGISTER_PLATFORM',
  SimulatedPlatformRefused: 'STUN_REGISTER_PLATFORM',
  NoQuoteVerifier: 'STUN_REGISTER_PLATFORM',
  HardwareIsDenied: 'STUN_REGISTER_DENIED',
  HardwareMismatch: 'STUN_REGISTER_DENIED',
  KeysetNotActive: 'STUN_REGISTER_STATE',
  SignerReused: 'STUN_REGISTER_STATE',
  LeafExists: 'STUN_REGISTER_STATE',
  TooManyLeaves: 'STUN_REGISTER_STATE',
  TreeFull: 'STUN_REGISTER_SLOT',
  SlotNotReusable: 'STUN_REGISTER_SLOT',
  ConsentMissing: 'STUN_REGISTER_CONSENT',
  ConsentExpired: 'STUN_REGISTER_CONSENT',
  ConsentUsed: 'STUN_REGISTER_CONSENT',
  QuorumNotReached: 'STUN_REGISTER_QUORUM',
  TooManyApprovals: 'STUN_REGISTER_QUORUM',
  ApprovalsNotSorted: 'STUN_REGISTER_QUORUM',
  ApprovalExpired: 'STUN_REGISTER_QUORUM',
  ApprovalUsed: 'STUN_REGISTER_QUORUM',
  ApprovalSignatureInvalid: 'STUN_REGISTER_QUORUM',
  NotAnAttestor: 'STUN_REGISTER_QUORUM',
  AttestorUnchanged: 'STUN_REGISTER_QUORUM',
  ThresholdInvalid: 'STUN_REGISTER_QUORUM',
  NotAllowed: 'STUN_CHAIN_NOT_ALLOWED',
  PoseidonMismatch: 'STUN_CHAIN_DEPLOYMENT',
} as const satisfies Record<string, ErrorCode>;

/** All custom errors in one interface. */
const errorInterface = new Interface([
  ...new Map(
    [
      artifacts.OrderEscrow,
      artifacts.ChallengeCourt,
      artifacts.EnclaveRegistry,
      artifacts.VerifierRouter,
      artifacts.ModelRegistry,
      artifacts.StunToken,
    ]
      .flatMap((artifact): readonly JsonFragment[] => artifact.abi)
      .filter((fragment) => fragment.type === 'error')
      .map((fragment) => [JSON.stringify(fragment), fragment]),
  ).values(),
] satisfies (JsonFragment | Fragment)[]);

/** A custom error found in revert data. */
export interface SolidityError {
  readonly name: string;
  readonly args: readonly string[];
}

/** The revert data inside anything a node or ethers throws, undefined when there is none. */
function revertData(thrown: unknown, depth = 0): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || depth > 6) return undefined;
  const data = 'data' in thrown ? thrown.data : undefined;
  if (typeof data === 'string' && /^0x[0-9a-f]{8,}$/i.test(data)) return data;
  for (const key of ['data', 'info', 'error', 'cause']) {
    const inner = (thrown as Record<string, unknown>)[key];
    const found = inner === thrown ? undefined : revertData(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The custom error that a contract reverted with, undefined when there is none that the contracts declare. */
export function solidityErrorOf(thrown: unknown): SolidityError | undefined {
  const data = revertData(thrown);
  const parsed = data === undefined ? null : errorInterface.parseError(data);
  if (parsed === null) return undefined;
  return { name: parsed.name, args: parsed.args.map(String) };
}

function isMapped(name: string): name is keyof typeof solidityErrorCodes {
  return Object.hasOwn(solidityErrorCodes, name);
}

/**
 * The StunError for anything thrown by a call to the chain. `details.solidityError` and `details.args` name the contract's error.
 * @param action - what was tried, for the message
 */
export function chainErrorOf(thrown: unknown, action: string): StunError {
  if (thrown instanceof StunError) return thrown;
  const reverted = solidityErrorOf(thrown);
  if (reverted !== undefined) {
    const code = isMapped(reverted.name) ? solidityErrorCodes[reverted.name] : 'STUN_CHAIN_REVERTED';
    const reason = `${action}: the contract refused with ${reverted.name}(${reverted.args.join(', ')})`;
    return new StunError(code, reason, { details: { solidityError: reverted.name, args: reverted.args }, cause: thrown });
  }
  return new StunError(transportCode(thrown), `${action} failed`, { cause: thrown });
}

function transportCode(thrown: unknown): ErrorCode {
  if (isError(thrown, 'INSUFFICIENT_FUNDS')) return 'STUN_CHAIN_FUNDS';
  if (isError(thrown, 'NONCE_EXPIRED') || isError(thrown, 'REPLACEMENT_UNDERPRICED')) return 'STUN_CHAIN_NONCE';
  if (isError(thrown, 'CALL_EXCEPTION')) return 'STUN_CHAIN_REVERTED';
  if (isError(thrown, 'BAD_DATA')) return 'STUN_CHAIN_DEPLOYMENT';
  // The node answered, with an error of its own that means none of the above.
  if (isError(thrown, 'UNKNOWN_ERROR')) return 'STUN_CHAIN_NODE';
  const kinds = ['NETWORK_ERROR', 'TIMEOUT', 'SERVER_ERROR', 'OFFCHAIN_FAULT', 'CANCELLED'] as const;
  if (kinds.some((kind) => isError(thrown, kind))) return 'STUN_CHAIN_UNAVAILABLE';
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  const refused = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EPIPE', 'EAI_AGAIN'];
  return typeof code === 'string' && refused.includes(code) ? 'STUN_CHAIN_UNAVAILABLE' : 'STUN_INTERNAL';
}
