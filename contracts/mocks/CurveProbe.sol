// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {BabyJubJub} from "../libraries/BabyJubJub.sol";

/// @title Shows an internal library to tests.
contract CurveProbe {
    /// @notice See BabyJubJub.isPublicKey.
    function isPublicKey(uint256 x, uint256 y) external pure returns (bool) {
        return BabyJubJub.isPublicKey(x, y);
    }

    /// @notice See BabyJubJub.isOnCurve.
    function isOnCurve(uint256 x, uint256 y) external pure returns (bool) {
        return BabyJubJub.isOnCurve(x, y);
    }
}
