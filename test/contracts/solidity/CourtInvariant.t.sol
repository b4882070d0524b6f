// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IChallengeCourt} from "../../../contracts/interfaces/IChallengeCourt.sol";
import {IProviderStake} from "../../../contracts/interfaces/IProviderStake.sol";
import {CourtHandler} from "./CourtHandler.sol";

/// @title Invariants of escrow and court under any sequence of the handler's actions. Ids of PROPERTIES.md.
contract CourtInvariantTest {
    CourtHandler private _handler;

    error Violated(string property);

    function setUp() external {
        _handler = new CourtHandler();
    }

    /// @notice The fuzzer calls the handler only, and of it nothing that ends the world.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @notice J1 to J4 in one run of the fuzzer, which would play every sequence once for each invariant.
    function invariant_J1toJ4() external view {
        _checkAll();
    }

    /// @notice The handler reaches every outcome, so the invariants above are not empty; then the end pays everybody.
    function test_handlerReachesEveryOutcome() external {
        // Two challengeable orders, in coin and in the token, the second with a challenger; a proven one in coin.
        _handler.open(_seed(0, 3, 1 << 32), 5000, 10, 20);
        _handler.open(_seed(0, 3, (1 << 16) | (1 << 24) | (1 << 32)), 5000, 10, 20);
        _handler.open(0, 5000, 0, 0);
        _handler.settle(0, 100);
        if (_handler.count("recorded") != 0) revert Violated("settled without stake");
        for (uint256 i = 0; i < 3; ++i) {
            _handler.deposit(i, 300);
            _handler.deposit(_seed(i, 3, 1 << 8), 300);
        }
        // Batch 0 of order 0 and batch 1 of order 1 with three jobs each, a proven batch, batch 2 of order 1 on another lane.
        for (uint256 i = 0; i < 3; ++i) _handler.settle(_seed(i, 3, 2 << 24), 100);
        _handler.settle(_seed(1, 3, 1 << 16), 100);
        _handler.challenge(_seed(0, 3, 2 << 16));
        _handler.challenge(_seed(0, 3, (2 << 16) | (1 << 24)));
        _handler.challenge(_seed(1, 3, 1 << 16));
        _handler.challenge(_seed(2, 3, 0));
        _handler.answer(0, false);
        _handler.answer(0, true);
        for (uint256 i = 0; i < 4; ++i) _handler.warp(23 hours);
        // The second challenge of batch 0 and the one of batch 1 had no answer; nobody challenged batch 2.
        _handler.end(_seed(0, 3, 1 << 16), false);
        _handler.end(_seed(1, 3, 0), false);
        _handler.end(_seed(2, 3, 0), true);
        _handler.refundRest(2);
        _handler.unbond(0, 3);
        for (uint256 i = 0; i < 10; ++i) {
            for (uint256 j = 0; j < 4; ++j) _handler.withdraw(i, j % 2 == 0, j < 2);
        }
        bool all =
            _handler.count("opened") == 3 &&
                _handler.count("recorded") == 3 &&
                _handler.count("proven") == 1 &&
                _handler.count("challenged") == 3 &&
                _handler.count("answered") == 1 &&
                _handler.count("refunded") == 2 &&
                _handler.count("paid") == 1 &&
                _handler.count("rest") == 1 &&
                _handler.count("asked") == 1 &&
                !_handler.broken();
        if (!all) revert Violated("the handler does not reach every outcome");
        _checkAll();
        _handler.endEverything();
        _checkEmpty();
    }

    /// @notice J5: after any actions, time alone frees everything: no batch stays pending, nothing stays in either contract.
    function testFuzz_J5_nothingIsEverStuck(uint256[16] calldata seeds, uint8 freezes, bool ends) external {
        _handler.open(seeds[0] | (1 << 32), 1e6, uint64(seeds[0] >> 64), uint64(seeds[0] >> 128));
        _handler.open(seeds[1] | (1 << 32), 1e6, uint64(seeds[1] >> 64), uint64(seeds[1] >> 128));
        for (uint256 i = 0; i < 6; ++i) _handler.deposit(i | ((i / 3) << 8), 3e6);
        for (uint256 i = 2; i < 16; ++i) {
            uint256 seed = seeds[i];
            uint256 action = (seed >> 240) % 8;
            if (action < 2) _handler.settle(seed, uint40(seed >> 64) % 1e5);
            if (action == 2 || action == 3) _handler.challenge(seed);
            if (action == 4) _handler.answer(seed, true);
            if (action == 5) _handler.end(seed, (seed >> 200) % 2 == 0);
            if (action == 6) _handler.warp(uint32(seed));
            if (action == 7) _handler.unbond(seed, uint64(seed >> 64));
            if (i % 5 == 0 && freezes % 3 != 0) _handler.freeze(uint32(seed), false, freezes % 3 == 1);
        }
        if (ends) _handler.tombstone(0);
        _handler.endEverything();
        if (_handler.broken()) revert Violated("J5: a refused action succeeded, or a due payment failed");
        _checkEmpty();
    }

    /// A seed with these high bits that is `wanted` modulo a small number.
    function _seed(uint256 wanted, uint256 modulus, uint256 high) private pure returns (uint256) {
        return high | ((wanted + modulus - (high % modulus)) % modulus);
    }

    function _checkEmpty() private view {
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            (bytes32 batchId, ) = _handler.batchAt(i);
            if (_handler.court().batchOf(batchId).state == IChallengeCourt.BatchState.pending) revert Violated("J5: pending");
        }
        for (uint256 j = 0; j < 2; ++j) {
            if (_held(_asset(j), address(_handler.escrow())) != 0) revert Violated("J5: the escrow still holds money");
            if (_held(_asset(j), address(_handler.court())) != 0) revert Violated("J5: the court still holds money");
        }
    }

    function _checkAll() private view {
        if (_handler.broken()) revert Violated("J3: a refused action succeeded, or a due payment failed");
        for (uint256 j = 0; j < 2; ++j) {
            address asset = _asset(j);
            uint256 held = _held(asset, address(_handler.escrow())) + _held(asset, address(_handler.court()));
            if (_handler.moneyIn(asset) != _handler.moneyOut(asset) + held) revert Violated("J1: money is not conserved");
            _checkOwed(asset);
            for (uint256 i = 3; i < 6; ++i) _checkReserved(asset, _handler.actor(i));
        }
    }

    function _checkOwed(address asset) private view {
        uint256 inEscrow = _handler.escrow().creditOf(asset, address(0xFEE));
        uint256 inCourt = 0;
        for (uint256 i = 0; i < 8; ++i) {
            inEscrow += _handler.escrow().creditOf(asset, _handler.actor(i));
            inCourt += _handler.court().creditOf(asset, _handler.actor(i));
            inCourt += _handler.court().stakeOf(asset, _handler.actor(i)).total;
        }
        for (uint256 i = 0; i < _handler.orderCount(); ++i) {
            (, address provider, , address orderAsset, , bytes32 key, , , ) = _handler.orders(i);
            if (orderAsset == asset) inEscrow += _handler.escrow().budgetOf(key, provider).remaining;
        }
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            (bytes32 batchId, uint256 orderIndex) = _handler.batchAt(i);
            (, , , address orderAsset, , , , uint128 bond, ) = _handler.orders(orderIndex);
            IChallengeCourt.Batch memory batch = _handler.court().batchOf(batchId);
            if (orderAsset != asset || batch.state != IChallengeCourt.BatchState.pending) continue;
            inEscrow += batch.amount;
            inCourt += uint256(batch.openChallenges) * bond;
        }
        if (inEscrow != _held(asset, address(_handler.escrow()))) revert Violated("J2: escrow");
        if (inCourt != _held(asset, address(_handler.court()))) revert Violated("J2: court");
    }

    function _checkReserved(address asset, address provider) private view {
        uint256 reserved = 0;
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            (bytes32 batchId, uint256 orderIndex) = _handler.batchAt(i);
            (, address orderProvider, , address orderAsset, , , , , uint128 slash) = _handler.orders(orderIndex);
            bool pending = _handler.court().batchOf(batchId).state == IChallengeCourt.BatchState.pending;
            if (pending && orderProvider == provider && orderAsset == asset) reserved += slash;
        }
        IProviderStake.Stake memory stake = _handler.court().stakeOf(asset, provider);
        if (stake.reserved != reserved) revert Violated("J4: reserved");
        if (uint256(stake.reserved) + stake.unbonding > stake.total) revert Violated("J4: more is bound than there is");
    }

    function _asset(uint256 index) private view returns (address) {
        return index == 0 ? address(0) : address(_handler.token());
    }

    function _held(address asset, address holder) private view returns (uint256) {
        return asset == address(0) ? holder.balance : _handler.token().balanceOf(holder);
    }
}
