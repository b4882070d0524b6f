// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IQuoteVerifier} from "../interfaces/IQuoteVerifier.sol";

/// @title A quote verifier for tests: "evidence" is the ABI encoding of the keyset digest and the hardware identity.
contract QuoteVerifierDouble is IQuoteVerifier {
    error EvidenceRefused();

    /// @inheritdoc IQuoteVerifier
    function verifyQuote(
        bytes calldata evidence,
        bytes32 keysetDigest,
        uint256,
        uint8,
        uint40
    ) external pure returns (uint256 hardwareIdHash) {
        bytes32 bound;
        (bound, hardwareIdHash) = abi.decode(evidence, (bytes32, uint256));
        if (bound != keysetDigest) revert EvidenceRefused();
    }
}
