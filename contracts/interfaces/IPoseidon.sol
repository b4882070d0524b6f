// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Poseidon over BN254 with a tag and two inputs, circomlib's parameters for t = 3.
interface IPoseidon2 {
    /// @notice The hash of two field elements under a tag, which is element 0 of the state before the permutation.
    /// Tag and inputs are taken modulo r: the caller refuses aliases.
    function poseidon(uint256 tag, uint256[2] memory inputs) external pure returns (uint256);
}

/// @title Poseidon over BN254 with a tag and five inputs, circomlib's parameters for t = 6.
interface IPoseidon5 {
    /// @notice The hash of five field elements under a tag, which is element 0 of the state before the permutation.
    /// Tag and inputs are taken modulo r: the caller refuses aliases.
    function poseidon(uint256 tag, uint256[5] memory inputs) external pure returns (uint256);
}

/// @title Poseidon over BN254 with a tag and six inputs, circomlib's parameters for t = 7.
interface IPoseidon6 {
    /// @notice The hash of six field elements under a tag, which is element 0 of the state before the permutation.
    /// Tag and inputs are taken modulo r: the caller refuses aliases.
    function poseidon(uint256 tag, uint256[6] memory inputs) external pure returns (uint256);
}
