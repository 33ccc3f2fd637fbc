// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {PoolGovernor} from "../governance/PoolGovernor.sol";
import {StatementGuard} from "../node/StatementGuard.sol";
import {PoolToken} from "../token/PoolToken.sol";
import {TokenPlan} from "../token/PoolTokenDeployer.sol";
import {IPool} from "./IPool.sol";
import {Founding, PoolSurroundings} from "./PoolRules.sol";

/// @title What a pool is founded with and keeps for ever: its token, its parliament, its timelock, and whom it hears
abstract contract PoolInstitutions is IPool, StatementGuard {
    address public immutable dataRegistry;
    address public immutable contributionBatches;
    address public immutable jobBoard;
    IERC20 public immutable protocolToken;
    address public immutable override token;
    address public immutable governor;
    address public immutable override timelock;

    constructor(Founding memory founding, PoolSurroundings memory around) StatementGuard(around.nodeRegistry) {
        dataRegistry = around.dataRegistry;
        contributionBatches = around.contributionBatches;
        jobBoard = around.jobBoard;
        protocolToken = around.protocolToken;

        TimelockController lock = around.timelockDeployer.deploy(founding.governance.timelockDelay);
        PoolToken minted = around.tokenDeployer.deploy(
            TokenPlan(
                founding.name,
                founding.symbol,
                address(lock),
                around.jobBoard,
                founding.treasuryAmount,
                founding.maximumSupply,
                founding.allocations
            )
        );
        PoolGovernor parliament =
            around.governorDeployer.deploy(founding.name, minted, lock, founding.governance);
        lock.grantRole(lock.PROPOSER_ROLE(), address(parliament));
        lock.grantRole(lock.CANCELLER_ROLE(), address(parliament));
        // From here on the timelock governs itself: nobody but a passed vote can change its roles or its delay.
        lock.renounceRole(lock.DEFAULT_ADMIN_ROLE(), address(this));
        timelock = address(lock);
        token = address(minted);
        governor = address(parliament);
    }
}
