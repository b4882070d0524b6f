// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IChallengeCourt} from "./interfaces/IChallengeCourt.sol";
import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {ProviderStake} from "./ProviderStake.sol";
import {Proof, SettlementSignals} from "./types/Settlement.sol";
import {Terms} from "./types/Terms.sol";

/// @title ChallengeCourt
/// @notice Trusted for: the outcome of orders above `attested`, stakes and bonds. It has no owner; the escrow that made it is the only
/// caller that can bring batches, and the router's tombstones and freezes are all that anybody can hold against it.
contract ChallengeCourt is IChallengeCourt, ProviderStake {
    uint256 public constant MIN_WINDOW_SECONDS = 1 hours;
    uint256 public constant MIN_ANSWER_SECONDS = 24 hours;
    uint256 public constant MAX_PERIOD_SECONDS = 30 days;
    /// The most of a bond and of a slash.
    uint256 public constant MAX_TERM = type(uint96).max;
    uint8 private constant ASSURANCE_PROVEN = 2;
    uint256 private constant PAIRS = 16;

    IVerifierRouter public immutable router;
    IModelRegistry public immutable models;

    mapping(bytes32 orderKey => CourtTerms) private _terms;
    mapping(bytes32 batchId => Batch) private _batches;
    mapping(bytes32 batchId => mapping(uint256 index => Challenge)) private _challenges;

    modifier onlyEscrow() {
        if (msg.sender != address(escrow)) revert NotEscrow(msg.sender);
        _;
    }

    constructor(IVerifierRouter router_, IModelRegistry models_) {
        router = router_;
        models = models_;
    }

    /// @inheritdoc IChallengeCourt
    function admit(bytes32 orderKey, address funder, address token, Terms calldata terms) external onlyEscrow {
        models.keyOf(terms.publicModelId);
        router.inferenceVerifierOf(terms.inferenceFamily);
        if (terms.assurance == ASSURANCE_PROVEN) {
            // A `proven` order has no challenge: a term that would do nothing is a mistake of the caller.
            bool unused =
                terms.challengeWindowSeconds == 0 &&
                    terms.answerPeriodSeconds == 0 &&
                    terms.bond == 0 &&
                    terms.slash == 0 &&
                    terms.challenger == address(0);
            if (!unused) revert ChallengeTermUnused();
        } else {
            _checkTerm(terms.challengeWindowSeconds, MIN_WINDOW_SECONDS, MAX_PERIOD_SECONDS);
            _checkTerm(terms.answerPeriodSeconds, MIN_ANSWER_SECONDS, MAX_PERIOD_SECONDS);
            _checkTerm(terms.bond, 1, MAX_TERM);
            _checkTerm(terms.slash, 1, MAX_TERM);
        }
        _terms[orderKey] = CourtTerms({
            publicModelId: terms.publicModelId,
            inferenceFamily: terms.inferenceFamily,
            funder: funder,
            challengeWindowSeconds: terms.challengeWindowSeconds,
            answerPeriodSeconds: terms.answerPeriodSeconds,
            token: token,
            challenger: terms.challenger,
            bond: terms.bond,
            slash: terms.slash
        });
    }

    /// @inheritdoc IChallengeCourt
    function prove(
        bytes32 orderKey,
        address provider,
        uint256[40] calldata signals,
        Proof[] calldata answers
    ) external onlyEscrow {
        uint256[32] calldata pairs = _publish(orderKey, provider, signals);
        CourtTerms storage terms = _terms[orderKey];
        address key = models.keyOf(terms.publicModelId);
        IInferenceVerifier verifier = IInferenceVerifier(router.inferenceVerifierOf(terms.inferenceFamily));
        uint256 paid = 0;
        for (uint256 i = 0; i < PAIRS; ++i) {
            (uint256 input, uint256 output) = (pairs[i], pairs[PAIRS + i]);
            if (input | output == 0) continue;
            if (paid == answers.length) revert AnswerCountMismatch(answers.length, paid + 1);
            if (!verifier.verifyProof(key, answers[paid], input, output)) revert InferenceProofInvalid(i);
            ++paid;
        }
        // One for each paid job, no more.
        if (paid != answers.length) revert AnswerCountMismatch(answers.length, paid);
    }

    /// @inheritdoc IChallengeCourt
    function record(
        bytes32 orderKey,
        address provider,
        uint32 laneIndex,
        uint128 amount,
        uint256[40] calldata signals
    ) external onlyEscrow returns (bytes32 batchId) {
        uint256[32] calldata pairs = _publish(orderKey, provider, signals);
        CourtTerms storage terms = _terms[orderKey];
        uint256 laneNew = signals[SettlementSignals.LANE_NEW];
        batchId = batchIdOf(orderKey, provider, laneIndex, laneNew);
        if (_batches[batchId].state != BatchState.none) revert BatchExists(batchId);
        _reserve(terms.token, provider, terms.slash);
        _batches[batchId] = Batch({
            orderKey: orderKey,
            pairsHash: keccak256(abi.encode(pairs)),
            provider: provider,
            settledAt: uint40(block.timestamp),
            openChallenges: 0,
            state: BatchState.pending,
            amount: amount
        });
        emit BatchRecorded(batchId, orderKey, provider, laneIndex, laneNew, amount);
    }

    /// @inheritdoc IChallengeCourt
    function challenge(bytes32 batchId, uint256 index, uint256[32] calldata pairs) external payable nonReentrant {
        Batch storage batch = _pending(batchId);
        CourtTerms storage terms = _terms[batch.orderKey];
        if (msg.sender != terms.funder && msg.sender != terms.challenger) revert NotChallenger(msg.sender);
        // A verifier that cannot answer now is no ground for a challenge.
        router.inferenceVerifierOf(terms.inferenceFamily);
        uint256 closesAt = _closesAt(batch, terms);
        if (block.timestamp > closesAt) revert ChallengeWindowClosed(closesAt);
        _pairOf(batchId, batch, index, pairs);
        Challenge storage entry = _challenges[batchId][index];
        if (entry.state != ChallengeState.none) revert ChallengeExists(batchId, index);
        _challenges[batchId][index] = Challenge(msg.sender, uint40(block.timestamp), ChallengeState.open);
        batch.openChallenges += 1;
        emit Challenged(batchId, index, msg.sender, terms.bond);
        if (terms.token == NATIVE && msg.value != terms.bond) revert BondMismatch(msg.value, terms.bond);
        _pull(terms.token, terms.bond);
    }

    /// @inheritdoc IChallengeCourt
    function answer(bytes32 batchId, uint256 index, uint256[32] calldata pairs, Proof calldata proof) external {
        Batch storage batch = _pending(batchId);
        CourtTerms storage terms = _terms[batch.orderKey];
        Challenge storage entry = _open(batchId, index);
        uint256 until = _until(entry, terms);
        if (block.timestamp > until) revert AnswerPeriodOver(until);
        (uint256 input, uint256 output) = _pairOf(batchId, batch, index, pairs);
        IInferenceVerifier verifier = IInferenceVerifier(router.inferenceVerifierOf(terms.inferenceFamily));
        if (!verifier.verifyProof(models.keyOf(terms.publicModelId), proof, input, output)) revert InferenceProofInvalid(index);
        entry.state = ChallengeState.answered;
        batch.openChallenges -= 1;
        _credit(terms.token, batch.provider, terms.bond);
        emit ChallengeAnswered(batchId, index, msg.sender);
    }

    /// @inheritdoc IChallengeCourt
    function refundUnanswered(bytes32 batchId, uint256 index) external nonReentrant {
        Batch storage batch = _pending(batchId);
        CourtTerms storage terms = _terms[batch.orderKey];
        Challenge storage entry = _open(batchId, index);
        // A tombstone pays the provider instead, and a freeze stops this clock.
        router.inferenceVerifierOf(terms.inferenceFamily);
        uint256 until = _until(entry, terms);
        if (block.timestamp <= until) revert AnswerPeriodRunning(until);
        batch.state = BatchState.refunded;
        (address token, uint128 slash) = (terms.token, terms.slash);
        _slash(token, batch.provider, slash, batchId);
        _credit(token, entry.challenger, slash / 2);
        _credit(token, terms.funder, slash - slash / 2);
        _returnBonds(batchId, batch, terms);
        emit BatchRefunded(batchId, index, terms.funder, batch.amount, slash);
        escrow.release(batch.orderKey, batch.provider, batch.amount, false);
    }

    /// @inheritdoc IChallengeCourt
    function finalise(bytes32 batchId) external nonReentrant {
        Batch storage batch = _pending(batchId);
        CourtTerms storage terms = _terms[batch.orderKey];
        if (!router.isTombstoned(terms.inferenceFamily)) {
            if (batch.openChallenges != 0) revert ChallengesOpen(batchId, batch.openChallenges);
            uint256 closesAt = _closesAt(batch, terms);
            if (block.timestamp <= closesAt) revert ChallengeWindowOpen(closesAt);
        }
        batch.state = BatchState.paid;
        _free(terms.token, batch.provider, terms.slash);
        _returnBonds(batchId, batch, terms);
        emit BatchPaid(batchId, batch.provider, batch.amount);
        escrow.release(batch.orderKey, batch.provider, batch.amount, true);
    }

    /// @inheritdoc IChallengeCourt
    function batchOf(bytes32 batchId) external view returns (Batch memory) {
        return _batches[batchId];
    }

    /// @inheritdoc IChallengeCourt
    function challengeOf(bytes32 batchId, uint256 index) external view returns (Challenge memory) {
        return _challenges[batchId][index];
    }

    /// @inheritdoc IChallengeCourt
    function termsOf(bytes32 orderKey) external view returns (CourtTerms memory) {
        return _terms[orderKey];
    }

    /// @inheritdoc IChallengeCourt
    function inferenceFamilyOf(bytes32 orderKey) external view returns (bytes32) {
        return _terms[orderKey].inferenceFamily;
    }

    /// @inheritdoc IChallengeCourt
    function windowClosesAt(bytes32 batchId) external view returns (uint256) {
        Batch storage batch = _pending(batchId);
        return _closesAt(batch, _terms[batch.orderKey]);
    }

    /// @inheritdoc IChallengeCourt
    function answerableUntil(bytes32 batchId, uint256 index) external view returns (uint256) {
        return _until(_open(batchId, index), _terms[_batches[batchId].orderKey]);
    }

    /// @inheritdoc IChallengeCourt
    function batchIdOf(bytes32 orderKey, address provider, uint32 laneIndex, uint256 laneNew) public pure returns (bytes32) {
        return keccak256(abi.encode(orderKey, provider, laneIndex, laneNew));
    }

    /// Emits the pairs of a batch and gives them as their own array: the signals behind the first eight.
    function _publish(
        bytes32 orderKey,
        address provider,
        uint256[40] calldata signals
    ) private returns (uint256[32] calldata pairs) {
        assembly ("memory-safe") {
            pairs := add(signals, 256)
        }
        emit PairsPublished(orderKey, provider, signals[SettlementSignals.LANE_NEW], pairs);
    }

    /// Gives every open challenge of a batch its bond back. Bounded by the number of pairs.
    function _returnBonds(bytes32 batchId, Batch storage batch, CourtTerms storage terms) private {
        if (batch.openChallenges == 0) return;
        batch.openChallenges = 0;
        for (uint256 i = 0; i < PAIRS; ++i) {
            Challenge storage entry = _challenges[batchId][i];
            if (entry.state != ChallengeState.open) continue;
            entry.state = ChallengeState.closed;
            _credit(terms.token, entry.challenger, terms.bond);
            emit BondReturned(batchId, i, entry.challenger);
        }
    }

    function _pending(bytes32 batchId) private view returns (Batch storage batch) {
        batch = _batches[batchId];
        if (batch.state != BatchState.pending) revert BatchNotPending(batchId);
    }

    function _open(bytes32 batchId, uint256 index) private view returns (Challenge storage entry) {
        entry = _challenges[batchId][index];
        if (entry.state != ChallengeState.open) revert ChallengeNotOpen(batchId, index);
    }

    /// The pair at an index of the batch's own pairs. An unpaid pair has no proof, so nobody may ask for one.
    function _pairOf(
        bytes32 batchId,
        Batch storage batch,
        uint256 index,
        uint256[32] calldata pairs
    ) private view returns (uint256 input, uint256 output) {
        if (keccak256(abi.encode(pairs)) != batch.pairsHash) revert PairsMismatch(batchId);
        if (index >= PAIRS || pairs[index] | pairs[PAIRS + index] == 0) revert PairNotPaid(index);
        return (pairs[index], pairs[PAIRS + index]);
    }

    /// Both clocks stop while the inference family is frozen.
    function _closesAt(Batch storage batch, CourtTerms storage terms) private view returns (uint256) {
        uint256 frozen = router.frozenSecondsSince(terms.inferenceFamily, batch.settledAt);
        return uint256(batch.settledAt) + terms.challengeWindowSeconds + frozen;
    }

    function _until(Challenge storage entry, CourtTerms storage terms) private view returns (uint256) {
        uint256 frozen = router.frozenSecondsSince(terms.inferenceFamily, entry.challengedAt);
        return uint256(entry.challengedAt) + terms.answerPeriodSeconds + frozen;
    }

    function _checkTerm(uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert ChallengeTermInvalid(value, least, most);
    }
}
