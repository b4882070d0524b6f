// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {ISettlementVerifier} from "./interfaces/ISettlementVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {EscrowAccounts} from "./EscrowAccounts.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";
import {Proof, SettlementSignals} from "./types/Settlement.sol";
import {OrderIdentity, Terms} from "./types/Terms.sol";

/// @title OrderEscrow
/// @notice Trusted for: the money of orders. Nobody can take it: it goes to the provider that a valid proof names, to the fee
/// account by the rate fixed at open, or back to the funder after deadline, grace and freezes. The owner lists tokens and sets
/// the fee of future orders, nothing else. There is no upgrade and no way to move a lane without a proof.
contract OrderEscrow is EscrowAccounts, EIP712 {
    using OrderIdentity for address;

    uint256 public constant MAX_PROVIDERS = 16;
    uint256 public constant MAX_BUDGET = type(uint96).max;
    uint256 public constant MIN_GRACE_SECONDS = 24 hours;
    uint256 public constant MAX_GRACE_SECONDS = 90 days;
    uint256 public constant MAX_ORDER_SECONDS = 5 * 365 days;
    /// How old the statement of a proof can be.
    uint256 public constant VALIDITY_SECONDS = 1 hours;

    /// Totals are sums of at most 2^16 prices below 2^63.
    uint256 private constant MAX_TOTAL = type(uint80).max;
    uint256 private constant BPS = 10_000;
    bytes32 private constant SUCCESSION_TYPE = keccak256(
        "FamilySuccession(bytes32 orderKey,bytes32 oldFamily,bytes32 newFamily)"
    );

    IEnclaveRegistry public immutable registry;
    IVerifierRouter public immutable router;

    mapping(bytes32 orderKey => Order) private _orders;
    mapping(bytes32 orderKey => mapping(address provider => Budget)) private _budgets;
    mapping(bytes32 orderKey => mapping(address provider => mapping(uint32 laneIndex => uint256 state))) private _lanes;
    mapping(bytes32 orderKey => mapping(address provider => bytes32 family)) private _successors;

    constructor(
        address owner_,
        IEnclaveRegistry registry_,
        IVerifierRouter router_,
        uint16 feeBps_,
        address feeAccount_
    ) EscrowAccounts(owner_, feeBps_, feeAccount_) EIP712("STUN", "1") {
        registry = registry_;
        router = router_;
    }

    /// @inheritdoc IOrderEscrow
    function open(OpenOrder calldata order) external payable nonReentrant returns (bytes32 orderKey) {
        uint256 amount;
        (orderKey, amount) = _open(order);
        _pull(order.token, amount);
    }

    /// @inheritdoc IOrderEscrow
    function openWithPermit(OpenOrder calldata order, Permit calldata permit) external nonReentrant returns (bytes32 orderKey) {
        uint256 amount;
        (orderKey, amount) = _open(order);
        _permit(order.token, permit);
        _pull(order.token, amount);
    }

    /// @inheritdoc IOrderEscrow
    function topUp(uint256 orderId, address provider, uint128 amount) external payable nonReentrant {
        _pull(_topUp(orderId, provider, amount), amount);
    }

    /// @inheritdoc IOrderEscrow
    function topUpWithPermit(uint256 orderId, address provider, uint128 amount, Permit calldata permit) external nonReentrant {
        address token = _topUp(orderId, provider, amount);
        _permit(token, permit);
        _pull(token, amount);
    }

    /// @inheritdoc IOrderEscrow
    function settle(
        address funder,
        Proof calldata proof,
        uint256[8] calldata signals
    ) external nonReentrant returns (uint256 credited) {
        for (uint256 i = 0; i < SettlementSignals.COUNT; ++i) {
            if (signals[i] >= SettlementSignals.R) revert SignalNotCanonical(i);
        }
        bytes32 orderKey = funder.orderKey(signals[SettlementSignals.ORDER_ID]);
        Order memory order = _known(orderKey);
        if (signals[SettlementSignals.DOMAIN] != order.domain) {
            revert DomainMismatch(signals[SettlementSignals.DOMAIN], order.domain);
        }
        uint256 payee = signals[SettlementSignals.PAYEE];
        if (payee >> SettlementSignals.PAYEE_BITS != 0) revert PayeeMalformed(payee);
        (address provider, uint40 validAt, uint32 laneIndex) = SettlementSignals.unpackPayee(payee);
        if (msg.sender != provider && !isOperator[provider][msg.sender]) {
            revert NotProviderOrOperator(msg.sender, provider);
        }
        bytes32 family = order.succeeded ? familyFor(orderKey, provider) : order.family;
        address verifier = router.verifierOf(family);
        _checkTimes(order, family, orderKey, provider, validAt, signals[SettlementSignals.ENCLAVE_ROOT]);
        _moveLane(orderKey, provider, laneIndex, signals[SettlementSignals.LANE_OLD], signals[SettlementSignals.LANE_NEW]);
        // A view call: the verifier cannot change anything, and false must not pass.
        if (!ISettlementVerifier(verifier).verifyProof(proof.a, proof.b, proof.c, signals)) revert ProofInvalid();
        credited = _pay(order, orderKey, provider, laneIndex, signals);
    }

    /// @inheritdoc IOrderEscrow
    function requestClose(uint256 orderId) external {
        bytes32 orderKey = msg.sender.orderKey(orderId);
        Order storage order = _known(orderKey);
        if (block.timestamp < order.deadline) order.deadline = uint40(block.timestamp);
        emit CloseRequested(orderKey, order.deadline);
    }

    /// @inheritdoc IOrderEscrow
    function refund(uint256 orderId, address[] calldata providers) external nonReentrant returns (uint256 amount) {
        if (providers.length == 0 || providers.length > MAX_PROVIDERS) {
            revert ProvidersInvalid(providers.length, MAX_PROVIDERS);
        }
        bytes32 orderKey = msg.sender.orderKey(orderId);
        Order memory order = _known(orderKey);
        for (uint256 i = 0; i < providers.length; ++i) {
            address provider = providers[i];
            bytes32 family = familyFor(orderKey, provider);
            uint256 until = _settleableUntil(order, family);
            if (block.timestamp <= until) revert OrderNotRefundable(orderKey, until);
            // A freeze that began after the end stops refunds too, as long as it lasts.
            if (router.isFrozen(family)) revert IVerifierRouter.FamilyIsFrozen(family, router.familyOf(family).frozenUntil);
            uint128 remaining = _budgets[orderKey][provider].remaining;
            if (remaining == 0) continue;
            _budgets[orderKey][provider].remaining = 0;
            amount += remaining;
            emit Refunded(orderKey, provider, remaining);
        }
        if (amount == 0) revert NothingToRefund(orderKey);
        _credit(order.token, order.funder, amount);
    }

    /// @inheritdoc IOrderEscrow
    function succeedFamily(
        address funder,
        uint256 orderId,
        address provider,
        bytes32 newFamily,
        bytes calldata funderSignature,
        bytes calldata providerSignature
    ) external {
        bytes32 orderKey = funder.orderKey(orderId);
        Order storage order = _known(orderKey);
        if (_budgets[orderKey][provider].funded == 0) revert ProviderNotInOrder(orderKey, provider);
        bytes32 oldFamily = familyFor(orderKey, provider);
        if (!router.isTombstoned(oldFamily)) revert SuccessionNotNeeded(oldFamily);
        (, uint8 assurance) = router.openableFamily(newFamily);
        uint8 offered = router.familyOf(oldFamily).assurance;
        if (assurance != offered) revert AssuranceUnavailable(assurance, offered);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(SUCCESSION_TYPE, orderKey, oldFamily, newFamily)));
        if (!SignatureChecker.isValidSignatureNow(funder, digest, funderSignature)) {
            revert SuccessionSignatureInvalid(funder);
        }
        if (!SignatureChecker.isValidSignatureNow(provider, digest, providerSignature)) {
            revert SuccessionSignatureInvalid(provider);
        }
        order.succeeded = true;
        _successors[orderKey][provider] = newFamily;
        emit FamilySucceeded(orderKey, provider, oldFamily, newFamily);
    }

    /// @inheritdoc IOrderEscrow
    function orderOf(bytes32 orderKey) external view returns (Order memory) {
        return _orders[orderKey];
    }

    /// @inheritdoc IOrderEscrow
    function budgetOf(bytes32 orderKey, address provider) external view returns (Budget memory) {
        return _budgets[orderKey][provider];
    }

    /// @inheritdoc IOrderEscrow
    function laneOf(bytes32 orderKey, address provider, uint32 laneIndex) external view returns (uint256) {
        return _lanes[orderKey][provider][laneIndex];
    }

    /// @inheritdoc IOrderEscrow
    function familyFor(bytes32 orderKey, address provider) public view returns (bytes32) {
        bytes32 successor = _successors[orderKey][provider];
        return successor == 0 ? _orders[orderKey].family : successor;
    }

    /// @inheritdoc IOrderEscrow
    function settleableUntil(bytes32 orderKey, address provider) external view returns (uint256) {
        return _settleableUntil(_known(orderKey), familyFor(orderKey, provider));
    }

    /// @inheritdoc IOrderEscrow
    function domainOf(address funder, address token, Terms calldata terms) external view returns (uint256) {
        return OrderIdentity.domainOf(address(this), funder, token, terms);
    }

    /// @inheritdoc IOrderEscrow
    function orderKeyOf(address funder, uint256 orderId) external pure returns (bytes32) {
        return funder.orderKey(orderId);
    }

    function _open(OpenOrder calldata order) private returns (bytes32 orderKey, uint256 amount) {
        if (order.orderId == 0 || order.orderId >= SettlementSignals.R) revert OrderIdInvalid(order.orderId);
        orderKey = msg.sender.orderKey(order.orderId);
        if (_orders[orderKey].funder != address(0)) revert OrderExists(orderKey);
        if (!isListed[order.token]) revert TokenNotListed(order.token);
        uint256 latest = block.timestamp + MAX_ORDER_SECONDS;
        if (order.deadline <= block.timestamp || order.deadline > latest) {
            revert DeadlineInvalid(order.deadline, block.timestamp + 1, latest);
        }
        if (order.graceSeconds < MIN_GRACE_SECONDS || order.graceSeconds > MAX_GRACE_SECONDS) {
            revert GraceInvalid(order.graceSeconds, MIN_GRACE_SECONDS, MAX_GRACE_SECONDS);
        }
        _checkTerms(order.terms);
        uint256 domain = OrderIdentity.domainOf(address(this), msg.sender, order.token, order.terms);
        if (order.domain != domain) revert DomainMismatch(order.domain, domain);
        uint256 count = order.budgets.length;
        if (count == 0 || count > MAX_PROVIDERS) revert ProvidersInvalid(count, MAX_PROVIDERS);
        _orders[orderKey] = Order({
            funder: msg.sender,
            deadline: order.deadline,
            openedAt: uint40(block.timestamp),
            feeBps: order.terms.feeBps,
            token: order.token,
            graceSeconds: order.graceSeconds,
            providerCount: uint8(count),
            succeeded: false,
            domain: domain,
            family: order.terms.settlementFamily,
            priceScale: order.terms.priceScale
        });
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address provider = order.budgets[i].provider;
            uint128 budget = order.budgets[i].amount;
            if (provider <= previous) revert ProvidersNotSorted(provider);
            previous = provider;
            if (budget == 0 || budget > MAX_BUDGET) revert BudgetInvalid(budget, MAX_BUDGET);
            _budgets[orderKey][provider] = Budget(budget, budget);
            amount += budget;
        }
        emit OrderOpened(
            orderKey,
            msg.sender,
            order.orderId,
            order.token,
            domain,
            order.deadline,
            order.graceSeconds,
            order.terms,
            order.budgets
        );
    }

    function _checkTerms(Terms calldata terms) private view {
        (uint256 maxJobs, uint8 offered) = router.openableFamily(terms.settlementFamily);
        if (terms.assurance != offered) revert AssuranceUnavailable(terms.assurance, offered);
        if (terms.segmentLength == 0 || terms.segmentLength > maxJobs) {
            revert SegmentLengthInvalid(terms.segmentLength, maxJobs);
        }
        if (terms.priceScale == 0) revert PriceScaleZero();
        if (terms.feeBps != feeBps) revert FeeMismatch(terms.feeBps, feeBps);
        // An `attested` order has no challenge: a term that would do nothing is a mistake of the caller.
        bool unused =
            terms.publicModelId == 0 &&
                terms.inferenceFamily == 0 &&
                terms.challengeWindowSeconds == 0 &&
                terms.answerPeriodSeconds == 0 &&
                terms.bond == 0 &&
                terms.slash == 0 &&
                terms.challenger == address(0);
        if (!unused) revert TermUnused();
    }

    function _topUp(uint256 orderId, address provider, uint128 amount) private returns (address token) {
        bytes32 orderKey = msg.sender.orderKey(orderId);
        Order storage order = _known(orderKey);
        if (block.timestamp >= order.deadline) revert OrderClosed(orderKey, order.deadline);
        if (provider == address(0)) revert AddressZero();
        Budget storage budget = _budgets[orderKey][provider];
        uint256 funded = uint256(budget.funded) + amount;
        if (amount == 0 || funded > MAX_BUDGET) revert BudgetInvalid(funded, MAX_BUDGET);
        if (budget.funded == 0) {
            if (order.providerCount == MAX_PROVIDERS) revert ProvidersInvalid(MAX_PROVIDERS + 1, MAX_PROVIDERS);
            order.providerCount += 1;
        }
        budget.funded = uint128(funded);
        budget.remaining += amount;
        token = order.token;
        emit BudgetAdded(orderKey, provider, amount);
    }

    /// Deadline and grace, age of the statement, life of the root: each stretched by the family's freezes.
    function _checkTimes(
        Order memory order,
        bytes32 family,
        bytes32 orderKey,
        address provider,
        uint40 validAt,
        uint256 root
    ) private view {
        uint256 closesAt = uint256(order.deadline) + order.graceSeconds;
        if (block.timestamp > closesAt) {
            closesAt = _settleableUntil(order, family);
            if (block.timestamp > closesAt) revert OrderClosed(orderKey, closesAt);
        }
        if (validAt > block.timestamp) revert ValidAtInFuture(validAt, block.timestamp);
        if (block.timestamp > validAt + VALIDITY_SECONDS) {
            uint256 oldest = block.timestamp - VALIDITY_SECONDS - router.frozenSecondsSince(family, validAt);
            if (validAt < oldest) revert ValidAtStale(validAt, oldest);
        }
        uint40 since = registry.rootSupersededAt(provider, root);
        if (since == type(uint40).max) return;
        if (since == 0) revert RootNotLive(provider, root);
        if (block.timestamp > since + VALIDITY_SECONDS) {
            uint256 frozen = router.frozenSecondsSince(family, since);
            if (block.timestamp > since + VALIDITY_SECONDS + frozen) revert RootNotLive(provider, root);
        }
    }

    function _moveLane(bytes32 orderKey, address provider, uint32 laneIndex, uint256 laneOld, uint256 laneNew) private {
        uint256 state = _lanes[orderKey][provider][laneIndex];
        if (state != laneOld) revert LaneMoved(laneOld, state);
        if (laneNew == 0 || laneNew == laneOld) revert LaneNotAdvanced(laneNew);
        _lanes[orderKey][provider][laneIndex] = laneNew;
    }

    function _pay(
        Order memory order,
        bytes32 orderKey,
        address provider,
        uint32 laneIndex,
        uint256[8] calldata signals
    ) private returns (uint256 credited) {
        uint256 total = signals[SettlementSignals.TOTAL];
        if (total > MAX_TOTAL) revert TotalTooLarge(total);
        Budget memory budget = _budgets[orderKey][provider];
        if (budget.funded == 0) revert ProviderNotInOrder(orderKey, provider);
        // 80 + 128 bits: no overflow.
        uint256 owed = total * order.priceScale;
        uint256 paid = owed < budget.remaining ? owed : budget.remaining;
        uint256 fee = (paid * order.feeBps) / BPS;
        credited = paid - fee;
        // paid <= remaining, so the cast keeps the value.
        _budgets[orderKey][provider].remaining = budget.remaining - uint128(paid);
        _credit(order.token, provider, credited);
        _credit(order.token, feeAccount, fee);
        emit Settled(
            orderKey,
            provider,
            laneIndex,
            signals[SettlementSignals.LANE_OLD],
            signals[SettlementSignals.LANE_NEW],
            signals[SettlementSignals.RECEIPTS_ROOT],
            total,
            credited,
            fee,
            owed - paid
        );
    }

    /// Freezes since the order opened count, of the order's family and of a successor.
    function _settleableUntil(Order memory order, bytes32 family) private view returns (uint256) {
        uint256 frozen = router.frozenSecondsSince(order.family, order.openedAt);
        if (family != order.family) frozen += router.frozenSecondsSince(family, order.openedAt);
        return uint256(order.deadline) + order.graceSeconds + frozen;
    }

    function _known(bytes32 orderKey) private view returns (Order storage order) {
        order = _orders[orderKey];
        if (order.funder == address(0)) revert OrderUnknown(orderKey);
    }
}
