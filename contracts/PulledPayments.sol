// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPulledPayments} from "./interfaces/IPulledPayments.sol";

/// @title PulledPayments
/// @notice Where money enters and leaves a contract: tokens and the native coin (token 0), credits, pulled payments. Only `_pull`
/// takes money in and only `withdraw` lets it out, to the account's own choice.
abstract contract PulledPayments is IPulledPayments, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    address internal constant NATIVE = address(0);

    /// Where an account's withdrawals go; 0 for the account itself.
    mapping(address account => address) public payoutAddressOf;
    mapping(address token => mapping(address account => uint256)) private _credits;

    /// @inheritdoc IPulledPayments
    function setPayoutAddress(address payoutAddress) external {
        payoutAddressOf[msg.sender] = payoutAddress;
        emit PayoutAddressSet(msg.sender, payoutAddress);
    }

    /// @inheritdoc IPulledPayments
    function withdraw(address token) external nonReentrant returns (uint256 amount) {
        amount = _credits[token][msg.sender];
        if (amount == 0) revert NothingToWithdraw(token);
        _credits[token][msg.sender] = 0;
        address to = payoutAddressOf[msg.sender];
        if (to == address(0)) to = msg.sender;
        emit Withdrawn(msg.sender, token, to, amount);
        if (token == NATIVE) {
            (bool sent, ) = to.call{value: amount}("");
            if (!sent) revert NativeTransferFailed(to);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    /// @inheritdoc IPulledPayments
    function creditOf(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    function _credit(address token, address account, uint256 amount) internal {
        if (amount != 0) _credits[token][account] += amount;
    }

    /// Takes exactly `amount` from the caller, or reverts: a token that delivers less is refused.
    function _pull(address token, uint256 amount) internal {
        if (token == NATIVE) {
            if (msg.value != amount) revert ValueMismatch(msg.value, amount);
            return;
        }
        if (msg.value != 0) revert ValueMismatch(msg.value, 0);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert TokenAmountMismatch(token, received, amount);
    }
}
