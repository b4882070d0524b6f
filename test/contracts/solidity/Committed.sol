// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {VM} from "./Vm.sol";

/// @title Deploys what chain/generated holds, as deployments do: no test compiles a contract again.
library Committed {
    error NotDeployed(string name);

    /// @notice Deploys a contract by its name.
    /// @param arguments Its constructor's arguments, ABI-encoded.
    function deploy(string memory name, bytes memory arguments) internal returns (address made) {
        string memory json = VM.readFile(string.concat("chain/generated/", name, ".json"));
        bytes memory code = bytes.concat(VM.parseJsonBytes(json, ".bytecode"), arguments);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        if (made == address(0)) revert NotDeployed(name);
    }
}
