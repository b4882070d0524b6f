// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IChallengeCourt} from "../../../contracts/interfaces/IChallengeCourt.sol";
import {IOrderEscrow} from "../../../contracts/interfaces/IOrderEscrow.sol";

/// @title The escrow as its owner sees it, with its court.
interface IOwnedEscrow is IOrderEscrow {
    /// @notice Allows or forbids a token in new orders. Owner only.
    function setToken(address token, bool listed) external;

    /// @notice Sets fee and fee account of new orders. Owner only.
    function setFee(uint16 feeBps, address feeAccount) external;

    /// @notice The court that the escrow made.
    function court() external view returns (IChallengeCourt);
}
