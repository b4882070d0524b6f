// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {EscrowWorld} from "./EscrowWorld.sol";
import {VM} from "./Vm.sol";

/// @title Fuzzed freezes against a naive count. Ids of PROPERTIES.md.
contract FreezeFuzzTest is EscrowWorld {
    uint256 private constant START = 1_800_000_000;

    error Violated(string property);

    function setUp() external {
        VM.warp(START);
        build();
    }

    /// @notice R5: frozen time since any moment is what adding up the freezes gives, and at most 30 days over a life.
    function testFuzz_R5_frozenSecondsAreExact(
        uint32[6] calldata lengths,
        uint32[6] calldata pauses,
        uint32[6] calldata cuts,
        uint32 sinceOffset
    ) external {
        uint256[2][6] memory spans;
        for (uint256 i = 0; i < 6; ++i) {
            uint32 length = (lengths[i] % 8 days) + 1;
            try router.freeze(family, length) {
                uint256 cut = cuts[i] % (2 * length);
                spans[i] = [block.timestamp, block.timestamp + length];
                if (cut < length) {
                    VM.warp(block.timestamp + cut);
                    // While it lasts, a freeze counts up to now.
                    if (router.frozenSecondsSince(family, uint40(spans[i][0])) != cut) revert Violated("R5: running");
                    router.unfreeze(family);
                    spans[i][1] = block.timestamp;
                } else {
                    VM.warp(block.timestamp + length);
                }
            } catch {}
            VM.warp(block.timestamp + (pauses[i] % 3 days) + 1);
        }
        uint256 since = START + (sinceOffset % (block.timestamp - START + 1));
        uint256 expected = 0;
        uint256 life = 0;
        for (uint256 i = 0; i < 6; ++i) {
            life += spans[i][1] - spans[i][0];
            uint256 from = spans[i][0] > since ? spans[i][0] : since;
            if (spans[i][1] > from) expected += spans[i][1] - from;
        }
        if (router.frozenSecondsSince(family, uint40(since)) != expected) revert Violated("R5: sum");
        if (life > 30 days || router.familyOf(family).frozenSecondsUsed != life) revert Violated("R5: life");
    }

    /// @notice R5: a statement that was settleable when a freeze began is settleable when it ends, and no older one is.
    function testFuzz_R5_freezeStopsTheClock(uint32 age, uint32 length) external {
        age = age % 7200;
        length = (length % 20 days) + 1;
        bytes32 key = openOrder(address(0xF1), 1, address(0), address(0xA1), 100, 1);
        uint256[8] memory signals = signalsOf(1, escrow.orderOf(key).domain, address(0xA1), 0, 0, 5, 1);
        VM.warp(START + age);
        router.freeze(family, length);
        VM.warp(START + age + length);
        VM.prank(address(0xA1));
        try escrow.settle(address(0xF1), noProof(), signals) {
            if (age > 1 hours) revert Violated("R5: an old statement settled");
        } catch {
            if (age <= 1 hours) revert Violated("R5: a fresh statement did not settle");
        }
    }
}
