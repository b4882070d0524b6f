// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";

/// @title The verification key of a compiled model: 640 bytes, checked point by point, kept as the code of a contract.
/// @notice alpha1 (64), beta2, gamma2, delta2 (128 each), IC0, IC1, IC2 (64 each); coordinates as 32-byte big-endian words, those of
/// G2 as x.c1, x.c0, y.c1, y.c0. Says nothing of who made the key.
library VerificationKey {
    uint256 internal constant BYTES = 640;
    uint256 private constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// The code that deploys what follows it: a zero byte (STOP, so that nobody can run a key) and the key.
    bytes private constant CREATION = hex"61028180600a3d393df300";

    /// @notice Reverts unless the key has its length, every word is below q, every point is on its curve, in its subgroup and not at
    /// infinity, and gamma differs from delta.
    /// @dev A point at infinity in IC would leave a commitment unbound; gamma = delta is a key that anybody can forge for.
    function check(bytes calldata key) internal view {
        if (key.length != BYTES) revert IModelRegistry.ModelKeyLength(key.length);
        // Points by offset: alpha, beta, gamma, delta, IC0, IC1, IC2.
        uint256[7] memory offsets = [uint256(0), 64, 192, 320, 448, 512, 576];
        for (uint256 i = 0; i < 7; ++i) {
            bool second = i >= 1 && i <= 3;
            bytes calldata point = key[offsets[i]:offsets[i] + (second ? 128 : 64)];
            if (!_isPoint(point, second)) revert IModelRegistry.ModelKeyPoint(i);
        }
        if (keccak256(key[192:320]) == keccak256(key[320:448])) revert IModelRegistry.ModelKeyForgeable();
    }

    /// @notice Writes the key as the code of a new contract.
    function write(bytes calldata key) internal returns (address target) {
        bytes memory creation = bytes.concat(CREATION, key);
        assembly ("memory-safe") {
            target := create(0, add(creation, 32), mload(creation))
        }
        // 641 bytes of code: deployment only fails when the caller's gas ends.
        if (target.code.length != BYTES + 1) revert IModelRegistry.ModelKeyLength(target.code.length);
    }

    /// The precompiles refuse what is not on the curve, and for G2 what is outside the subgroup.
    function _isPoint(bytes calldata point, bool second) private view returns (bool ok) {
        uint256 any = 0;
        for (uint256 i = 0; i < point.length; i += 32) {
            uint256 word = uint256(bytes32(point[i:i + 32]));
            if (word >= Q) return false;
            any |= word;
        }
        if (any == 0) return false;
        // G1: added to infinity. G2: paired with infinity, which is 1 for every good point.
        (address target, bytes memory input) = second
            ? (address(8), bytes.concat(new bytes(64), point))
            : (address(6), bytes.concat(point, new bytes(64)));
        // Enough for either precompile; one that fails uses up what it is given.
        (ok, ) = target.staticcall{gas: 120_000}(input);
    }
}
