// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {CourtWorld} from "./CourtWorld.sol";

/// @title What must be true of escrow and court, kept beside them: orders, batches, stakes, credits and freezes, and from these which action
/// is due and which is not. Nothing here asks the contracts.
abstract contract CourtLedger is CourtWorld {
    /// What an action looks for, so that most of them have something to act on.
    enum Wanted {
        inWindow,
        challenged,
        unchallenged
    }

    struct Known {
        address funder;
        address provider;
        address challenger;
        address asset;
        uint256 orderId;
        bytes32 key;
        uint256 domain;
        uint128 bond;
        uint128 slash;
        uint128 left;
        uint40 openedAt;
        uint40 deadline;
        bool proven;
    }

    struct KnownBatch {
        uint256 orderIndex;
        bytes32 batchId;
        uint256 paidPairs;
        uint128 amount;
        uint40 settledAt;
        uint256 open;
        bool ended;
    }

    struct KnownChallenge {
        address challenger;
        uint40 since;
        bool open;
    }

    struct KnownStake {
        uint256 total;
        uint256 reserved;
        uint256 unbonding;
        uint256 unbondsAt;
    }

    struct Freeze {
        uint256 startsAt;
        uint256 endsAt;
    }

    uint256 internal constant UNBOND = 7 days;
    uint256 internal constant GRACE = 1 days;

    mapping(address asset => uint256) public moneyIn;
    mapping(address asset => uint256) public moneyOut;
    mapping(bool fromCourt => mapping(address asset => mapping(address account => uint256))) public due;
    /// How often each action succeeded, and was refused.
    mapping(string action => uint256) public done;
    mapping(string action => uint256) public refused;
    /// The first thing that happened though it must not, or did not though it must; empty while all is right.
    string public wrong;
    bool public tombstoned;

    Known[] internal _orders;
    KnownBatch[] internal _batches;
    mapping(bytes32 batchId => uint256[32]) internal _pairs;
    mapping(bytes32 batchId => mapping(uint256 index => KnownChallenge)) internal _challenges;
    mapping(address asset => mapping(address provider => KnownStake)) internal _stakes;
    mapping(bytes32 family => Freeze[]) internal _freezes;

    /// @notice 0..2 fund, 3..5 provide, 6..7 challenge, 8 is the fee account, 9 a stranger.
    function actor(uint256 index) public pure returns (address) {
        uint256 which = index % 10;
        if (which == 8) return FEE_ACCOUNT;
        return which == 9 ? address(0xBAD) : address(uint160(0xC000 + which));
    }

    function orderCount() external view returns (uint256) {
        return _orders.length;
    }

    function orderAt(uint256 index) external view returns (Known memory) {
        return _orders[index];
    }

    function batchCount() external view returns (uint256) {
        return _batches.length;
    }

    function batchAt(uint256 index) external view returns (KnownBatch memory) {
        return _batches[index];
    }

    function stakeAt(address asset, address provider) external view returns (KnownStake memory) {
        return _stakes[asset][provider];
    }

    /// @notice Compares what happened with what was due.
    function _tried(string memory action, bool wasDue, bool happened) internal {
        if (happened) ++done[action];
        else ++refused[action];
        if (wasDue == happened || bytes(wrong).length != 0) return;
        wrong = string.concat(action, happened ? " though it must not be" : " is refused though it is due");
    }

    function _assetOf(uint256 bit) internal view returns (address) {
        return bit % 2 == 0 ? address(0) : address(token);
    }

    function _frozenSince(bytes32 family, uint256 since) internal view returns (uint256 frozen) {
        Freeze[] storage all = _freezes[family];
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 from = all[i].startsAt > since ? all[i].startsAt : since;
            uint256 to = all[i].endsAt < block.timestamp ? all[i].endsAt : block.timestamp;
            if (to > from) frozen += to - from;
        }
    }

    function _isFrozen(bytes32 family) internal view returns (bool) {
        Freeze[] storage all = _freezes[family];
        return all.length != 0 && block.timestamp < all[all.length - 1].endsAt;
    }

    /// @notice Whether inferences can be verified now.
    function _canInfer() internal view returns (bool) {
        return !tombstoned && !_isFrozen(inferenceFamily);
    }

    /// @notice The last second of an order's settlement.
    function _settleableUntil(Known memory order) internal view returns (uint256 until) {
        until = order.deadline + GRACE + _frozenSince(provenFamily, order.openedAt);
        if (order.proven) until += _frozenSince(inferenceFamily, order.openedAt);
    }

    /// @notice The last second of a batch's window.
    function _closesAt(KnownBatch memory batch) internal view returns (uint256) {
        return batch.settledAt + WINDOW + _frozenSince(inferenceFamily, batch.settledAt);
    }

    /// @notice The last second of an answer.
    function _answerableUntil(KnownChallenge memory entry) internal view returns (uint256) {
        return entry.since + ANSWER + _frozenSince(inferenceFamily, entry.since);
    }

    /// @notice Mostly a batch of the wanted kind, when there is one.
    function _pick(uint256 seed, Wanted wanted) internal view returns (uint256) {
        uint256 first = seed % _batches.length;
        if ((seed >> 40) % 8 == 0) return first;
        for (uint256 i = first; i < first + _batches.length; ++i) {
            KnownBatch storage batch = _batches[i % _batches.length];
            if (batch.ended || (wanted == Wanted.unchallenged && batch.open != 0)) continue;
            if (wanted == Wanted.inWindow && block.timestamp > _closesAt(batch)) continue;
            if (wanted == Wanted.challenged && batch.open == 0) continue;
            return i % _batches.length;
        }
        return first;
    }

    /// @notice A pair with an open challenge when there is one.
    function _pickPair(KnownBatch storage batch, uint256 seed) internal view returns (uint256) {
        uint256 first = (seed >> 16) % batch.paidPairs;
        for (uint256 i = first; i < first + batch.paidPairs; ++i) {
            if (_challenges[batch.batchId][i % batch.paidPairs].open) return i % batch.paidPairs;
        }
        return first;
    }

    /// @notice A batch is paid: fee, provider, stake, open bonds.
    function _bookPaid(KnownBatch storage batch) internal {
        Known memory order = _orders[batch.orderIndex];
        uint256 fee = (uint256(batch.amount) * FEE_BPS) / 10_000;
        due[false][order.asset][order.provider] += batch.amount - fee;
        due[false][order.asset][FEE_ACCOUNT] += fee;
        _stakes[order.asset][order.provider].reserved -= order.slash;
        _bookEnd(batch, order);
    }

    /// @notice A batch is refunded: the money to the funder, half of the slash to each, open bonds back.
    function _bookRefunded(KnownBatch storage batch, uint256 index) internal {
        Known memory order = _orders[batch.orderIndex];
        due[false][order.asset][order.funder] += batch.amount;
        due[true][order.asset][_challenges[batch.batchId][index].challenger] += order.slash / 2;
        due[true][order.asset][order.funder] += order.slash - order.slash / 2;
        _stakes[order.asset][order.provider].reserved -= order.slash;
        _stakes[order.asset][order.provider].total -= order.slash;
        _bookEnd(batch, order);
    }

    function _bookEnd(KnownBatch storage batch, Known memory order) private {
        batch.ended = true;
        batch.open = 0;
        for (uint256 i = 0; i < batch.paidPairs; ++i) {
            KnownChallenge storage entry = _challenges[batch.batchId][i];
            if (entry.open) due[true][order.asset][entry.challenger] += order.bond;
            entry.open = false;
        }
    }
}
