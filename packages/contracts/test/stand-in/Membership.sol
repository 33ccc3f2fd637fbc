// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

// What access conditions ask in the tests: OpenZeppelin's contracts, an identity, and some that do not answer as they should.

contract Coin is ERC20 {
    constructor() ERC20("Coin", "C") {}
    function mint(address to, uint256 amount) external { _mint(to, amount); }
    function burn(address from, uint256 amount) external { _burn(from, amount); }
}

contract Badges is ERC721 {
    constructor() ERC721("Badges", "B") {}
    function mint(address to, uint256 id) external { _mint(to, id); }
    function burn(uint256 id) external { _burn(id); }
}

contract Passes is ERC1155 {
    constructor() ERC1155("") {}
    function mint(address to, uint256 id, uint256 amount) external { _mint(to, id, amount, ""); }
    function burn(address from, uint256 id, uint256 amount) external { _burn(from, id, amount); }
}

contract Roles is AccessControl {
    constructor() { _grantRole(DEFAULT_ADMIN_ROLE, msg.sender); }
}

contract Identity {
    mapping(bytes32 => mapping(uint256 => bool)) private _keys;
    function setKey(bytes32 key, uint256 purpose, bool has) external { _keys[key][purpose] = has; }
    function keyHasPurpose(bytes32 key, uint256 purpose) external view returns (bool) { return _keys[key][purpose]; }
}

contract Hostile {
    enum Mood { Reverts, Loops, Floods, Two, Short, Long, BombsRevert, Invalid, Writes, RevertsWord }
    Mood private immutable _mood;
    uint256 private _written;
    constructor(Mood mood) { _mood = mood; }
    fallback() external {
        Mood mood = _mood;
        if (mood == Mood.Reverts) revert("not for you");
        if (mood == Mood.Writes) _written = 1;
        if (mood == Mood.Invalid) assembly { invalid() }
        if (mood == Mood.Loops) while (true) {}
        uint256 size = mood == Mood.Short ? 31 : mood == Mood.Long ? 33 : mood == Mood.Floods || mood == Mood.BombsRevert ? 380_000 : 32;
        bool bomb = mood == Mood.BombsRevert || mood == Mood.RevertsWord;
        assembly {
            mstore(0, 2)
            if bomb { revert(0, size) }
            return(0, size)
        }
    }
}
