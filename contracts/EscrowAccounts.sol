// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";

/// @title EscrowAccounts
/// @notice The part of the escrow where money enters and leaves: listed tokens, the native coin (token 0), credits, pulled
/// payments, the fee of future orders. Only `_pull` takes money in and only `withdraw` lets it out, to the account's own choice.
abstract contract EscrowAccounts is IOrderEscrow, Ownable2Step, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    address internal constant NATIVE = address(0);
    uint16 public constant MAX_FEE_BPS = 500;

    /// Tokens that new orders can use. Never list a token that rebases or takes a fee on transfer.
    mapping(address token => bool) public isListed;
    /// The fee that a new order's terms must name.
    uint16 public feeBps;
    address public feeAccount;
    mapping(address provider => mapping(address operator => bool)) public isOperator;
    /// Where an account's withdrawals go; 0 for the account itself.
    mapping(address account => address) public payoutAddressOf;
    mapping(address token => mapping(address account => uint256)) private _credits;

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

    /// @inheritdoc IOrderEscrow
    function setPayoutAddress(address payoutAddress) external {
        payoutAddressOf[msg.sender] = payoutAddress;
        emit PayoutAddressSet(msg.sender, payoutAddress);
    }

    /// @inheritdoc IOrderEscrow
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

    /// @inheritdoc IOrderEscrow
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
