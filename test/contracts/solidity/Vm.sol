// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title The cheat codes that the Solidity tests use.
interface Vm {
    /// @notice The next call comes from `sender`.
    function prank(address sender) external;
    /// @notice Sets the time of the block, unix seconds.
    function warp(uint256 timestamp) external;
    /// @notice Sets the coin of an account.
    function deal(address account, uint256 amount) external;
    /// @notice Drops the run when the condition is false.
    function assume(bool condition) external pure;
    /// @notice The next call must revert with exactly these bytes.
    function expectRevert(bytes calldata data) external;
    /// @notice The next call must revert with this selector.
    function expectPartialRevert(bytes4 selector) external;
    /// @notice The text of a file of the project, as far as the settings let tests read it.
    function readFile(string calldata path) external view returns (string memory);
    /// @notice The bytes that stand as hex under a key of a JSON text.
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
}

/// @dev Where the test runner answers cheat codes.
Vm constant VM = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
