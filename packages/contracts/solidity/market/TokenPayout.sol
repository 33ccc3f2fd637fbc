// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Pays, or owes: whom a token refuses stops nobody but itself
abstract contract TokenPayout is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice What a token did not let us pay, by payee.
    mapping(IERC20 token => mapping(address account => uint256)) public owed;
    /// @notice Sum of what is owed in a token.
    mapping(IERC20 token => uint256) public totalOwed;

    event PaymentRefused(IERC20 indexed token, address indexed account, uint256 amount);
    event OwedPaid(IERC20 indexed token, address indexed account, uint256 amount);

    error NothingOwed(IERC20 token, address account);

    /// @notice Pays what a token refused to pay before. Anyone; it goes to the payee.
    function payOwed(IERC20 token, address account) external nonReentrant {
        uint256 amount = owed[token][account];
        if (amount == 0) revert NothingOwed(token, account);
        owed[token][account] = 0;
        totalOwed[token] -= amount;
        emit OwedPaid(token, account, amount);
        token.safeTransfer(account, amount);
    }

    /// A refusal costs the payee nothing but its patience: what it is owed stays its own.
    function _payOrOwe(IERC20 token, address account, uint256 amount) internal {
        if (amount == 0 || token.trySafeTransfer(account, amount)) return;
        owed[token][account] += amount;
        totalOwed[token] += amount;
        emit PaymentRefused(token, account, amount);
    }
}
