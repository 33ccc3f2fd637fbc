// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title What a pool's token must behave like: OpenZeppelin's ERC20Votes, in its own storage
contract CheckpointedToken is ERC20, ERC20Burnable, ERC20Permit, ERC20Votes {
    address private immutable _first;
    address private immutable _second;

    constructor(address first, address second) ERC20("reference", "REF") ERC20Permit("reference") {
        (_first, _second) = (first, second);
    }

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function delegates(address account) public view override returns (address) {
        if (account == address(0) || account == _first || account == _second) return address(0);
        address chosen = super.delegates(account);
        return chosen == address(0) ? account : chosen;
    }

    function _delegate(address account, address delegatee) internal override {
        require(account != _first && account != _second, "no votes");
        super._delegate(account, delegatee == address(0) ? account : delegatee);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
