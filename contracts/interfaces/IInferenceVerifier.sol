// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Proof} from "../types/Settlement.sol";

/// @title The generic Groth16 verifier of compiled models: the key is an argument.
/// @notice It cannot know whose key it is given, nor whether the setup behind it was honest: ModelRegistry speaks of that.
interface IInferenceVerifier {
    /// @notice Whether the proof shows, under the key at `key`, that the model maps the committed input to the committed output.
    /// Returns false for a bad proof, a commitment >= r, a coordinate >= q, and for an address that holds no key.
    /// @param key A contract whose code is a zero byte and the 640 bytes of a verification key (ModelRegistry writes it).
    function verifyProof(
        address key,
        Proof calldata proof,
        uint256 inputCommitment,
        uint256 outputCommitment
    ) external view returns (bool);
}
