// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title What of a transfer arrives: never deployed, only simulated in the place of a holder
contract TransferProbe {
    /// @return left What left the sender.
    /// @return arrived What arrived.
    function probe(IERC20 token, address to, uint256 amount) external returns (uint256 left, uint256 arrived) {
        (uint256 mine, uint256 theirs) = (token.balanceOf(address(this)), token.balanceOf(to));
        bool sent = token.transfer(to, amount);
        if (!sent) return (0, 0);
        left = mine - token.balanceOf(address(this));
        arrived = token.balanceOf(to) - theirs;
    }
}
