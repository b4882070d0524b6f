// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IPoseidon2} from "../interfaces/IPoseidon.sol";
import {EnclaveTreeZeros} from "../generated/EnclaveTreeZeros.sol";

/// @title A provider's tree of enclave leaves, depth 10, with root history by time.
/// @dev Nodes are stored so that any leaf can change without a path from the caller. A stored 0 means the empty subtree.
library EnclaveTree {
    uint256 internal constant DEPTH = 10;
    uint256 internal constant CAPACITY = 1 << DEPTH;
    uint256 internal constant TAG_NODE = 15;
    uint40 internal constant CURRENT = type(uint40).max;

    struct RootRecord {
        uint32 epoch;
        uint40 supersededAt;
    }

    struct Tree {
        /// 0 until the first leaf.
        uint256 root;
        /// Rises with every revocation; root records of earlier epochs are dead.
        uint32 epoch;
        uint16 slotCount;
        mapping(uint256 levelAndIndex => uint256 node) nodes;
        mapping(uint256 root => RootRecord) history;
    }

    /// @notice Sets a leaf and recomputes its path. With `keepOldRoot` the previous root stays live for its time.
    function setLeaf(
        Tree storage tree,
        IPoseidon2 poseidon,
        uint256 index,
        uint256 leaf,
        bool keepOldRoot
    ) internal returns (uint256 root) {
        uint256 oldRoot = tree.root;
        if (keepOldRoot && oldRoot != 0) tree.history[oldRoot] = RootRecord(tree.epoch, uint40(block.timestamp));
        root = leaf;
        tree.nodes[_key(0, index)] = leaf;
        for (uint256 level = 0; level < DEPTH; ++level) {
            uint256 sibling = node(tree, level, index ^ 1);
            // A revoked leaf is the empty subtree of level 0, which is 0.
            root = index & 1 == 0 ? poseidon.poseidon(TAG_NODE, [root, sibling]) : poseidon.poseidon(TAG_NODE, [sibling, root]);
            index >>= 1;
            if (level + 1 < DEPTH) tree.nodes[_key(level + 1, index)] = root;
        }
        tree.root = root;
    }

    /// @notice Makes every root up to now dead.
    function killRoots(Tree storage tree) internal returns (uint32 epoch) {
        epoch = ++tree.epoch;
    }

    /// @notice See IEnclaveRegistry.rootSupersededAt.
    function supersededAt(Tree storage tree, uint256 root) internal view returns (uint40) {
        if (root == 0) return 0;
        if (tree.root == root) return CURRENT;
        RootRecord memory record = tree.history[root];
        return record.epoch == tree.epoch ? record.supersededAt : 0;
    }

    /// @notice A node, the empty subtree's hash where nothing was stored.
    function node(Tree storage tree, uint256 level, uint256 index) internal view returns (uint256 value) {
        value = tree.nodes[_key(level, index)];
        if (value == 0) value = EnclaveTreeZeros.ofLevel(level);
    }

    /// @notice The path of a slot under the current root, lowest level first.
    function path(Tree storage tree, uint256 index) internal view returns (uint256[10] memory siblings) {
        for (uint256 level = 0; level < DEPTH; ++level) {
            siblings[level] = node(tree, level, index ^ 1);
            index >>= 1;
        }
    }

    function _key(uint256 level, uint256 index) private pure returns (uint256) {
        return (level << 16) | index;
    }
}
