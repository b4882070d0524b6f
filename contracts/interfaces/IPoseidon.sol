// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Poseidon over BN254 with three inputs, circomlib's parameters.
interface IPoseidon3 {
    /// @notice The hash of three field elements. Inputs are taken modulo r: the caller refuses aliases.
    function poseidon(uint256[3] memory inputs) external pure returns (uint256);
}

/// @title Poseidon over BN254 with six inputs, circomlib's parameters.
interface IPoseidon6 {
    /// @notice The hash of six field elements. Inputs are taken modulo r: the caller refuses aliases.
    function poseidon(uint256[6] memory inputs) external pure returns (uint256);
}
