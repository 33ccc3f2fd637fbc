// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

// Tokens that break one rule each, for the tests of the checker.

contract FixedToken is ERC20, ERC20Burnable, ERC20Permit, ERC20Votes {
    constructor() ERC20("Fixed", "FIX") ERC20Permit("Fixed") { _mint(msg.sender, 1e24); }
    function cap() external view virtual returns (uint256) { return 1e24; }
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) { return super.nonces(owner); }
    function _update(address from, address to, uint256 value) internal virtual override(ERC20, ERC20Votes) { super._update(from, to, value); }
}

contract MintableToken is FixedToken {
    address public owner = msg.sender;
    function mint(address to, uint256 amount) external { require(msg.sender == owner); _mint(to, amount); }
}

contract ImpostorToken is FixedToken {
    address public pool;
    constructor(address pool_) { pool = pool_; }
    function mintRewards(address[] calldata to, uint256[] calldata amounts) external { _mint(to[0], amounts[0]); }
}

contract FeeToken is FixedToken {
    uint256 private immutable _bps;
    constructor(uint256 bps) { _bps = bps; }
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, value);
        super._update(from, address(0xfee), value * _bps / 10_000);
        super._update(from, to, value - value * _bps / 10_000);
    }
}

contract StuckToken is FixedToken {
    function _update(address from, address to, uint256 value) internal override {
        require(from == address(0));
        super._update(from, to, value);
    }
}

contract PausableToken is FixedToken {
    bool private _paused;
    function pause() external { _paused = true; }
    function isStopped() external view returns (bool) { return _paused; }
}

contract BlockingToken is FixedToken {
    mapping(address => bool) private _blocked;
    function blockAddress(address account) external { _blocked[account] = true; }
    function isShutOut(address account) external view returns (bool) { return _blocked[account]; }
}

contract RoleToken is FixedToken {
    function supportsInterface(bytes4 id) external pure returns (bool) { return id == 0x7965db0b; }
}

contract DelegatingToken is FixedToken {
    function run(address code, bytes calldata data) external {
        (bool done,) = code.delegatecall(data);
        require(done);
    }
}

contract ProxyToken {
    constructor(address logic) {
        assembly { sstore(0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc, logic) }
    }
    fallback() external {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}

contract BareToken {
    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply = 10;
    constructor() { balanceOf[msg.sender] = 10; }
    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        return true;
    }
}

contract OverfullToken is FixedToken {
    function cap() external pure override returns (uint256) { return 1e23; }
}

contract Lock {
    uint256 public immutable getMinDelay;
    constructor(uint256 delay) { getMinDelay = delay; }
}

contract OwnedToken is FixedToken {
    address public owner;
    constructor(address owner_) { owner = owner_; }
}
