// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @notice A Groth16 proof on BN254, G2 coordinates as the pairing precompile takes them (c1 before c0).
struct Proof {
    uint256[2] a;
    uint256[2][2] b;
    uint256[2] c;
}

/// @title The public signals of a settlement: their places and the packing of `payee`.
/// @dev docs/protocol.md section 3. The order is the circuit's.
library SettlementSignals {
    uint256 internal constant COUNT = 8;
    uint256 internal constant ENCLAVE_ROOT = 0;
    uint256 internal constant ORDER_ID = 1;
    uint256 internal constant LANE_OLD = 2;
    uint256 internal constant LANE_NEW = 3;
    uint256 internal constant RECEIPTS_ROOT = 4;
    uint256 internal constant PAYEE = 5;
    uint256 internal constant TOTAL = 6;
    uint256 internal constant DOMAIN = 7;

    /// Order of the BN254 scalar field. A signal of this size or more is an alias of a smaller one.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    uint256 internal constant PAYEE_BITS = 232;

    /// @notice Takes `payee` apart: provider (160 bits), validAt (40 bits) and laneIndex (32 bits).
    /// @dev The caller must have checked that `payee` has at most PAYEE_BITS bits.
    function unpackPayee(uint256 payee) internal pure returns (address provider, uint40 validAt, uint32 laneIndex) {
        return (address(uint160(payee)), uint40(payee >> 160), uint32(payee >> 200));
    }
}
