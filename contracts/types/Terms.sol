// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @notice Everything about an order that is fixed when it opens and public. ABI-encoded in this order inside the domain.
struct Terms {
    /// 0 attested, 1 challengeable, 2 proven.
    uint8 assurance;
    /// 0 for attested.
    uint256 publicModelId;
    bytes32 settlementFamily;
    /// 0 for attested.
    bytes32 inferenceFamily;
    /// Jobs per segment, 1..N of the settlement family.
    uint32 segmentLength;
    /// Fee in hundredths of a per cent of each credit.
    uint16 feeBps;
    /// Token units per price unit, more than 0.
    uint128 priceScale;
    uint40 challengeWindowSeconds;
    uint40 answerPeriodSeconds;
    uint128 bond;
    uint128 slash;
    address challenger;
}

/// @title Order identity: the key and the domain of an order.
/// @dev docs/protocol.md section 3.
library OrderIdentity {
    bytes32 internal constant DOMAIN_TAG = keccak256("stun/order/v1");

    /// @notice The key of an order. It contains the funder, so nobody can take another's key.
    function orderKey(address funder, uint256 orderId) internal pure returns (bytes32) {
        return keccak256(abi.encode(funder, orderId));
    }

    /// @notice The domain of an order: chain, contract, funder, token and terms in 248 bits.
    function domainOf(address escrow, address funder, address token, Terms calldata terms) internal view returns (uint256) {
        return uint256(keccak256(abi.encode(DOMAIN_TAG, block.chainid, escrow, funder, token, terms))) >> 8;
    }
}
