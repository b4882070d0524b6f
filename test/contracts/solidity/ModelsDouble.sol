// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Answers the court's one question to the model registry: every model is registered.
contract ModelsDouble {
    /// @notice See IModelRegistry.
    function keyOf(uint256) external view returns (address) {
        return address(this);
    }
}
