// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {KnownModel} from "./generated/Poseidon6.sol";
import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IPoseidon6} from "./interfaces/IPoseidon.sol";
import {VerificationKey} from "./libraries/VerificationKey.sol";

/// @title ModelRegistry
/// @notice Trusted for: which verification key answers for a model. A model's identifier is recomputed from the key's bytes, so the
/// owner, who names the coordinators, can let a bad ceremony in but can change nothing that is registered. Nothing is deleted.
contract ModelRegistry is IModelRegistry, EIP712, Ownable2Step {
    uint256 public constant MAX_COORDINATORS = 32;
    uint256 public constant DEVELOPMENT_CHAIN_ID = 31337;
    uint256 private constant MODEL_TAG = 7;
    bytes32 private constant APPROVAL_TYPE = keccak256("ModelApproval(uint256 modelId,bytes32 ceremonyHash,uint40 deadline)");

    IPoseidon6 public immutable poseidon6;

    mapping(address coordinator => bool) public isCoordinator;
    uint256 public coordinatorCount;
    /// Approvals needed; 0 until set, and then no model with a ceremony can be registered.
    uint256 public threshold;
    mapping(uint256 modelId => Model) private _models;
    /// @inheritdoc IModelRegistry
    mapping(uint256 modelId => mapping(address account => bool)) public approvedBy;

    constructor(address owner_, IPoseidon6 poseidon6_) EIP712("STUN", "1") Ownable(owner_) {
        poseidon6 = poseidon6_;
        if (poseidon6_.poseidon(MODEL_TAG, [uint256(1), 2, 3, 4, 5, 6]) != KnownModel.ID) {
            revert IEnclaveRegistry.PoseidonMismatch();
        }
    }

    /// @notice Adds or removes a coordinator; what it approved stays. Owner only. The threshold stays reachable.
    function setCoordinator(address coordinator, bool active) external onlyOwner {
        if (coordinator == address(0) || isCoordinator[coordinator] == active) revert CoordinatorUnchanged(coordinator);
        isCoordinator[coordinator] = active;
        coordinatorCount = active ? coordinatorCount + 1 : coordinatorCount - 1;
        if (coordinatorCount > MAX_COORDINATORS || coordinatorCount < threshold) {
            revert CoordinatorThresholdInvalid(threshold, coordinatorCount);
        }
        emit CoordinatorSet(coordinator, active);
    }

    /// @notice Sets how many coordinators must approve a model. Owner only.
    function setThreshold(uint256 threshold_) external onlyOwner {
        if (threshold_ == 0 || threshold_ > coordinatorCount) revert CoordinatorThresholdInvalid(threshold_, coordinatorCount);
        threshold = threshold_;
        emit CoordinatorThresholdSet(threshold_);
    }

    /// @inheritdoc IModelRegistry
    function register(
        bytes calldata verificationKey,
        bytes32 manifestSha256,
        bytes32 ceremonyHash,
        ModelApproval[] calldata approvals
    ) external returns (uint256 modelId) {
        VerificationKey.check(verificationKey);
        bytes32 vkHash = sha256(verificationKey);
        modelId = poseidon6.poseidon(
            MODEL_TAG,
            [
                uint256(vkHash) >> 128,
                uint128(uint256(vkHash)),
                uint256(manifestSha256) >> 128,
                uint128(uint256(manifestSha256)),
                uint256(ceremonyHash) >> 128,
                uint128(uint256(ceremonyHash))
            ]
        );
        if (_models[modelId].key != address(0)) revert ModelExists(modelId);
        bool development = ceremonyHash == 0;
        if (development && block.chainid != DEVELOPMENT_CHAIN_ID) revert DevelopmentModelRefused(block.chainid);
        if (!development) _checkApprovals(modelId, ceremonyHash, approvals);
        address key = VerificationKey.write(verificationKey);
        _models[modelId] = Model(key, development, vkHash, manifestSha256, ceremonyHash);
        emit ModelRegistered(modelId, key, vkHash, manifestSha256, ceremonyHash, development);
    }

    /// @inheritdoc IModelRegistry
    function approve(uint256 modelId) external {
        keyOf(modelId);
        _recordApproval(modelId, msg.sender);
    }

    /// @inheritdoc IModelRegistry
    function modelOf(uint256 modelId) external view returns (Model memory) {
        return _models[modelId];
    }

    /// @inheritdoc IModelRegistry
    function keyOf(uint256 modelId) public view returns (address key) {
        key = _models[modelId].key;
        if (key == address(0)) revert ModelUnknown(modelId);
    }

    /// A quorum of distinct coordinators over exactly this model and ceremony, in time.
    function _checkApprovals(uint256 modelId, bytes32 ceremonyHash, ModelApproval[] calldata approvals) private {
        if (threshold == 0 || approvals.length < threshold || approvals.length > MAX_COORDINATORS) {
            revert CoordinatorQuorumNotReached(approvals.length, threshold);
        }
        address previous = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            ModelApproval calldata approval = approvals[i];
            address coordinator = approval.coordinator;
            // Strictly ascending, so nobody counts twice.
            if (coordinator <= previous) revert CoordinatorsNotSorted(coordinator);
            previous = coordinator;
            if (!isCoordinator[coordinator]) revert NotACoordinator(coordinator);
            if (block.timestamp > approval.deadline) revert ModelApprovalExpired(coordinator, approval.deadline);
            bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPE, modelId, ceremonyHash, approval.deadline)));
            if (!SignatureChecker.isValidSignatureNow(coordinator, digest, approval.signature)) {
                revert ModelApprovalInvalid(coordinator);
            }
            _recordApproval(modelId, coordinator);
        }
    }

    function _recordApproval(uint256 modelId, address account) private {
        approvedBy[modelId][account] = true;
        emit ModelApproved(modelId, account);
    }
}
