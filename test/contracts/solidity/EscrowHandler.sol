// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {EscrowWorld} from "./EscrowWorld.sol";
import {VM} from "./Vm.sol";

/// @title What the fuzzer may do to an escrow, with a ledger of its own beside it.
contract EscrowHandler is EscrowWorld {
    struct Lane {
        uint256 orderIndex;
        uint32 laneIndex;
    }

    struct Known {
        address funder;
        address provider;
        address asset;
        uint256 orderId;
        bytes32 key;
        uint256 domain;
    }

    Known[] public orders;
    Lane[] public lanes;
    /// Last head of a lane as the ledger has it, and every head a lane ever had.
    mapping(bytes32 lane => uint256 head) public headOf;
    mapping(bytes32 lane => mapping(uint256 head => bool)) public wasHead;

    mapping(address asset => uint256) public moneyIn;
    mapping(address asset => uint256) public moneyOut;

    uint256 public opened;
    uint256 public settled;
    uint256 public refunded;
    uint256 public withdrawn;
    uint256 public replaysRefused;
    /// Set when something happened that must not.
    bool public broken;

    uint256[8] private _lastSignals;
    uint256 private _lastOrder;
    bool private _hasLast;
    uint256 private _nextHead = 1000;

    constructor() {
        build();
    }

    /// @notice The accounts that money can legitimately reach.
    function actor(uint256 index) public pure returns (address) {
        return address(uint160(0xA000 + (index % 6)));
    }

    function orderCount() external view returns (uint256) {
        return orders.length;
    }

    function laneCount() external view returns (uint256) {
        return lanes.length;
    }

    /// @notice Opens an order: actors 0..2 fund, actors 3..5 provide.
    function open(uint256 seed, uint96 amount, uint64 scale, bool coin) external {
        if (orders.length == 12) return;
        uint128 budget = uint128(amount % 1e24) + 1;
        address funder = actor(seed % 3);
        address provider = actor(3 + ((seed >> 8) % 3));
        address asset = coin ? address(0) : address(token);
        uint256 orderId = orders.length + 1;
        bytes32 key = openOrder(funder, orderId, asset, provider, budget, uint128(scale % 1e9) + 1);
        uint256 domain = escrow.orderOf(key).domain;
        orders.push(Known(funder, provider, asset, orderId, key, domain));
        moneyIn[asset] += budget;
        ++opened;
    }

    /// @notice Adds to a budget.
    function topUp(uint256 seed, uint96 amount) external {
        if (orders.length == 0) return;
        Known memory order = orders[seed % orders.length];
        uint128 more = uint128(amount % 1e24) + 1;
        supply(order.funder, order.asset, more);
        VM.prank(order.funder);
        try escrow.topUp{value: order.asset == address(0) ? more : 0}(order.orderId, order.provider, more) {
            moneyIn[order.asset] += more;
        } catch {}
    }

    /// @notice Settles a batch on a lane of an order, from its true head.
    function settle(uint256 seed, uint80 total, bool asOperator) external {
        if (orders.length == 0) return;
        uint256 orderIndex = seed % orders.length;
        Known memory order = orders[orderIndex];
        uint32 laneIndex = uint32((seed >> 16) % 3);
        bytes32 lane = keccak256(abi.encode(order.key, laneIndex));
        uint256 laneOld = headOf[lane];
        uint256 laneNew = ++_nextHead;
        uint256[8] memory signals = signalsOf(order.orderId, order.domain, order.provider, laneIndex, laneOld, laneNew, total);
        address caller = order.provider;
        if (asOperator) {
            caller = address(0x0BE7);
            VM.prank(order.provider);
            escrow.setOperator(caller, true);
        }
        VM.prank(caller);
        try escrow.settle(order.funder, noProof(), signals) {
            if (wasHead[lane][laneNew]) broken = true;
            if (laneOld == 0) lanes.push(Lane(orderIndex, laneIndex));
            headOf[lane] = laneNew;
            wasHead[lane][laneNew] = true;
            _lastSignals = signals;
            _lastOrder = orderIndex;
            _hasLast = true;
            ++settled;
        } catch {}
    }

    /// @notice Sends the last settlement again: it must be refused.
    function replay() external {
        if (!_hasLast) return;
        Known memory order = orders[_lastOrder];
        VM.prank(order.provider);
        try escrow.settle(order.funder, noProof(), _lastSignals) {
            broken = true;
        } catch {
            ++replaysRefused;
        }
    }

    /// @notice Tries to move a lane back to a head it had, to 0, or to where it is.
    function moveBack(uint256 seed) external {
        if (lanes.length == 0) return;
        Lane memory lane = lanes[seed % lanes.length];
        Known memory order = orders[lane.orderIndex];
        uint256 head = headOf[keccak256(abi.encode(order.key, lane.laneIndex))];
        uint256[2] memory targets = [uint256(0), head];
        for (uint256 i = 0; i < 2; ++i) {
            uint256[8] memory signals = signalsOf(
                order.orderId,
                order.domain,
                order.provider,
                lane.laneIndex,
                head,
                targets[i],
                1
            );
            VM.prank(order.provider);
            try escrow.settle(order.funder, noProof(), signals) {
                broken = true;
            } catch {}
        }
    }

    /// @notice A stranger tries to settle with everything else right.
    function settleAsStranger(uint256 seed) external {
        if (orders.length == 0) return;
        Known memory order = orders[seed % orders.length];
        uint256[8] memory signals = signalsOf(order.orderId, order.domain, order.provider, 2, 0, ++_nextHead, 1);
        VM.prank(address(0xBAD));
        try escrow.settle(order.funder, noProof(), signals) {
            broken = true;
        } catch {}
    }

    /// @notice The funder asks for an early end.
    function requestClose(uint256 seed) external {
        if (orders.length == 0) return;
        Known memory order = orders[seed % orders.length];
        VM.prank(order.funder);
        escrow.requestClose(order.orderId);
    }

    /// @notice The funder asks for the rest, maybe too early, maybe twice.
    function refund(uint256 seed) external {
        if (orders.length == 0) return;
        Known memory order = orders[seed % orders.length];
        address[] memory providers = new address[](2);
        (providers[0], providers[1]) = (order.provider, order.provider);
        VM.prank(order.funder);
        try escrow.refund(order.orderId, providers) returns (uint256 amount) {
            if (block.timestamp <= escrow.orderOf(order.key).deadline + 1 days) broken = true;
            if (amount == 0) broken = true;
            ++refunded;
        } catch {}
    }

    /// @notice An actor, the fee account or a stranger withdraws.
    function withdraw(uint256 seed, bool coin) external {
        address asset = coin ? address(0) : address(token);
        address account =
            seed % 8 == 6
                ? FEE_ACCOUNT
                : seed % 8 == 7
                    ? address(0xBAD)
                    : actor(seed);
        uint256 due = escrow.creditOf(asset, account);
        uint256 before = _balance(asset, account);
        VM.prank(account);
        try escrow.withdraw(asset) returns (uint256 amount) {
            if (account == address(0xBAD) || amount != due || _balance(asset, account) - before != amount) broken = true;
            moneyOut[asset] += amount;
            ++withdrawn;
        } catch {
            if (due != 0) broken = true;
        }
    }

    /// @notice Time passes.
    function warp(uint32 duration) external {
        VM.warp(block.timestamp + (duration % 2 days));
    }

    /// @notice The guardian freezes or thaws.
    function freeze(uint32 duration, bool thaw) external {
        if (thaw) {
            try router.unfreeze(family) {} catch {}
        } else {
            try router.freeze(family, (duration % 6 hours) + 1) {} catch {}
        }
    }

    /// @notice The owner sets another fee account's rate; open orders keep theirs.
    function setFee(uint16 feeBps) external {
        escrow.setFee(feeBps % 501, FEE_ACCOUNT);
        // New orders of this handler name FEE_BPS.
        escrow.setFee(FEE_BPS, FEE_ACCOUNT);
    }

    function _balance(address asset, address account) private view returns (uint256) {
        return asset == address(0) ? account.balance : token.balanceOf(account);
    }
}
