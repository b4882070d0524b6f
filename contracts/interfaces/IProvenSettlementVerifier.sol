// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

// solhint-disable func-name-mixedcase

/// @title A generated Groth16 verifier of the settlement circuit that publishes the commitments of paid jobs.
/// @notice For orders above `attested`. It cannot know whether the trusted setup behind its key was honest, nor whether an answer
/// is the model's: that is what the pairs are published for.
interface IProvenSettlementVerifier {
    /// @notice Whether the proof shows the statement of these signals: the eight of a settlement, then sixteen input commitments,
    /// then sixteen output commitments; a pair is (0, 0) where nothing was paid. Returns false for a bad proof or a signal >= r.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[40] calldata signals
    ) external view returns (bool);

    /// @notice sha256 of the verification key's fixed binary encoding.
    function VK_HASH() external view returns (bytes32);

    /// @notice The most jobs one proof can cover: 16.
    function N() external view returns (uint256);

    /// @notice Whether the key was made with a known trapdoor. Anybody can forge proofs under such a key.
    function DEVELOPMENT() external view returns (bool);
}
