// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Proof} from "../types/Settlement.sol";

/// @title The list of verifiers of settlements and of inferences, with permanent tombstones and bounded freezes.
/// @notice A settlement family names one verification key for ever, an inference family the code of one generic verifier, whose keys
/// ModelRegistry holds. Nobody can put another verifier behind a family.
interface IVerifierRouter {
    /// @notice What the router knows of a family.
    struct FamilyView {
        address verifier;
        /// 0 for an inference family.
        uint16 maxJobs;
        /// 0 attested, 2 proven; a proven family settles challengeable orders too.
        uint8 assurance;
        bool tombstoned;
        bool frozen;
        bool development;
        uint40 frozenUntil;
        uint32 frozenSecondsUsed;
        bytes32 vkHash;
        bytes32 ceremonyHash;
    }

    event VerificationKeyAllowed(bytes32 indexed vkHash, bytes32 indexed ceremonyHash);
    event FamilyAdded(
        bytes32 indexed family,
        address indexed verifier,
        uint256 maxJobs,
        uint8 assurance,
        bytes32 vkHash,
        bytes32 ceremonyHash,
        bool development
    );
    event FamilyTombstoned(bytes32 indexed family, address indexed by, bool byForgery);
    event FamilyFrozen(bytes32 indexed family, uint40 startsAt, uint40 endsAt);
    event FamilyUnfrozen(bytes32 indexed family, uint40 endedAt);
    event GuardianSet(address indexed guardian);

    error FamilyUnknown(bytes32 family);
    /// An inference family where a settlement family is needed, or the other way round.
    error FamilyKindMismatch(bytes32 family);
    error FamilyExists(bytes32 family);
    error FamilyIsTombstoned(bytes32 family);
    error FamilyIsFrozen(bytes32 family, uint40 until);
    error FamilyNotFrozen(bytes32 family);
    error FreezeTooLong(uint256 requestedSeconds, uint256 leftSeconds);
    error TooManyFreezes(bytes32 family);
    error DevelopmentVerifierRefused(address verifier, uint256 chainId);
    error VerificationKeyMismatch(bytes32 expected, bytes32 actual);
    error MaxJobsMismatch(uint256 expected, uint256 actual);
    error CeremonyNotAllowed(bytes32 vkHash, bytes32 ceremonyHash);
    error NotAForgery();
    error NotGuardian(address caller);
    error ZeroValue();

    /// @notice The verifier of a family that may settle now.
    /// @dev Reverts with FamilyUnknown, FamilyIsTombstoned or FamilyIsFrozen.
    function verifierOf(bytes32 family) external view returns (address verifier);

    /// @notice What `open` needs to know of a settlement family that is neither tombstoned nor frozen.
    /// @return maxJobs The most jobs of one proof.
    /// @return assurance The assurance level that a settlement of the family gives.
    /// @dev Reverts as verifierOf does, and with FamilyKindMismatch.
    function openableFamily(bytes32 family) external view returns (uint256 maxJobs, uint8 assurance);

    /// @notice The verifier of an inference family that may verify now.
    /// @dev Reverts as verifierOf does, and with FamilyKindMismatch.
    function inferenceVerifierOf(bytes32 family) external view returns (address verifier);

    /// @notice How long the family was frozen between `since` and now, in seconds.
    function frozenSecondsSince(bytes32 family, uint40 since) external view returns (uint256);

    /// @notice Whether the family is frozen now.
    function isFrozen(bytes32 family) external view returns (bool);

    /// @notice Whether the family is tombstoned, for ever.
    function isTombstoned(bytes32 family) external view returns (bool);

    /// @notice Everything the router holds of a family. All zero when it is unknown.
    function familyOf(bytes32 family) external view returns (FamilyView memory);

    /// @notice The identifier of a settlement family.
    function settlementFamilyId(uint256 maxJobs, bytes32 vkHash) external pure returns (bytes32);

    /// @notice Allows a verification key, naming the transcript of its ceremony. Owner only. Cannot be taken back: tombstone instead.
    function allowVerificationKey(bytes32 vkHash, bytes32 ceremonyHash) external;

    /// @notice Adds the settlement family of a verifier. Owner only.
    /// @param verifier The generated verifier; its VK_HASH() and N() must equal the next two.
    /// @param ceremonyHash The transcript hash that was allowed with the key; for a development key any value that is not 0.
    function addSettlementFamily(
        address verifier,
        uint256 maxJobs,
        bytes32 vkHash,
        bytes32 ceremonyHash
    ) external returns (bytes32 family);

    /// @notice Adds the settlement family of a verifier that publishes the commitments of paid jobs, for orders above `attested`.
    /// Owner only. As addSettlementFamily; maxJobs must be 16.
    function addProvenFamily(
        address verifier,
        uint256 maxJobs,
        bytes32 vkHash,
        bytes32 ceremonyHash
    ) external returns (bytes32 family);

    /// @notice Adds the family of a generic verifier of inferences. Owner only. The family is named after the code, which has no key.
    function addInferenceFamily(address verifier) external returns (bytes32 family);

    /// @notice The identifier of an inference family.
    function inferenceFamilyId(bytes32 codeHash) external pure returns (bytes32);

    /// @notice Ends a family for ever. Owner only.
    function tombstone(bytes32 family) external;

    /// @notice Ends a family for ever: anybody can, who shows an accepted proof of a statement that no witness satisfies.
    /// The total of a batch is the sum of at most N prices below 2^63, so a larger total is impossible.
    function tombstoneByForgery(bytes32 family, Proof calldata proof, uint256[8] calldata signals) external;

    /// @notice tombstoneByForgery for a proven family.
    function tombstoneProvenByForgery(bytes32 family, Proof calldata proof, uint256[40] calldata signals) external;

    /// @notice Stops settlement and refunds of a family for a while. Guardian only. 30 days in total over the family's life.
    function freeze(bytes32 family, uint32 durationSeconds) external;

    /// @notice Ends a freeze early; what was not used stays available. Guardian only.
    function unfreeze(bytes32 family) external;
}
