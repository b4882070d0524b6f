// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IProvenSettlementVerifier} from "./interfaces/IProvenSettlementVerifier.sol";
import {ISettlementVerifier} from "./interfaces/ISettlementVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {Proof, SettlementSignals} from "./types/Settlement.sol";

/// @title VerifierRouter
/// @notice Trusted for: which verification keys exist. The owner cannot change the verifier of a family, only add families and
/// end them; the guardian can delay, 30 days in all per family. Does not check that a ceremony was honest: it stores the hash
/// of the transcript that anybody can re-verify.
contract VerifierRouter is IVerifierRouter, Ownable2Step {
    /// The most a family can be frozen over its whole life.
    uint256 public constant MAX_FROZEN_SECONDS = 30 days;
    /// The most freezes of a family, so that summing them is bounded work.
    uint256 public constant MAX_FREEZES = 32;
    uint256 public constant DEVELOPMENT_CHAIN_ID = 31337;
    /// The jobs of a proven family: its public signals are a fixed number.
    uint256 public constant PROVEN_JOBS = 16;
    uint8 private constant ASSURANCE_ATTESTED = 0;
    uint8 private constant ASSURANCE_PROVEN = 2;

    /// One slot, so that a settlement reads the router once. `frozenUntil` is the end of the newest freeze. An inference family has
    /// no jobs.
    struct Family {
        address verifier;
        uint16 maxJobs;
        uint8 assurance;
        uint8 freezeCount;
        bool tombstoned;
        bool development;
        uint40 frozenUntil;
    }

    struct Freeze {
        uint40 startsAt;
        uint40 endsAt;
    }

    struct Provenance {
        bytes32 vkHash;
        bytes32 ceremonyHash;
    }

    /// Who can freeze.
    address public guardian;

    mapping(bytes32 family => Family) private _families;
    mapping(bytes32 family => Provenance) private _provenance;
    mapping(bytes32 family => mapping(uint256 index => Freeze)) private _freezes;
    /// The transcript hash that goes with an allowed verification key; 0 when the key is not allowed.
    mapping(bytes32 vkHash => bytes32 ceremonyHash) public ceremonyOf;

    modifier onlyGuardian() {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        _;
    }

    constructor(address owner_, address guardian_) Ownable(owner_) {
        _setGuardian(guardian_);
    }

    /// @notice Names who can freeze; the zero address means nobody. Owner only.
    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    /// @inheritdoc IVerifierRouter
    function allowVerificationKey(bytes32 vkHash, bytes32 ceremonyHash) external onlyOwner {
        if (vkHash == 0 || ceremonyHash == 0) revert ZeroValue();
        if (ceremonyOf[vkHash] != 0) revert CeremonyNotAllowed(vkHash, ceremonyHash);
        ceremonyOf[vkHash] = ceremonyHash;
        emit VerificationKeyAllowed(vkHash, ceremonyHash);
    }

    /// @inheritdoc IVerifierRouter
    function addSettlementFamily(
        address verifier,
        uint256 maxJobs,
        bytes32 vkHash,
        bytes32 ceremonyHash
    ) external onlyOwner returns (bytes32 family) {
        return _addSettlement(verifier, maxJobs, vkHash, ceremonyHash, ASSURANCE_ATTESTED);
    }

    /// @inheritdoc IVerifierRouter
    function addProvenFamily(
        address verifier,
        uint256 maxJobs,
        bytes32 vkHash,
        bytes32 ceremonyHash
    ) external onlyOwner returns (bytes32 family) {
        if (maxJobs != PROVEN_JOBS) revert MaxJobsMismatch(PROVEN_JOBS, maxJobs);
        return _addSettlement(verifier, maxJobs, vkHash, ceremonyHash, ASSURANCE_PROVEN);
    }

    /// @inheritdoc IVerifierRouter
    function addInferenceFamily(address verifier) external onlyOwner returns (bytes32 family) {
        bytes32 codeHash = verifier.codehash;
        if (verifier.code.length == 0) revert ZeroValue();
        family = inferenceFamilyId(codeHash);
        _add(family, verifier, 0, ASSURANCE_PROVEN, false, codeHash, 0);
    }

    /// @inheritdoc IVerifierRouter
    function tombstone(bytes32 family) external onlyOwner {
        _tombstone(family, false);
    }

    /// @inheritdoc IVerifierRouter
    function tombstoneByForgery(bytes32 family, Proof calldata proof, uint256[8] calldata signals) external {
        address verifier = _forgeable(family, ASSURANCE_ATTESTED, signals[SettlementSignals.TOTAL]);
        if (!ISettlementVerifier(verifier).verifyProof(proof.a, proof.b, proof.c, signals)) revert NotAForgery();
        _tombstone(family, true);
    }

    /// @inheritdoc IVerifierRouter
    function tombstoneProvenByForgery(bytes32 family, Proof calldata proof, uint256[40] calldata signals) external {
        address verifier = _forgeable(family, ASSURANCE_PROVEN, signals[SettlementSignals.TOTAL]);
        if (!IProvenSettlementVerifier(verifier).verifyProof(proof.a, proof.b, proof.c, signals)) revert NotAForgery();
        _tombstone(family, true);
    }

    /// @inheritdoc IVerifierRouter
    function freeze(bytes32 family, uint32 durationSeconds) external onlyGuardian {
        Family storage entry = _known(family);
        if (entry.tombstoned) revert FamilyIsTombstoned(family);
        if (block.timestamp < entry.frozenUntil) revert FamilyIsFrozen(family, entry.frozenUntil);
        if (durationSeconds == 0) revert ZeroValue();
        uint256 left = MAX_FROZEN_SECONDS - _frozenSecondsUsed(family, entry.freezeCount);
        if (durationSeconds > left) revert FreezeTooLong(durationSeconds, left);
        uint8 count = entry.freezeCount;
        if (count == MAX_FREEZES) revert TooManyFreezes(family);
        uint40 startsAt = uint40(block.timestamp);
        uint40 endsAt = startsAt + durationSeconds;
        _freezes[family][count] = Freeze(startsAt, endsAt);
        entry.freezeCount = count + 1;
        entry.frozenUntil = endsAt;
        emit FamilyFrozen(family, startsAt, endsAt);
    }

    /// @inheritdoc IVerifierRouter
    function unfreeze(bytes32 family) external onlyGuardian {
        Family storage entry = _known(family);
        if (block.timestamp >= entry.frozenUntil) revert FamilyNotFrozen(family);
        uint40 endedAt = uint40(block.timestamp);
        _freezes[family][entry.freezeCount - 1].endsAt = endedAt;
        entry.frozenUntil = endedAt;
        emit FamilyUnfrozen(family, endedAt);
    }

    /// @inheritdoc IVerifierRouter
    function verifierOf(bytes32 family) external view returns (address verifier) {
        return _usable(family).verifier;
    }

    /// @inheritdoc IVerifierRouter
    function openableFamily(bytes32 family) external view returns (uint256 maxJobs, uint8 assurance) {
        Family storage entry = _usable(family);
        if (entry.maxJobs == 0) revert FamilyKindMismatch(family);
        return (entry.maxJobs, entry.assurance);
    }

    /// @inheritdoc IVerifierRouter
    function inferenceVerifierOf(bytes32 family) external view returns (address verifier) {
        Family storage entry = _usable(family);
        if (entry.maxJobs != 0) revert FamilyKindMismatch(family);
        return entry.verifier;
    }

    /// @inheritdoc IVerifierRouter
    function frozenSecondsSince(bytes32 family, uint40 since) external view returns (uint256 frozenSeconds) {
        Family storage entry = _known(family);
        if (since >= entry.frozenUntil) return 0;
        uint256 count = entry.freezeCount;
        for (uint256 i = 0; i < count; ++i) {
            Freeze memory interval = _freezes[family][i];
            uint256 from = interval.startsAt > since ? interval.startsAt : since;
            uint256 to = interval.endsAt < block.timestamp ? interval.endsAt : block.timestamp;
            if (to > from) frozenSeconds += to - from;
        }
    }

    /// @inheritdoc IVerifierRouter
    function isFrozen(bytes32 family) external view returns (bool) {
        return block.timestamp < _known(family).frozenUntil;
    }

    /// @inheritdoc IVerifierRouter
    function isTombstoned(bytes32 family) external view returns (bool) {
        return _known(family).tombstoned;
    }

    /// @inheritdoc IVerifierRouter
    function familyOf(bytes32 family) external view returns (FamilyView memory) {
        Family storage entry = _families[family];
        Provenance storage provenance = _provenance[family];
        return
            FamilyView({
                verifier: entry.verifier,
                maxJobs: entry.maxJobs,
                assurance: entry.assurance,
                tombstoned: entry.tombstoned,
                frozen: block.timestamp < entry.frozenUntil,
                development: entry.development,
                frozenUntil: entry.frozenUntil,
                frozenSecondsUsed: uint32(_frozenSecondsUsed(family, entry.freezeCount)),
                vkHash: provenance.vkHash,
                ceremonyHash: provenance.ceremonyHash
            });
    }

    /// @inheritdoc IVerifierRouter
    function settlementFamilyId(uint256 maxJobs, bytes32 vkHash) public pure returns (bytes32) {
        return keccak256(abi.encode("stun/family/settlement/v1", maxJobs, vkHash));
    }

    /// @inheritdoc IVerifierRouter
    function inferenceFamilyId(bytes32 codeHash) public pure returns (bytes32) {
        return keccak256(abi.encode("stun/family/inference/v1", codeHash));
    }

    /// Checks what the verifier says of itself and what was allowed, and adds its family.
    function _addSettlement(
        address verifier,
        uint256 maxJobs,
        bytes32 vkHash,
        bytes32 ceremonyHash,
        uint8 assurance
    ) private returns (bytes32 family) {
        if (maxJobs == 0 || vkHash == 0 || ceremonyHash == 0) revert ZeroValue();
        bytes32 actualKey = ISettlementVerifier(verifier).VK_HASH();
        if (actualKey != vkHash) revert VerificationKeyMismatch(vkHash, actualKey);
        uint256 actualJobs = ISettlementVerifier(verifier).N();
        if (actualJobs != maxJobs) revert MaxJobsMismatch(maxJobs, actualJobs);
        bool development = ISettlementVerifier(verifier).DEVELOPMENT();
        if (development) {
            if (block.chainid != DEVELOPMENT_CHAIN_ID) revert DevelopmentVerifierRefused(verifier, block.chainid);
        } else if (ceremonyOf[vkHash] != ceremonyHash) {
            revert CeremonyNotAllowed(vkHash, ceremonyHash);
        }
        family = settlementFamilyId(maxJobs, vkHash);
        _add(family, verifier, maxJobs, assurance, development, vkHash, ceremonyHash);
    }

    function _add(
        bytes32 family,
        address verifier,
        uint256 maxJobs,
        uint8 assurance,
        bool development,
        bytes32 vkHash,
        bytes32 ceremonyHash
    ) private {
        // A tombstoned family still has its verifier, so it cannot be added again either.
        if (_families[family].verifier != address(0)) revert FamilyExists(family);
        _families[family] = Family({
            verifier: verifier,
            maxJobs: SafeCast.toUint16(maxJobs),
            assurance: assurance,
            freezeCount: 0,
            tombstoned: false,
            development: development,
            frozenUntil: 0
        });
        _provenance[family] = Provenance(vkHash, ceremonyHash);
        emit FamilyAdded(family, verifier, maxJobs, assurance, vkHash, ceremonyHash, development);
    }

    /// The verifier of a settlement family of that assurance for which this total is impossible.
    function _forgeable(bytes32 family, uint8 assurance, uint256 total) private view returns (address) {
        Family storage entry = _known(family);
        if (entry.maxJobs == 0 || entry.assurance != assurance) revert FamilyKindMismatch(family);
        if (total < uint256(entry.maxJobs) << 64 || total >= SettlementSignals.R) revert NotAForgery();
        return entry.verifier;
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _tombstone(bytes32 family, bool byForgery) private {
        Family storage entry = _known(family);
        if (entry.tombstoned) revert FamilyIsTombstoned(family);
        entry.tombstoned = true;
        emit FamilyTombstoned(family, msg.sender, byForgery);
    }

    function _known(bytes32 family) private view returns (Family storage entry) {
        entry = _families[family];
        if (entry.verifier == address(0)) revert FamilyUnknown(family);
    }

    function _usable(bytes32 family) private view returns (Family storage entry) {
        entry = _known(family);
        if (entry.tombstoned) revert FamilyIsTombstoned(family);
        if (block.timestamp < entry.frozenUntil) revert FamilyIsFrozen(family, entry.frozenUntil);
    }

    /// The whole planned length of all freezes, the running one included.
    function _frozenSecondsUsed(bytes32 family, uint256 count) private view returns (uint256 used) {
        for (uint256 i = 0; i < count; ++i) {
            Freeze memory interval = _freezes[family][i];
            used += interval.endsAt - interval.startsAt;
        }
    }
}
