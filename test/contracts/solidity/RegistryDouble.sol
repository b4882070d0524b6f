// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Answers the escrow's one question to the registry: every root is current.
contract RegistryDouble {
    /// @notice See IEnclaveRegistry.
    function rootSupersededAt(address, uint256) external pure returns (uint40) {
        return type(uint40).max;
    }
}
