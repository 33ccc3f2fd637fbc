// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The token in which consumers pay for jobs, for development chains and tests
/// @notice The whole supply is minted once, to `holder`; nobody can mint afterwards.
contract ProtocolToken is ERC20, ERC20Burnable, ERC20Permit {
    constructor(string memory name, string memory symbol, address holder, uint256 supply)
        ERC20(name, symbol)
        ERC20Permit(name)
    {
        _mint(holder, supply);
    }
}
