// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Holds the creation code of the timelock, so that the pool factory stays under the code size limit
contract TimelockDeployer {
    /// @notice Deploys a timelock whose roles the caller hands out; the caller must renounce its role afterwards.
    /// @dev Anyone may execute what has been queued and has waited: a passed vote must not depend on one party.
    function deploy(uint256 minimumDelay) external returns (TimelockController) {
        address[] memory nobody = new address[](0);
        address[] memory anyone = new address[](1);
        return new TimelockController(minimumDelay, nobody, anyone, msg.sender);
    }
}
