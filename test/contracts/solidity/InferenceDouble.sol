// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IInferenceVerifier} from "../../../contracts/interfaces/IInferenceVerifier.sol";
import {Proof} from "../../../contracts/types/Settlement.sol";

/// @title A verifier of inferences that accepts exactly the proofs whose first word is the sum of both commitments.
contract InferenceDouble is IInferenceVerifier {
    /// @inheritdoc IInferenceVerifier
    function verifyProof(
        address,
        Proof calldata proof,
        uint256 inputCommitment,
        uint256 outputCommitment
    ) external pure returns (bool) {
        return proof.a[0] == inputCommitment + outputCommitment;
    }
}
