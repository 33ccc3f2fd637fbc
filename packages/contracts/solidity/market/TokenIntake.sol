// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Takes exactly what was agreed, or nothing
abstract contract TokenIntake {
    using SafeERC20 for IERC20;

    error AmountZero(address token);
    error IntakeShort(address token, uint256 received, uint256 expected);

    /// A token that keeps a fee on transfer cannot fill an escrow.
    function _take(IERC20 token, address from, uint256 amount) internal {
        if (amount == 0) revert AmountZero(address(token));
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert IntakeShort(address(token), received, amount);
    }
}
