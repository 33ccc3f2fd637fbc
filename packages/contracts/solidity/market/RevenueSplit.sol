// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TokenPayout} from "./TokenPayout.sol";

/// @title Shares out whatever arrives, by shares that are fixed when it is made
/// @notice For revenue that has contributors, a pool's treasury, validators and a platform in it. Shares sum to the whole,
/// and the platform's is capped. A payee whom the token refuses stops nobody: what is its own waits for it.
contract RevenueSplit is TokenPayout {
    uint256 public constant WHOLE_BPS = 10_000;
    uint256 public constant MAXIMUM_PLATFORM_BPS = 1_000;
    uint256 public constant MAXIMUM_PAYEES = 16;

    /// @notice The first payee is the platform.
    struct Payee {
        address account;
        uint16 bps;
    }

    Payee[] private _payees;

    event RevenueShared(IERC20 indexed token, uint256 amount);

    error PayeeCountInvalid(uint256 count);
    error PayeeZero(uint256 index);
    error SharesNotWhole(uint256 sum);
    error PlatformShareTooLarge(uint256 bps);
    error NothingToShare(IERC20 token);

    constructor(Payee[] memory payees) {
        if (payees.length == 0 || payees.length > MAXIMUM_PAYEES) revert PayeeCountInvalid(payees.length);
        if (payees[0].bps > MAXIMUM_PLATFORM_BPS) revert PlatformShareTooLarge(payees[0].bps);
        uint256 sum;
        for (uint256 i; i < payees.length; ++i) {
            if (payees[i].account == address(0)) revert PayeeZero(i);
            sum += payees[i].bps;
            _payees.push(payees[i]);
        }
        if (sum != WHOLE_BPS) revert SharesNotWhole(sum);
    }

    /// @notice Shares out all of a token that is here. Anyone. The last payee gets what rounding leaves.
    function share(IERC20 token) external nonReentrant {
        // What is owed is no part of the next share.
        uint256 amount = token.balanceOf(address(this)) - totalOwed[token];
        if (amount == 0) revert NothingToShare(token);
        emit RevenueShared(token, amount);
        uint256 left = amount;
        uint256 last = _payees.length - 1;
        for (uint256 i; i < last; ++i) {
            uint256 part = Math.mulDiv(amount, _payees[i].bps, WHOLE_BPS);
            left -= part;
            _payOrOwe(token, _payees[i].account, part);
        }
        _payOrOwe(token, _payees[last].account, left);
    }

    /// @notice All payees with their shares.
    function getPayees() external view returns (Payee[] memory) {
        return _payees;
    }
}
