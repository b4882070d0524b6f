// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-proven-16.circom, do not edit. Source hash 65afd2fc4dcda60404f7bf3f273da87d9e9465f77194a80b26dc04f27bfd1e80.
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
    bytes32 public constant override VK_HASH = 0x747bbfd06b15c4bfa5fc7978380408b7efeaa4d5c7e23574b8d738d77ea469f3;
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
                mstore(add(pairing, 384), 0x13f2b6b8f4e1a6b4c6a6b33306ada0e00d63a2a45ffa691f6f360d0ae553fd8e)
                mstore(add(pairing, 416), 0x174df56d6a0bf47237011186daf965cf7189193743d4b489131b4b3dfc708ff8)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x00f1b322a8046f2690d739cd6f79e762e53b44c927bd8ecffe21650c3989b539)
                mstore(add(pairing, 480), 0x1195d4c4c03674a2558a7e19007b6e7eccfbf23fd8ee3ac18f34e16f2903a3e3)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x11792c2214c83299318c16164f6aed1a6ad1b0a81b96eb245bab44b16cc68693)
                mstore(add(pairing, 480), 0x2a6839e96927c0371714f2bdd38d476275909a0e3851840be3efc40882f9c4f1)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x0f6670172acca0ce115262c4fc93a9c99a51393144bcdc46552c5975bed18c1d)
                mstore(add(pairing, 480), 0x24a9624acedae946c50c1cdec7c45b1febcaf016919c78105c2ffda5c674d465)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x0435335e1c478ff33b54165e65923af773f61c293d9535f6ee4640372488b1c8)
                mstore(add(pairing, 480), 0x0222e434765ca04c18df97f691445ae6a8035d950bc202f7a858db4c6e4e823e)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x2ae87fa606f836c801298e20dca77ab8daa4bd933376fc653440f0bca41f05a6)
                mstore(add(pairing, 480), 0x2963886ffb6b5dfc89e1bdb0a285a3b10d32c9ac70f3589a75000f7fee45775b)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x011664cf954815a38e0b4561189deea76fb4ac6978f031df15e06c198252a9fa)
                mstore(add(pairing, 480), 0x1749aaca4aeef3c15e37b80ebbc5809425984e003107478d316580b6615cebee)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x104b52ed77052e8db2efd233c0685f575fc9b23341653d4727ba8cb06cf6115b)
                mstore(add(pairing, 480), 0x07b10a448330e31e945354e13ab4f2ec223de958973c0f2f15a305bd9709f4da)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x16ef44ab4449b6ce39910bc94eb5201d30a034f0b15e0cdc7444188c99b39967)
                mstore(add(pairing, 480), 0x2677417676fb929b641946b96817811b55fe4c9acb6008f27e968f008ea4f572)
                mstore(add(pairing, 512), calldataload(add(signals, 224)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[8] * IC[9]
                mstore(add(pairing, 448), 0x1fa96cfe5417694f523003fe0fa8d31c66fa45b08624a063717b5a53629421cc)
                mstore(add(pairing, 480), 0x093c63e0c51b29a98375fbb5eeadcbfd2a0f68a6ca7dbae6732328088ab5dd66)
                mstore(add(pairing, 512), calldataload(add(signals, 256)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[9] * IC[10]
                mstore(add(pairing, 448), 0x24ec8aa2142a6c3af45380fd00002dfa6f3663630d6af910ebc9c24436774366)
                mstore(add(pairing, 480), 0x0af2149f08d8b3b83dd07dd500d14f61da11361fbcac1308621b42cffaf0fc22)
                mstore(add(pairing, 512), calldataload(add(signals, 288)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[10] * IC[11]
                mstore(add(pairing, 448), 0x00ea36649dd8b2182b5bf703bf9ebcaaccff796bd193ff3473fe3142a6dcb98b)
                mstore(add(pairing, 480), 0x1a734fc70eb70ebd63588467f3c5ac24b850cfa5992ea4355d8e26384227f436)
                mstore(add(pairing, 512), calldataload(add(signals, 320)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[11] * IC[12]
                mstore(add(pairing, 448), 0x11f351089d4d153bb7ee85aa915a289201d2032f3d9bda6c7d0d3c42d63710f3)
                mstore(add(pairing, 480), 0x29e5b4338479e828f5ab1cbf4eaeacc4e6a1be8c676df8cac30e31333416991a)
                mstore(add(pairing, 512), calldataload(add(signals, 352)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[12] * IC[13]
                mstore(add(pairing, 448), 0x271c166fc317baf48001bc9ba1c196fb746ea8fbdbeaca3a9875dccb70d51309)
                mstore(add(pairing, 480), 0x17a6eceab2f11fd15de42784d8dd7bd22020907fe7cf88e33fd7dc3dac457279)
                mstore(add(pairing, 512), calldataload(add(signals, 384)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[13] * IC[14]
                mstore(add(pairing, 448), 0x169ed7805103b0c718a57ae74608b5dee918affa790bff621dc1950708e14ce3)
                mstore(add(pairing, 480), 0x1f4918b21d516dd3210de173c6864494a7593d6ca704b1b8ade7c263a8ad5f7e)
                mstore(add(pairing, 512), calldataload(add(signals, 416)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[14] * IC[15]
                mstore(add(pairing, 448), 0x1da69a0d663274d352aac0fa9285b2e1ced00f891ad215015640ad3989f89ce1)
                mstore(add(pairing, 480), 0x10f830c4b00072eb52ffc887abc5860866a77a2e4b85e379581ba9cff758bf51)
                mstore(add(pairing, 512), calldataload(add(signals, 448)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[15] * IC[16]
                mstore(add(pairing, 448), 0x08ab992bf5d95a9f3220db47792126053c628ea096e5409203b5795defa2cff9)
                mstore(add(pairing, 480), 0x0899224c196e4a74ef6e5eb255a5ea641206806bc848c486373fed6daf7ceb73)
                mstore(add(pairing, 512), calldataload(add(signals, 480)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[16] * IC[17]
                mstore(add(pairing, 448), 0x0ae933e87287ab685b5286dac5593e6f79ad7606c02b8067580187c6e66d787f)
                mstore(add(pairing, 480), 0x2acc6b4f053f085557cd1170b7b40778b44ab1c73cc609a2af04e1bfb989bb0b)
                mstore(add(pairing, 512), calldataload(add(signals, 512)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[17] * IC[18]
                mstore(add(pairing, 448), 0x07cf195765fa7243cd20fc002b292c37934b7a5019b464e553721da8a76ada23)
                mstore(add(pairing, 480), 0x0309024f25df6d9890e8a076130f478a47a25b1e6afa154423d0f265a3da44dc)
                mstore(add(pairing, 512), calldataload(add(signals, 544)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[18] * IC[19]
                mstore(add(pairing, 448), 0x2218d44a15699f275828f7dfa1fd21ca21bf17e660bcbddfb303b86548a6f3a9)
                mstore(add(pairing, 480), 0x22c6837d63b0252202cdf3d972c1c7ae83a6b9570dfc932426a85a6e443fcc19)
                mstore(add(pairing, 512), calldataload(add(signals, 576)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[19] * IC[20]
                mstore(add(pairing, 448), 0x1b7dbc1c91cdf3b2ee06c4dc6d22597d86535fbcc71b7c6fc69f25c63ad21f1d)
                mstore(add(pairing, 480), 0x25bb1c3f7f7d40532549d8be3fa48e88e969ec6ff5b3371fa5bcd096fcad8005)
                mstore(add(pairing, 512), calldataload(add(signals, 608)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[20] * IC[21]
                mstore(add(pairing, 448), 0x0f0005aa8b1f7ef3dfe727d8ab6f01fb51bfcd16677dd283c6252e539bfa7eca)
                mstore(add(pairing, 480), 0x0ca48e6a1a2738d84e666a094b731d67bc6f3dfc3847fc629ec57607fea47735)
                mstore(add(pairing, 512), calldataload(add(signals, 640)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[21] * IC[22]
                mstore(add(pairing, 448), 0x20da7013e82e809ea519a9342875a06f73d203512f3e630dbe5ab97875b3c1ec)
                mstore(add(pairing, 480), 0x21d61835acf7d89d180ae5e9bad5ff5ec6349e69a129f6830c5bbb44a7abe618)
                mstore(add(pairing, 512), calldataload(add(signals, 672)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[22] * IC[23]
                mstore(add(pairing, 448), 0x1a3c3544760a70f4901db631c91966cde77f268bec9774f4a873204c8fee4ad2)
                mstore(add(pairing, 480), 0x2fcff7d333ba42fa3c4abbdd3c68eb1186cabfdfd7ccbc13169bebfaf553e84e)
                mstore(add(pairing, 512), calldataload(add(signals, 704)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[23] * IC[24]
                mstore(add(pairing, 448), 0x05461b976076aa67ed7e72a89e07bbcfcadaab87a1ba7b7b5eb949f73c05f242)
                mstore(add(pairing, 480), 0x2e23a5960bbb7279c112a708dde69440f8348831fe8fa376f6588f5b31adc719)
                mstore(add(pairing, 512), calldataload(add(signals, 736)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[24] * IC[25]
                mstore(add(pairing, 448), 0x2cdde01148cbc7a78872fc19d5e4d83357b7c9863228bff8d3c24895246981e7)
                mstore(add(pairing, 480), 0x26e9e2452dfef4249abe506f0eaa1cebc64d7f986a6db0d7abd432adecb89492)
                mstore(add(pairing, 512), calldataload(add(signals, 768)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[25] * IC[26]
                mstore(add(pairing, 448), 0x06641268f84a4200a8c5068104f450e6bab2613503ad42951129be0c3e13d8f3)
                mstore(add(pairing, 480), 0x1083955fb750702b804c87fadcc909fe91ecebf56670afd757bbd6a9ebcdb5eb)
                mstore(add(pairing, 512), calldataload(add(signals, 800)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[26] * IC[27]
                mstore(add(pairing, 448), 0x13100dd31c27b644088b1ced158c07939dc50e73146009f07366b960b1003d56)
                mstore(add(pairing, 480), 0x1098c462a0cccde8465350e504d249239c8042d23a10c5f434b1215abed8aa45)
                mstore(add(pairing, 512), calldataload(add(signals, 832)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[27] * IC[28]
                mstore(add(pairing, 448), 0x1815587f8f8c0fdb299b4142b67042196c053b3653d29548255ebd7363342a1d)
                mstore(add(pairing, 480), 0x120717cf57d9f0c81f0a77487da70b3e51115911f8ea6d7c91a3919e28a33854)
                mstore(add(pairing, 512), calldataload(add(signals, 864)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[28] * IC[29]
                mstore(add(pairing, 448), 0x06cc125a2bee847d5e4fcc9acf554c6b0329ec026915228ed48768462eb6806a)
                mstore(add(pairing, 480), 0x07598537b4c7457146ec0d8258a6ebc7823e391ce0bf71edc72a5e87b14213b3)
                mstore(add(pairing, 512), calldataload(add(signals, 896)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[29] * IC[30]
                mstore(add(pairing, 448), 0x0d656b0a5ad1c5d9fd57cade7924505ec5bc70d540b70fce21894ebb24d2f7a1)
                mstore(add(pairing, 480), 0x213dce89aaf946c8de1e5944f4ab9d6452acc673e9a100576a5f3b48a455dfae)
                mstore(add(pairing, 512), calldataload(add(signals, 928)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[30] * IC[31]
                mstore(add(pairing, 448), 0x1de4023c7180354f038795ae458d4ebce57c0049403f94f58e8960e6b5294b9c)
                mstore(add(pairing, 480), 0x0b5ec7e167f8307c8885516307f125ccb00210f1348aa80cd31234017ee4b79f)
                mstore(add(pairing, 512), calldataload(add(signals, 960)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[31] * IC[32]
                mstore(add(pairing, 448), 0x1ac4d06e964ef4538cf3141f1f9398c3d70f5923ae031ca1aac6e89a67880290)
                mstore(add(pairing, 480), 0x2603cc54655abf3711e87b681bfa630c10cf543657570583827f1aaf2bd72f6b)
                mstore(add(pairing, 512), calldataload(add(signals, 992)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[32] * IC[33]
                mstore(add(pairing, 448), 0x3007fb6290bc75f5d035bbcde4b3c7d1db68d6141d73552543fca977ba5a7c91)
                mstore(add(pairing, 480), 0x0844c0e81b1c29c789ec808b83b910ebcbb26d3119893d57f3a77ea20262aa63)
                mstore(add(pairing, 512), calldataload(add(signals, 1024)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[33] * IC[34]
                mstore(add(pairing, 448), 0x1f6c3ff56959b19e24fcd4849e5cde2d3398fd609d617bad85f93970662935c4)
                mstore(add(pairing, 480), 0x1caacf81d968db0c94f84a37d449ae90aabf66e2dc35c5b16ffda596f6fbf09d)
                mstore(add(pairing, 512), calldataload(add(signals, 1056)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[34] * IC[35]
                mstore(add(pairing, 448), 0x25c64d4e7d029e67580a3d1474f5e2924218830fadf92db69010013b5ac0e365)
                mstore(add(pairing, 480), 0x29bdbc5eb9db60ef1355581254052dddc18a40f5d05b53d0bb33e7327012145f)
                mstore(add(pairing, 512), calldataload(add(signals, 1088)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[35] * IC[36]
                mstore(add(pairing, 448), 0x298ccdd40fb29fa70445b12b45174358e2914be1436678d9bedb174ff6638820)
                mstore(add(pairing, 480), 0x0e934a86eed40dd02cf7cebcb53f2f4b399eb980b6d00072bb8cb47cabbb42a7)
                mstore(add(pairing, 512), calldataload(add(signals, 1120)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[36] * IC[37]
                mstore(add(pairing, 448), 0x230ed199ad44c887a4ae512ec784bc29ea3458fa6ca116d6c401b8fedf82be4e)
                mstore(add(pairing, 480), 0x1f6870691684fcca52c140f39bca7909eb2daa142dd9f88ead018128d10b5792)
                mstore(add(pairing, 512), calldataload(add(signals, 1152)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[37] * IC[38]
                mstore(add(pairing, 448), 0x0733f7950ce01208c29649450f5c976b2061982559f95afb58678db67b7c8211)
                mstore(add(pairing, 480), 0x1b84e0f94023e13012b69823120ec2b5612e2af6b41d12400d920f2a08757347)
                mstore(add(pairing, 512), calldataload(add(signals, 1184)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[38] * IC[39]
                mstore(add(pairing, 448), 0x2425ccf5bd96b8186515b9f66705647ffff0059d2ec89747346b6bfde367311f)
                mstore(add(pairing, 480), 0x03f80d2ca4b3592f00c14d98b96d00b8501fe9e7b01ac7522cf604be3ca7d2fc)
                mstore(add(pairing, 512), calldataload(add(signals, 1216)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[39] * IC[40]
                mstore(add(pairing, 448), 0x1f5a3eb11d9dd9097c36660534786072b9121e5c82730e31a000e0de21f45d8d)
                mstore(add(pairing, 480), 0x25c79a8f8acf5e2868942e982f70fb3a9dfd336845c927851fae24ffba13797e)
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
