// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from circuits/main/settlement-proven-16.circom, do not edit. Source hash ece8a7d0f61fb6654d1badc1ef6a28406e62648270d2133f145b51e2cfa27d31.
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
    bytes32 public constant override VK_HASH = 0xff7aafb9f2f73cc87b72dd703238119b8a4cb9d82da2e9dce039a47d1f75fe6d;
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
                mstore(add(pairing, 384), 0x16e30cdfa3086ddb8425d459a0be646c5d8cb93ba459b3a01220a01b546a14c8)
                mstore(add(pairing, 416), 0x03afd7f2ce5917cb4bfca22f56eb1da9fa89a1f69534e52bbb82922c66cab0c4)
                // + signals[0] * IC[1]
                mstore(add(pairing, 448), 0x04de3934b017fde650114378d126dcdf7659ffd1a3ef6ff33f01b38605146ed5)
                mstore(add(pairing, 480), 0x1bfc1a1a86a0ef6fe9f5517e5472ddf3acf5cf9e26f1a67dc5b180c37b670457)
                mstore(add(pairing, 512), calldataload(add(signals, 0)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[1] * IC[2]
                mstore(add(pairing, 448), 0x13c7f1fa4f6973d00136cd608faba88a2a7855a7d9385fbb4e1e87de47ac86f7)
                mstore(add(pairing, 480), 0x2fe3adebfcaa31036ae9d72526f6ce679a8d44e214b4356f230e5e2523cf7cc4)
                mstore(add(pairing, 512), calldataload(add(signals, 32)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[2] * IC[3]
                mstore(add(pairing, 448), 0x143506d7f9e97999267da3a70b84896d70bf774c79aaebe3256ff2766f5b101a)
                mstore(add(pairing, 480), 0x29401a7a01d125f07d51484c66ac605fbbbcced9277fa91d4dedde9d3a4f3756)
                mstore(add(pairing, 512), calldataload(add(signals, 64)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[3] * IC[4]
                mstore(add(pairing, 448), 0x0eaa614e3b2b795991fcc11ac9c4b5f9809e3b4ee22fe7b552c4a4464d2fd38b)
                mstore(add(pairing, 480), 0x1179736a2f09210dda4c22196969cd6ea39c69812482596238eec7fe381b906d)
                mstore(add(pairing, 512), calldataload(add(signals, 96)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[4] * IC[5]
                mstore(add(pairing, 448), 0x10a78e77ce884e832d02e08a68e54ea7d1e85477d4242bdaaad458a7aa1a7eef)
                mstore(add(pairing, 480), 0x27fb76d9e490555bfc33a5ee2b50fb5c6df60abf149fe1084f44e7a9e6c8fa63)
                mstore(add(pairing, 512), calldataload(add(signals, 128)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[5] * IC[6]
                mstore(add(pairing, 448), 0x2d6d538e25cd0e2c586773f8cff02b0ec3909effb48c71b00f595badeded186b)
                mstore(add(pairing, 480), 0x1d1c746b624275d1e0812656ee554351c2f2ea8d881cf8ff0ab5edbe2cbbcc14)
                mstore(add(pairing, 512), calldataload(add(signals, 160)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[6] * IC[7]
                mstore(add(pairing, 448), 0x0cf48266f4a3fb0c5af930c9730ef6e84370c062bdc9311a725d6c1a660a5079)
                mstore(add(pairing, 480), 0x2d0ee9b92c34bbea5dec81d5539151e8ae356957deac6be265b7954590deb057)
                mstore(add(pairing, 512), calldataload(add(signals, 192)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[7] * IC[8]
                mstore(add(pairing, 448), 0x2ededab5d2c21ff363b6539c73c8b5a4bb01f36c3187aef14cf8753d74b98517)
                mstore(add(pairing, 480), 0x20f90b4a27afdbbd4d1e4f48ae39b76f71c2e25e2afcac5b5374df93bcb789f7)
                mstore(add(pairing, 512), calldataload(add(signals, 224)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[8] * IC[9]
                mstore(add(pairing, 448), 0x16c3b24875323ff92651ab1484b1bee018c30c45e6eefc9c9eefe6d8d6a00cf2)
                mstore(add(pairing, 480), 0x2e70d5b5dc0e7833740943ca15f7f70aad72fd3e30df943d5145c8baa9cde68f)
                mstore(add(pairing, 512), calldataload(add(signals, 256)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[9] * IC[10]
                mstore(add(pairing, 448), 0x0983aec9eb12841b91bd92def14b74ff47c4b7ee7c7f412b4bdf2be78fa1d2a1)
                mstore(add(pairing, 480), 0x0aaabf78001209c087aedee5961b9b7be537392e8b357ba7d3b63422bf8b9e80)
                mstore(add(pairing, 512), calldataload(add(signals, 288)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[10] * IC[11]
                mstore(add(pairing, 448), 0x027a9f3e1bb4728211769248d2aa2f2d88e9290ce818a11b611ff495318d9d0f)
                mstore(add(pairing, 480), 0x050273ff29a8f5c40f39de5dcbeb4d90529124170e625e1a341b09548cf5751e)
                mstore(add(pairing, 512), calldataload(add(signals, 320)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[11] * IC[12]
                mstore(add(pairing, 448), 0x0e22155acfdf487349f9656e4e370593ac93ddd1f3cca5c9cadcda374597c2b5)
                mstore(add(pairing, 480), 0x2bcc6b94967f1a061b4c8ea5c43e6c9f486d1aea42396824c42951b405776c00)
                mstore(add(pairing, 512), calldataload(add(signals, 352)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[12] * IC[13]
                mstore(add(pairing, 448), 0x13ab3208882e72482d6b9d649bff6d1d3796fe160eb6d467fa0d20acfdface01)
                mstore(add(pairing, 480), 0x252f994a1d228324f64f1ebc4d263d55d46992d110972b5df9b26bc37669c6fc)
                mstore(add(pairing, 512), calldataload(add(signals, 384)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[13] * IC[14]
                mstore(add(pairing, 448), 0x2d835ee918665e2b3bb7b3ab25c4ab95924f1e70ae20b2e78365fd5c4c4aeada)
                mstore(add(pairing, 480), 0x0f08a903c7a53ab9769b5a18a1cbebd87f1c08c6fe98ceb9c88f5bed25ed384f)
                mstore(add(pairing, 512), calldataload(add(signals, 416)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[14] * IC[15]
                mstore(add(pairing, 448), 0x1b3d95ed92d396e23ef7bbf213f61e7bbb4d519cf536822c28cedaa9d6b3b58b)
                mstore(add(pairing, 480), 0x08b7ff7e30dc671a45a373ff32faaedd38c2385b3f21ba1f4999730d6fc4dc02)
                mstore(add(pairing, 512), calldataload(add(signals, 448)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[15] * IC[16]
                mstore(add(pairing, 448), 0x0e7201df35ffeb84bf0e0e103d9b3de517825874bcb92611f9ffc1aac63313b2)
                mstore(add(pairing, 480), 0x02bceec4138069a119e9548430511debb0ebd7995bda83cf0d492f7db8389b6d)
                mstore(add(pairing, 512), calldataload(add(signals, 480)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[16] * IC[17]
                mstore(add(pairing, 448), 0x1d711df06461c656350dd5c576c046673a97e69da3d8e6784d15b03f16c6b023)
                mstore(add(pairing, 480), 0x06471d14a65dd401270976e201989e45572307337e7cc14e422297ef07075a3b)
                mstore(add(pairing, 512), calldataload(add(signals, 512)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[17] * IC[18]
                mstore(add(pairing, 448), 0x1365819573581edd69ecefb04fb1376b18d51187c32e188b7ca74457ef9bce8e)
                mstore(add(pairing, 480), 0x00063023cfeef4569a96a978c6e6c8595cd271ea6f483abb83e9fe2b4f596325)
                mstore(add(pairing, 512), calldataload(add(signals, 544)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[18] * IC[19]
                mstore(add(pairing, 448), 0x16c41b38ef1575e35469efd3be4b3d928ec968475a5f55ff26cd3b5f67abb134)
                mstore(add(pairing, 480), 0x11c9424a1d64de40262510a2490ac89940787dd4f3ae46ed5518f7afcfa05fdd)
                mstore(add(pairing, 512), calldataload(add(signals, 576)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[19] * IC[20]
                mstore(add(pairing, 448), 0x0b615d38c0233a857c43be644ba1a5fbb0ea35a2adbce92ff70d78ab5c2e0b8b)
                mstore(add(pairing, 480), 0x02ae84a40c36b973cc29680aec5e2dfc3eda3caed84c6a0e120b14ef0b693ab6)
                mstore(add(pairing, 512), calldataload(add(signals, 608)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[20] * IC[21]
                mstore(add(pairing, 448), 0x17349629eba64e36817cfd3c55d5902cac4ac23e9e3d209c2d453e7a15180c77)
                mstore(add(pairing, 480), 0x2a331c3b2c782541c2123ebf32b36d6e7e3bfeae503f93e0c4cc57de80919026)
                mstore(add(pairing, 512), calldataload(add(signals, 640)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[21] * IC[22]
                mstore(add(pairing, 448), 0x2aa0397eced68620db617f30c17e8681336e386e512af652dd12432df018d671)
                mstore(add(pairing, 480), 0x28463f6352d5650fc24a51e771851105ca112ce76ba8a61d3de87f8c4d11b82a)
                mstore(add(pairing, 512), calldataload(add(signals, 672)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[22] * IC[23]
                mstore(add(pairing, 448), 0x01002eb8adbd1aea6ac5d4dfbe6dd943510afff1b0ad281e24dbb026b84fb5cd)
                mstore(add(pairing, 480), 0x26a4b0ed0121e69a9907778ab4fd33fbb5b918d553c1ecfa9beb050c254aca6c)
                mstore(add(pairing, 512), calldataload(add(signals, 704)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[23] * IC[24]
                mstore(add(pairing, 448), 0x18b6420a697c2ad431ab26234f029da074e23648c91095e9e43c72289ee413d0)
                mstore(add(pairing, 480), 0x2de27a623bba9340d812cadb21a43ea5d8b5b28c0a07a7b48d8bbc20ada1eadc)
                mstore(add(pairing, 512), calldataload(add(signals, 736)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[24] * IC[25]
                mstore(add(pairing, 448), 0x019bd928a572b4f779ffb8753dfd7b039b62a499d6337f3dcd6099e5bef9e387)
                mstore(add(pairing, 480), 0x077305ebea0f9e5cfe4e5d03a0b7e85d78b6e8404215637802f0027ff09b42d3)
                mstore(add(pairing, 512), calldataload(add(signals, 768)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[25] * IC[26]
                mstore(add(pairing, 448), 0x1ff9162e267df1697a9e97092f0ef254b445e19291fea1ad28c0fa18216cbee4)
                mstore(add(pairing, 480), 0x0cb86ac40e15e58fe072d668beb7e5b3c9064d8fba1e448723aeb0e93f0338bd)
                mstore(add(pairing, 512), calldataload(add(signals, 800)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[26] * IC[27]
                mstore(add(pairing, 448), 0x1971692cd35a9677f0d9024575fb46eee50e7248f91d703c1972744ad25d7e36)
                mstore(add(pairing, 480), 0x24088143d176e4c72c1c5bd18e78c09b7f1f29a319dde9ffa62048cda57ae245)
                mstore(add(pairing, 512), calldataload(add(signals, 832)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[27] * IC[28]
                mstore(add(pairing, 448), 0x04d84e733e61ac2cf196d38b5d562d1c1e462e2169f08c836c647f2b8b8b3847)
                mstore(add(pairing, 480), 0x1567b6f674a66e9cde2610fe5f8e5709b4df8d0fdb7354d97fcef4690157c2ef)
                mstore(add(pairing, 512), calldataload(add(signals, 864)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[28] * IC[29]
                mstore(add(pairing, 448), 0x060200210c6f62cbbd8d2ac87091980a6bf4cef57be6496a7437ee065a5c8b86)
                mstore(add(pairing, 480), 0x1c843dd623b7b3ba91057f1f2d3215ac5fb9e12eff3706730acd8cd019f31f6b)
                mstore(add(pairing, 512), calldataload(add(signals, 896)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[29] * IC[30]
                mstore(add(pairing, 448), 0x24e5825871e9e4a404883c64b924fdcbebafacb0b22d1529484d0ad032ec841e)
                mstore(add(pairing, 480), 0x092e71960d79e004bcb7ce58f6b7c12621bbc06bb1d0b0b4a2d4d60675d49179)
                mstore(add(pairing, 512), calldataload(add(signals, 928)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[30] * IC[31]
                mstore(add(pairing, 448), 0x24beac209689b1de7327808f862dff4591ba22e80f0b612a7eeb6f71f873b060)
                mstore(add(pairing, 480), 0x2d4db5d7f0311e547a9357491e36abd5fea7bd8b71ff206b8410429065f4e2a3)
                mstore(add(pairing, 512), calldataload(add(signals, 960)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[31] * IC[32]
                mstore(add(pairing, 448), 0x134b1b28fb35d55201daaa24382896424bea1c98fd0fa3b8e696e98875b7335c)
                mstore(add(pairing, 480), 0x226a98243ffde532276e18e3d39390d569637204a0de1399f81bd8bf1b18420d)
                mstore(add(pairing, 512), calldataload(add(signals, 992)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[32] * IC[33]
                mstore(add(pairing, 448), 0x0cecbf9113d28f23b93b5c4f573b289a78357961a8309024a86814a5bea149df)
                mstore(add(pairing, 480), 0x012c1b9db8a4218cd0ce6c607c358af839665eff59851eac258dab62ce4db253)
                mstore(add(pairing, 512), calldataload(add(signals, 1024)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[33] * IC[34]
                mstore(add(pairing, 448), 0x0d5dae9de80b486e011e046a2a164e3ee645f1c5da39efc820e51362d18277d7)
                mstore(add(pairing, 480), 0x1d2e41f90a13e3e134d79855e1ad707e3e045d0e62adb7fd1b8f940b029535d7)
                mstore(add(pairing, 512), calldataload(add(signals, 1056)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[34] * IC[35]
                mstore(add(pairing, 448), 0x1b25213cff71dd042418417e7ea81fec997bb00a4ae1b18fc272290d0b64b57f)
                mstore(add(pairing, 480), 0x292af40f2c5753e7fd7c69fbf7ccd8f577d49c9844927df9eb530dc09e330798)
                mstore(add(pairing, 512), calldataload(add(signals, 1088)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[35] * IC[36]
                mstore(add(pairing, 448), 0x01ce62a0d860f873135fe07a4b05fd70701c4b6f17affa82ee890c605d8c34c4)
                mstore(add(pairing, 480), 0x0d00d12572fdae9bf9584dede95804342a44bc124bf1ea934d908942a480b5aa)
                mstore(add(pairing, 512), calldataload(add(signals, 1120)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[36] * IC[37]
                mstore(add(pairing, 448), 0x2d46635c5a8c00dadf968deb458eb26f99cf647aec474a2251cf29ed686b461c)
                mstore(add(pairing, 480), 0x0a345262aca64597b216919f45c5b5a304795d024a69cd1440ecfddcd39d7618)
                mstore(add(pairing, 512), calldataload(add(signals, 1152)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[37] * IC[38]
                mstore(add(pairing, 448), 0x1cb051421bcd6ab6e32dd558ce486bec2b149d9ef7ce8887c1d6399f1baee5ce)
                mstore(add(pairing, 480), 0x27fe0f741054910f1edb13cf2fc854cdfb455bdfb208e557ca29fa228aad4b2c)
                mstore(add(pairing, 512), calldataload(add(signals, 1184)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[38] * IC[39]
                mstore(add(pairing, 448), 0x0d5c9510c0c76dabaa369ea6c6b29f9a3b3db01fdfa16a743c1eb77a5b759354)
                mstore(add(pairing, 480), 0x24fa145c10c6ce6f2c64d8a62541b6eaf0f5f37eaf5a4d7af161179ddd0dc9d9)
                mstore(add(pairing, 512), calldataload(add(signals, 1216)))
                ok := and(ok, staticcall(gas(), 7, add(pairing, 448), 96, add(pairing, 448), 64))
                ok := and(ok, staticcall(gas(), 6, add(pairing, 384), 128, add(pairing, 384), 64))
                // + signals[39] * IC[40]
                mstore(add(pairing, 448), 0x2daffdf8e490591bbda09369d569748c1c5913ff09886de7a1e3fc1c6ac2179a)
                mstore(add(pairing, 480), 0x08c9e54cee50372b47ae15cea79108f710f285c77033eaffd92932365084fb3c)
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
