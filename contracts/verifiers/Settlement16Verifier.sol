// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-16.circom, do not edit. Source hash fbd8af8db01d2b66289532e5d68c8b30ae2ff830ed1d3d192c9eb13e2ebb2318.
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
    bytes32 public constant override VK_HASH = 0x4315710fbf19cbd4c49fc498e7b355cf33cb657a1ca30edbf4115567d5fdecb3;
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
                mstore(add(pairing, 384), 0x2a7f5edf5f808af512fcbf9e5dd4882792a3a23c5d4e75dbd552a587a6b8add8)
                mstore(add(pairing, 416), 0x19b2bb3e45856e3926bc3e8d9e85273db71e1f628bcb563b4e118668b8ee1f99)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x2bdd35fe7df5f8d656f0c17c8345b4335b0a0c07c5f48e8ca9293b1229ded365)
                mstore(add(pairing, 480), 0x2646f059e83a671557a87ed0eaf1f4f65f411c4d74e65fb5732c0d35d1a79a01)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x28a2066cedbdb29c05decdb8d6aab97af391f14f8dea1b9eaa470f4096f120f1)
                mstore(add(pairing, 480), 0x2e896999b466e8420e228302b91b3fa27e91b32b6611d62b169fd0b0f55b1fc4)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x25d4685c9de70cc23642dad32fbcb52cd790576a127c2468da6129aeeb9dd68e)
                mstore(add(pairing, 480), 0x1493aa63ef2e29a803589c11a8e9e9c0ab9229a7b4a7e28191aa1c64d456e177)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x1c71a8fabb405c63fca60e7428923c08efc5e1a395529b83eb58c19684e444e8)
                mstore(add(pairing, 480), 0x11175eaa43f491a97f4acb2fe069f4bce96ba85388fd8484e859414f0ac92d3a)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x0545192e533a274e96108672ab02591d287a8020d3882a7b251ff3b04e0a38bc)
                mstore(add(pairing, 480), 0x2d551aa7f9c48439c06774053d8f7723685a956b1579b9c4b99ac4354b434f33)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x286cbc27b07dfe59e05bdea2b4c0129fcbc212ee4bf8633451fc9f1f16daae81)
                mstore(add(pairing, 480), 0x07a675961da082e52de1d317a38903d0b719cd7bd5f7608345aa3b5ceea81ab3)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x1d3c5698f3f08f8ea22ba873b76dda25522d68b32182ae506018404a91531208)
                mstore(add(pairing, 480), 0x13dbc674e7dffd14f697c68d7e8ae024a093fbf951f5d8ad0a3406c2bedd5dbd)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x0a6872d36557db57cb46ebaf61d2fea0445806018602f2edc67f64ec543851bd)
                mstore(add(pairing, 480), 0x2efa12f12fbc43a5ecd16d919b65be0bc5f03ca49247adfe2cd461f97b11ae44)
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
