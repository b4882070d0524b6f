// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Checks hardware evidence on chain, in place of the attestor quorum.
/// @notice An implementation must check the vendor's signatures, revocation, currency, the debug bit, that report data binds
/// `keysetDigest`, and that the evidence satisfies the policy of `policyId`. It must revert when any of these fails.
interface IQuoteVerifier {
    /// @notice Verifies evidence for a keyset.
    /// @param evidence The evidence document, exact bytes.
    /// @param keysetDigest sha256 of the keyset layout that the report data must bind.
    /// @param policyId The policy that the evidence must satisfy.
    /// @param platform Platform code, docs/protocol.md section 2.
    /// @param expiresAt Unix seconds until which the leaf would be valid; must lie inside the evidence's own validity.
    /// @return hardwareIdHash The hardware identity that the evidence shows.
    function verifyQuote(
        bytes calldata evidence,
        bytes32 keysetDigest,
        uint256 policyId,
        uint8 platform,
        uint40 expiresAt
    ) external view returns (uint256 hardwareIdHash);
}
