// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";
import {PulledPayments} from "./PulledPayments.sol";

/// @title EscrowAccounts
/// @notice What the owner of the escrow sets for future orders (listed tokens, the fee) and what a provider sets for itself.
abstract contract EscrowAccounts is IOrderEscrow, Ownable2Step, PulledPayments {
    uint16 public constant MAX_FEE_BPS = 500;

    /// @inheritdoc IOrderEscrow
    /// @dev Never list a token that rebases or takes a fee on transfer.
    mapping(address token => bool) public isListed;
    /// The fee that a new order's terms must name.
    uint16 public feeBps;
    address public feeAccount;
    mapping(address provider => mapping(address operator => bool)) public isOperator;

    constructor(address owner_, uint16 feeBps_, address feeAccount_) Ownable(owner_) {
        _setFee(feeBps_, feeAccount_);
    }

    /// @notice Lists a token for new orders, or takes it off the list; open orders are not touched. Owner only.
    function setToken(address token, bool listed) external onlyOwner {
        isListed[token] = listed;
        emit TokenListed(token, listed);
    }

    /// @notice Sets the fee of orders opened from now on, and who is credited with all fees. Owner only.
    function setFee(uint16 feeBps_, address feeAccount_) external onlyOwner {
        _setFee(feeBps_, feeAccount_);
    }

    /// @inheritdoc IOrderEscrow
    function setOperator(address operator, bool allowed) external {
        if (operator == address(0)) revert AddressZero();
        isOperator[msg.sender][operator] = allowed;
        emit OperatorSet(msg.sender, operator, allowed);
    }

    /// Uses a permit of the caller. Anyone may have sent it before; then the allowance decides.
    function _permit(address token, Permit calldata permit) internal {
        if (token == NATIVE) revert NativePermit();
        try
            IERC20Permit(token).permit(msg.sender, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s)
        {} catch {} // solhint-disable-line no-empty-blocks
    }

    function _setFee(uint16 feeBps_, address feeAccount_) private {
        if (feeBps_ > MAX_FEE_BPS) revert FeeTooHigh(feeBps_, MAX_FEE_BPS);
        if (feeAccount_ == address(0)) revert AddressZero();
        feeBps = feeBps_;
        feeAccount = feeAccount_;
        emit FeeSet(feeBps_, feeAccount_);
    }
}
