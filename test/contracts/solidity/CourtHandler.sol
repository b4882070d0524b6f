// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IChallengeCourt} from "../../../contracts/interfaces/IChallengeCourt.sol";
import {Proof} from "../../../contracts/types/Settlement.sol";
import {CourtWorld} from "./CourtWorld.sol";
import {VM} from "./Vm.sol";

/// @title What the fuzzer may do to escrow and court together, with a ledger of its own beside them.
contract CourtHandler is CourtWorld {
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
    }

    struct KnownBatch {
        uint256 orderIndex;
        bytes32 batchId;
        uint256[32] pairs;
        uint256 count;
    }

    Known[] public orders;
    KnownBatch[] private _batches;
    mapping(address asset => uint256) public moneyIn;
    mapping(address asset => uint256) public moneyOut;
    mapping(string outcome => uint256) public count;
    /// Set when something happened that must not.
    bool public broken;
    bool public tombstoned;
    uint256 private _nextHead = 1000;
    mapping(bytes32 lane => uint256) private _headOf;

    constructor() {
        buildCourt();
    }

    /// @notice 0..2 fund, 3..5 provide, 6..7 challenge.
    function actor(uint256 index) public pure returns (address) {
        return address(uint160(0xC000 + (index % 8)));
    }

    function orderCount() external view returns (uint256) {
        return orders.length;
    }

    function batchCount() external view returns (uint256) {
        return _batches.length;
    }

    function batchAt(uint256 index) external view returns (bytes32 batchId, uint256 orderIndex) {
        return (_batches[index].batchId, _batches[index].orderIndex);
    }

    /// @notice Opens a challengeable order, or sometimes a proven one.
    function open(uint256 seed, uint96 amount, uint64 bond, uint64 slash) external {
        if (orders.length == 8 || tombstoned) return;
        Known memory order;
        order.funder = actor(seed % 3);
        order.provider = actor(3 + ((seed >> 8) % 3));
        order.challenger = (seed >> 16) % 2 == 0 ? address(0) : actor(6 + ((seed >> 17) % 2));
        order.asset = (seed >> 24) % 2 == 0 ? address(0) : address(token);
        order.orderId = orders.length + 1;
        bool proven = (seed >> 32) % 4 == 0;
        (order.bond, order.slash) = proven ? (0, 0) : (uint128(bond % 1e6) + 1, uint128(slash % 1e6) + 1);
        uint128 budget = uint128(amount % 1e12) + 1;
        if (router.isFrozen(inferenceFamily)) return;
        order.key = openHigher(
            order.funder,
            order.orderId,
            order.asset,
            order.provider,
            budget,
            order.bond,
            order.slash,
            proven ? address(0) : order.challenger
        );
        if (proven) order.challenger = address(0);
        order.domain = escrow.orderOf(order.key).domain;
        orders.push(order);
        moneyIn[order.asset] += budget;
        ++count["opened"];
    }

    /// @notice A provider adds stake.
    function deposit(uint256 seed, uint64 amount) external {
        address provider = actor(3 + (seed % 3));
        address asset = (seed >> 8) % 2 == 0 ? address(0) : address(token);
        uint128 more = uint128(amount % 4e6) + 1;
        supplyFor(address(court), provider, asset, more);
        VM.prank(provider);
        court.depositStake{value: asset == address(0) ? more : 0}(asset, more);
        moneyIn[asset] += more;
        ++count["deposited"];
    }

    /// @notice A provider asks stake back, or takes what it asked for.
    function unbond(uint256 seed, uint64 amount) external {
        address provider = actor(3 + (seed % 3));
        address asset = (seed >> 8) % 2 == 0 ? address(0) : address(token);
        uint256 total = court.stakeOf(asset, provider).total;
        VM.prank(provider);
        if ((seed >> 16) % 2 == 0) {
            try court.requestUnbond(asset, uint128(amount % (total + 1))) {
                ++count["asked"];
            } catch {}
        } else {
            try court.unbond(asset) {
                ++count["unbonded"];
            } catch {}
        }
    }

    /// @notice Settles a batch of up to three paid jobs from the lane's true head.
    function settle(uint256 seed, uint40 total) external {
        if (orders.length == 0) return;
        uint256 orderIndex = seed % orders.length;
        Known memory order = orders[orderIndex];
        bytes32 lane = keccak256(abi.encode(order.key, uint32((seed >> 16) % 2)));
        uint256 laneNew = ++_nextHead;
        uint256[40] memory signals = publishedSignals(
            signalsOf(order.orderId, order.domain, order.provider, uint32((seed >> 16) % 2), _headOf[lane], laneNew, total),
            1 + ((seed >> 24) % 3)
        );
        if (order.slash == 0) _settleProven(order, signals, lane, 1 + ((seed >> 24) % 3));
        else _settleChallengeable(order, orderIndex, signals, lane, 1 + ((seed >> 24) % 3));
    }

    function _settleProven(Known memory order, uint256[40] memory signals, bytes32 lane, uint256 paid) private {
        Proof[] memory answers = new Proof[](paid);
        for (uint256 i = 0; i < paid; ++i) answers[i] = inferenceProof(signals[8 + i], signals[24 + i]);
        VM.prank(order.provider);
        try escrow.settleProven(order.funder, noProof(), signals, answers) {
            if (tombstoned || router.isFrozen(inferenceFamily)) broken = true;
            _headOf[lane] = signals[3];
            ++count["proven"];
        } catch {}
        // A wrong answer never pays.
        answers[0].a[0] += 1;
        (signals[2], signals[3]) = (_headOf[lane], signals[3] + 1e9);
        VM.prank(order.provider);
        try escrow.settleProven(order.funder, noProof(), signals, answers) {
            broken = true;
        } catch {}
    }

    function _settleChallengeable(
        Known memory order,
        uint256 orderIndex,
        uint256[40] memory signals,
        bytes32 lane,
        uint256 paid
    ) private {
        uint256 available = court.availableStakeOf(order.asset, order.provider);
        VM.prank(order.provider);
        try escrow.settleChallengeable(order.funder, noProof(), signals) returns (bytes32 batchId) {
            _headOf[lane] = signals[3];
            if (batchId == 0) return;
            if (available < order.slash) broken = true;
            _batches.push();
            KnownBatch storage batch = _batches[_batches.length - 1];
            (batch.orderIndex, batch.batchId, batch.count) = (orderIndex, batchId, paid);
            batch.pairs = pairsOf(signals);
            ++count["recorded"];
        } catch {}
    }

    /// @notice The funder, the challenger or a stranger challenges.
    function challenge(uint256 seed) external {
        if (_batches.length == 0) return;
        KnownBatch memory batch = _batches[seed % _batches.length];
        Known memory order = orders[batch.orderIndex];
        uint256 who = (seed >> 16) % 4;
        address caller =
            who == 0
                ? address(0xBAD)
                : who == 1 && order.challenger != address(0)
                    ? order.challenger
                    : order.funder;
        uint256 index = (seed >> 24) % (batch.count + 1);
        supplyFor(address(court), caller, order.asset, order.bond);
        VM.prank(caller);
        try court.challenge{value: order.asset == address(0) ? order.bond : 0}(batch.batchId, index, batch.pairs) {
            if (who == 0 || index == batch.count || tombstoned) broken = true;
            moneyIn[order.asset] += order.bond;
            ++count["challenged"];
        } catch {}
    }

    /// @notice Anybody answers, rightly or wrongly.
    function answer(uint256 seed, bool right) external {
        if (_batches.length == 0) return;
        KnownBatch memory batch = _batches[seed % _batches.length];
        uint256 index = (seed >> 16) % batch.count;
        Proof memory proof = inferenceProof(batch.pairs[index], batch.pairs[16 + index]);
        if (!right) proof.a[0] += 1;
        VM.prank(address(0xA115));
        try court.answer(batch.batchId, index, batch.pairs, proof) {
            if (!right || tombstoned) broken = true;
            ++count["answered"];
        } catch {}
    }

    /// @notice Anybody ends a batch, one way or the other.
    function end(uint256 seed, bool paying) external {
        if (_batches.length == 0) return;
        KnownBatch memory batch = _batches[seed % _batches.length];
        IChallengeCourt.Batch memory before = court.batchOf(batch.batchId);
        uint256 index = (seed >> 16) % batch.count;
        IChallengeCourt.Challenge memory challenged = court.challengeOf(batch.batchId, index);
        bool clocks = before.state == IChallengeCourt.BatchState.pending;
        if (paying) {
            try court.finalise(batch.batchId) {
                if (!clocks) broken = true;
                if (!tombstoned && (before.openChallenges != 0 || block.timestamp <= before.settledAt + WINDOW)) broken = true;
                ++count["paid"];
            } catch {}
        } else {
            try court.refundUnanswered(batch.batchId, index) {
                if (!clocks || tombstoned || challenged.state != IChallengeCourt.ChallengeState.open) broken = true;
                if (block.timestamp <= challenged.challengedAt + ANSWER) broken = true;
                ++count["refunded"];
            } catch {}
        }
    }

    /// @notice The funder asks for the rest of an order.
    function refundRest(uint256 seed) external {
        if (orders.length == 0) return;
        Known memory order = orders[seed % orders.length];
        address[] memory providers = new address[](1);
        providers[0] = order.provider;
        VM.prank(order.funder);
        try escrow.refund(order.orderId, providers) {
            ++count["rest"];
        } catch {}
    }

    /// @notice An actor, the fee account or a stranger withdraws from escrow or court.
    function withdraw(uint256 seed, bool coin, bool fromCourt) external {
        address asset = coin ? address(0) : address(token);
        address account =
            seed % 10 == 8
                ? FEE_ACCOUNT
                : seed % 10 == 9
                    ? address(0xBAD)
                    : actor(seed % 10);
        uint256 due = fromCourt ? court.creditOf(asset, account) : escrow.creditOf(asset, account);
        if (account == address(0xBAD) && due != 0) broken = true;
        VM.prank(account);
        try this.pull(asset, fromCourt, account) returns (uint256 amount) {
            if (amount != due) broken = true;
            moneyOut[asset] += amount;
            ++count["withdrawn"];
        } catch {
            if (due != 0) broken = true;
        }
    }

    /// @notice One entry for both contracts, so that a failure can be caught once. Sends as `account`.
    function pull(address asset, bool fromCourt, address account) external returns (uint256) {
        VM.prank(account);
        return fromCourt ? court.withdraw(asset) : escrow.withdraw(asset);
    }

    /// @notice Time passes.
    function warp(uint32 duration) external {
        VM.warp(block.timestamp + (duration % 1 days));
    }

    /// @notice The guardian freezes or thaws the inference family or the settlement family.
    function freeze(uint32 duration, bool thaw, bool inference) external {
        bytes32 frozen = inference ? inferenceFamily : provenFamily;
        if (thaw) {
            try router.unfreeze(frozen) {} catch {}
        } else {
            try router.freeze(frozen, (duration % 4 hours) + 1) {} catch {}
        }
    }

    /// @notice The owner ends the inference family, late in a life.
    function tombstone(uint256 seed) external {
        if (tombstoned || _batches.length < 3 || seed % 4 != 0) return;
        router.tombstone(inferenceFamily);
        tombstoned = true;
    }

    /// @notice Whatever happened, time and anybody bring every batch to an end. The last thing that is done to this world.
    function endEverything() external {
        VM.warp(block.timestamp + 62 days);
        for (uint256 i = 0; i < _batches.length; ++i) {
            KnownBatch memory batch = _batches[i];
            for (uint256 j = 0; j < batch.count; ++j) {
                try court.refundUnanswered(batch.batchId, j) {} catch {}
            }
            try court.finalise(batch.batchId) {} catch {}
        }
        for (uint256 i = 0; i < orders.length; ++i) this.refundRest(i);
        for (uint256 i = 3; i < 6; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                address asset = j == 0 ? address(0) : address(token);
                uint128 total = court.stakeOf(asset, actor(i)).total;
                VM.prank(actor(i));
                court.requestUnbond(asset, total);
            }
        }
        VM.warp(block.timestamp + 7 days);
        for (uint256 i = 3; i < 6; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                VM.prank(actor(i));
                try court.unbond(j == 0 ? address(0) : address(token)) {} catch {}
            }
        }
        for (uint256 i = 0; i < 10; ++i) {
            for (uint256 j = 0; j < 4; ++j) this.withdraw(i, j % 2 == 0, j < 2);
        }
    }
}
