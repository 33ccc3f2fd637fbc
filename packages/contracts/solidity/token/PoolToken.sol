// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {VotingToken} from "./VotingToken.sol";

/// @title A pool's own token: earned by accepted contributions, burned for access, and the pool's vote
/// @notice Only the pool mints, and only for a recorded verdict, up to a cap that nobody can change; what was declared for
/// the treasury and for vesting is minted once, here.
contract PoolToken is VotingToken {
    /// @notice The only address that may mint.
    address public immutable pool;
    /// @notice The pool's timelock, which receives the treasury amount. Its tokens carry no vote.
    address public immutable treasury;
    /// @notice The job board, which holds tokens in escrow. Its tokens carry no vote.
    address public immutable escrow;

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
    ) ERC20(name, symbol) ERC20Permit(name) VotingToken(cap_) {
        pool = pool_;
        treasury = treasury_;
        escrow = escrow_;
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

    /// @notice Treasury and escrow vote through nobody: their tokens carry no vote. Everybody else as in {VotingToken}.
    function delegates(address account) public view override returns (address) {
        return account == treasury || account == escrow ? address(0) : super.delegates(account);
    }

    /// Treasury and escrow can delegate to nobody at all.
    function _delegate(address account, address delegatee) internal override {
        if (account == treasury || account == escrow) revert NoVotes(account);
        super._delegate(account, delegatee);
    }
}
