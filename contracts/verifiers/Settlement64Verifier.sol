// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-64.circom, do not edit. Source hash 0c94bfd32068602effc7e682339d640e35b94978cfbf491a6dd0244ed32f5e81.
pragma solidity ^0.8.37;

import {ISettlementVerifier} from "../interfaces/ISettlementVerifier.sol";

/// @title Settlement64Verifier
/// @notice Verifies Groth16 proofs of circuits/main/settlement-64.circom over BN254. Trusted for: true only if the proof satisfies the pairing
/// equation of the key below. Does not check what the signals mean, nor who made the key.
/// @dev INSECURE DEVELOPMENT KEY: its trapdoor is public, so anyone can forge proofs. For a local chain only.
contract Settlement64Verifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    bool public constant override DEVELOPMENT = true;
    /// @inheritdoc ISettlementVerifier
    bytes32 public constant override VK_HASH = 0xa84ff42b2ac5cc8efc583a87b3345271f54755c73f21a6ddedf0297e720aadf8;
    /// @inheritdoc ISettlementVerifier
    uint256 public constant override N = 64;

    /// @inheritdoc ISettlementVerifier
    /// @dev Never reverts on bad input; a signal of r or more and a coordinate of q or more are answered with false.
    /// b is taken as (c1, c0) per coordinate; signals are enclaveRoot, orderId, laneOld, laneNew, receiptsRoot, payee, total, domain.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[8] calldata signals
    ) external view override returns (bool valid) {
        // Assembly: the precompiles take packed words, and copying them through Solidity arrays would double the overhead.
        // Memory behind the free pointer is scratch; nothing allocated is touched.
        assembly ("memory-safe") {
            let q := 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            let pairing := mload(0x40)

            // Canonical signals and coordinates. A precompile would refuse a large coordinate itself, -A would not.
            let ok := lt(calldataload(signals), r)
            ok := and(ok, lt(calldataload(add(signals, 32)), r))
            ok := and(ok, lt(calldataload(add(signals, 64)), r))
            ok := and(ok, lt(calldataload(add(signals, 96)), r))
            ok := and(ok, lt(calldataload(add(signals, 128)), r))
            ok := and(ok, lt(calldataload(add(signals, 160)), r))
            ok := and(ok, lt(calldataload(add(signals, 192)), r))
            ok := and(ok, lt(calldataload(add(signals, 224)), r))
            ok := and(ok, lt(calldataload(a), q))
            ok := and(ok, lt(calldataload(add(a, 32)), q))
            ok := and(ok, lt(calldataload(add(b, 0)), q))
            ok := and(ok, lt(calldataload(add(b, 32)), q))
            ok := and(ok, lt(calldataload(add(b, 64)), q))
            ok := and(ok, lt(calldataload(add(b, 96)), q))
            ok := and(ok, lt(calldataload(c), q))
            ok := and(ok, lt(calldataload(add(c, 32)), q))

            if ok {
                // vk_x = IC[0] + sum of signals[i] * IC[i + 1]
                mstore(add(pairing, 384), 0x224a46239da593ce726009f42a382a2893deba07a4a942f4362befd7ed27c76c)
                mstore(add(pairing, 416), 0x2c200be30a2dc73bdc3eb1d4693d9d613bcc03ab094f362e93d3ac9a320a42b1)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x1d3ce524f06bb4ff0ce00e155d2ff9f5e5279c42e091df2883e055873eea43e5)
                mstore(add(pairing, 480), 0x0bfa1e7be39ba9992fd74a30c03ede2fa0a7c563be9b37b6d9ffe85770436338)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x019f803914f8b7c329bcd4497d12d3c97c6402d76915adbba2cba3aa0eebcb67)
                mstore(add(pairing, 480), 0x24aa17eea63b2f118fd39df645fc4fadaf185ed5077c5e32c6afaab497837610)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x18eaa444d071a03e56f30344b19ebaa53cb0a42a926b9abcbbf9f344c8f7c3bd)
                mstore(add(pairing, 480), 0x16514b6eb45a070335dea46b5c8156617c0f140ef61b32089d406a57011b6331)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x2a58ffeea6e63fd8482a8629041f057001d2a8542a859619bc2a804816faa044)
                mstore(add(pairing, 480), 0x18f33f55bbf058584d5aaa7b2a7c5d5731f835ec6b525abbbed7c06631d3b72c)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x2c4c088ca8a72ab2a71c8f954fa7603ff09ba37ca1cc16aa2966c17dd132f04d)
                mstore(add(pairing, 480), 0x158bf94c09622f9b817373bfe83d2ba0e17030fe07e8ea57e8f2a985f60eb5d4)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x117bf2541541a07c512ce28eb7846a6606198a1faa16237afba15dd1ff10946d)
                mstore(add(pairing, 480), 0x1e6dfb8b2ce35e9f65f0422e52ecb01ce99406ae5ff846240006d898cb312c41)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x0376cc51431c7d65b50a0836e2cd3129bc30f9428310de3a5c4ca374e994f546)
                mstore(add(pairing, 480), 0x045ff8a156d07612619a200078b4ff9a0458154c496dfae592a4338f7388d20a)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x0ee49f250c13cacd5579bdea65e2070dbe90a45dcf47466eea7b58c64346e4d7)
                mstore(add(pairing, 480), 0x28f0a7d311f65fe23209af7fc4ea385d5adebb4a80c32ff7dac335856ac4ba66)
                mstore(add(pairing, 512), calldataload(add(signals, 224)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))

                // e(-A, B) * e(alpha, beta) * e(vk_x, gamma) * e(C, delta) = 1
                mstore(pairing, calldataload(a))
                mstore(add(pairing, 32), mod(sub(q, calldataload(add(a, 32))), q))
                calldatacopy(add(pairing, 64), b, 128)
                mstore(add(pairing, 192), 0x11520ef97543ba583e4edc66ae81b6061af2ba9b6bd437570d8555b4bb0d4018)
                mstore(add(pairing, 224), 0x21ea9612034b8fdde71eda1f1cf6b1f87f3f0a82fc85914d35d58b47b19dc2bf)
                mstore(add(pairing, 256), 0x246d03f7c2832a76003b06fe01aaf6d89bf52418cb0f056449bad3df20a6f3cd)
                mstore(add(pairing, 288), 0x082160933062d5226617aad4cde13797f5422687bff3b8683f1469845c48ab00)
                mstore(add(pairing, 320), 0x1ff898eab16ed024f828da158563856228bdacbee454e53167b11e8024ffc80f)
                mstore(add(pairing, 352), 0x0956c9ac0fb5535519fa23026614e2f2e569c37a66b9cf4453bb5b5ba0135262)
                mstore(add(pairing, 448), 0x066e8ef3defd44aff2e1ae9a308a97b969e19538c3e33389f84144431dd8f01f)
                mstore(add(pairing, 480), 0x08c1eee6abe2ee25598287080871e2f41a24c709e74eb776374f5dde1b68ccbe)
                mstore(add(pairing, 512), 0x0e7a8947ef98ff2e093aa612fa68ca1ba2d29e48fb82d3da9a2bd1c900b54f5d)
                mstore(add(pairing, 544), 0x1596c8ca020679cc9feafa23f1684deab891c73ec2f0b09df9e698b95520569e)
                calldatacopy(add(pairing, 576), c, 64)
                mstore(add(pairing, 640), 0x26cda2d03366a453d869d8baede68a2171a74b5c5f750c4029685100ad9ce257)
                mstore(add(pairing, 672), 0x2afc198287742ae9d1d23367f8eb61686846cad528ea7b6992f1beeadb3c6069)
                mstore(add(pairing, 704), 0x127098829336c2b1fcf07b52328482faf607db85b3941c06385b0dd7d7eb406a)
                mstore(add(pairing, 736), 0x1ecf13ac91fed3842ef9bbeb52a3b4f99e91f919a106029e1982005ac9982a8f)
                ok := and(ok, staticcall(gas(), 8, pairing, 768, 0, 32))
                valid := and(ok, eq(mload(0), 1))
            }
        }
    }
}
