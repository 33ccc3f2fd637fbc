// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IPool} from "../pool/IPool.sol";
import {GovernanceSettings, PoolGovernor} from "./PoolGovernor.sol";

/// @title Holds the creation code of {PoolGovernor}, so that the pool factory stays under the code size limit
contract GovernorDeployer {
    /// @notice Deploys the caller's governor, over `token`, which acts through `timelock`.
    function deploy(
        string calldata name,
        IVotes token,
        TimelockController timelock,
        GovernanceSettings calldata settings
    ) external returns (PoolGovernor) {
        return new PoolGovernor(name, IPool(msg.sender), token, timelock, settings);
    }
}
