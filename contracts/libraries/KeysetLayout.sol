// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title The fixed binary layout of a keyset, docs/protocol.md section 4.
/// @notice Reads structure only; the registry decides what the values must be.
library KeysetLayout {
    uint256 internal constant LENGTH = 1442;
    bytes8 internal constant MAGIC = "STUNKS01";
    bytes2 internal constant KEM_X_WING = 0x647a;

    /// The secp256k1 base field, y^2 = x^3 + 7.
    uint256 private constant SECP256K1_P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    /// @notice The fields that the registry needs. `digest` is sha256 of the whole layout.
    struct Fields {
        bytes32 digest;
        uint64 chainId;
        address registry;
        address provider;
        uint256 receiptKeyX;
        uint256 receiptKeyY;
        uint256 secp256k1X;
        uint256 secp256k1Y;
        bytes32 runtimeDigest;
        uint64 expiresAt;
    }

    error KeysetLength(uint256 expected, uint256 actual);
    error KeysetMagic(bytes8 actual);
    error KeysetKem(bytes2 actual);
    error KeysetSecp256k1KeyInvalid();

    /// @notice Parses a keyset. All integers are big-endian.
    function parse(bytes calldata keyset) internal pure returns (Fields memory fields) {
        if (keyset.length != LENGTH) revert KeysetLength(LENGTH, keyset.length);
        if (bytes8(keyset[0:8]) != MAGIC) revert KeysetMagic(bytes8(keyset[0:8]));
        if (bytes2(keyset[56:58]) != KEM_X_WING) revert KeysetKem(bytes2(keyset[56:58]));
        fields.digest = sha256(keyset);
        fields.chainId = uint64(bytes8(keyset[8:16]));
        fields.registry = address(bytes20(keyset[16:36]));
        fields.provider = address(bytes20(keyset[36:56]));
        fields.receiptKeyX = uint256(bytes32(keyset[1274:1306]));
        fields.receiptKeyY = uint256(bytes32(keyset[1306:1338]));
        fields.secp256k1X = uint256(bytes32(keyset[1338:1370]));
        fields.secp256k1Y = uint256(bytes32(keyset[1370:1402]));
        fields.runtimeDigest = bytes32(keyset[1402:1434]);
        fields.expiresAt = uint64(bytes8(keyset[1434:1442]));
        if (!_onSecp256k1(fields.secp256k1X, fields.secp256k1Y)) revert KeysetSecp256k1KeyInvalid();
    }

    /// @notice The Ethereum address of the keyset's secp256k1 receipt key.
    function receiptSigner(Fields memory fields) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(fields.secp256k1X, fields.secp256k1Y)))));
    }

    /// The curve has prime order and no point with y = 0, so every point on it but infinity is a valid key.
    function _onSecp256k1(uint256 x, uint256 y) private pure returns (bool) {
        if (x >= SECP256K1_P || y >= SECP256K1_P) return false;
        uint256 cube = mulmod(mulmod(x, x, SECP256K1_P), x, SECP256K1_P);
        return mulmod(y, y, SECP256K1_P) == addmod(cube, 7, SECP256K1_P);
    }
}
