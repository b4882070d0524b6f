// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

// solhint-disable no-console

import {console} from "hardhat/console.sol";
import {IChallengeCourt} from "../../../contracts/interfaces/IChallengeCourt.sol";
import {IProviderStake} from "../../../contracts/interfaces/IProviderStake.sol";
import {CourtHandler} from "./CourtHandler.sol";
import {CourtLedger} from "./CourtLedger.sol";

/// @title Invariants of escrow and court under any sequence of the handler's actions. Ids of PROPERTIES.md.
contract CourtInvariantTest {
    struct Selectors {
        address addr;
        bytes4[] selectors;
    }

    /// Lives and actions of the run whose reach is counted.
    uint256 private constant LIVES = 3;
    uint256 private constant ACTIONS = 160;

    CourtHandler private _handler;
    mapping(string action => uint256) private _done;
    mapping(string action => uint256) private _refused;

    error Violated(string property);

    function setUp() external {
        _begin(0);
    }

    /// @notice The fuzzer calls the handler only, and of it nothing that ends the world.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @notice The end would leave nothing to do to the calls after it.
    function excludeSelectors() external view returns (Selectors[] memory excluded) {
        excluded = new Selectors[](1);
        excluded[0].addr = address(_handler);
        excluded[0].selectors = new bytes4[](1);
        excluded[0].selectors[0] = CourtHandler.endEverything.selector;
    }

    /// @notice J1 to J4 in one run of the fuzzer, which would play every sequence once for each invariant.
    function invariant_J1_J2_J3_J4() external view {
        _checkAll();
    }

    /// @notice Every action is done and refused in lives of chance whose seeds are fixed; prints how often. What is never reached the
    /// invariants say nothing about. Few lives: a failure is replayed step by step, in memory.
    function test_handlerReachesEveryOutcome() external {
        string[17] memory deeds = [
            "open",
            "close",
            "deposit",
            "ask",
            "unbond",
            "record",
            "prove",
            "challenge",
            "answer",
            "refund",
            "finalise",
            "refund rest",
            "withdraw",
            "jump",
            "freeze",
            "thaw",
            "tombstone"
        ];
        string[10] memory refusals = [
            "ask",
            "unbond",
            "record",
            "prove",
            "prove wrongly",
            "challenge",
            "answer",
            "refund",
            "finalise",
            "refund rest"
        ];
        for (uint256 life = 0; life < LIVES; ++life) {
            this.live(life);
            for (uint256 i = 0; i < deeds.length; ++i) _done[deeds[i]] += _handler.done(deeds[i]);
            for (uint256 i = 0; i < refusals.length; ++i) _refused[refusals[i]] += _handler.refused(refusals[i]);
        }
        for (uint256 i = 0; i < deeds.length; ++i) {
            console.log(deeds[i], _done[deeds[i]]);
            if (_done[deeds[i]] == 0) revert Violated(string.concat("never done: ", deeds[i]));
        }
        for (uint256 i = 0; i < refusals.length; ++i) {
            console.log("refused:", refusals[i], _refused[refusals[i]]);
            if (_refused[refusals[i]] == 0) revert Violated(string.concat("never refused: ", refusals[i]));
        }
    }

    /// @notice One life of chance and its end. A call of its own, so that its memory is given back.
    function live(uint256 life) external {
        _begin(life);
        for (uint256 i = 0; i < ACTIONS; ++i) _act(uint256(keccak256(abi.encode(life, i))));
        _checkAll();
        if (life == LIVES - 1) _handler.tombstone(0);
        _handler.endEverything();
        _checkEmpty();
    }

    /// @notice J5: after any actions, time alone frees everything: no batch stays pending, nothing stays in either contract.
    function testFuzz_J5_nothingIsEverStuck(uint256[24] calldata seeds, bool ends) external {
        for (uint256 i = 0; i < 24; ++i) _act(seeds[i]);
        if (ends) _handler.tombstone(0);
        _handler.endEverything();
        _checkAll();
        _checkEmpty();
    }

    /// A world with stakes of all providers and three challengeable orders, so that no time is lost.
    function _begin(uint256 seed) private {
        _handler = new CourtHandler();
        for (uint256 i = 0; i < 6; ++i) _handler.deposit(i | ((i / 3) << 8), 3e6);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 chosen = uint256(keccak256(abi.encode(seed, "order", i)));
            _handler.open(_seed(chosen, 32, 6, 1), uint96(chosen), uint64(chosen >> 64), uint64(chosen >> 128));
        }
    }

    /// The seed with the number that starts at this bit made `wanted` modulo a small number.
    function _seed(uint256 seed, uint256 bit, uint256 modulus, uint256 wanted) private pure returns (uint256) {
        return (seed & ((1 << bit) - 1)) | (((seed >> (bit + 8)) * modulus + wanted) << bit);
    }

    /// What happens on a day of chance: mostly settlements, challenges and clocks.
    function _act(uint256 seed) private {
        uint256 action = (seed >> 240) % 24;
        (uint64 one, uint64 other) = (uint64(seed >> 64), uint64(seed >> 128));
        if (action < 2) _handler.open(seed, uint96(one), one, other);
        else if (action < 4) _handler.deposit(seed, one);
        else if (action < 8) _handler.settle(seed, uint40(one % 1e5));
        else if (action < 12) _handler.challenge(seed);
        else if (action < 14) _handler.answer(seed, one % 4 != 0);
        else if (action < 16) _handler.end(seed, one % 2 == 0);
        else if (action < 19) _handler.jump(seed, one, other);
        else if (action < 20) _handler.unbond(seed, one);
        else if (action < 21) _handler.warp(uint32(one));
        else if (action < 22) _handler.withdraw(seed, one % 2 == 0, other % 2 == 0);
        else if (action < 23) _handler.freeze(uint32(one), other % 4 == 0, other % 3 == 0);
        else if (one % 3 == 0) _handler.close(seed);
        else _handler.refundRest(seed);
    }

    function _checkEmpty() private view {
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            bytes32 batchId = _handler.batchAt(i).batchId;
            if (_handler.court().batchOf(batchId).state == IChallengeCourt.BatchState.pending) revert Violated("J5: pending");
        }
        for (uint256 j = 0; j < 2; ++j) {
            if (_held(_asset(j), address(_handler.escrow())) != 0) revert Violated("J5: the escrow still holds money");
            if (_held(_asset(j), address(_handler.court())) != 0) revert Violated("J5: the court still holds money");
        }
    }

    function _checkAll() private view {
        for (uint256 j = 0; j < 2; ++j) {
            address asset = _asset(j);
            uint256 held = _held(asset, address(_handler.escrow())) + _held(asset, address(_handler.court()));
            if (_handler.moneyIn(asset) != _handler.moneyOut(asset) + held) revert Violated("J1: money is not conserved");
            _checkOwed(asset);
            for (uint256 i = 3; i < 6; ++i) _checkStake(asset, _handler.actor(i));
        }
        if (bytes(_handler.wrong()).length != 0) revert Violated(string.concat("J3: ", _handler.wrong()));
    }

    function _checkOwed(address asset) private view {
        uint256 inEscrow = 0;
        uint256 inCourt = 0;
        for (uint256 i = 0; i < 10; ++i) {
            address account = _handler.actor(i);
            (uint256 byEscrow, uint256 byCourt) = (_handler.due(false, asset, account), _handler.due(true, asset, account));
            if (_handler.escrow().creditOf(asset, account) != byEscrow) revert Violated("J2: a credit of the escrow");
            if (_handler.court().creditOf(asset, account) != byCourt) revert Violated("J2: a credit of the court");
            inEscrow += byEscrow;
            inCourt += byCourt + _handler.stakeAt(asset, account).total;
        }
        for (uint256 i = 0; i < _handler.orderCount(); ++i) {
            CourtLedger.Known memory order = _handler.orderAt(i);
            if (order.asset != asset) continue;
            if (_handler.escrow().budgetOf(order.key, order.provider).remaining != order.left) revert Violated("J2: a budget");
            inEscrow += order.left;
        }
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            CourtLedger.KnownBatch memory batch = _handler.batchAt(i);
            CourtLedger.Known memory order = _handler.orderAt(batch.orderIndex);
            if (order.asset != asset || batch.ended) continue;
            inEscrow += batch.amount;
            inCourt += batch.open * order.bond;
        }
        if (inEscrow != _held(asset, address(_handler.escrow()))) revert Violated("J2: escrow");
        if (inCourt != _held(asset, address(_handler.court()))) revert Violated("J2: court");
    }

    function _checkStake(address asset, address provider) private view {
        uint256 reserved = 0;
        for (uint256 i = 0; i < _handler.batchCount(); ++i) {
            CourtLedger.KnownBatch memory batch = _handler.batchAt(i);
            CourtLedger.Known memory order = _handler.orderAt(batch.orderIndex);
            if (!batch.ended && order.provider == provider && order.asset == asset) reserved += order.slash;
        }
        IProviderStake.Stake memory stake = _handler.court().stakeOf(asset, provider);
        CourtLedger.KnownStake memory known = _handler.stakeAt(asset, provider);
        if (stake.reserved != reserved) revert Violated("J4: reserved");
        if (stake.total != known.total || stake.unbonding != known.unbonding) revert Violated("J4: stake");
        if (uint256(stake.reserved) + stake.unbonding > stake.total) revert Violated("J4: more is bound than there is");
    }

    function _asset(uint256 index) private view returns (address) {
        return index == 0 ? address(0) : address(_handler.token());
    }

    function _held(address asset, address holder) private view returns (uint256) {
        return asset == address(0) ? holder.balance : _handler.token().balanceOf(holder);
    }
}
