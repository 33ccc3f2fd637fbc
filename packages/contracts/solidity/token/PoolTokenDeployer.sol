// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolToken} from "./PoolToken.sol";

/// @title Holds the creation code of {PoolToken}, so that the pool factory stays under the code size limit
contract PoolTokenDeployer {
    /// @notice Deploys a token that only the caller can mint.
    function deploy(
        string calldata name,
        string calldata symbol,
        address treasury,
        address escrow,
        uint256 treasuryAmount
    ) external returns (PoolToken) {
        return new PoolToken(name, symbol, msg.sender, treasury, escrow, treasuryAmount);
    }
}
