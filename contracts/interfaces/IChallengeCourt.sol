// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Proof} from "../types/Settlement.sol";
import {Terms} from "../types/Terms.sol";
import {IProviderStake} from "./IProviderStake.sol";

/// @title What orders above `attested` need: inference proofs of `proven` batches; challenges, answers and the outcome of
/// `challengeable` ones; the stakes behind them.
/// @notice It decides whether a batch's money goes to the provider or back to the funder, by proofs and clocks alone. It cannot know
/// whether an answer that nobody challenged was right. docs/contracts.md section 4.
interface IChallengeCourt is IProviderStake {
    /// @notice The terms of an order above `attested` that are needed after it opened.
    struct CourtTerms {
        uint256 publicModelId;
        bytes32 inferenceFamily;
        address funder;
        uint40 challengeWindowSeconds;
        uint40 answerPeriodSeconds;
        address token;
        address challenger;
        uint128 bond;
        uint128 slash;
    }

    enum BatchState {
        none,
        pending,
        paid,
        refunded
    }

    /// @notice A batch of a challengeable order. Its money lies in the escrow until it is paid or refunded.
    struct Batch {
        bytes32 orderKey;
        /// keccak256 of the 32 words of pairs.
        bytes32 pairsHash;
        address provider;
        uint40 settledAt;
        uint8 openChallenges;
        BatchState state;
        /// Token units, fee included.
        uint128 amount;
    }

    enum ChallengeState {
        none,
        open,
        answered,
        closed
    }

    /// @notice A challenge of one pair.
    struct Challenge {
        address challenger;
        uint40 challengedAt;
        ChallengeState state;
    }

    /// @notice The commitments of a settled batch's paid jobs: sixteen inputs, then sixteen outputs, (0, 0) where nothing was paid.
    event PairsPublished(bytes32 indexed orderKey, address indexed provider, uint256 indexed laneNew, uint256[32] pairs);
    event BatchRecorded(
        bytes32 indexed batchId,
        bytes32 indexed orderKey,
        address indexed provider,
        uint32 laneIndex,
        uint256 laneNew,
        uint256 amount
    );
    event Challenged(bytes32 indexed batchId, uint256 indexed index, address indexed challenger, uint256 bond);
    event ChallengeAnswered(bytes32 indexed batchId, uint256 indexed index, address indexed by);
    event BatchPaid(bytes32 indexed batchId, address indexed provider, uint256 amount);
    event BatchRefunded(bytes32 indexed batchId, uint256 indexed index, address indexed funder, uint256 amount, uint256 slash);
    event BondReturned(bytes32 indexed batchId, uint256 indexed index, address indexed challenger);

    error NotEscrow(address caller);
    error ChallengeTermInvalid(uint256 value, uint256 least, uint256 most);
    error ChallengeTermUnused();
    error AnswerCountMismatch(uint256 given, uint256 expected);
    error InferenceProofInvalid(uint256 index);
    error BatchExists(bytes32 batchId);
    error BatchNotPending(bytes32 batchId);
    error PairsMismatch(bytes32 batchId);
    error PairNotPaid(uint256 index);
    error NotChallenger(address caller);
    error BondMismatch(uint256 given, uint256 expected);
    error ChallengeWindowClosed(uint256 closedAt);
    error ChallengeWindowOpen(uint256 closesAt);
    error ChallengeExists(bytes32 batchId, uint256 index);
    error ChallengeNotOpen(bytes32 batchId, uint256 index);
    error ChallengesOpen(bytes32 batchId, uint256 count);
    error AnswerPeriodOver(uint256 endedAt);
    error AnswerPeriodRunning(uint256 endsAt);

    /// @notice Checks and keeps the terms of a new order above `attested`. Escrow only.
    function admit(bytes32 orderKey, address funder, address token, Terms calldata terms) external;

    /// @notice Checks one inference proof for each paid pair of a `proven` batch, in order. Escrow only. Reverts unless all verify.
    function prove(bytes32 orderKey, address provider, uint256[40] calldata signals, Proof[] calldata answers) external;

    /// @notice Opens the window of a `challengeable` batch and reserves the provider's stake. Escrow only.
    function record(
        bytes32 orderKey,
        address provider,
        uint32 laneIndex,
        uint128 amount,
        uint256[40] calldata signals
    ) external returns (bytes32 batchId);

    /// @notice Challenges one pair of a pending batch, with the bond of the terms. The funder or the named challenger, in the window.
    /// @param pairs The 32 words of PairsPublished.
    function challenge(bytes32 batchId, uint256 index, uint256[32] calldata pairs) external payable;

    /// @notice Answers a challenge with the inference proof of its pair. Anybody, in the answer period. The bond is the provider's.
    function answer(bytes32 batchId, uint256 index, uint256[32] calldata pairs, Proof calldata proof) external;

    /// @notice Ends a batch whose challenge nobody answered in time: the whole batch goes back to the funder, the stake is slashed
    /// (half to the challenger, half to the funder), every open bond goes back. Anybody.
    function refundUnanswered(bytes32 batchId, uint256 index) external;

    /// @notice Ends a batch whose window passed without an open challenge, or whose inference family was tombstoned: the provider is
    /// paid, open bonds go back. Anybody.
    function finalise(bytes32 batchId) external;

    /// @notice A batch; all zero when unknown.
    function batchOf(bytes32 batchId) external view returns (Batch memory);

    /// @notice A challenge; all zero when there is none.
    function challengeOf(bytes32 batchId, uint256 index) external view returns (Challenge memory);

    /// @notice The terms kept of an order; all zero for one that is `attested` or unknown.
    function termsOf(bytes32 orderKey) external view returns (CourtTerms memory);

    /// @notice The inference family of an order above `attested`.
    function inferenceFamilyOf(bytes32 orderKey) external view returns (bytes32);

    /// @notice The last second of a pending batch's window, as of now.
    function windowClosesAt(bytes32 batchId) external view returns (uint256);

    /// @notice The last second in which an open challenge can be answered, as of now.
    function answerableUntil(bytes32 batchId, uint256 index) external view returns (uint256);

    /// @notice The name of a batch.
    function batchIdOf(bytes32 orderKey, address provider, uint32 laneIndex, uint256 laneNew) external pure returns (bytes32);
}
