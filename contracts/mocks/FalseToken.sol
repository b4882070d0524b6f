// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that returns false instead of moving anything once it is told to, for tests.
contract FalseToken is ERC20 {
    bool public refuses;

    constructor() ERC20("False", "FALSE") {
        _mint(msg.sender, 1e30);
    }

    /// @notice Sets whether transfers return false.
    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return refuses ? false : super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return refuses ? false : super.transferFrom(from, to, value);
    }
}
