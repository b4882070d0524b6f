// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-256.circom, do not edit. Source hash 8ec1c2e3f5004d14923bc5494822fbbbc163f597a19ca4c3b2293dc402ba25d4.
pragma solidity ^0.8.37;

import {ISettlementVerifier} from "../interfaces/ISettlementVerifier.sol";

/// @title Settlement256Verifier
/// @notice Verifies Groth16 proofs of circuits/main/settlement-256.circom over BN254. Trusted for: true only if the proof satisfies the pairing
/// equation of the key below. Does not check what the signals mean, nor who made the key.
/// @dev INSECURE DEVELOPMENT KEY: its trapdoor is public, so anyone can forge proofs. For a local chain only.
contract Settlement256Verifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    bool public constant override DEVELOPMENT = true;
    /// @inheritdoc ISettlementVerifier
    bytes32 public constant override VK_HASH = 0x75098744df5be452f70a8c46fe61515f7b03813584830a3ec08910779a067f67;
    /// @inheritdoc ISettlementVerifier
    uint256 public constant override N = 256;

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
                mstore(add(pairing, 384), 0x1c4c558699a67721d078e7bfd97c4956fac6130ab4c8369de84c6a8f181e1fc0)
                mstore(add(pairing, 416), 0x0e651f2e5263e90205f641b83aafc32cd9843aef40a9c6cb19e7d36acd56747e)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x081adda405ee4ceacafbc10ec242e2550fadf5c90041d5a1465f4f4669c047d2)
                mstore(add(pairing, 480), 0x26b32372eee620c2980df5111a067714f51fe890605af5c8cb56c1988e19c42a)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x092b73f360f637e3ed173f4b4f9065be1e746bd14b65d196c973548eeedb88a1)
                mstore(add(pairing, 480), 0x1d09dc5ddaa1b6a74f8d919abd939b734154a8f3fb443f0d67372bf928ac589c)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x06df72100b652865d75a821c0fc798e75fb60366a94ddb9d5bc3130c4c4a6ca0)
                mstore(add(pairing, 480), 0x025d69ec826a9f35d30ad31eae7105ac9ab08aea910347375b370747501ff9a4)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x18585ebac7a3124bb4502a9ae0bcd3c9cd2008f8aedc57502ba6359e16e2719f)
                mstore(add(pairing, 480), 0x0ab3e5ee336b712c7db5a18619818f554f812a3268d9a716e10c4b9d73f9ca09)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x0e607307f06468e0325d06ebfda6428e666563e7bfa06a358280534cb3c4510f)
                mstore(add(pairing, 480), 0x0c91cfff5ae2230d9735fbc54149075bbbaae78a8357d130b8ecceddd07478fa)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x09a7c08ffee80a287e9049e89cdddfdb4d690e9b912d298533ddb34760e2aa6f)
                mstore(add(pairing, 480), 0x14a4fe3de676877e168f67725b92db2fd96ecf8177de3f61074e252ff67dac86)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x0c93fa3f57ec1ee38007f2e88f3680821bece9afe8cfa47b9785f1ca4eb448f4)
                mstore(add(pairing, 480), 0x1e3c3aafae30cc499d54c7d9d4180b298f9019d74eeb98f7f586919d6a48e47d)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x0259b6104eca49cf578373365410c7c04f5031143cc4f599f15aa15875be882b)
                mstore(add(pairing, 480), 0x01dc3c1f98559ed331a1ae4a0fc0b2efbd22dacad95e9754eb71a2f0cce4d0f5)
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
