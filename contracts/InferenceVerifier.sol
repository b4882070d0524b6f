// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {Proof} from "./types/Settlement.sol";

/// @title InferenceVerifier
/// @notice Trusted for: true only if the proof satisfies the pairing equation of the key in the code of `key`. One contract for all
/// compiled models, each of which has two public signals. Does not check the points of the key: ModelRegistry did before it wrote
/// them. Holds nothing and has no owner.
contract InferenceVerifier is IInferenceVerifier {
    /// @inheritdoc IInferenceVerifier
    function verifyProof(
        address key,
        Proof calldata proof,
        uint256 inputCommitment,
        uint256 outputCommitment
    ) external view returns (bool valid) {
        // Assembly: the precompiles take packed words. Memory behind the free pointer is scratch; nothing allocated is touched.
        assembly ("memory-safe") {
            let q := 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            let pairing := mload(0x40)
            // The key: alpha 0, beta 64, gamma 192, delta 320, IC 448, 512, 576.
            let words := add(pairing, 768)
            let scratch := add(words, 640)

            let ok := eq(extcodesize(key), 641)
            ok := and(ok, and(lt(inputCommitment, r), lt(outputCommitment, r)))
            // Canonical coordinates. A precompile would refuse a large coordinate itself, -A would not.
            for {
                let offset := 0
            } lt(offset, 256) {
                offset := add(offset, 32)
            } {
                ok := and(ok, lt(calldataload(add(proof, offset)), q))
            }

            if ok {
                extcodecopy(key, words, 1, 640)
                // vk_x = IC[0] + inputCommitment * IC[1] + outputCommitment * IC[2]
                mcopy(add(pairing, 384), add(words, 448), 64)
                mcopy(scratch, add(words, 512), 64)
                mstore(add(scratch, 64), inputCommitment)
                ok := and(ok, staticcall(gas(), 7, scratch, 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                mcopy(scratch, add(words, 576), 64)
                mstore(add(scratch, 64), outputCommitment)
                ok := and(ok, staticcall(gas(), 7, scratch, 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))

                // e(-A, B) * e(alpha, beta) * e(vk_x, gamma) * e(C, delta) = 1
                mstore(pairing, calldataload(proof))
                mstore(add(pairing, 32), mod(sub(q, calldataload(add(proof, 32))), q))
                calldatacopy(add(pairing, 64), add(proof, 64), 128)
                mcopy(add(pairing, 192), words, 192)
                mcopy(add(pairing, 448), add(words, 192), 128)
                calldatacopy(add(pairing, 576), add(proof, 192), 64)
                mcopy(add(pairing, 640), add(words, 320), 128)
                ok := and(ok, staticcall(gas(), 8, pairing, 768, 0, 32))
                valid := and(ok, eq(mload(0), 1))
            }
        }
    }
}
