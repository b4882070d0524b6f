// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Proof} from "../../../contracts/types/Settlement.sol";
import {CourtLedger} from "./CourtLedger.sol";
import {VM} from "./Vm.sol";

/// @title What the fuzzer may do to escrow and court together. Each action is compared with the ledger: it must succeed exactly when it is due.
contract CourtHandler is CourtLedger {
    uint256 private _nextHead = 1000;
    mapping(bytes32 lane => uint256) private _headOf;

    constructor() {
        buildCourt();
    }

    /// @notice Opens a challengeable order, or sometimes a proven one.
    function open(uint256 seed, uint96 amount, uint64 bond, uint64 slash) external {
        if (_orders.length == 16 || !_canInfer() || _isFrozen(provenFamily)) return;
        Known memory order;
        order.funder = actor(seed % 3);
        order.provider = actor(3 + ((seed >> 8) % 3));
        order.asset = _assetOf(seed >> 24);
        order.orderId = _orders.length + 1;
        order.proven = (seed >> 32) % 6 == 0;
        if (!order.proven) {
            (order.bond, order.slash) = (uint128(bond % 1e6) + 1, uint128(slash % 1e6) + 1);
            if ((seed >> 16) % 2 != 0) order.challenger = actor(6 + ((seed >> 17) % 2));
        }
        order.left = uint128(amount % 1e12) + 1;
        order.key = openHigher(
            order.funder,
            order.orderId,
            order.asset,
            order.provider,
            order.left,
            order.bond,
            order.slash,
            order.challenger
        );
        order.domain = escrow.orderOf(order.key).domain;
        (order.openedAt, order.deadline) = (uint40(block.timestamp), uint40(block.timestamp + 1 days));
        _orders.push(order);
        moneyIn[order.asset] += order.left;
        ++done["open"];
    }

    /// @notice The funder asks for an early end.
    function close(uint256 seed) external {
        if (_orders.length == 0) return;
        Known storage order = _orders[seed % _orders.length];
        VM.prank(order.funder);
        escrow.requestClose(order.orderId);
        if (block.timestamp < order.deadline) order.deadline = uint40(block.timestamp);
        ++done["close"];
    }

    /// @notice A provider adds stake.
    function deposit(uint256 seed, uint64 amount) external {
        address provider = actor(3 + (seed % 3));
        address asset = _assetOf(seed >> 8);
        uint128 more = uint128(amount % 4e6) + 1;
        supplyFor(address(court), provider, asset, more);
        VM.prank(provider);
        court.depositStake{value: asset == address(0) ? more : 0}(asset, more);
        moneyIn[asset] += more;
        _stakes[asset][provider].total += more;
        ++done["deposit"];
    }

    /// @notice A provider asks stake back, or takes what it asked for.
    function unbond(uint256 seed, uint64 amount) external {
        address provider = actor(3 + (seed % 3));
        address asset = _assetOf(seed >> 8);
        if ((seed >> 16) % 2 == 0) _ask(asset, provider, amount % (_stakes[asset][provider].total + 1));
        else _unbond(asset, provider);
    }

    /// @notice Settles a batch of up to three paid jobs from the lane's true head.
    function settle(uint256 seed, uint40 total) external {
        if (_orders.length != 0) _settle(seed % _orders.length, uint32((seed >> 16) % 2), total, 1 + ((seed >> 24) % 3));
    }

    /// @notice The funder, the challenger or a stranger challenges, sometimes a pair that was not paid.
    function challenge(uint256 seed) external {
        if (_batches.length == 0) return;
        KnownBatch storage batch = _batches[_pick(seed, Wanted.inWindow)];
        Known memory order = _orders[batch.orderIndex];
        uint256 who = (seed >> 16) % 8;
        address caller = who == 0 ? actor(9) : order.funder;
        if (who % 2 == 1 && order.challenger != address(0)) caller = order.challenger;
        _challenge(batch, caller, (seed >> 24) % 8 == 0 ? batch.paidPairs : (seed >> 28) % batch.paidPairs);
    }

    /// @notice Anybody answers, rightly or wrongly.
    function answer(uint256 seed, bool right) external {
        if (_batches.length == 0) return;
        KnownBatch storage batch = _batches[_pick(seed, Wanted.challenged)];
        _answer(batch, _pickPair(batch, seed), right);
    }

    /// @notice Anybody ends a batch, one way or the other.
    function end(uint256 seed, bool paying) external {
        if (_batches.length == 0) return;
        KnownBatch storage batch = _batches[_pick(seed, paying ? Wanted.unchallenged : Wanted.challenged)];
        if (paying) _finalise(batch);
        else _refund(batch, _pickPair(batch, seed));
    }

    /// @notice The funder asks for the rest of an order.
    function refundRest(uint256 seed) external {
        if (_orders.length != 0) _refundRest(_orders[seed % _orders.length]);
    }

    /// @notice An actor, the fee account or a stranger withdraws from escrow or court.
    function withdraw(uint256 seed, bool coin, bool fromCourt) external {
        _withdraw(coin ? address(0) : address(token), fromCourt, actor(seed));
    }

    /// @notice Time passes.
    function warp(uint32 duration) external {
        VM.warp(block.timestamp + (duration % 4 hours));
    }

    /// @notice Time jumps to a second before, at or after the end of a clock, and what this clock decides is tried there.
    function jump(uint256 seed, uint256 clock, uint256 beside) external {
        if (_orders.length == 0) return;
        Known storage order = _orders[seed % _orders.length];
        if (clock % 32 == 0 && _jumpTo(_settleableUntil(order), beside)) {
            _refundRest(order);
            _settle(seed % _orders.length, 0, 1000, 1);
        }
        if (clock % 32 == 1 && _jumpTo(_stakes[order.asset][order.provider].unbondsAt, beside))
            _unbond(order.asset, order.provider);
        if (clock % 32 < 2 || _batches.length == 0) return;
        KnownBatch storage batch = _batches[_pick(seed, clock % 8 < 5 ? Wanted.inWindow : Wanted.challenged)];
        uint256 index = _pickPair(batch, seed);
        if (clock % 8 < 5 && _jumpTo(_closesAt(batch), beside)) {
            _challenge(batch, _orders[batch.orderIndex].funder, index);
            _finalise(batch);
        }
        if (clock % 8 > 4 && _jumpTo(_answerableUntil(_challenges[batch.batchId][index]), beside)) {
            if (clock % 8 == 5) _answer(batch, index, true);
            _refund(batch, index);
        }
    }

    /// @notice The guardian freezes or thaws the inference family or the settlement family.
    function freeze(uint32 duration, bool thaw, bool inference) external {
        bytes32 frozen = inference ? inferenceFamily : provenFamily;
        Freeze[] storage all = _freezes[frozen];
        if (thaw || _isFrozen(frozen)) {
            try router.unfreeze(frozen) {
                all[all.length - 1].endsAt = block.timestamp;
                ++done["thaw"];
            } catch {}
        } else {
            uint32 length = (duration % 4 hours) + 1;
            try router.freeze(frozen, length) {
                all.push(Freeze(block.timestamp, block.timestamp + length));
                ++done["freeze"];
            } catch {}
        }
    }

    /// @notice The owner ends the inference family, late in a life.
    function tombstone(uint256 seed) external {
        if (tombstoned || _batches.length < 3 || seed % 4 != 0) return;
        router.tombstone(inferenceFamily);
        tombstoned = true;
        ++done["tombstone"];
    }

    /// @notice Whatever happened, time and anybody bring every batch to an end. The last thing that is done to this world; never the fuzzer's.
    function endEverything() external {
        VM.warp(block.timestamp + 62 days);
        for (uint256 i = 0; i < _batches.length; ++i) {
            for (uint256 j = 0; j < _batches[i].paidPairs; ++j) _refund(_batches[i], j);
            _finalise(_batches[i]);
        }
        for (uint256 i = 0; i < _orders.length; ++i) _refundRest(_orders[i]);
        for (uint256 i = 0; i < 6; ++i) _ask(_assetOf(i), actor(3 + i / 2), _stakes[_assetOf(i)][actor(3 + i / 2)].total);
        VM.warp(block.timestamp + UNBOND);
        for (uint256 i = 0; i < 6; ++i) _unbond(_assetOf(i), actor(3 + i / 2));
        for (uint256 i = 0; i < 40; ++i) _withdraw(_assetOf(i), i % 4 < 2, actor(i / 4));
    }

    function _jumpTo(uint256 time, uint256 beside) private returns (bool) {
        uint256 to = time + (beside % 3);
        if (to <= block.timestamp) return false;
        VM.warp(to - 1);
        ++done["jump"];
        return true;
    }

    function _ask(address asset, address provider, uint256 amount) private {
        KnownStake storage stake = _stakes[asset][provider];
        bool isDue = amount <= stake.total - stake.reserved;
        VM.prank(provider);
        try court.requestUnbond(asset, uint128(amount)) {
            (stake.unbonding, stake.unbondsAt) = (amount, amount == 0 ? 0 : block.timestamp + UNBOND);
            _tried("ask", isDue, true);
        } catch {
            _tried("ask", isDue, false);
        }
    }

    function _unbond(address asset, address provider) private {
        KnownStake storage stake = _stakes[asset][provider];
        bool isDue = stake.unbonding != 0 && block.timestamp >= stake.unbondsAt;
        VM.prank(provider);
        try court.unbond(asset) {
            due[true][asset][provider] += stake.unbonding;
            stake.total -= stake.unbonding;
            (stake.unbonding, stake.unbondsAt) = (0, 0);
            _tried("unbond", isDue, true);
        } catch {
            _tried("unbond", isDue, false);
        }
    }

    function _settle(uint256 orderIndex, uint32 laneIndex, uint256 total, uint256 paidPairs) private {
        Known storage order = _orders[orderIndex];
        bytes32 lane = keccak256(abi.encode(order.key, laneIndex));
        uint256[40] memory signals = publishedSignals(
            signalsOf(order.orderId, order.domain, order.provider, laneIndex, _headOf[lane], ++_nextHead, total),
            paidPairs
        );
        uint128 paid = total < order.left ? uint128(total) : order.left;
        bool isDue = !_isFrozen(provenFamily) && block.timestamp <= _settleableUntil(order);
        bool settled =
            order.proven
                ? _settleProven(order, signals, paidPairs, paid, isDue)
                : _settleChallengeable(orderIndex, signals, paidPairs, paid, isDue);
        if (!settled) return;
        _headOf[lane] = signals[3];
        order.left -= paid;
    }

    function _settleProven(
        Known memory order,
        uint256[40] memory signals,
        uint256 paidPairs,
        uint128 paid,
        bool inTime
    ) private returns (bool settled) {
        Proof[] memory answers = new Proof[](paidPairs);
        for (uint256 i = 0; i < paidPairs; ++i) answers[i] = inferenceProof(signals[8 + i], signals[24 + i]);
        // A wrong answer never pays.
        answers[paidPairs - 1].a[0] += 1;
        VM.prank(order.provider);
        try escrow.settleProven(order.funder, noProof(), signals, answers) {
            _tried("prove wrongly", false, true);
        } catch {
            _tried("prove wrongly", false, false);
        }
        answers[paidPairs - 1].a[0] -= 1;
        VM.prank(order.provider);
        try escrow.settleProven(order.funder, noProof(), signals, answers) {
            uint256 fee = (uint256(paid) * FEE_BPS) / 10_000;
            due[false][order.asset][order.provider] += paid - fee;
            due[false][order.asset][FEE_ACCOUNT] += fee;
            settled = true;
        } catch {}
        _tried("prove", inTime && _canInfer(), settled);
    }

    function _settleChallengeable(
        uint256 orderIndex,
        uint256[40] memory signals,
        uint256 paidPairs,
        uint128 paid,
        bool inTime
    ) private returns (bool settled) {
        Known memory order = _orders[orderIndex];
        KnownStake storage stake = _stakes[order.asset][order.provider];
        bool isDue = inTime && (paid == 0 || stake.total - stake.reserved - stake.unbonding >= order.slash);
        VM.prank(order.provider);
        try escrow.settleChallengeable(order.funder, noProof(), signals) returns (bytes32 batchId) {
            settled = true;
            if (paid != 0) {
                KnownBatch storage batch = _batches.push();
                (batch.orderIndex, batch.batchId, batch.paidPairs) = (orderIndex, batchId, paidPairs);
                (batch.amount, batch.settledAt) = (paid, uint40(block.timestamp));
                _pairs[batchId] = pairsOf(signals);
                stake.reserved += order.slash;
            }
        } catch {}
        _tried("record", isDue, settled);
    }

    function _challenge(KnownBatch storage batch, address caller, uint256 index) private {
        Known memory order = _orders[batch.orderIndex];
        KnownChallenge storage entry = _challenges[batch.batchId][index];
        bool mayChallenge = caller == order.funder || caller == order.challenger;
        bool isDue = mayChallenge && !batch.ended && entry.since == 0 && index < batch.paidPairs;
        isDue = isDue && _canInfer() && block.timestamp <= _closesAt(batch);
        supplyFor(address(court), caller, order.asset, order.bond);
        VM.prank(caller);
        try court.challenge{value: order.asset == address(0) ? order.bond : 0}(batch.batchId, index, _pairs[batch.batchId]) {
            (entry.challenger, entry.since, entry.open) = (caller, uint40(block.timestamp), true);
            ++batch.open;
            moneyIn[order.asset] += order.bond;
            _tried("challenge", isDue, true);
        } catch {
            _tried("challenge", isDue, false);
        }
    }

    function _answer(KnownBatch storage batch, uint256 index, bool right) private {
        KnownChallenge storage entry = _challenges[batch.batchId][index];
        uint256[32] memory pairs = _pairs[batch.batchId];
        Proof memory proof = inferenceProof(pairs[index], pairs[16 + index]);
        if (!right) proof.a[0] += 1;
        bool isDue = right && entry.open && _canInfer() && block.timestamp <= _answerableUntil(entry);
        VM.prank(address(0xA115));
        try court.answer(batch.batchId, index, pairs, proof) {
            entry.open = false;
            --batch.open;
            Known memory order = _orders[batch.orderIndex];
            due[true][order.asset][order.provider] += order.bond;
            _tried("answer", isDue, true);
        } catch {
            _tried("answer", isDue, false);
        }
    }

    function _refund(KnownBatch storage batch, uint256 index) private {
        KnownChallenge storage entry = _challenges[batch.batchId][index];
        bool isDue = entry.open && _canInfer() && block.timestamp > _answerableUntil(entry);
        try court.refundUnanswered(batch.batchId, index) {
            _bookRefunded(batch, index);
            _tried("refund", isDue, true);
        } catch {
            _tried("refund", isDue, false);
        }
    }

    function _finalise(KnownBatch storage batch) private {
        bool isDue = !batch.ended && (tombstoned || (batch.open == 0 && block.timestamp > _closesAt(batch)));
        try court.finalise(batch.batchId) {
            _bookPaid(batch);
            _tried("finalise", isDue, true);
        } catch {
            _tried("finalise", isDue, false);
        }
    }

    function _refundRest(Known storage order) private {
        address[] memory providers = new address[](1);
        providers[0] = order.provider;
        bool frozen = _isFrozen(provenFamily) || (order.proven && _isFrozen(inferenceFamily));
        bool isDue = order.left != 0 && !frozen && block.timestamp > _settleableUntil(order);
        VM.prank(order.funder);
        try escrow.refund(order.orderId, providers) {
            due[false][order.asset][order.funder] += order.left;
            order.left = 0;
            _tried("refund rest", isDue, true);
        } catch {
            _tried("refund rest", isDue, false);
        }
    }

    function _withdraw(address asset, bool fromCourt, address account) private {
        uint256 owed = due[fromCourt][asset][account];
        uint256 before = asset == address(0) ? account.balance : token.balanceOf(account);
        VM.prank(account);
        (bool sent, ) = (fromCourt ? address(court) : address(escrow)).call(abi.encodeCall(escrow.withdraw, (asset)));
        uint256 got = (asset == address(0) ? account.balance : token.balanceOf(account)) - before;
        moneyOut[asset] += got;
        due[fromCourt][asset][account] = 0;
        _tried("withdraw", owed != 0, sent);
        if (sent) _tried("withdraw the amount", true, got == owed);
    }
}
