// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that makes one prepared call in the middle of each transfer, for tests of re-entrancy.
contract ReentrantToken is ERC20 {
    address public target;
    bytes public data;
    /// How many of the prepared calls succeeded, and what the last failed one returned.
    uint256 public entered;
    bytes public lastFailure;

    constructor() ERC20("Reentrant", "REE") {
        _mint(msg.sender, 1e30);
    }

    /// @notice Prepares the call; the zero address for none.
    function prepare(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target == address(0)) return;
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory result) = target.call(data);
        if (done) ++entered;
        else lastFailure = result;
    }
}
