// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title The registry of compiled models: verification keys as contract code, and who approved the ceremony of each.
/// @notice A registered model is one whose setup a quorum of named coordinators vouches for. It cannot know whether the ceremony was
/// honest, nor what the model is good for; a customer's policy says whose approval it accepts, and asks `approvedBy`.
interface IModelRegistry {
    /// @notice What is registered of a model. Nothing of it ever changes.
    struct Model {
        /// The contract whose code is a zero byte and the verification key.
        address key;
        /// The key has a public trapdoor: on chain id 31337 only.
        bool development;
        bytes32 vkHash;
        bytes32 manifestSha256;
        /// sha256 of the ceremony's transcript; 0 for a development key, which has none.
        bytes32 ceremonyHash;
    }

    /// @notice A coordinator's EIP-712 approval `ModelApproval(uint256 modelId,bytes32 ceremonyHash,uint40 deadline)`. A model is
    /// registered once, so an approval is used once.
    struct ModelApproval {
        address coordinator;
        uint40 deadline;
        bytes signature;
    }

    event ModelRegistered(
        uint256 indexed modelId,
        address key,
        bytes32 vkHash,
        bytes32 manifestSha256,
        bytes32 ceremonyHash,
        bool development
    );
    event ModelApproved(uint256 indexed modelId, address indexed by);
    event CoordinatorSet(address indexed coordinator, bool active);
    event CoordinatorThresholdSet(uint256 threshold);

    error ModelUnknown(uint256 modelId);
    error ModelExists(uint256 modelId);
    error ModelKeyLength(uint256 length);
    /// A word is not below q, or a point is at infinity, off its curve or outside its subgroup; `index` counts the points.
    error ModelKeyPoint(uint256 index);
    error ModelKeyForgeable();
    error DevelopmentModelRefused(uint256 chainId);
    error CoordinatorUnchanged(address coordinator);
    error CoordinatorThresholdInvalid(uint256 threshold, uint256 coordinators);
    error CoordinatorQuorumNotReached(uint256 approvals, uint256 threshold);
    error CoordinatorsNotSorted(address coordinator);
    error NotACoordinator(address coordinator);
    error ModelApprovalExpired(address coordinator, uint256 deadline);
    error ModelApprovalInvalid(address coordinator);

    /// @notice Registers a model. Anybody may send it; the approvals decide.
    /// @param verificationKey 640 bytes: alpha1, beta2, gamma2, delta2, IC0, IC1, IC2 as docs/protocol.md section 3 encodes them.
    /// @param ceremonyHash sha256 of the transcript; 0 says that the key is a development key.
    /// @param approvals Of at least `threshold` coordinators, ascending by address; none for a development key.
    /// @return modelId Poseidon of the halves of vkHash, manifest and ceremony, computed here: nobody can register another key under it.
    function register(
        bytes calldata verificationKey,
        bytes32 manifestSha256,
        bytes32 ceremonyHash,
        ModelApproval[] calldata approvals
    ) external returns (uint256 modelId);

    /// @notice Records that the caller approves a registered model's ceremony, for policies that accept it.
    function approve(uint256 modelId) external;

    /// @notice The key contract of a registered model.
    /// @dev Reverts with ModelUnknown.
    function keyOf(uint256 modelId) external view returns (address);

    /// @notice Everything registered of a model; all zero when unknown.
    function modelOf(uint256 modelId) external view returns (Model memory);

    /// @notice Whether an account approved the model, as a coordinator or for itself.
    function approvedBy(uint256 modelId, address account) external view returns (bool);
}
