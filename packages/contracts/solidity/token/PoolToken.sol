// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title A pool's own token: earned by accepted contributions, burned for access, and the pool's vote
/// @notice Only the pool mints, and only for a recorded verdict, up to a cap that nobody can change; what was declared for
/// the treasury and for vesting is minted once, here.
contract PoolToken is ERC20, ERC20Burnable, ERC20Permit, ERC20Votes {
    /// @notice The only address that may mint.
    address public immutable pool;
    /// @notice The pool's timelock, which receives the treasury amount. Its tokens carry no vote.
    address public immutable treasury;
    /// @notice The job board, which holds tokens in escrow. Its tokens carry no vote.
    address public immutable escrow;
    /// @notice There are never more tokens than this at once.
    uint256 public immutable cap;

    /// @notice As in OpenZeppelin's ERC20Capped.
    error ERC20ExceededCap(uint256 increasedSupply, uint256 cap);
    error OnlyPool(address caller, address pool);
    error NoVotes(address account);

    constructor(
        string memory name,
        string memory symbol,
        address pool_,
        address treasury_,
        address escrow_,
        uint256 cap_,
        address[] memory holders,
        uint256[] memory amounts
    ) ERC20(name, symbol) ERC20Permit(name) {
        pool = pool_;
        treasury = treasury_;
        escrow = escrow_;
        cap = cap_;
        for (uint256 i; i < holders.length; ++i) {
            if (amounts[i] != 0) _mint(holders[i], amounts[i]);
        }
    }

    /// @notice Mints `amounts[i]` to `accounts[i]`. Reward of accepted contributions.
    function mintRewards(address[] calldata accounts, uint256[] calldata amounts) external {
        if (msg.sender != pool) revert OnlyPool(msg.sender, pool);
        for (uint256 i; i < accounts.length; ++i) {
            if (amounts[i] != 0) _mint(accounts[i], amounts[i]);
        }
    }

    /// @notice Votes are counted by time, which means the same on every chain (ERC-6372).
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice ERC-6372 description of {clock}.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @notice Whom an account's tokens vote through: itself until it delegates, so that contributors can vote without a
    /// transaction of their own before the first vote. Treasury and escrow have nobody: their tokens carry no vote.
    function delegates(address account) public view override returns (address) {
        if (account == address(0) || account == treasury || account == escrow) return address(0);
        address chosen = super.delegates(account);
        return chosen == address(0) ? account : chosen;
    }

    /// Delegating to nobody means voting oneself again. Treasury and escrow can delegate to nobody at all.
    function _delegate(address account, address delegatee) internal override {
        if (account == treasury || account == escrow) revert NoVotes(account);
        super._delegate(account, delegatee == address(0) ? account : delegatee);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
        if (from == address(0) && totalSupply() > cap) revert ERC20ExceededCap(totalSupply(), cap);
    }
}
