// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Proof} from "../types/Settlement.sol";
import {Terms} from "../types/Terms.sol";
import {IPulledPayments} from "./IPulledPayments.sol";

/// @title The escrow of orders: budgets per provider, lanes, settlement against proofs, refunds, pulled payments.
/// @notice It pays for what a settlement proof shows: jobs that the customer signed for and that a registered enclave receipted.
/// Whether an answer was right it knows for `proven` orders, leaves to the challenge court for `challengeable` ones, and cannot know
/// for `attested` ones. It never knows whether an answer was delivered. docs/protocol.md section 3.
interface IOrderEscrow is IPulledPayments {
    /// @notice A provider's budget at opening, in units of the order's token.
    struct ProviderBudget {
        address provider;
        uint128 amount;
    }

    /// @notice What opens an order. `domain` is the caller's own computation of it; providers ascend strictly.
    struct OpenOrder {
        uint256 orderId;
        uint256 domain;
        address token;
        uint40 deadline;
        uint32 graceSeconds;
        Terms terms;
        ProviderBudget[] budgets;
    }

    /// @notice An EIP-2612 permit of the caller for this contract.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice A stored order. Orders are never deleted.
    struct Order {
        address funder;
        uint40 deadline;
        uint40 openedAt;
        uint16 feeBps;
        address token;
        uint32 graceSeconds;
        uint8 providerCount;
        /// Whether a provider of the order has a successor family: settlement looks for one only then.
        bool succeeded;
        /// 0 attested, 1 challengeable, 2 proven.
        uint8 assurance;
        uint256 domain;
        bytes32 family;
        uint128 priceScale;
    }

    /// @notice A provider's budget in an order: what is left, and what was ever put in.
    struct Budget {
        uint128 remaining;
        uint128 funded;
    }

    event OrderOpened(
        bytes32 indexed orderKey,
        address indexed funder,
        uint256 indexed orderId,
        address token,
        uint256 domain,
        uint40 deadline,
        uint32 graceSeconds,
        Terms terms,
        ProviderBudget[] budgets
    );
    event BudgetAdded(bytes32 indexed orderKey, address indexed provider, uint128 amount);
    /// @dev Of a challengeable order, credited and fee wait in the court until the batch is paid; refunded, they are nobody's but the
    /// funder's.
    event Settled(
        bytes32 indexed orderKey,
        address indexed provider,
        uint32 indexed laneIndex,
        uint256 laneOld,
        uint256 laneNew,
        uint256 receiptsRoot,
        uint256 total,
        uint256 credited,
        uint256 fee,
        uint256 shortfall
    );
    /// @notice Money of a challengeable batch was credited: to the provider less the fee, or to the funder.
    event Released(bytes32 indexed orderKey, address indexed provider, uint256 amount, uint256 fee, bool toProvider);
    event CloseRequested(bytes32 indexed orderKey, uint40 deadline);
    event Refunded(bytes32 indexed orderKey, address indexed provider, uint128 amount);
    event OperatorSet(address indexed provider, address indexed operator, bool allowed);
    event FamilySucceeded(bytes32 indexed orderKey, address indexed provider, bytes32 oldFamily, bytes32 newFamily);
    event TokenListed(address indexed token, bool listed);
    event FeeSet(uint16 feeBps, address feeAccount);

    error OrderIdInvalid(uint256 orderId);
    error OrderExists(bytes32 orderKey);
    error OrderUnknown(bytes32 orderKey);
    error DomainMismatch(uint256 given, uint256 expected);
    error TokenNotListed(address token);
    error DeadlineInvalid(uint256 deadline, uint256 earliest, uint256 latest);
    error GraceInvalid(uint256 graceSeconds, uint256 least, uint256 most);
    error FeeMismatch(uint16 given, uint16 expected);
    error FeeTooHigh(uint16 feeBps, uint16 most);
    error PriceScaleZero();
    error SegmentLengthInvalid(uint256 segmentLength, uint256 maxJobs);
    error AssuranceUnavailable(uint8 assurance, uint8 offered);
    /// The order settles by another function.
    error AssuranceMismatch(uint8 assurance, uint8 expected);
    error NotCourt(address caller);
    error TermUnused();
    error ProvidersInvalid(uint256 count, uint256 most);
    error ProvidersNotSorted(address provider);
    error BudgetInvalid(uint256 amount, uint256 most);
    error NativePermit();
    error OrderClosed(bytes32 orderKey, uint256 closedAt);
    error OrderNotRefundable(bytes32 orderKey, uint256 refundableAfter);
    error NothingToRefund(bytes32 orderKey);
    error SignalNotCanonical(uint256 index);
    error PayeeMalformed(uint256 payee);
    error TotalTooLarge(uint256 total);
    error NotProviderOrOperator(address caller, address provider);
    error ProviderNotInOrder(bytes32 orderKey, address provider);
    error LaneMoved(uint256 laneOld, uint256 state);
    error LaneNotAdvanced(uint256 laneNew);
    error ValidAtInFuture(uint256 validAt, uint256 nowAt);
    error ValidAtStale(uint256 validAt, uint256 oldest);
    error RootNotLive(address provider, uint256 root);
    error ProofInvalid();
    error SuccessionNotNeeded(bytes32 family);
    error SuccessionSignatureInvalid(address signer);
    error AddressZero();

    /// @notice Opens an order of the caller with a budget per provider.
    function open(OpenOrder calldata order) external payable returns (bytes32 orderKey);

    /// @notice Opens an order after an EIP-2612 permit. A permit that was already used is no error while the allowance suffices.
    function openWithPermit(OpenOrder calldata order, Permit calldata permit) external returns (bytes32 orderKey);

    /// @notice Adds to a provider's budget, or a provider to the order, before the deadline. Funder only.
    function topUp(uint256 orderId, address provider, uint128 amount) external payable;

    /// @notice topUp after an EIP-2612 permit.
    function topUpWithPermit(uint256 orderId, address provider, uint128 amount, Permit calldata permit) external;

    /// @notice Settles a batch: moves the lane and credits the provider. The provider or its operator only.
    /// @param funder The funder of the order; with the signal orderId it gives the order's key.
    /// @param signals enclaveRoot, orderId, laneOld, laneNew, receiptsRoot, payee, total, domain.
    /// @return credited What the provider was credited, after the fee.
    function settle(address funder, Proof calldata proof, uint256[8] calldata signals) external returns (uint256 credited);

    /// @notice Settles a batch of a `proven` order: as `settle`, and only if one inference proof for each paid job verifies.
    /// @param signals The eight of `settle`, then sixteen input and sixteen output commitments, (0, 0) where nothing was paid.
    /// @param answers One proof for each paid job, in order.
    function settleProven(
        address funder,
        Proof calldata proof,
        uint256[40] calldata signals,
        Proof[] calldata answers
    ) external returns (uint256 credited);

    /// @notice Settles a batch of a `challengeable` order: the lane moves, the money leaves the budget and waits in the challenge court.
    /// @return batchId Its name there; 0 when the batch pays nothing, which nobody can challenge.
    function settleChallengeable(
        address funder,
        Proof calldata proof,
        uint256[40] calldata signals
    ) external returns (bytes32 batchId);

    /// @notice Credits the money of a challengeable batch that is final. The court only, which is made by this contract.
    function release(bytes32 orderKey, address provider, uint256 amount, bool toProvider) external;

    /// @notice Sets the deadline of the caller's order to the earlier of itself and now. The grace stays.
    function requestClose(uint256 orderId) external;

    /// @notice Credits the funder with what is left of the named providers' budgets, after deadline, grace and freezes.
    function refund(uint256 orderId, address[] calldata providers) external returns (uint256 amount);

    /// @notice Replaces a tombstoned settlement family for one provider of an order, with the signatures of both parties.
    function succeedFamily(
        address funder,
        uint256 orderId,
        address provider,
        bytes32 newFamily,
        bytes calldata funderSignature,
        bytes calldata providerSignature
    ) external;

    /// @notice Allows or forbids an address to settle for the caller. It can never receive the money.
    function setOperator(address operator, bool allowed) external;

    /// @notice Whether new orders and stakes can use a token.
    function isListed(address token) external view returns (bool);

    /// @notice A stored order; all zero when unknown.
    function orderOf(bytes32 orderKey) external view returns (Order memory);

    /// @notice A provider's budget in an order.
    function budgetOf(bytes32 orderKey, address provider) external view returns (Budget memory);

    /// @notice The last settled demand head of a lane, 0 before the first settlement.
    function laneOf(bytes32 orderKey, address provider, uint32 laneIndex) external view returns (uint256);

    /// @notice The family that settles a provider's work in an order, after successions.
    function familyFor(bytes32 orderKey, address provider) external view returns (bytes32);

    /// @notice The last second at which a provider can settle, as of now: deadline + grace + freezes so far.
    function settleableUntil(bytes32 orderKey, address provider) external view returns (uint256);

    /// @notice The domain of an order of `funder` here.
    function domainOf(address funder, address token, Terms calldata terms) external view returns (uint256);

    /// @notice The key of an order.
    function orderKeyOf(address funder, uint256 orderId) external pure returns (bytes32);
}
