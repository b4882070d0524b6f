// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {IQuoteVerifier} from "./interfaces/IQuoteVerifier.sol";

/// @title AttestorQuorum
/// @notice The part of the registry that decides whose word counts: attestors, their threshold, on-chain quote verifiers, the
/// guardian, and the provider's consent. Every signature is EIP-712, has a deadline and is used once.
abstract contract AttestorQuorum is IEnclaveRegistry, EIP712, Ownable2Step {
    uint256 public constant MAX_ATTESTORS = 32;
    uint256 public constant DEVELOPMENT_CHAIN_ID = 31337;
    /// Platform codes from here on are simulated hardware.
    uint8 public constant FIRST_SIMULATED_PLATFORM = 128;

    bytes32 internal constant APPROVAL_TYPE = keccak256(
        "EnclaveApproval(address provider,bytes32 keysetDigest,uint256 policyId,uint256 hardwareIdHash,uint8 platform,uint40 expiresAt,bytes32 evidenceDigest,uint256 nonce,uint40 deadline)"
    );
    bytes32 internal constant REVOCATION_TYPE = keccak256(
        "EnclaveRevocation(bytes32 keysetDigest,bool denyHardware,uint256 nonce,uint40 deadline)"
    );
    bytes32 internal constant CONSENT_TYPE = keccak256(
        "EnclaveConsent(bytes32 keysetDigest,uint256 policyId,uint256 hardwareIdHash,uint8 platform,uint40 expiresAt,uint256 nonce,uint40 deadline)"
    );

    mapping(address attestor => bool) public isAttestor;
    uint256 public attestorCount;
    /// Approvals needed; 0 until set, and then no quorum can be reached at all.
    uint256 public threshold;
    /// Who can deny an identity that leaked. It cannot revoke: that would cost a provider the work that is not settled yet.
    address public guardian;
    mapping(uint256 hardwareIdHash => bool) public hardwareDenied;
    mapping(uint8 platform => IQuoteVerifier) public quoteVerifierOf;
    mapping(address attestor => mapping(uint256 nonce => bool)) public approvalUsed;
    mapping(address provider => mapping(uint256 nonce => bool)) public consentUsed;

    constructor(address owner_, address guardian_) EIP712("STUN", "1") Ownable(owner_) {
        _setGuardian(guardian_);
    }

    /// @notice Adds or removes an attestor. Owner only. The threshold stays reachable.
    function setAttestor(address attestor, bool active) external onlyOwner {
        if (attestor == address(0) || isAttestor[attestor] == active) revert AttestorUnchanged(attestor);
        isAttestor[attestor] = active;
        attestorCount = active ? attestorCount + 1 : attestorCount - 1;
        if (attestorCount > MAX_ATTESTORS || attestorCount < threshold) revert ThresholdInvalid(threshold, attestorCount);
        emit AttestorSet(attestor, active);
    }

    /// @notice Sets how many attestors must approve. Owner only.
    function setThreshold(uint256 threshold_) external onlyOwner {
        if (threshold_ == 0 || threshold_ > attestorCount) revert ThresholdInvalid(threshold_, attestorCount);
        threshold = threshold_;
        emit ThresholdSet(threshold_);
    }

    /// @notice Names the on-chain quote verifier of a platform; the zero address for none. Owner only.
    function setQuoteVerifier(uint8 platform, IQuoteVerifier verifier) external onlyOwner {
        _checkPlatform(platform);
        quoteVerifierOf[platform] = verifier;
        emit QuoteVerifierSet(platform, address(verifier));
    }

    /// @notice Names who can deny hardware in an emergency; the zero address means nobody. Owner only.
    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    /// @inheritdoc IEnclaveRegistry
    function denyHardware(uint256 hardwareIdHash) external {
        if (msg.sender != guardian) revert NotAllowed(msg.sender);
        _denyHardware(hardwareIdHash);
    }

    /// @inheritdoc IEnclaveRegistry
    function cancelConsent(uint256 nonce) external {
        if (consentUsed[msg.sender][nonce]) revert ConsentUsed(nonce);
        consentUsed[msg.sender][nonce] = true;
        emit ConsentCancelled(msg.sender, nonce);
    }

    /// Known codes only, and simulated hardware on the development chain only.
    function _checkPlatform(uint8 platform) internal view {
        uint8 kind = platform >= FIRST_SIMULATED_PLATFORM ? platform - FIRST_SIMULATED_PLATFORM : platform;
        // 1 TDX, 2 SEV-SNP, 3 SGX; simulated are 129 TDX and 130 SEV-SNP.
        if (kind == 0 || kind > 3 || (kind == 3 && platform >= FIRST_SIMULATED_PLATFORM)) revert PlatformUnknown(platform);
        if (platform >= FIRST_SIMULATED_PLATFORM && block.chainid != DEVELOPMENT_CHAIN_ID) {
            revert SimulatedPlatformRefused(platform, block.chainid);
        }
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _denyHardware(uint256 hardwareIdHash) internal {
        hardwareDenied[hardwareIdHash] = true;
        emit HardwareDenied(hardwareIdHash, msg.sender);
    }

    /// Marks a quorum of distinct attestors' signatures as used, or reverts.
    /// `content` is the ABI encoding of the type's members before nonce and deadline.
    function _useApprovals(Approval[] calldata approvals, bytes memory content, bytes32 typeHash) internal {
        if (threshold == 0 || approvals.length < threshold) revert QuorumNotReached(approvals.length, threshold);
        if (approvals.length > MAX_ATTESTORS) revert TooManyApprovals(approvals.length);
        address previous = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            Approval calldata approval = approvals[i];
            address attestor = approval.attestor;
            // Strictly ascending, so nobody counts twice.
            if (attestor <= previous) revert ApprovalsNotSorted(attestor);
            previous = attestor;
            if (!isAttestor[attestor]) revert NotAnAttestor(attestor);
            if (block.timestamp > approval.deadline) revert ApprovalExpired(attestor, approval.deadline);
            if (approvalUsed[attestor][approval.nonce]) revert ApprovalUsed(attestor, approval.nonce);
            approvalUsed[attestor][approval.nonce] = true;
            bytes32 digest = _hashTypedDataV4(
                keccak256(bytes.concat(typeHash, content, abi.encode(approval.nonce, approval.deadline)))
            );
            if (!SignatureChecker.isValidSignatureNow(attestor, digest, approval.signature)) {
                revert ApprovalSignatureInvalid(attestor);
            }
        }
    }

    /// The provider's transaction, or its EIP-712 consent, which is used once.
    function _useConsent(
        Consent calldata consent,
        address provider,
        bytes32 keysetDigest,
        Registration calldata registration
    ) internal {
        if (msg.sender == provider) return;
        if (consent.signature.length == 0) revert ConsentMissing(provider);
        if (block.timestamp > consent.deadline) revert ConsentExpired(consent.deadline);
        if (consentUsed[provider][consent.nonce]) revert ConsentUsed(consent.nonce);
        consentUsed[provider][consent.nonce] = true;
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    CONSENT_TYPE,
                    keysetDigest,
                    registration.policyId,
                    registration.hardwareIdHash,
                    registration.platform,
                    registration.expiresAt,
                    consent.nonce,
                    consent.deadline
                )
            )
        );
        if (!SignatureChecker.isValidSignatureNow(provider, digest, consent.signature)) revert ConsentMissing(provider);
    }
}
