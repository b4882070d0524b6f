// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Money that comes in exactly and goes out only when its owner asks for it.
interface IPulledPayments {
    event Withdrawn(address indexed account, address indexed token, address indexed to, uint256 amount);
    event PayoutAddressSet(address indexed account, address indexed payoutAddress);

    error ValueMismatch(uint256 given, uint256 expected);
    error TokenAmountMismatch(address token, uint256 received, uint256 expected);
    error NothingToWithdraw(address token);
    error NativeTransferFailed(address to);

    /// @notice Names where the caller's withdrawals go; the zero address for the caller itself.
    function setPayoutAddress(address payoutAddress) external;

    /// @notice Pays the caller's whole credit in a token to its payout address.
    function withdraw(address token) external returns (uint256 amount);

    /// @notice What an account can withdraw in a token.
    function creditOf(address token, address account) external view returns (uint256);
}
