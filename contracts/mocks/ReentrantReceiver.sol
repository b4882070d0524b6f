// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title An account that takes the native coin and tries to withdraw again while it does, for tests.
contract ReentrantReceiver {
    address public immutable escrow;
    uint256 public attempts;
    bytes public lastFailure;
    bool public refuses;

    error Refused();

    constructor(address escrow_) {
        escrow = escrow_;
    }

    // solhint-disable-next-line no-complex-fallback
    receive() external payable {
        if (refuses) revert Refused();
        ++attempts;
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory result) = escrow.call(abi.encodeWithSignature("withdraw(address)", address(0)));
        if (!done) lastFailure = result;
    }

    /// @notice Sets whether the coin is refused.
    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    /// @notice Calls the escrow as this account.
    function act(bytes calldata data) external payable returns (bytes memory) {
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory result) = escrow.call{value: msg.value}(data);
        if (!done) {
            // The escrow's own error, unchanged.
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }
}
