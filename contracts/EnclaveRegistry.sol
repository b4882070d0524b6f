// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AttestorQuorum} from "./AttestorQuorum.sol";
import {IEnclaveRegistry} from "./interfaces/IEnclaveRegistry.sol";
import {IPoseidon2, IPoseidon5} from "./interfaces/IPoseidon.sol";
import {IQuoteVerifier} from "./interfaces/IQuoteVerifier.sol";
import {BabyJubJub} from "./libraries/BabyJubJub.sol";
import {EnclaveTree} from "./libraries/EnclaveTree.sol";
import {EnclaveTreeZeros} from "./generated/EnclaveTreeZeros.sol";
import {KeysetLayout} from "./libraries/KeysetLayout.sol";

/// @title EnclaveRegistry
/// @notice Trusted for: which keys attestation places inside genuine hardware, as far as the attestor quorum (or an on-chain
/// quote verifier) is. It computes signerId and leaf itself and takes no path from a caller. It does not check evidence bytes
/// on the quorum route: evidenceDigest names them, and every customer verifies them again before sealing.
contract EnclaveRegistry is IEnclaveRegistry, AttestorQuorum {
    using EnclaveTree for EnclaveTree.Tree;

    /// `slot` value for the next unused slot.
    uint16 public constant NEXT_SLOT = type(uint16).max;
    /// How long a superseded root can still be settled against.
    uint256 public constant ROOT_LIFE_SECONDS = 1 hours;
    /// A leaf is payable until an hour after its expiry, and the whole freeze budgets of up to three families: of an order's settlements,
    /// of their successor, of its inferences. Its slot is used again only then.
    uint256 public constant SLOT_REUSE_DELAY_SECONDS = 91 days;
    uint256 public constant MAX_LEAVES_PER_KEYSET = 8;

    uint256 private constant TAG_SIGNER_ID = 8;
    uint256 private constant TAG_LEAF = 14;

    struct Keyset {
        address provider;
        KeysetState state;
        uint8 platform;
        uint8 leafCount;
        uint40 expiresAt;
        uint256 signerId;
        uint256 hardwareIdHash;
        address receiptSigner;
        uint16[MAX_LEAVES_PER_KEYSET] leafIndexes;
    }

    struct Leaf {
        bytes32 keysetDigest;
        uint256 policyId;
        uint40 expiresAt;
        bool removed;
    }

    IPoseidon2 public immutable poseidon2;
    IPoseidon5 public immutable poseidon5;

    mapping(address provider => EnclaveTree.Tree) private _trees;
    mapping(address provider => mapping(uint256 index => Leaf)) private _leaves;
    mapping(bytes32 keysetDigest => Keyset) private _keysets;
    /// Which keyset of the provider first used a receipt key: no second one may, not even after a revocation.
    mapping(address provider => mapping(uint256 signerId => bytes32 keysetDigest)) private _keysetOfSigner;
    mapping(address provider => mapping(uint256 hardwareIdHash => bytes32 keysetDigest)) private _activeKeyset;

    /// @param poseidon2_ Poseidon with a tag and two inputs.
    /// @param poseidon5_ Poseidon with a tag and five inputs.
    constructor(
        address owner_,
        address guardian_,
        IPoseidon2 poseidon2_,
        IPoseidon5 poseidon5_
    ) AttestorQuorum(owner_, guardian_) {
        poseidon2 = poseidon2_;
        poseidon5 = poseidon5_;
        // Known answers: a wrong Poseidon would make every leaf unprovable.
        for (uint256 level = 0; level < EnclaveTree.DEPTH; ++level) {
            uint256 zero = EnclaveTreeZeros.ofLevel(level);
            uint256 parent = poseidon2_.poseidon(EnclaveTree.TAG_NODE, [zero, zero]);
            if (parent != EnclaveTreeZeros.ofLevel(level + 1)) revert PoseidonMismatch();
        }
        uint256[5] memory inputs = [uint256(1), 2, 3, 4, 5];
        if (poseidon5_.poseidon(TAG_LEAF, inputs) != EnclaveTreeZeros.KNOWN_LEAF) revert PoseidonMismatch();
    }

    /// @inheritdoc IEnclaveRegistry
    function register(
        Registration calldata registration,
        Approval[] calldata approvals,
        Consent calldata consent
    ) external returns (uint256 index) {
        KeysetLayout.Fields memory fields = KeysetLayout.parse(registration.keyset);
        bytes memory content = abi.encode(
            fields.provider,
            fields.digest,
            registration.policyId,
            registration.hardwareIdHash,
            registration.platform,
            registration.expiresAt,
            registration.evidenceDigest
        );
        _useApprovals(approvals, content, APPROVAL_TYPE);
        return _register(registration, fields, consent, false);
    }

    /// @inheritdoc IEnclaveRegistry
    function registerWithQuote(
        Registration calldata registration,
        bytes calldata evidence,
        Consent calldata consent
    ) external returns (uint256 index) {
        KeysetLayout.Fields memory fields = KeysetLayout.parse(registration.keyset);
        IQuoteVerifier verifier = quoteVerifierOf[registration.platform];
        if (address(verifier) == address(0)) revert NoQuoteVerifier(registration.platform);
        uint256 shown = verifier.verifyQuote(
            evidence,
            fields.digest,
            registration.policyId,
            registration.platform,
            registration.expiresAt
        );
        if (shown != registration.hardwareIdHash || sha256(evidence) != registration.evidenceDigest) {
            revert HardwareMismatch(fields.digest);
        }
        return _register(registration, fields, consent, true);
    }

    /// @inheritdoc IEnclaveRegistry
    function retire(bytes32 keysetDigest) external {
        Keyset storage keyset = _keysets[keysetDigest];
        if (msg.sender != keyset.provider) revert NotAllowed(msg.sender);
        if (keyset.state != KeysetState.Active) revert KeysetNotActive(keysetDigest, keyset.state);
        _retire(keyset, keysetDigest);
    }

    /// @inheritdoc IEnclaveRegistry
    function revoke(bytes32 keysetDigest) external {
        address provider = _keysets[keysetDigest].provider;
        if (provider == address(0) || msg.sender != provider) revert NotAllowed(msg.sender);
        _revoke(keysetDigest);
    }

    /// @inheritdoc IEnclaveRegistry
    function revokeByQuorum(bytes32 keysetDigest, bool denyHardwareToo, Approval[] calldata approvals) external {
        _useApprovals(approvals, abi.encode(keysetDigest, denyHardwareToo), REVOCATION_TYPE);
        _revoke(keysetDigest);
        if (denyHardwareToo) _denyHardware(_keysets[keysetDigest].hardwareIdHash);
    }

    /// @inheritdoc IEnclaveRegistry
    function rootSupersededAt(address provider, uint256 root) public view returns (uint40) {
        return _trees[provider].supersededAt(root);
    }

    /// @inheritdoc IEnclaveRegistry
    function isLiveRoot(address provider, uint256 root, uint256 frozenSeconds) external view returns (bool) {
        uint256 since = rootSupersededAt(provider, root);
        if (since == 0 || since == EnclaveTree.CURRENT) return since != 0;
        return block.timestamp <= since + ROOT_LIFE_SECONDS + frozenSeconds;
    }

    /// @inheritdoc IEnclaveRegistry
    function rootOf(address provider) public view returns (uint256) {
        uint256 root = _trees[provider].root;
        return root == 0 ? EnclaveTreeZeros.ofLevel(EnclaveTree.DEPTH) : root;
    }

    /// @inheritdoc IEnclaveRegistry
    function slotCountOf(address provider) external view returns (uint256) {
        return _trees[provider].slotCount;
    }

    /// @inheritdoc IEnclaveRegistry
    function leafOf(address provider, uint256 index) public view returns (LeafInfo memory) {
        Leaf storage leaf = _leaves[provider][index];
        return LeafInfo(_trees[provider].node(0, index), leaf.keysetDigest, leaf.policyId, leaf.expiresAt);
    }

    /// @inheritdoc IEnclaveRegistry
    function leafIndexOf(bytes32 keysetDigest, uint256 policyId) public view returns (bool found, uint256 index) {
        Keyset storage keyset = _keysets[keysetDigest];
        uint256 newest = 0;
        for (uint256 i = 0; i < keyset.leafCount; ++i) {
            uint256 slot = keyset.leafIndexes[i];
            Leaf storage leaf = _leaves[keyset.provider][slot];
            if (leaf.keysetDigest != keysetDigest || leaf.removed || leaf.policyId != policyId) continue;
            // A renewed leaf stands beside the older one until that expires.
            if (leaf.expiresAt > newest) (found, index, newest) = (true, slot, leaf.expiresAt);
        }
    }

    /// @inheritdoc IEnclaveRegistry
    function pathOf(
        address provider,
        uint256 index
    ) external view returns (uint256 leaf, uint256[10] memory siblings, uint256 root) {
        EnclaveTree.Tree storage tree = _trees[provider];
        return (tree.node(0, index), tree.path(index), rootOf(provider));
    }

    /// @inheritdoc IEnclaveRegistry
    function enclaveOf(bytes32 keysetDigest) external view returns (EnclaveInfo memory info) {
        Keyset storage keyset = _keysets[keysetDigest];
        info.provider = keyset.provider;
        info.state = keyset.state;
        info.platform = keyset.platform;
        info.simulated = keyset.platform >= FIRST_SIMULATED_PLATFORM;
        info.keysetExpiresAt = keyset.expiresAt;
        info.signerId = keyset.signerId;
        info.hardwareIdHash = keyset.hardwareIdHash;
        info.receiptSigner = keyset.receiptSigner;
        info.leafIndexes = new uint16[](keyset.leafCount);
        for (uint256 i = 0; i < keyset.leafCount; ++i) info.leafIndexes[i] = keyset.leafIndexes[i];
    }

    /// @inheritdoc IEnclaveRegistry
    function activeKeysetOf(address provider, uint256 hardwareIdHash) external view returns (bytes32) {
        return _activeKeyset[provider][hardwareIdHash];
    }

    function _register(
        Registration calldata registration,
        KeysetLayout.Fields memory fields,
        Consent calldata consent,
        bool checkedOnChain
    ) private returns (uint256 index) {
        if (fields.chainId != block.chainid) revert KeysetChainMismatch(fields.chainId, block.chainid);
        if (fields.registry != address(this)) revert KeysetRegistryMismatch(fields.registry);
        _checkExpiry(registration.expiresAt, fields.expiresAt);
        _checkPlatform(registration.platform);
        _useConsent(consent, fields.provider, fields.digest, registration);
        if (registration.policyId >= BabyJubJub.R) revert ValueNotCanonical(registration.policyId);
        if (registration.hardwareIdHash >= BabyJubJub.R) revert ValueNotCanonical(registration.hardwareIdHash);
        if (hardwareDenied[registration.hardwareIdHash]) revert HardwareIsDenied(registration.hardwareIdHash);

        Keyset storage keyset = _keysets[fields.digest];
        if (keyset.state == KeysetState.None) {
            _addKeyset(keyset, registration, fields);
        } else if (keyset.state != KeysetState.Active) {
            revert KeysetNotActive(fields.digest, keyset.state);
        } else if (keyset.platform != registration.platform || keyset.hardwareIdHash != registration.hardwareIdHash) {
            revert HardwareMismatch(fields.digest);
        }
        index = _addLeaf(keyset, registration, fields.digest);
        emit EnclaveRegistered(
            fields.provider,
            fields.digest,
            registration.policyId,
            index,
            _trees[fields.provider].node(0, index),
            keyset.signerId,
            registration.hardwareIdHash,
            registration.platform,
            registration.expiresAt,
            registration.evidenceDigest,
            keyset.receiptSigner,
            fields.runtimeDigest,
            checkedOnChain
        );
    }

    function _checkExpiry(uint40 leafExpiresAt, uint64 keysetExpiresAt) private view {
        if (keysetExpiresAt <= block.timestamp || keysetExpiresAt > type(uint40).max) revert KeysetExpired(keysetExpiresAt);
        if (leafExpiresAt <= block.timestamp || leafExpiresAt > keysetExpiresAt) {
            revert LeafExpiryInvalid(leafExpiresAt, keysetExpiresAt);
        }
    }

    function _addKeyset(Keyset storage keyset, Registration calldata registration, KeysetLayout.Fields memory fields) private {
        if (!BabyJubJub.isPublicKey(fields.receiptKeyX, fields.receiptKeyY)) revert ReceiptKeyInvalid();
        uint256 signerId = poseidon2.poseidon(TAG_SIGNER_ID, [fields.receiptKeyX, fields.receiptKeyY]);
        if (_keysetOfSigner[fields.provider][signerId] != 0) revert SignerReused(signerId);
        _keysetOfSigner[fields.provider][signerId] = fields.digest;

        bytes32 predecessor = _activeKeyset[fields.provider][registration.hardwareIdHash];
        if (predecessor != 0) _retire(_keysets[predecessor], predecessor);
        _activeKeyset[fields.provider][registration.hardwareIdHash] = fields.digest;

        keyset.provider = fields.provider;
        keyset.state = KeysetState.Active;
        keyset.platform = registration.platform;
        keyset.expiresAt = uint40(fields.expiresAt);
        keyset.signerId = signerId;
        keyset.hardwareIdHash = registration.hardwareIdHash;
        keyset.receiptSigner = KeysetLayout.receiptSigner(fields);
    }

    function _addLeaf(
        Keyset storage keyset,
        Registration calldata registration,
        bytes32 keysetDigest
    ) private returns (uint256 index) {
        address provider = keyset.provider;
        (bool exists, uint256 older) = leafIndexOf(keysetDigest, registration.policyId);
        // A later expiry renews the leaf; anything else is a repetition.
        if (exists && _leaves[provider][older].expiresAt >= registration.expiresAt) {
            revert LeafExists(keysetDigest, registration.policyId);
        }
        if (keyset.leafCount == MAX_LEAVES_PER_KEYSET) revert TooManyLeaves(keysetDigest);
        index = _takeSlot(provider, registration.slot);
        keyset.leafIndexes[keyset.leafCount] = uint16(index);
        keyset.leafCount += 1;
        _leaves[provider][index] = Leaf(keysetDigest, registration.policyId, registration.expiresAt, false);
        uint256 leaf = poseidon5.poseidon(
            TAG_LEAF,
            [
                keyset.signerId,
                registration.policyId,
                uint256(uint160(provider)),
                registration.hardwareIdHash,
                registration.expiresAt
            ]
        );
        _setLeaf(provider, index, leaf, true);
    }

    function _takeSlot(address provider, uint16 slot) private returns (uint256) {
        EnclaveTree.Tree storage tree = _trees[provider];
        if (slot == NEXT_SLOT) {
            if (tree.slotCount == EnclaveTree.CAPACITY) revert TreeFull(provider);
            return tree.slotCount++;
        }
        if (slot >= tree.slotCount) revert SlotNotReusable(slot, type(uint256).max);
        Leaf storage leaf = _leaves[provider][slot];
        uint256 reusableAt = leaf.removed ? 0 : leaf.expiresAt + SLOT_REUSE_DELAY_SECONDS;
        if (block.timestamp < reusableAt) revert SlotNotReusable(slot, reusableAt);
        return slot;
    }

    function _setLeaf(address provider, uint256 index, uint256 leaf, bool keepOldRoot) private {
        uint256 root = _trees[provider].setLeaf(poseidon2, index, leaf, keepOldRoot);
        emit LeafSet(provider, index, leaf, root);
    }

    function _retire(Keyset storage keyset, bytes32 keysetDigest) private {
        keyset.state = KeysetState.Retired;
        delete _activeKeyset[keyset.provider][keyset.hardwareIdHash];
        emit EnclaveRetired(keyset.provider, keysetDigest);
    }

    function _revoke(bytes32 keysetDigest) private {
        Keyset storage keyset = _keysets[keysetDigest];
        KeysetState state = keyset.state;
        if (state == KeysetState.None || state == KeysetState.Revoked) revert KeysetNotActive(keysetDigest, state);
        address provider = keyset.provider;
        if (state == KeysetState.Active) delete _activeKeyset[provider][keyset.hardwareIdHash];
        keyset.state = KeysetState.Revoked;
        uint32 epoch = _trees[provider].killRoots();
        emit RootsKilled(provider, epoch);
        for (uint256 i = 0; i < keyset.leafCount; ++i) {
            uint256 index = keyset.leafIndexes[i];
            Leaf storage leaf = _leaves[provider][index];
            // The slot may have gone to another keyset after this leaf expired.
            if (leaf.keysetDigest != keysetDigest || leaf.removed) continue;
            leaf.removed = true;
            _setLeaf(provider, index, 0, false);
        }
        emit EnclaveRevoked(provider, keysetDigest, msg.sender);
    }
}
