// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IChallengeCourt} from "../../../contracts/interfaces/IChallengeCourt.sol";
import {Proof} from "../../../contracts/types/Settlement.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {EscrowWorld} from "./EscrowWorld.sol";
import {InferenceDouble} from "./InferenceDouble.sol";
import {VM} from "./Vm.sol";

/// @title The world of the escrow with its court, a family that publishes pairs and an inference family.
abstract contract CourtWorld is EscrowWorld {
    uint40 internal constant WINDOW = 6 hours;
    uint40 internal constant ANSWER = 1 days;

    IChallengeCourt public court;
    bytes32 public provenFamily;
    bytes32 public inferenceFamily;

    /// @notice Makes the contracts; call it once.
    function buildCourt() internal {
        build();
        court = escrow.court();
        address verifier = permissiveVerifier(bytes32(uint256(3)));
        provenFamily = router.addProvenFamily(verifier, 16, bytes32(uint256(3)), bytes32(uint256(4)));
        inferenceFamily = router.addInferenceFamily(address(new InferenceDouble()));
    }

    /// @notice Opens an order above `attested` with one provider; a challengeable one when `slash` is not 0.
    function openHigher(
        address funder,
        uint256 orderId,
        address asset,
        address provider,
        uint128 amount,
        uint128 bond,
        uint128 slash,
        address challenger
    ) internal returns (bytes32 orderKey) {
        Terms memory chosen = terms(1);
        chosen.assurance = slash == 0 ? 2 : 1;
        chosen.publicModelId = 77;
        chosen.settlementFamily = provenFamily;
        chosen.inferenceFamily = inferenceFamily;
        if (slash != 0) {
            chosen.challengeWindowSeconds = WINDOW;
            chosen.answerPeriodSeconds = ANSWER;
            (chosen.bond, chosen.slash, chosen.challenger) = (bond, slash, challenger);
        }
        return openWith(funder, orderId, asset, provider, amount, chosen);
    }

    /// @notice Signals with `count` paid pairs: 2 laneNew + i in, 2 laneNew + 100 + i out.
    function publishedSignals(uint256[8] memory head, uint256 count) internal pure returns (uint256[40] memory signals) {
        for (uint256 i = 0; i < 8; ++i) signals[i] = head[i];
        for (uint256 i = 0; i < count; ++i) {
            signals[8 + i] = 2 * head[3] + i;
            signals[24 + i] = 2 * head[3] + 100 + i;
        }
    }

    /// @notice The pairs of such signals.
    function pairsOf(uint256[40] memory signals) internal pure returns (uint256[32] memory pairs) {
        for (uint256 i = 0; i < 32; ++i) pairs[i] = signals[8 + i];
    }

    /// @notice The proof that InferenceDouble accepts for a pair.
    function inferenceProof(uint256 input, uint256 output) internal pure returns (Proof memory proof) {
        proof.a[0] = input + output;
    }

    /// @notice Gives an account money for a contract and, for the token, an allowance to it.
    function supplyFor(address spender, address account, address asset, uint256 amount) internal {
        if (asset == address(0)) {
            VM.deal(account, account.balance + amount);
            return;
        }
        token.transfer(account, amount);
        VM.prank(account);
        token.approve(spender, amount);
    }
}
