// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";

/// Keeps one unit of a hundred of every transfer.
contract FeeToken is ERC20, ERC20Burnable {
    constructor() ERC20("Fee", "FEE") {
        _mint(msg.sender, 1e30);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, value);
        super._update(from, address(0xfee), value / 100);
        super._update(from, to, value - value / 100);
    }
}

/// Refuses transfers to whoever its issuer dislikes.
contract BlockingToken is ERC20, ERC20Burnable {
    mapping(address account => bool) public blocked;

    error AccountBlocked(address account);

    constructor() ERC20("Blocking", "BLK") {
        _mint(msg.sender, 1e30);
    }

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (blocked[to]) revert AccountBlocked(to);
        super._update(from, to, value);
    }
}

/// Calls somebody back in the middle of every transfer, as ERC-777 tokens do.
contract CallingToken is ERC20, ERC20Burnable {
    address private _target;
    bytes private _data;
    bytes public answer;
    bool public called;

    constructor() ERC20("Calling", "CALL") {
        _mint(msg.sender, 1e30);
    }

    function arm(address target, bytes calldata data) external {
        (_target, _data, called, answer) = (target, data, false, "");
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        (address target, bytes memory data) = (_target, _data);
        _target = address(0);
        bool success;
        (success, answer) = target.call(data);
        called = success;
    }
}

/// A contract wallet (ERC-1271) whose one owner signs for it.
contract ContractWallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address signer = ecrecover(
            hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
        );
        return signer == _owner && signer != address(0) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
