// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {EscrowHandler} from "./EscrowHandler.sol";

/// @title Invariants of the escrow under any sequence of the handler's actions. Ids of PROPERTIES.md.
contract EscrowInvariantTest {
    EscrowHandler private _handler;

    error Violated(string property);

    function setUp() external {
        _handler = new EscrowHandler();
    }

    /// @notice The fuzzer calls the handler only; what it made is reached through it.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_I1_moneyInIsMoneyOutAndMoneyHeld() external view {
        _checkConservation(address(0), address(_handler.escrow()).balance);
        _checkConservation(address(_handler.token()), _handler.token().balanceOf(address(_handler.escrow())));
    }

    function invariant_I2_heldMoneyIsBudgetsAndCreditsOfKnownAccounts() external view {
        _checkHoldings(address(0), address(_handler.escrow()).balance);
        _checkHoldings(address(_handler.token()), _handler.token().balanceOf(address(_handler.escrow())));
    }

    function invariant_I3_lanesMoveForwardOnceAndNeverToZero() external view {
        if (_handler.broken()) revert Violated("I3: a refused action succeeded");
        for (uint256 i = 0; i < _handler.laneCount(); ++i) {
            (uint256 orderIndex, uint32 laneIndex) = _handler.lanes(i);
            (, address provider, , , bytes32 key, ) = _handler.orders(orderIndex);
            uint256 head = _handler.escrow().laneOf(key, provider, laneIndex);
            if (head == 0) revert Violated("I3: a lane went back to zero");
            if (head != _handler.headOf(keccak256(abi.encode(key, laneIndex)))) revert Violated("I3: a lane moved by itself");
        }
    }

    function invariant_I4_nobodyElseIsEverCredited() external view {
        address[4] memory outsiders = [address(0xBAD), address(0x0BE7), address(_handler), address(_handler.escrow())];
        for (uint256 i = 0; i < 4; ++i) {
            bool credited =
                _handler.escrow().creditOf(address(0), outsiders[i]) != 0 ||
                    _handler.escrow().creditOf(address(_handler.token()), outsiders[i]) != 0;
            if (credited) revert Violated("I4: an outsider was credited");
        }
    }

    /// @notice The handler reaches every outcome, so the invariants above are not empty.
    function test_handlerReachesEveryOutcome() external {
        _handler.open(1, 500, 1, true);
        _handler.open(2, 500, 1, false);
        _handler.settle(0, 100, false);
        _handler.replay();
        _handler.settle(1, 100, true);
        _handler.settle(0, 10_000, true);
        _handler.moveBack(0);
        _handler.topUp(0, 77);
        _handler.freeze(100, false);
        _handler.settle(0, 5, false);
        for (uint256 i = 0; i < 4; ++i) _handler.warp(1 days);
        _handler.refund(0);
        _handler.refund(1);
        for (uint256 i = 0; i < 8; ++i) {
            _handler.withdraw(i, true);
            _handler.withdraw(i, false);
        }
        bool all =
            _handler.opened() == 2 &&
                _handler.settled() == 3 &&
                _handler.refunded() == 2 &&
                _handler.withdrawn() >= 4 &&
                _handler.replaysRefused() == 1 &&
                !_handler.broken();
        if (!all) revert Violated("the handler does not reach every outcome");
        this.invariant_I1_moneyInIsMoneyOutAndMoneyHeld();
        this.invariant_I2_heldMoneyIsBudgetsAndCreditsOfKnownAccounts();
        if (address(_handler.escrow()).balance != 0) revert Violated("coin is left after all have withdrawn");
    }

    function _checkConservation(address asset, uint256 held) private view {
        if (_handler.moneyIn(asset) != _handler.moneyOut(asset) + held) revert Violated("I1: money is not conserved");
    }

    function _checkHoldings(address asset, uint256 held) private view {
        uint256 owed = _handler.escrow().creditOf(asset, address(0xFEE));
        for (uint256 i = 0; i < 6; ++i) owed += _handler.escrow().creditOf(asset, _handler.actor(i));
        for (uint256 i = 0; i < _handler.orderCount(); ++i) {
            (, address provider, address orderAsset, , bytes32 key, ) = _handler.orders(i);
            if (orderAsset == asset) owed += _handler.escrow().budgetOf(key, provider).remaining;
        }
        if (owed != held) revert Violated("I2: what is held is not what is owed");
    }
}
