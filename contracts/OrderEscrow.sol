// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {ISettlementVerifier} from "./interfaces/ISettlementVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {IProvenSettlementVerifier} from "./interfaces/IProvenSettlementVerifier.sol";
import {EscrowAccounts} from "./EscrowAccounts.sol";
import {EscrowOrders} from "./EscrowOrders.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";
import {Proof, SettlementSignals} from "./types/Settlement.sol";
import {OrderIdentity} from "./types/Terms.sol";

/// @title OrderEscrow
/// @notice Trusted for: the money of orders. Nobody can take it: it goes to the provider that a valid proof names, to the fee
/// account by the rate fixed at open, or back to the funder after deadline, grace and freezes. The owner lists tokens and sets
/// the fee of future orders, nothing else. There is no upgrade and no way to move a lane without a proof.
contract OrderEscrow is EscrowOrders, EIP712 {
    using OrderIdentity for address;

    /// How old the statement of a proof can be.
    uint256 public constant VALIDITY_SECONDS = 1 hours;

    /// Totals are sums of at most 2^16 prices below 2^63.
    uint256 private constant MAX_TOTAL = type(uint80).max;
    uint256 private constant BPS = 10_000;
    bytes32 private constant SUCCESSION_TYPE = keccak256(
        "FamilySuccession(bytes32 orderKey,bytes32 oldFamily,bytes32 newFamily)"
    );

    /// A batch on its way through a settlement; never stored.
    struct Batch {
        Order order;
        bytes32 orderKey;
        address provider;
        uint32 laneIndex;
        address verifier;
    }

    constructor(
        address owner_,
        IEnclaveRegistry registry_,
        IVerifierRouter router_,
        IModelRegistry models_,
        uint16 feeBps_,
        address feeAccount_
    ) EscrowAccounts(owner_, feeBps_, feeAccount_) EscrowOrders(registry_, router_, models_) EIP712("STUN", "1") {} // solhint-disable-line no-empty-blocks

    /// @inheritdoc IOrderEscrow
    function settle(
        address funder,
        Proof calldata proof,
        uint256[8] calldata signals
    ) external nonReentrant returns (uint256 credited) {
        Batch memory batch = _begin(funder, signals, SettlementSignals.COUNT, ATTESTED);
        // A view call: the verifier cannot change anything, and false must not pass.
        if (!ISettlementVerifier(batch.verifier).verifyProof(proof.a, proof.b, proof.c, signals)) revert ProofInvalid();
        (uint256 paid, uint256 fee) = _charge(batch, signals);
        return _creditProvider(batch.orderKey, batch.provider, paid, fee);
    }

    /// @inheritdoc IOrderEscrow
    function settleProven(
        address funder,
        Proof calldata proof,
        uint256[40] calldata signals,
        Proof[] calldata answers
    ) external nonReentrant returns (uint256 credited) {
        Batch memory batch = _beginPublished(funder, proof, signals, PROVEN);
        court.prove(batch.orderKey, batch.provider, signals, answers);
        (uint256 paid, uint256 fee) = _charge(batch, _head(signals));
        return _creditProvider(batch.orderKey, batch.provider, paid, fee);
    }

    /// @inheritdoc IOrderEscrow
    function settleChallengeable(
        address funder,
        Proof calldata proof,
        uint256[40] calldata signals
    ) external nonReentrant returns (bytes32 batchId) {
        Batch memory batch = _beginPublished(funder, proof, signals, CHALLENGEABLE);
        (uint256 paid, ) = _charge(batch, _head(signals));
        // What is paid comes out of a budget, which fits 128 bits.
        if (paid != 0) batchId = court.record(batch.orderKey, batch.provider, batch.laneIndex, uint128(paid), signals);
    }

    /// @inheritdoc IOrderEscrow
    function release(bytes32 orderKey, address provider, uint256 amount, bool toProvider) external {
        if (msg.sender != address(court)) revert NotCourt(msg.sender);
        uint256 fee = toProvider ? (amount * _orders[orderKey].feeBps) / BPS : 0;
        if (toProvider) _creditProvider(orderKey, provider, amount, fee);
        else _credit(_orders[orderKey].token, _orders[orderKey].funder, amount);
        emit Released(orderKey, provider, amount, fee, toProvider);
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
            uint256 until = _settleableUntil(order, orderKey, family);
            if (block.timestamp <= until) revert OrderNotRefundable(orderKey, until);
            // A freeze that began after the end stops refunds too, as long as it lasts.
            _checkNotFrozen(family);
            if (order.assurance == PROVEN) _checkNotFrozen(court.inferenceFamilyOf(orderKey));
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
    function settleableUntil(bytes32 orderKey, address provider) external view returns (uint256) {
        return _settleableUntil(_known(orderKey), orderKey, familyFor(orderKey, provider));
    }

    /// Everything that a settlement checks before its proof; moves the lane.
    /// @param head The first eight of `count` signals.
    function _begin(
        address funder,
        uint256[8] calldata head,
        uint256 count,
        uint8 assurance
    ) private returns (Batch memory batch) {
        for (uint256 i = 0; i < count; ++i) {
            uint256 signal;
            assembly ("memory-safe") {
                signal := calldataload(add(head, shl(5, i)))
            }
            if (signal >= SettlementSignals.R) revert SignalNotCanonical(i);
        }
        bytes32 orderKey = funder.orderKey(head[SettlementSignals.ORDER_ID]);
        Order memory order = _known(orderKey);
        if (head[SettlementSignals.DOMAIN] != order.domain) {
            revert DomainMismatch(head[SettlementSignals.DOMAIN], order.domain);
        }
        if (order.assurance != assurance) revert AssuranceMismatch(assurance, order.assurance);
        uint256 payee = head[SettlementSignals.PAYEE];
        if (payee >> SettlementSignals.PAYEE_BITS != 0) revert PayeeMalformed(payee);
        (address provider, uint40 validAt, uint32 laneIndex) = SettlementSignals.unpackPayee(payee);
        if (msg.sender != provider && !isOperator[provider][msg.sender]) {
            revert NotProviderOrOperator(msg.sender, provider);
        }
        bytes32 family = order.succeeded ? familyFor(orderKey, provider) : order.family;
        batch = Batch(order, orderKey, provider, laneIndex, router.verifierOf(family));
        _checkTimes(order, family, orderKey, provider, validAt, head[SettlementSignals.ENCLAVE_ROOT]);
        _moveLane(orderKey, provider, laneIndex, head[SettlementSignals.LANE_OLD], head[SettlementSignals.LANE_NEW]);
    }

    /// `_begin` and the proof of a settlement that publishes its pairs.
    function _beginPublished(
        address funder,
        Proof calldata proof,
        uint256[40] calldata signals,
        uint8 assurance
    ) private returns (Batch memory batch) {
        batch = _begin(funder, _head(signals), signals.length, assurance);
        if (!IProvenSettlementVerifier(batch.verifier).verifyProof(proof.a, proof.b, proof.c, signals)) revert ProofInvalid();
    }

    /// The signals that every settlement has, without copying.
    function _head(uint256[40] calldata signals) private pure returns (uint256[8] calldata head) {
        assembly ("memory-safe") {
            head := signals
        }
    }

    /// Deadline and grace, age of the statement, life of the root: each stretched by the freezes of the order's families.
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
            closesAt = _settleableUntil(order, orderKey, family);
            if (block.timestamp > closesAt) revert OrderClosed(orderKey, closesAt);
        }
        if (validAt > block.timestamp) revert ValidAtInFuture(validAt, block.timestamp);
        if (block.timestamp > validAt + VALIDITY_SECONDS) {
            uint256 oldest = block.timestamp - VALIDITY_SECONDS - _frozenSince(order, orderKey, family, validAt);
            if (validAt < oldest) revert ValidAtStale(validAt, oldest);
        }
        uint40 since = registry.rootSupersededAt(provider, root);
        if (since == type(uint40).max) return;
        if (since == 0) revert RootNotLive(provider, root);
        if (block.timestamp > since + VALIDITY_SECONDS) {
            uint256 frozen = _frozenSince(order, orderKey, family, since);
            if (block.timestamp > since + VALIDITY_SECONDS + frozen) revert RootNotLive(provider, root);
        }
    }

    function _moveLane(bytes32 orderKey, address provider, uint32 laneIndex, uint256 laneOld, uint256 laneNew) private {
        uint256 state = _lanes[orderKey][provider][laneIndex];
        if (state != laneOld) revert LaneMoved(laneOld, state);
        if (laneNew == 0 || laneNew == laneOld) revert LaneNotAdvanced(laneNew);
        _lanes[orderKey][provider][laneIndex] = laneNew;
    }

    /// Takes what a batch costs out of the budget and says so; the caller decides whose it is.
    function _charge(Batch memory batch, uint256[8] calldata head) private returns (uint256 paid, uint256 fee) {
        uint256 total = head[SettlementSignals.TOTAL];
        if (total > MAX_TOTAL) revert TotalTooLarge(total);
        Budget memory budget = _budgets[batch.orderKey][batch.provider];
        if (budget.funded == 0) revert ProviderNotInOrder(batch.orderKey, batch.provider);
        // 80 + 128 bits: no overflow.
        uint256 owed = total * batch.order.priceScale;
        paid = owed < budget.remaining ? owed : budget.remaining;
        fee = (paid * batch.order.feeBps) / BPS;
        // paid <= remaining, so the cast keeps the value.
        _budgets[batch.orderKey][batch.provider].remaining = budget.remaining - uint128(paid);
        emit Settled(
            batch.orderKey,
            batch.provider,
            batch.laneIndex,
            head[SettlementSignals.LANE_OLD],
            head[SettlementSignals.LANE_NEW],
            head[SettlementSignals.RECEIPTS_ROOT],
            total,
            paid - fee,
            fee,
            owed - paid
        );
    }

    function _creditProvider(bytes32 orderKey, address provider, uint256 paid, uint256 fee) private returns (uint256 credited) {
        address token = _orders[orderKey].token;
        credited = paid - fee;
        _credit(token, provider, credited);
        _credit(token, feeAccount, fee);
    }

    /// Freezes since the order opened count.
    function _settleableUntil(Order memory order, bytes32 orderKey, bytes32 family) private view returns (uint256) {
        return uint256(order.deadline) + order.graceSeconds + _frozenSince(order, orderKey, family, order.openedAt);
    }

    /// Frozen time of the order's settlement family and of a successor, and for a `proven` order, which cannot settle without it, of
    /// the inference family.
    function _frozenSince(
        Order memory order,
        bytes32 orderKey,
        bytes32 family,
        uint40 since
    ) private view returns (uint256 frozen) {
        frozen = router.frozenSecondsSince(family, since);
        if (family != order.family) frozen += router.frozenSecondsSince(order.family, since);
        if (order.assurance == PROVEN) frozen += router.frozenSecondsSince(court.inferenceFamilyOf(orderKey), since);
    }

    function _checkNotFrozen(bytes32 family) private view {
        if (router.isFrozen(family)) revert IVerifierRouter.FamilyIsFrozen(family, router.familyOf(family).frozenUntil);
    }
}
