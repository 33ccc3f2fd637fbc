// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Credits} from "../market/Credits.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {AskedJob, Terms} from "../permission/Grant.sol";
import {Permissions} from "../permission/Permissions.sol";
import {IPool, IPoolDirectory, StopAct} from "../pool/IPool.sol";
import {JobClass, JobProposal} from "./Job.sol";
import {JobEscrow} from "./JobEscrow.sol";
import {JobState} from "./JobState.sol";

/// @title Proposal, approval, escrow, release and settlement of jobs
/// @notice A job runs only when every pool in it granted it by vote. What pays for it stands in {JobEscrow}, which node has it
/// in {JobNodes}, what is kept of it in {JobStore}.
contract JobBoard is JobEscrow {
    uint256 public constant MAXIMUM_POOLS = 16;
    uint256 public constant MAXIMUM_LOCATOR_BYTES = 512;

    event JobProposed(
        uint256 indexed id,
        address indexed consumer,
        bytes32 indexed manifestDigest,
        string manifestLocator,
        address[] pools,
        uint256 priceCeiling,
        uint64 deadline
    );
    event JobClassified(uint256 indexed id, JobClass class, bytes32 templateDigest);
    event JobDeclared(uint256 indexed id, bytes32 codeDigest, bytes32 scopeDigest);
    event JobApproved(uint256 indexed id, address indexed pool, Terms terms);
    event JobSuspended(uint256 indexed id, address indexed pool, address by);
    event JobResumed(uint256 indexed id, address indexed pool);

    error PoolCountInvalid(uint256 count, uint256 maximum);
    error PoolTwice(uint256 index, address pool);
    error ManifestDigestZero(address consumer);
    error LocatorTooLong(uint256 length, uint256 maximum);
    error DeadlineNotInFuture(uint64 deadline, uint256 time);
    error DeadlineTooFar(uint64 deadline, uint256 maximum);
    error JobIsOther(uint256 id, address consumer, bytes32 granted);
    error AlreadyApproved(uint256 id, address pool);
    error AlreadyStarted(uint256 id, JobState state);

    constructor(
        IERC20 protocolToken_,
        NodeRegistry nodeRegistry_,
        IPoolDirectory pools_,
        Permissions permissions_,
        Credits credits_,
        uint16 burnShareBps_
    ) JobEscrow(protocolToken_, nodeRegistry_, pools_, permissions_, credits_, burnShareBps_) {}

    /// @notice Proposes an open job over one or more pools; at once approved when every pool granted it before.
    /// @param priceCeiling The most the consumer will ever pay for this job, whatever the grants say; above 2^96 - 1 it
    /// counts as that.
    function propose(
        bytes32 manifestDigest,
        string calldata manifestLocator,
        address[] calldata jobPools,
        uint256 priceCeiling,
        uint64 deadline
    ) external returns (uint256 id) {
        return _propose(
            JobProposal(manifestDigest, 0, 0, 0, manifestLocator, jobPools, priceCeiling, deadline, JobClass.Open)
        );
    }

    /// @notice Proposes a job with everything that can be said about it.
    function proposeJob(JobProposal calldata proposal) external returns (uint256 id) {
        id = _propose(proposal);
        emit JobClassified(id, proposal.class, proposal.templateDigest);
    }

    /// @notice Grants a proposed job for one pool. Only that pool's timelock, which acts on a passed vote.
    /// @param consumer Whose job it is, and
    /// @param granted the digest that is granted, its template's or else its manifest's: numbers are counters, and a
    /// reorganisation between a proposal and its execution may give one to somebody else's job.
    function approve(uint256 id, address pool, address consumer, bytes32 granted, Terms calldata terms) external {
        StoredJob storage job = _job(id);
        StoredPart storage part = _partOf(id, job, pool);
        _requireTimelock(pool);
        if (consumer != job.consumer || granted != _granted(id, job)) revert JobIsOther(id, job.consumer, _granted(id, job));
        emit JobApproved(id, pool, terms);
        permissions.record(consumer, pool, granted, terms);
        _approve(id, job, part);
    }

    /// @notice Has a grant that came after the proposal ({PermitIssuers.redeem}) approve the job for its pool. Anyone.
    function approveByGrant(uint256 id, address pool) external {
        StoredJob storage job = _job(id);
        StoredPart storage part = _partOf(id, job, pool);
        bytes32 scope = _declarations[id].scopeDigest;
        permissions.requireGranted(pool, AskedJob(id, job.consumer, job.manifestDigest, _granted(id, job), scope));
        _approve(id, job, part);
    }

    /// @notice Stops a job that has not started, and every later one of what was granted ({Pool.suspendRuns}). Any contributor
    /// of that pool.
    function suspend(uint256 id, address pool) external {
        StoredJob storage job = _job(id);
        _partOf(id, job, pool);
        if (job.state != JobState.Assigned && uint8(job.state) > uint8(JobState.Funded)) {
            revert AlreadyStarted(id, job.state);
        }
        emit JobSuspended(id, pool, msg.sender);
        IPool(pool).stopFor(StopAct.Suspend, msg.sender, _granted(id, job));
    }

    /// @notice Lets a stopped job go ({Pool.resumeRuns}): the pool's timelock for good, a contributor what it stopped itself.
    function resume(uint256 id, address pool) external {
        StoredJob storage job = _job(id);
        _partOf(id, job, pool);
        emit JobResumed(id, pool);
        IPool(pool).stopFor(StopAct.Resume, msg.sender, _granted(id, job));
    }

    function _approve(uint256 id, StoredJob storage job, StoredPart storage part) private {
        if (job.state != JobState.Proposed) revert TransitionNotAllowed(id, job.state, JobState.Approved);
        if (part.approved) revert AlreadyApproved(id, part.pool);
        part.approved = true;
        if (++job.approvals == job.poolCount) _move(id, job, JobState.Approved);
    }

    function _propose(JobProposal memory proposal) private returns (uint256 id) {
        if (proposal.manifestDigest == 0) revert ManifestDigestZero(msg.sender);
        if (bytes(proposal.manifestLocator).length > MAXIMUM_LOCATOR_BYTES) {
            revert LocatorTooLong(bytes(proposal.manifestLocator).length, MAXIMUM_LOCATOR_BYTES);
        }
        uint256 count = proposal.pools.length;
        if (count == 0 || count > MAXIMUM_POOLS) revert PoolCountInvalid(count, MAXIMUM_POOLS);
        if (proposal.deadline <= block.timestamp) revert DeadlineNotInFuture(proposal.deadline, block.timestamp);
        if (proposal.deadline > type(uint40).max) revert DeadlineTooFar(proposal.deadline, type(uint40).max);
        id = ++jobCount;
        emit JobProposed(
            id,
            msg.sender,
            proposal.manifestDigest,
            proposal.manifestLocator,
            proposal.pools,
            proposal.priceCeiling,
            proposal.deadline
        );
        bytes32 granted = proposal.manifestDigest;
        if (proposal.templateDigest != 0) {
            granted = proposal.templateDigest;
            _templates[id] = granted;
        }
        AskedJob memory asked = AskedJob(id, msg.sender, proposal.manifestDigest, granted, proposal.scopeDigest);
        uint8 approvals;
        for (uint256 i; i < count; ++i) {
            address pool = proposal.pools[i];
            if (pools.indexOf(pool) == 0) revert PoolUnknown(i, pool);
            for (uint256 j; j < i; ++j) {
                if (proposal.pools[j] == pool) revert PoolTwice(i, pool);
            }
            bool approved = permissions.approveIfGranted(pool, asked);
            if (approved) ++approvals;
            _parts[id][i] = StoredPart(pool, 0, approved, 0, false);
        }
        JobState state = approvals == count ? JobState.Approved : JobState.Proposed;
        uint256 ceiling = proposal.priceCeiling;
        _jobs[id] = StoredJob({
            consumer: msg.sender,
            deadline: uint40(proposal.deadline),
            state: state,
            class: proposal.class,
            approvals: approvals,
            poolCount: uint8(count),
            attempts: 0,
            templated: granted != proposal.manifestDigest,
            declares: proposal.codeDigest != 0 || proposal.scopeDigest != 0,
            node: address(0),
            priceCeiling: ceiling > type(uint96).max ? type(uint96).max : uint96(ceiling),
            manifestDigest: proposal.manifestDigest
        });
        emit JobStateChanged(id, JobState.None, state);
        if (proposal.codeDigest != 0 || proposal.scopeDigest != 0) {
            _declarations[id] = Declaration(proposal.codeDigest, proposal.scopeDigest);
            emit JobDeclared(id, proposal.codeDigest, proposal.scopeDigest);
        }
    }
}
