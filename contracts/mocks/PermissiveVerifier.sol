// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IProvenSettlementVerifier} from "../interfaces/IProvenSettlementVerifier.sol";
import {ISettlementVerifier} from "../interfaces/ISettlementVerifier.sol";

// solhint-disable func-name-mixedcase

/// @title A verifier double for tests of everything but the proof: it accepts what its switch says.
contract PermissiveVerifier is ISettlementVerifier, IProvenSettlementVerifier {
    bytes32 private immutable _vkHash;
    uint256 private immutable _maxJobs;
    bool private immutable _development;
    bool public accepts = true;

    constructor(bytes32 vkHash, uint256 maxJobs, bool development) {
        _vkHash = vkHash;
        _maxJobs = maxJobs;
        _development = development;
    }

    /// @notice Sets the answer to every proof.
    function setAccepts(bool accepts_) external {
        accepts = accepts_;
    }

    /// @inheritdoc ISettlementVerifier
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[8] calldata
    ) external view returns (bool) {
        return accepts;
    }

    /// @inheritdoc IProvenSettlementVerifier
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[40] calldata
    ) external view returns (bool) {
        return accepts;
    }

    /// @inheritdoc ISettlementVerifier
    function VK_HASH() external view override(ISettlementVerifier, IProvenSettlementVerifier) returns (bytes32) {
        return _vkHash;
    }

    /// @inheritdoc ISettlementVerifier
    function N() external view override(ISettlementVerifier, IProvenSettlementVerifier) returns (uint256) {
        return _maxJobs;
    }

    /// @inheritdoc ISettlementVerifier
    function DEVELOPMENT() external view override(ISettlementVerifier, IProvenSettlementVerifier) returns (bool) {
        return _development;
    }
}
