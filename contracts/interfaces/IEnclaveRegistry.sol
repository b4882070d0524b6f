// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title The registry of attested enclaves: one Poseidon tree of leaves per provider.
/// @notice A leaf says that a quorum of attestors (or an on-chain check) accepted the enclave's evidence. It cannot say that the
/// attestors told the truth, nor that the hardware vendor did. docs/protocol.md sections 2, 4 and 5.
interface IEnclaveRegistry {
    /// @notice State of a keyset. Retired: no new jobs, payable until expiry. Revoked: tombstoned.
    enum KeysetState {
        None,
        Active,
        Retired,
        Revoked
    }

    /// @notice What is registered. `slot` is NEXT_SLOT, or the index of a slot that may be used again.
    struct Registration {
        bytes keyset;
        uint256 policyId;
        uint256 hardwareIdHash;
        uint8 platform;
        uint40 expiresAt;
        bytes32 evidenceDigest;
        uint16 slot;
    }

    /// @notice An attestor's EIP-712 EnclaveApproval or EnclaveRevocation. The nonce is random and used once per attestor.
    struct Approval {
        address attestor;
        uint256 nonce;
        uint40 deadline;
        bytes signature;
    }

    /// @notice The provider's EIP-712 EnclaveConsent; an empty signature when the provider itself sends the transaction.
    struct Consent {
        uint256 nonce;
        uint40 deadline;
        bytes signature;
    }

    /// @notice A registered keyset.
    struct EnclaveInfo {
        address provider;
        KeysetState state;
        uint8 platform;
        bool simulated;
        uint40 keysetExpiresAt;
        uint256 signerId;
        uint256 hardwareIdHash;
        address receiptSigner;
        uint16[] leafIndexes;
    }

    /// @notice A leaf of a provider's tree. `leaf` is 0 for a slot that is empty or revoked.
    struct LeafInfo {
        uint256 leaf;
        bytes32 keysetDigest;
        uint256 policyId;
        uint40 expiresAt;
    }

    event EnclaveRegistered(
        address indexed provider,
        bytes32 indexed keysetDigest,
        uint256 indexed policyId,
        uint256 index,
        uint256 leaf,
        uint256 signerId,
        uint256 hardwareIdHash,
        uint8 platform,
        uint40 expiresAt,
        bytes32 evidenceDigest,
        address receiptSigner,
        bytes32 runtimeDigest,
        bool checkedOnChain
    );
    /// @notice Every change of a tree: these events alone rebuild it.
    event LeafSet(address indexed provider, uint256 indexed index, uint256 leaf, uint256 root);
    event EnclaveRetired(address indexed provider, bytes32 indexed keysetDigest);
    event EnclaveRevoked(address indexed provider, bytes32 indexed keysetDigest, address by);
    /// @notice All earlier roots of the provider died.
    event RootsKilled(address indexed provider, uint32 epoch);
    event HardwareDenied(uint256 indexed hardwareIdHash, address by);
    event ConsentCancelled(address indexed provider, uint256 nonce);
    event AttestorSet(address indexed attestor, bool active);
    event ThresholdSet(uint256 threshold);
    event QuoteVerifierSet(uint8 indexed platform, address verifier);
    event GuardianSet(address indexed guardian);

    error KeysetChainMismatch(uint64 actual, uint256 expected);
    error KeysetRegistryMismatch(address actual);
    error KeysetExpired(uint64 expiresAt);
    error ReceiptKeyInvalid();
    error LeafExpiryInvalid(uint40 expiresAt, uint64 keysetExpiresAt);
    error ValueNotCanonical(uint256 value);
    error PlatformUnknown(uint8 platform);
    error SimulatedPlatformRefused(uint8 platform, uint256 chainId);
    error HardwareIsDenied(uint256 hardwareIdHash);
    error HardwareMismatch(bytes32 keysetDigest);
    error KeysetNotActive(bytes32 keysetDigest, KeysetState state);
    error SignerReused(uint256 signerId);
    error LeafExists(bytes32 keysetDigest, uint256 policyId);
    error TooManyLeaves(bytes32 keysetDigest);
    error TreeFull(address provider);
    error SlotNotReusable(uint16 slot, uint256 reusableAt);
    error ConsentMissing(address provider);
    error ConsentExpired(uint40 deadline);
    error ConsentUsed(uint256 nonce);
    error QuorumNotReached(uint256 given, uint256 threshold);
    error TooManyApprovals(uint256 given);
    error ApprovalsNotSorted(address attestor);
    error ApprovalExpired(address attestor, uint40 deadline);
    error ApprovalUsed(address attestor, uint256 nonce);
    error ApprovalSignatureInvalid(address attestor);
    error NotAnAttestor(address attestor);
    error NoQuoteVerifier(uint8 platform);
    error NotAllowed(address caller);
    error AttestorUnchanged(address attestor);
    error ThresholdInvalid(uint256 threshold, uint256 attestors);
    error PoseidonMismatch();

    /// @notice Registers a leaf for an enclave that a quorum of attestors approved.
    /// @return index The slot of the leaf in the provider's tree.
    function register(
        Registration calldata registration,
        Approval[] calldata approvals,
        Consent calldata consent
    ) external returns (uint256 index);

    /// @notice Registers a leaf for an enclave whose evidence an on-chain verifier accepts.
    function registerWithQuote(
        Registration calldata registration,
        bytes calldata evidence,
        Consent calldata consent
    ) external returns (uint256 index);

    /// @notice No new jobs for a keyset; it stays payable until its leaves expire. Provider only.
    function retire(bytes32 keysetDigest) external;

    /// @notice Ends a keyset for a compromise: its leaves go, all earlier roots of the provider die, it can never come back.
    /// Provider only; a quorum of attestors has `revokeByQuorum`.
    function revoke(bytes32 keysetDigest) external;

    /// @notice The same by a quorum of attestors, which may also deny the hardware.
    function revokeByQuorum(bytes32 keysetDigest, bool denyHardwareToo, Approval[] calldata approvals) external;

    /// @notice Refuses a hardware identity for every provider from now on. Guardian only. Existing leaves are revoked one by one.
    function denyHardware(uint256 hardwareIdHash) external;

    /// @notice Makes a consent of the caller unusable.
    function cancelConsent(uint256 nonce) external;

    /// @notice When a root of a provider was superseded: unix seconds; type(uint40).max for the current root; 0 for a root that
    /// never was or that a revocation killed.
    function rootSupersededAt(address provider, uint256 root) external view returns (uint40);

    /// @notice Whether a root is the current one or was superseded at most an hour (and `frozenSeconds` more) ago.
    function isLiveRoot(address provider, uint256 root, uint256 frozenSeconds) external view returns (bool);

    /// @notice The current root of a provider's tree.
    function rootOf(address provider) external view returns (uint256);

    /// @notice How many slots of a provider's tree were ever used.
    function slotCountOf(address provider) external view returns (uint256);

    /// @notice A leaf by its slot.
    function leafOf(address provider, uint256 index) external view returns (LeafInfo memory);

    /// @notice The slot of the leaf of a keyset under a policy; of several, the one that expires last.
    function leafIndexOf(bytes32 keysetDigest, uint256 policyId) external view returns (bool found, uint256 index);

    /// @notice The path of a slot under the current root, lowest level first.
    function pathOf(
        address provider,
        uint256 index
    ) external view returns (uint256 leaf, uint256[10] memory siblings, uint256 root);

    /// @notice A keyset by its digest; state None when unknown.
    function enclaveOf(bytes32 keysetDigest) external view returns (EnclaveInfo memory);

    /// @notice The active keyset of a provider on a hardware identity, 0 when there is none.
    function activeKeysetOf(address provider, uint256 hardwareIdHash) external view returns (bytes32);
}
