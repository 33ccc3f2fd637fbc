// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {GovernorDeployer} from "../governance/GovernorDeployer.sol";
import {GovernanceSettings} from "../governance/PoolGovernor.sol";
import {TimelockDeployer} from "../governance/TimelockDeployer.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {PoolTokenDeployer} from "../token/PoolTokenDeployer.sol";
import {Allocation} from "../token/VestingSchedule.sol";

/// @notice What a founder decides once.
struct Founding {
    string name;
    string symbol;
    PoolRules rules;
    /// @dev Pool tokens minted to the pool's timelock at founding.
    uint256 treasuryAmount;
    /// @dev Most pool tokens that can ever exist at once; at most 2^96 - 1. Rewards end where it is reached.
    uint256 maximumSupply;
    /// @dev Pool tokens minted at founding for a team, each to a schedule of its own that pays them out over time.
    Allocation[] allocations;
    /// @dev May pause the pool for a while and add restrictions; zero: nobody. Only a vote replaces it.
    address guardian;
    GovernanceSettings governance;
    /// @dev Digests of the code that jobs may run, when the rules do not accept any.
    bytes32[] jobCode;
}

/// @notice What the pool's own vote can change. Digests are SHA-256 values.
struct PoolRules {
    bytes32 policyDigest;
    bytes32 pocDigest;
    bytes32 refinerDigest;
    bytes32 constitutionDigest;
    /// @dev What a node must have been measured to run to speak for this pool; zero: whatever the registry allows.
    bytes32 measurement;
    /// @dev Pool tokens (smallest unit) for a contribution of score 10,000.
    uint128 rewardPerFullScore;
    /// @dev Part of job fees that goes to the timelock, in 1/10,000.
    uint16 treasuryShareBps;
    /// @dev Whether a job may run any code that a vote granted it; else only code of the list ({Pool.setJobCode}), which
    /// denies all while it is empty.
    bool anyJobCode;
}

/// @notice The contracts that all pools of a deployment share.
struct PoolSurroundings {
    NodeRegistry nodeRegistry;
    address dataRegistry;
    address contributionBatches;
    address jobBoard;
    IERC20 protocolToken;
    PoolTokenDeployer tokenDeployer;
    GovernorDeployer governorDeployer;
    TimelockDeployer timelockDeployer;
}

/// @notice The current pool key.
struct KeyEpoch {
    uint32 epoch;
    address node;
    bytes32 policyDigest;
    bytes32 keyDigest;
    /// @dev Digest of the evidence with which the node was registered when it published the key.
    bytes32 attestationDigest;
}
