// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-proven-16.circom, do not edit. Source hash 282a1967a52e6223683b1408a5658f50f6332bd4951e032cada0fce67d072688.
pragma solidity ^0.8.37;

import {IProvenSettlementVerifier} from "../interfaces/IProvenSettlementVerifier.sol";

/// @title SettlementProven16Verifier
/// @notice Verifies Groth16 proofs of circuits/main/settlement-proven-16.circom over BN254. Trusted for: true only if the proof satisfies the pairing
/// equation of the key below. Does not check what the signals mean, nor who made the key.
/// @dev INSECURE DEVELOPMENT KEY: its trapdoor is public, so anyone can forge proofs. For a local chain only.
contract SettlementProven16Verifier is IProvenSettlementVerifier {
    /// @inheritdoc IProvenSettlementVerifier
    bool public constant override DEVELOPMENT = true;
    /// @inheritdoc IProvenSettlementVerifier
    bytes32 public constant override VK_HASH = 0x41dba4eca8ea53f20e7b8bf7d960988b3f4d50d7291435304cf01b8d8627eb1f;
    /// @inheritdoc IProvenSettlementVerifier
    uint256 public constant override N = 16;

    /// @inheritdoc IProvenSettlementVerifier
    /// @dev Never reverts on bad input; a signal of r or more and a coordinate of q or more are answered with false.
    /// b is taken as (c1, c0) per coordinate; signals are enclaveRoot, orderId, laneOld, laneNew, receiptsRoot, payee, total, domain, publishedInput[0..15], publishedOutput[0..15].
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[40] calldata signals
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
            ok := and(ok, lt(calldataload(add(signals, 256)), r))
            ok := and(ok, lt(calldataload(add(signals, 288)), r))
            ok := and(ok, lt(calldataload(add(signals, 320)), r))
            ok := and(ok, lt(calldataload(add(signals, 352)), r))
            ok := and(ok, lt(calldataload(add(signals, 384)), r))
            ok := and(ok, lt(calldataload(add(signals, 416)), r))
            ok := and(ok, lt(calldataload(add(signals, 448)), r))
            ok := and(ok, lt(calldataload(add(signals, 480)), r))
            ok := and(ok, lt(calldataload(add(signals, 512)), r))
            ok := and(ok, lt(calldataload(add(signals, 544)), r))
            ok := and(ok, lt(calldataload(add(signals, 576)), r))
            ok := and(ok, lt(calldataload(add(signals, 608)), r))
            ok := and(ok, lt(calldataload(add(signals, 640)), r))
            ok := and(ok, lt(calldataload(add(signals, 672)), r))
            ok := and(ok, lt(calldataload(add(signals, 704)), r))
            ok := and(ok, lt(calldataload(add(signals, 736)), r))
            ok := and(ok, lt(calldataload(add(signals, 768)), r))
            ok := and(ok, lt(calldataload(add(signals, 800)), r))
            ok := and(ok, lt(calldataload(add(signals, 832)), r))
            ok := and(ok, lt(calldataload(add(signals, 864)), r))
            ok := and(ok, lt(calldataload(add(signals, 896)), r))
            ok := and(ok, lt(calldataload(add(signals, 928)), r))
            ok := and(ok, lt(calldataload(add(signals, 960)), r))
            ok := and(ok, lt(calldataload(add(signals, 992)), r))
            ok := and(ok, lt(calldataload(add(signals, 1024)), r))
            ok := and(ok, lt(calldataload(add(signals, 1056)), r))
            ok := and(ok, lt(calldataload(add(signals, 1088)), r))
            ok := and(ok, lt(calldataload(add(signals, 1120)), r))
            ok := and(ok, lt(calldataload(add(signals, 1152)), r))
            ok := and(ok, lt(calldataload(add(signals, 1184)), r))
            ok := and(ok, lt(calldataload(add(signals, 1216)), r))
            ok := and(ok, lt(calldataload(add(signals, 1248)), r))
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
                mstore(add(pairing, 384), 0x2e6fd56503c66cfca6b1f4094b16db27b7289667a032454d5e31976bfbaaab57)
                mstore(add(pairing, 416), 0x0c2e20f29a2fbee32c37620e11e291c955422ee83b18785f2150d242fc4b4606)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x1bd6a6b7da0cb3932cb3dc60c6a0009a8795fee14969b8b8c32c3f8240f50117)
                mstore(add(pairing, 480), 0x14c8749c7559853e26be9dc9b6b4104ba658aad7bd61e7a97cf918408460bfe2)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x1095fe81e665382c050934ffcafed06354f0f98e33f57d46d710f26ad9c40e68)
                mstore(add(pairing, 480), 0x17868bb2361c216343a26623a8a0cdf21634478dd57adf8e6a6d464d4492a8b7)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x19945ac1129665b0e776a95188453287b0146ab4bcc4cea9e1ecd46797acafb8)
                mstore(add(pairing, 480), 0x223fbbc057be3df520d3209dbda2c17b4aec3b58dc23d8fd9a8f82073a5937eb)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x1854f95c7d34565d588a2d6fa9e62feb66d34bb953ec23af6c185aad696b5d8b)
                mstore(add(pairing, 480), 0x267c9acffd03df83bb07185d0d13e664df0f49956ef73afa0769bab530535981)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x04098b9d388b370f45c38eb106ca073565abc2544e96a8972e57e2989046ae64)
                mstore(add(pairing, 480), 0x29b2988d0f90a31e59a88fafa72e8e99553e703f1ae91bff7a4050938ba8d18f)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x035d6453b0316a62bda66a8a419d240dff35759649ea4b46bb62b732527d2b11)
                mstore(add(pairing, 480), 0x10ca6d15dcb3e963fa5a4630f487fc4e3468f45cdc01a1c68e761abb4c4c20d1)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x27e5de3550f2511b580833803d67b386f57491329cc8be830f57cfcad00aee70)
                mstore(add(pairing, 480), 0x08ce6740b1f85b150cf0d62b1482fa4a09779d8486c08834f6a811f2dd93f738)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x2efd4bcbacc97b7409c803ea463e141ca58351802900009979a3613ed4766457)
                mstore(add(pairing, 480), 0x15d05dc80c538601f59e5798e0dd6c2203d5474c39bc01e8aa2dc99561d1cf0e)
                mstore(add(pairing, 512), calldataload(add(signals, 224)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[8] * IC[9]
                mstore(add(pairing, 448), 0x2466358d6a32241bb93c2affa033d3ba3a7d4a7f6668b2d390626f4d44e7a653)
                mstore(add(pairing, 480), 0x11bdf715899baf0e934fb4812988a20444254209720d7274cdf1ea188cdef7e7)
                mstore(add(pairing, 512), calldataload(add(signals, 256)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[9] * IC[10]
                mstore(add(pairing, 448), 0x17bcb2f64a77351588bb30a2f4f070f8bc1ce785cc658ec3bf7e1270fbae6047)
                mstore(add(pairing, 480), 0x1c13e411563ea922f1fb6b4f7cc62629365cb06bd2ffacc22c4688ec9b64abb2)
                mstore(add(pairing, 512), calldataload(add(signals, 288)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[10] * IC[11]
                mstore(add(pairing, 448), 0x0786c1f07c9a8ce8576799b3d3e70327aae63831211fe4f7659eed74f8270e70)
                mstore(add(pairing, 480), 0x1901b74a4f6bd687310ee410babf82d6b37d5a94505c264c4338195bfcbe7430)
                mstore(add(pairing, 512), calldataload(add(signals, 320)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[11] * IC[12]
                mstore(add(pairing, 448), 0x1325a8a3c484eb9cfb54705b4ac8649e1c5cbe2a818d85ea102f6e7c798084cd)
                mstore(add(pairing, 480), 0x3010911d7ede88d5aadbcd6bba24dd6353f15e66ea4c42d2f19d6f8bda8c79bf)
                mstore(add(pairing, 512), calldataload(add(signals, 352)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[12] * IC[13]
                mstore(add(pairing, 448), 0x018c1c5c4c5421c311ba5de6c18e19637a469ae10b98dd79dfb79c7fbb87b343)
                mstore(add(pairing, 480), 0x2ecb36ed3e492bfa6a021b603716422826e32f01504344ebfdc58f242b269f0e)
                mstore(add(pairing, 512), calldataload(add(signals, 384)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[13] * IC[14]
                mstore(add(pairing, 448), 0x1ef000022f8330491a5cdf1cf14586defaacb91055b996a647897f8cc075ece0)
                mstore(add(pairing, 480), 0x076750dac7285320aad73a049b1c4314d98edae8a7b8c61ce74aac0c52a73b6c)
                mstore(add(pairing, 512), calldataload(add(signals, 416)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[14] * IC[15]
                mstore(add(pairing, 448), 0x1cdcb5d1cef65d590ec8bf2fbdcd0b7dcf6fced0721fac9a22c1e152149592c4)
                mstore(add(pairing, 480), 0x109a60c1d6ba0fd264a3d1b58c6da283d5ccd0f02209f6ebc90a5867c41be6b0)
                mstore(add(pairing, 512), calldataload(add(signals, 448)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[15] * IC[16]
                mstore(add(pairing, 448), 0x296bacd1c9322013794e06fe0f528e4ff940631744c3345200fbef27e1b934a7)
                mstore(add(pairing, 480), 0x03ca6f0a905cccfb150cdf90701d6c5804a34e66a0d52d35dbc939de25f5c406)
                mstore(add(pairing, 512), calldataload(add(signals, 480)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[16] * IC[17]
                mstore(add(pairing, 448), 0x0932a13d86015a7b1ea9937e96a2faba40242ba19865abf68625205da743f39d)
                mstore(add(pairing, 480), 0x1d11ca3f5a94dd45e0825d4680771dc1406272d498a87ac47e4e28b9798ba890)
                mstore(add(pairing, 512), calldataload(add(signals, 512)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[17] * IC[18]
                mstore(add(pairing, 448), 0x1ba027d93569f8ed6a3b57cb8dceb84bb82808c879a99eb64ded8272ed4752d2)
                mstore(add(pairing, 480), 0x261db3fa75888713c29c84c93c65d3d3d28a7ef9d726bc4cc92d42055037d310)
                mstore(add(pairing, 512), calldataload(add(signals, 544)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[18] * IC[19]
                mstore(add(pairing, 448), 0x06bbf58df7b4cc239aa3ca26faab46208b8c48393915f910ecc9579350f86b50)
                mstore(add(pairing, 480), 0x259844319ce33f6c0c540a15e0b8bee4827dee0aa5e089f28980130b16aead81)
                mstore(add(pairing, 512), calldataload(add(signals, 576)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[19] * IC[20]
                mstore(add(pairing, 448), 0x03b6c0a7ea9f9a5fd0ba1deaa3b9ed48b0cdea56433bb327c17d670bc1bd3011)
                mstore(add(pairing, 480), 0x2b10566ec3d7ab8abecb10920ad265f33e2eda3696c9716758ca71219f73e756)
                mstore(add(pairing, 512), calldataload(add(signals, 608)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[20] * IC[21]
                mstore(add(pairing, 448), 0x1b14f76b96b836ce6a2f8a78442bd9322b92a2bf86f124a57f2b22bef6cdf77c)
                mstore(add(pairing, 480), 0x1da25b3252b8d16292e466c951c856e086a366c6b1346de54dc8dfab3aa3572a)
                mstore(add(pairing, 512), calldataload(add(signals, 640)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[21] * IC[22]
                mstore(add(pairing, 448), 0x194a25cdfc2e148c7b7d037099ee05a2342085546962c3d27fa033720f712288)
                mstore(add(pairing, 480), 0x2a17b9d5ec36967e0ee4c2e1628a496eea33b1d1ea3551b89aef0248fec95ce9)
                mstore(add(pairing, 512), calldataload(add(signals, 672)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[22] * IC[23]
                mstore(add(pairing, 448), 0x2b8c057362e64eaa9a1ad9f159662d346f3122fb961512abe8474d762ffcd4ec)
                mstore(add(pairing, 480), 0x038072c2d2a4d4524e4b0a2e25cbdfa0b6b44363118d0bfc71270938a0779fbf)
                mstore(add(pairing, 512), calldataload(add(signals, 704)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[23] * IC[24]
                mstore(add(pairing, 448), 0x2e77b7898c53c379f1273cea19233716dd8bbadfeab208a30b9f485721dec1d6)
                mstore(add(pairing, 480), 0x02786b6702935e61f41de563086df599ca499753de27478489778e03dfc6d5e9)
                mstore(add(pairing, 512), calldataload(add(signals, 736)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[24] * IC[25]
                mstore(add(pairing, 448), 0x073b5ef83a4dd806f3e672800cd3616db94031627184f9ba2f9f75aceccd0c9d)
                mstore(add(pairing, 480), 0x1f5a08176c7f30ffa24ee50532528e68529e8daf4607c82afb7f130736d47a99)
                mstore(add(pairing, 512), calldataload(add(signals, 768)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[25] * IC[26]
                mstore(add(pairing, 448), 0x0a4485213ffd2edde5ce9dd3312d7233a2aa01fb70d31c62f62d5230c575b55b)
                mstore(add(pairing, 480), 0x0be78e443232e88b0bfbe882024aea7721413d7d95e93d7566b6cecbe9de5dca)
                mstore(add(pairing, 512), calldataload(add(signals, 800)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[26] * IC[27]
                mstore(add(pairing, 448), 0x2376218bbb25b197bb227a3e6276f8ea7d2cdbb8f9fe0d4b07831c66cb0e9aff)
                mstore(add(pairing, 480), 0x013c722f96f1fb2a2aa86ba312b2afc2dd1a8bc8e53fa43a9a1289baa1f2dc01)
                mstore(add(pairing, 512), calldataload(add(signals, 832)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[27] * IC[28]
                mstore(add(pairing, 448), 0x296fa1fe0f5fe92d4a4b6ae2a244f288019277a9491837e39ee48744bacd55ae)
                mstore(add(pairing, 480), 0x01ab9f80bbdf5a93c2182d8e19e48074449239eed1bd6f928fa7f346e047309d)
                mstore(add(pairing, 512), calldataload(add(signals, 864)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[28] * IC[29]
                mstore(add(pairing, 448), 0x0a9242e900e311fcee1fb79c7e4726d9497a3caabfd5eb173a15c4837d87976b)
                mstore(add(pairing, 480), 0x09a5ff6061e626f4145456ed75b5e435986cd55379543f5f1a0321b259bbc587)
                mstore(add(pairing, 512), calldataload(add(signals, 896)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[29] * IC[30]
                mstore(add(pairing, 448), 0x1bd809cec487c5eca44dd6e6a14deca9c2ccadaf3c09119c915c011480566284)
                mstore(add(pairing, 480), 0x19b57d1f0e99711a30bbe5a84bcf1de5443d58a770d4b1276de7559fde876125)
                mstore(add(pairing, 512), calldataload(add(signals, 928)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[30] * IC[31]
                mstore(add(pairing, 448), 0x0421113327d0439c5dba806cba927dd7610e6c583b20023aaaf78069a58acb3b)
                mstore(add(pairing, 480), 0x07f1f2f88ff8eac2aa162fc55951f633d16eef7ed9e3d38467bdfa9697db0db2)
                mstore(add(pairing, 512), calldataload(add(signals, 960)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[31] * IC[32]
                mstore(add(pairing, 448), 0x0f2c4f5a408db5f306a498bbd71b3c0885f6fd57a2debe660d5c15704e52e287)
                mstore(add(pairing, 480), 0x0fd4bf6d39ff32cbfb9d5a3ddf4bd4718ef0a8910a7e7dc7c987868fe38429f4)
                mstore(add(pairing, 512), calldataload(add(signals, 992)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[32] * IC[33]
                mstore(add(pairing, 448), 0x1bda409b65692f9004b79693ef59e78fc05d1dd1b68a14bb18ad4b9e413f711c)
                mstore(add(pairing, 480), 0x27579af9cd30814fb792d6f1ea9704be2db5d02382768a143af726de2b431d6e)
                mstore(add(pairing, 512), calldataload(add(signals, 1024)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[33] * IC[34]
                mstore(add(pairing, 448), 0x069b65097b6424e893c8dffb66c8a6eaf80391c1af67c41d4cabe368530da305)
                mstore(add(pairing, 480), 0x0f0ce741d2cae3291d6a6d1fb09e1cbd9bff851bba1e93a0608915e8cbb33242)
                mstore(add(pairing, 512), calldataload(add(signals, 1056)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[34] * IC[35]
                mstore(add(pairing, 448), 0x0f09dda9413694a7765057adad261586e1d8edbafb426f9a285adfb17f0799fa)
                mstore(add(pairing, 480), 0x2f17b0ae328875a41e68a68c99d24dd9092973fa05f6c5bbd85e0e1f18ff2915)
                mstore(add(pairing, 512), calldataload(add(signals, 1088)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[35] * IC[36]
                mstore(add(pairing, 448), 0x26a354850243c4e7a247cbf4b10333d13fcc3a805e7523527a05ef6e4f387d03)
                mstore(add(pairing, 480), 0x0c965ec736d81fd1ff785affcd1cfee659a07bf231bad32fc63eb3571c27fda2)
                mstore(add(pairing, 512), calldataload(add(signals, 1120)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[36] * IC[37]
                mstore(add(pairing, 448), 0x27cde4eaa6fd4442006d616fe12adb5756f8f4b15602ed0d0ff0ac14ed1baded)
                mstore(add(pairing, 480), 0x213fe2d68f6458a99a5fbf281c3961bd8d1c0af7c40cf9415eae2ae5b0b178a4)
                mstore(add(pairing, 512), calldataload(add(signals, 1152)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[37] * IC[38]
                mstore(add(pairing, 448), 0x0784531cd5ac61ee8015900177fc06729282e2d6b3fad51587b2e43c065c268f)
                mstore(add(pairing, 480), 0x230589b29bdee7f692f167775feb11f3d1de54042e56dd3407ba87ab80835da5)
                mstore(add(pairing, 512), calldataload(add(signals, 1184)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[38] * IC[39]
                mstore(add(pairing, 448), 0x1598335c27a4132f56924d263ecedf6ffb8bbac10033fb54a980e27ec65e88b3)
                mstore(add(pairing, 480), 0x03ade71029b3e72b7bc642981a04f46a6650e4f0fb912c31ec88570689a89cc2)
                mstore(add(pairing, 512), calldataload(add(signals, 1216)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[39] * IC[40]
                mstore(add(pairing, 448), 0x03bbd5de83ee3e597e21e49b8d0fc11908b1a6e21ea637ccba60393cd2c0b842)
                mstore(add(pairing, 480), 0x04dc6fbfe4b89576f48fab45802fe52f2cbd2259043a658b000b6f7e8070d5d1)
                mstore(add(pairing, 512), calldataload(add(signals, 1248)))
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
