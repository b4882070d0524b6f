// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IProviderStake} from "./interfaces/IProviderStake.sol";
import {IOrderEscrow} from "./interfaces/IOrderEscrow.sol";
import {PulledPayments} from "./PulledPayments.sol";

/// @title ProviderStake
/// @notice Trusted for: the stakes of providers. What is reserved leaves only by the outcome of its batch; the rest is its provider's
/// after a wait. No owner.
abstract contract ProviderStake is IProviderStake, PulledPayments {
    /// How long a provider waits for stake that it asks back, so that customers see it leave.
    uint256 public constant UNBOND_SECONDS = 7 days;
    /// So that sums of stakes fit 128 bits.
    uint256 public constant MAX_STAKE = type(uint96).max;

    /// The escrow that made this contract; its list of tokens is the list for stakes.
    IOrderEscrow public immutable escrow;

    mapping(address token => mapping(address provider => Stake)) private _stakes;

    constructor() {
        escrow = IOrderEscrow(msg.sender);
    }

    /// @inheritdoc IProviderStake
    function depositStake(address token, uint128 amount) external payable nonReentrant {
        Stake storage stake = _stakes[token][msg.sender];
        // A token that was taken off the list still backs the orders that are open in it.
        if (stake.total == 0 && !escrow.isListed(token)) revert StakeTokenNotListed(token);
        uint256 total = uint256(stake.total) + amount;
        if (amount == 0 || total > MAX_STAKE) revert StakeAmountInvalid(total, MAX_STAKE);
        stake.total = uint128(total);
        emit StakeDeposited(msg.sender, token, amount);
        _pull(token, amount);
    }

    /// @inheritdoc IProviderStake
    function requestUnbond(address token, uint128 amount) external {
        Stake storage stake = _stakes[token][msg.sender];
        uint256 most = stake.total - stake.reserved;
        if (amount > most) revert StakeAmountInvalid(amount, most);
        stake.unbonding = amount;
        stake.unbondsAt = amount == 0 ? 0 : uint40(block.timestamp + UNBOND_SECONDS);
        emit UnbondRequested(msg.sender, token, amount, stake.unbondsAt);
    }

    /// @inheritdoc IProviderStake
    function unbond(address token) external returns (uint256 amount) {
        Stake storage stake = _stakes[token][msg.sender];
        amount = stake.unbonding;
        if (amount == 0) revert StakeAmountInvalid(0, stake.total - stake.reserved);
        if (block.timestamp < stake.unbondsAt) revert UnbondNotDue(stake.unbondsAt);
        // reserved + unbonding <= total, so this never takes what a batch holds.
        stake.total -= uint128(amount);
        stake.unbonding = 0;
        stake.unbondsAt = 0;
        _credit(token, msg.sender, amount);
        emit StakeUnbonded(msg.sender, token, amount);
    }

    /// @inheritdoc IProviderStake
    function stakeOf(address token, address provider) external view returns (Stake memory) {
        return _stakes[token][provider];
    }

    /// @inheritdoc IProviderStake
    function availableStakeOf(address token, address provider) public view returns (uint256) {
        Stake storage stake = _stakes[token][provider];
        return stake.total - stake.reserved - stake.unbonding;
    }

    /// Binds stake to a batch.
    function _reserve(address token, address provider, uint128 amount) internal {
        uint256 available = availableStakeOf(token, provider);
        if (available < amount) revert StakeTooLow(provider, token, available, amount);
        _stakes[token][provider].reserved += amount;
    }

    /// Frees what `_reserve` bound.
    function _free(address token, address provider, uint128 amount) internal {
        _stakes[token][provider].reserved -= amount;
    }

    /// Takes what `_reserve` bound; the caller says who is credited.
    function _slash(address token, address provider, uint128 amount, bytes32 batchId) internal {
        Stake storage stake = _stakes[token][provider];
        stake.reserved -= amount;
        stake.total -= amount;
        emit StakeSlashed(provider, token, amount, batchId);
    }
}
