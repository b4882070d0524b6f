// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-16.circom, do not edit. Source hash 8fa9e97138691d9d17e7a37a360b13c94f8fca5b6ed5cc8e287403af10c2098f.
pragma solidity ^0.8.37;

import {ISettlementVerifier} from "../interfaces/ISettlementVerifier.sol";

/// @title Settlement16Verifier
/// @notice Verifies Groth16 proofs of circuits/main/settlement-16.circom over BN254. Trusted for: true only if the proof satisfies the pairing
/// equation of the key below. Does not check what the signals mean, nor who made the key.
/// @dev INSECURE DEVELOPMENT KEY: its trapdoor is public, so anyone can forge proofs. For a local chain only.
contract Settlement16Verifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    bool public constant override DEVELOPMENT = true;
    /// @inheritdoc ISettlementVerifier
    bytes32 public constant override VK_HASH = 0x76fe3d571a5accd8291df136820e8dce558b497a3e1f97168c572ccbbba816e0;
    /// @inheritdoc ISettlementVerifier
    uint256 public constant override N = 16;

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
                mstore(add(pairing, 384), 0x1435d766195b7099d9ab9a08715dc5433706ef6cc28457729ae31ac1f6ed82d6)
                mstore(add(pairing, 416), 0x1acd26ba075c3f2b4a229ce532bf4b9d944ced6170edee7c78c27572700de345)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x0d11ac1e78e033e607cfe3dbef9743da203ce8b126c3ce6921dd34c993ea2a57)
                mstore(add(pairing, 480), 0x053a2e647d5609881e05c99247b4a48e8ce68090dfb725f87529984d65b39e42)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x014a205d2e5352e13228263f7b9eb3dd904f826f927d61ee7ffd14cb9b5b388d)
                mstore(add(pairing, 480), 0x053a772580bc87ac4125a8ac95f68740a3c8ef74b848e2532b0373b78a1786d3)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x26f88214f4d22c9fdc96f634daa3dd949bb99fcabf2f30f06692c4f177a94ef0)
                mstore(add(pairing, 480), 0x2c20b675b4038c382e687f6716acfa2c0f602d951f9226f31d1fa31ad6d65e35)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x04d3f0b61991afd3fc110dcbc792da76625c5ff2404e4d2e931d506d17e13643)
                mstore(add(pairing, 480), 0x12d1746a363025adbdfe7b507a66a634dc052e86cf7b1bcb27d065167028655c)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x11f3cae67c88da30753c42b9fd4c55f18862f40bb841589fe507d91b5ab635de)
                mstore(add(pairing, 480), 0x29c4b1cbc9b5bfefeceaa999102d213b054c7da57f034e2b45ecccdb374a887f)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x0274ab710bb1646cf592a445b8527c3450dd760c8e4d8d854e6c7e8f2380f7b7)
                mstore(add(pairing, 480), 0x239c0a9e395d7e848b98fc3fbf7f97f27a9c7ff913b838a2c499a02d80086b87)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x1d3b271a0d412b2f7b9f1ed5653b83900979d14704c3bba47d621fd8e5599b58)
                mstore(add(pairing, 480), 0x05bb9d483380cefbfe686a7f308a386549ca643aab18c6f4d80418894909708c)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x0c55db8950d9396ebf57f39c24ee9dfa5b8a87d520e1967ff60658c1b00025b3)
                mstore(add(pairing, 480), 0x080fe3c6364285532b35306f4d711a9015585345e66b9d0b98acc39d44abdf2b)
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
