// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IPulledPayments} from "./IPulledPayments.sol";

/// @title The stakes of providers, one per token.
/// @notice A stake is what a provider loses for a wrong answer that it was paid for. Nobody but a lost challenge can take it.
interface IProviderStake is IPulledPayments {
    /// @notice A provider's stake in a token. `reserved + unbonding <= total`, always.
    struct Stake {
        uint128 total;
        /// Bound to batches that are not final.
        uint128 reserved;
        /// Asked back; no new batch can reserve it.
        uint128 unbonding;
        /// From when it can be taken, unix seconds; 0 when nothing is asked back.
        uint40 unbondsAt;
    }

    event StakeDeposited(address indexed provider, address indexed token, uint256 amount);
    event UnbondRequested(address indexed provider, address indexed token, uint256 amount, uint40 unbondsAt);
    event StakeUnbonded(address indexed provider, address indexed token, uint256 amount);
    event StakeSlashed(address indexed provider, address indexed token, uint256 amount, bytes32 indexed batchId);

    error StakeAmountInvalid(uint256 amount, uint256 most);
    error StakeTokenNotListed(address token);
    error StakeTooLow(address provider, address token, uint256 available, uint256 needed);
    error UnbondNotDue(uint256 unbondsAt);

    /// @notice Adds to the caller's stake, in a token that the escrow lists, or in which the caller has stake.
    function depositStake(address token, uint128 amount) external payable;

    /// @notice Asks for an amount of the caller's stake back, in place of what was asked before; 0 takes the question back. The wait
    /// begins anew. What is asked for can back no new batch; what is reserved cannot be asked for.
    function requestUnbond(address token, uint128 amount) external;

    /// @notice Credits the caller with what it asked back, after the wait; `withdraw` pays it.
    function unbond(address token) external returns (uint256 amount);

    /// @notice A provider's stake in a token.
    function stakeOf(address token, address provider) external view returns (Stake memory);

    /// @notice What a new batch can reserve: neither reserved nor asked back.
    function availableStakeOf(address token, address provider) external view returns (uint256);
}
