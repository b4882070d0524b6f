// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IOrderEscrow} from "../../../contracts/interfaces/IOrderEscrow.sol";
import {SettlementSignals} from "../../../contracts/types/Settlement.sol";
import {EscrowWorld} from "./EscrowWorld.sol";
import {VM} from "./Vm.sol";

/// @title Fuzzed rules of settlement. Ids of PROPERTIES.md.
contract EscrowFuzzTest is EscrowWorld {
    address private constant FUNDER = address(0xF1);
    address private constant PROVIDER = address(0xA1);

    error Violated(string property);

    function setUp() external {
        build();
        VM.warp(1_800_000_000);
    }

    /// @notice S4: credited + fee + shortfall = total x scale, fee rounded down, never more than the budget.
    function testFuzz_S4_paymentIsExact(uint80 total, uint128 scale, uint96 budget) external {
        VM.assume(scale != 0 && budget != 0);
        bytes32 key = openOrder(FUNDER, 1, address(0), PROVIDER, budget, scale);
        uint256[8] memory signals = signalsOf(1, escrow.orderOf(key).domain, PROVIDER, 0, 0, 5, total);
        VM.prank(PROVIDER);
        uint256 credited = escrow.settle(FUNDER, noProof(), signals);
        uint256 owed = uint256(total) * scale;
        uint256 paid = owed < budget ? owed : budget;
        uint256 fee = escrow.creditOf(address(0), FEE_ACCOUNT);
        if (credited + fee != paid) revert Violated("S4: paid");
        if (fee != (paid * FEE_BPS) / 10_000) revert Violated("S4: fee");
        if (escrow.creditOf(address(0), PROVIDER) != credited) revert Violated("S4: credit");
        if (escrow.budgetOf(key, PROVIDER).remaining != budget - paid) revert Violated("S4: remaining");
    }

    /// @notice S4: many batches never pay more than the budget in all.
    function testFuzz_S4_batchesNeverExceedTheBudget(uint64[6] calldata totals, uint64 budget) external {
        VM.assume(budget != 0);
        bytes32 key = openOrder(FUNDER, 1, address(token), PROVIDER, budget, 1);
        uint256 domain = escrow.orderOf(key).domain;
        for (uint256 i = 0; i < 6; ++i) {
            uint256[8] memory signals = signalsOf(1, domain, PROVIDER, uint32(i % 2), i < 2 ? 0 : i - 1, i + 1, totals[i]);
            VM.prank(PROVIDER);
            escrow.settle(FUNDER, noProof(), signals);
        }
        uint256 credits = escrow.creditOf(address(token), PROVIDER) + escrow.creditOf(address(token), FEE_ACCOUNT);
        if (credits + escrow.budgetOf(key, PROVIDER).remaining != budget) revert Violated("S4: sum");
    }

    /// @notice S1: a signal of r or more is refused whatever else it is.
    function testFuzz_S1_nonCanonicalSignalsAreRefused(uint8 place, uint256 value) external {
        bytes32 key = openOrder(FUNDER, 1, address(0), PROVIDER, 100, 1);
        uint256 index = place % 8;
        uint256[8] memory signals = signalsOf(1, escrow.orderOf(key).domain, PROVIDER, 0, 0, 5, 1);
        signals[index] = R + (value % (type(uint256).max - R + 1));
        VM.prank(PROVIDER);
        VM.expectRevert(abi.encodeWithSelector(IOrderEscrow.SignalNotCanonical.selector, index));
        escrow.settle(FUNDER, noProof(), signals);
    }

    /// @notice S5: whatever a lane's state is, a statement from another head is refused.
    function testFuzz_S5_onlyTheTrueHeadMovesALane(uint256 laneOld, uint32 laneIndex) external {
        laneOld = laneOld % R;
        VM.assume(laneOld != 41);
        bytes32 key = openOrder(FUNDER, 1, address(0), PROVIDER, 100, 1);
        uint256 domain = escrow.orderOf(key).domain;
        VM.prank(PROVIDER);
        escrow.settle(FUNDER, noProof(), signalsOf(1, domain, PROVIDER, laneIndex, 0, 41, 1));
        VM.prank(PROVIDER);
        VM.expectRevert(abi.encodeWithSelector(IOrderEscrow.LaneMoved.selector, laneOld, 41));
        escrow.settle(FUNDER, noProof(), signalsOf(1, domain, PROVIDER, laneIndex, laneOld, 42, 1));
    }

    /// @notice S2: packing is undone exactly.
    function testFuzz_S2_payeeUnpacks(address provider, uint40 validAt, uint32 laneIndex) external pure {
        uint256 payee = uint256(uint160(provider)) | (uint256(validAt) << 160) | (uint256(laneIndex) << 200);
        (address a, uint40 b, uint32 c) = SettlementSignals.unpackPayee(payee);
        if (a != provider || b != validAt || c != laneIndex) revert Violated("S2");
    }

    /// @notice S3: nobody but provider and operator settles.
    function testFuzz_S3_strangersAreRefused(address caller) external {
        VM.assume(caller != PROVIDER);
        bytes32 key = openOrder(FUNDER, 1, address(0), PROVIDER, 100, 1);
        uint256[8] memory signals = signalsOf(1, escrow.orderOf(key).domain, PROVIDER, 0, 0, 5, 1);
        VM.prank(caller);
        VM.expectRevert(abi.encodeWithSelector(IOrderEscrow.NotProviderOrOperator.selector, caller, PROVIDER));
        escrow.settle(FUNDER, noProof(), signals);
    }
}
