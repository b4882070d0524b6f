// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {ChallengeCourt} from "./ChallengeCourt.sol";
import {EscrowAccounts} from "./EscrowAccounts.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";
import {SettlementSignals} from "./types/Settlement.sol";
import {OrderIdentity, Terms} from "./types/Terms.sol";

/// @title EscrowOrders
/// @notice The part of the escrow where orders and budgets come from: opening with every term checked, topping up, closing early.
/// Orders and lanes are never deleted.
abstract contract EscrowOrders is EscrowAccounts {
    using OrderIdentity for address;

    uint256 public constant MAX_PROVIDERS = 16;
    uint256 public constant MAX_BUDGET = type(uint96).max;
    uint256 public constant MIN_GRACE_SECONDS = 24 hours;
    uint256 public constant MAX_GRACE_SECONDS = 90 days;
    uint256 public constant MAX_ORDER_SECONDS = 5 * 365 days;
    uint8 internal constant ATTESTED = 0;
    uint8 internal constant CHALLENGEABLE = 1;
    uint8 internal constant PROVEN = 2;

    IEnclaveRegistry public immutable registry;
    IVerifierRouter public immutable router;
    /// Made here, so that each knows the other for ever.
    ChallengeCourt public immutable court;

    mapping(bytes32 orderKey => Order) internal _orders;
    mapping(bytes32 orderKey => mapping(address provider => Budget)) internal _budgets;
    mapping(bytes32 orderKey => mapping(address provider => mapping(uint32 laneIndex => uint256 state))) internal _lanes;
    mapping(bytes32 orderKey => mapping(address provider => bytes32 family)) internal _successors;

    constructor(IEnclaveRegistry registry_, IVerifierRouter router_, IModelRegistry models_) {
        registry = registry_;
        router = router_;
        court = new ChallengeCourt(router_, models_);
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
    function requestClose(uint256 orderId) external {
        bytes32 orderKey = msg.sender.orderKey(orderId);
        Order storage order = _known(orderKey);
        if (block.timestamp < order.deadline) order.deadline = uint40(block.timestamp);
        emit CloseRequested(orderKey, order.deadline);
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
    function domainOf(address funder, address token, Terms calldata terms) external view returns (uint256) {
        return OrderIdentity.domainOf(address(this), funder, token, terms);
    }

    /// @inheritdoc IOrderEscrow
    function orderKeyOf(address funder, uint256 orderId) external pure returns (bytes32) {
        return funder.orderKey(orderId);
    }

    function _known(bytes32 orderKey) internal view returns (Order storage order) {
        order = _orders[orderKey];
        if (order.funder == address(0)) revert OrderUnknown(orderKey);
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
            assurance: order.terms.assurance,
            domain: domain,
            family: order.terms.settlementFamily,
            priceScale: order.terms.priceScale
        });
        if (order.terms.assurance != ATTESTED) court.admit(orderKey, msg.sender, order.token, order.terms);
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
        // A family that publishes pairs serves both levels above `attested`; its circuit and proofs are the same.
        if (terms.assurance > PROVEN || (terms.assurance == ATTESTED) != (offered == ATTESTED)) {
            revert AssuranceUnavailable(terms.assurance, offered);
        }
        if (terms.segmentLength == 0 || terms.segmentLength > maxJobs) {
            revert SegmentLengthInvalid(terms.segmentLength, maxJobs);
        }
        if (terms.priceScale == 0) revert PriceScaleZero();
        if (terms.feeBps != feeBps) revert FeeMismatch(terms.feeBps, feeBps);
        if (terms.assurance != ATTESTED) return;
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
}
