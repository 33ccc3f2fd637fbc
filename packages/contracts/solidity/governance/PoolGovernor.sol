// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from
    "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from
    "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IPool} from "../pool/IPool.sol";

/// @notice How a pool decides. Times are seconds; the founder chooses them, afterwards only a vote changes them.
struct GovernanceSettings {
    uint48 votingDelay;
    uint32 votingPeriod;
    uint256 proposalThreshold;
    /// @dev Percent of the tokens that must take part (for or abstain): of those that exist, and of those that are credited.
    uint256 quorumPercent;
    /// @dev Time between a passed vote and its execution: members' time to leave.
    uint256 timelockDelay;
    /// @dev A quorum that is reached late leaves at least this long to vote on.
    uint48 voteExtension;
}

/// @title A pool's parliament: one pool token, one vote; acts only through the pool's timelock
contract PoolGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorTimelockControl,
    GovernorPreventLateQuorum
{
    /// @notice Whose parliament this is.
    IPool public immutable pool;
    /// @dev By the second of a proposal's snapshot: tokens that existed or were credited when it was made.
    mapping(uint256 timepoint => uint256) private _promised;

    error GovernanceInvalid(uint48 votingDelay, uint32 votingPeriod, uint256 quorumPercent, uint256 timelockDelay);

    constructor(
        string memory name,
        IPool pool_,
        IVotes token,
        TimelockController timelock,
        GovernanceSettings memory settings
    )
        Governor(name)
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        GovernorVotes(token)
        GovernorVotesQuorumFraction(settings.quorumPercent)
        GovernorTimelockControl(timelock)
        GovernorPreventLateQuorum(settings.voteExtension)
    {
        // A pool that anyone could take over in one block, or with one token, is founded by mistake.
        if (settings.votingDelay == 0 || settings.quorumPercent == 0 || settings.timelockDelay == 0) {
            revert GovernanceInvalid(
                settings.votingDelay, settings.votingPeriod, settings.quorumPercent, settings.timelockDelay
            );
        }
        pool = pool_;
    }

    /// @notice Votes that must take part: of the tokens that existed then, and no less than of those that existed or were
    /// credited when the proposal came, or whoever collects first would be the quorum.
    function quorum(uint256 timepoint)
        public
        view
        override(Governor, GovernorVotesQuorumFraction)
        returns (uint256)
    {
        uint256 tokens_ = token().getPastTotalSupply(timepoint);
        uint256 promised = _promised[timepoint];
        return (promised > tokens_ ? promised : tokens_) * quorumNumerator(timepoint) / quorumDenominator();
    }

    /// Collecting moves tokens from what is credited to what exists and leaves the sum: it is told once, with the proposal.
    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        uint256 snapshot = proposalSnapshot(proposalId);
        uint256 sum = IERC20(address(token())).totalSupply() + pool.reserved();
        if (sum > _promised[snapshot]) _promised[snapshot] = sum;
    }

    /// @inheritdoc GovernorPreventLateQuorum
    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    /// @inheritdoc GovernorSettings
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    /// @inheritdoc GovernorTimelockControl
    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState)
    {
        return super.state(proposalId);
    }

    /// @inheritdoc GovernorTimelockControl
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
