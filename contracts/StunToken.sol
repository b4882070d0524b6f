// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title StunToken
/// @notice The STUN token: fixed supply, EIP-2612 permits, ERC-5805 votes. Nobody can mint, pause or freeze.
contract StunToken is ERC20, ERC20Permit, ERC20Votes {
    uint256 public constant SUPPLY = 1_000_000_000 ether;

    constructor(address holder) ERC20("STUN", "STUN") ERC20Permit("STUN") {
        _mint(holder, SUPPLY);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
