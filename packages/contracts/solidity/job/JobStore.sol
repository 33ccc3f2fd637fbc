// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Credits} from "../market/Credits.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {Permissions, RunPrice} from "../permission/Permissions.sol";
import {IPool, IPoolDirectory, Stop} from "../pool/IPool.sol";
import {Job, JobClass, JobShare} from "./Job.sol";
import {JobState, JobTransitions} from "./JobState.sol";

/// @title What is kept of jobs, who may speak about one, and the only way from one state to another
abstract contract JobStore is StatementGuard {
    IPoolDirectory public immutable pools;
    Permissions public immutable permissions;
    /// @notice What contributors earned, which pays a part of a price where the pool takes it.
    Credits public immutable credits;

    uint256 public jobCount;

    struct StoredJob {
        address consumer;
        uint40 deadline;
        JobState state;
        JobClass class;
        uint8 approvals;
        uint8 poolCount;
        uint8 attempts;
        /// @dev Whether it runs under a template's grants: most do not, and need not look.
        bool templated;
        /// @dev Whether it says something of its code or scope: most need not.
        bool declares;
        address node;
        uint96 priceCeiling;
        bytes32 manifestDigest;
    }

    struct StoredPart {
        address pool;
        uint32 generation;
        bool approved;
        /// @dev In the first part only: when the node was last heard. It stands here because this slot has room for it.
        uint40 seenAt;
        /// @dev Whether credits are held for a part of its price.
        bool credited;
    }

    mapping(uint256 id => StoredJob) internal _jobs;
    mapping(uint256 id => mapping(uint256 index => StoredPart)) internal _parts;
    /// @dev Only for jobs under a template's grant.
    mapping(uint256 id => bytes32 templateDigest) internal _templates;

    /// @notice What a proposal says of its manifest besides the digest.
    struct Declaration {
        bytes32 codeDigest;
        bytes32 scopeDigest;
    }

    mapping(uint256 id => Declaration) internal _declarations;

    event JobStateChanged(uint256 indexed id, JobState from, JobState to);

    error JobUnknown(uint256 id);
    error TransitionNotAllowed(uint256 id, JobState from, JobState to);
    error DeadlinePassed(uint256 id, uint64 deadline);
    error PoolNotInJob(uint256 id, address pool);
    error OnlyConsumer(uint256 id, address caller, address consumer);
    error OnlyPoolTimelock(address caller, address pool);
    error OtherNode(uint256 id, address signer, address node);

    constructor(NodeRegistry nodeRegistry_, IPoolDirectory pools_, Permissions permissions_, Credits credits_)
        StatementGuard(nodeRegistry_)
    {
        pools = pools_;
        permissions = permissions_;
        credits = credits_;
    }

    /// @notice The job; state None when there is none.
    function getJob(uint256 id) external view returns (Job memory) {
        StoredJob memory job = _jobs[id];
        address[] memory jobPools = new address[](job.poolCount);
        bytes32 granted = job.templated ? _templates[id] : job.manifestDigest;
        uint8 suspensions;
        for (uint256 i; i < jobPools.length; ++i) {
            jobPools[i] = _parts[id][i].pool;
            if (IPool(jobPools[i]).stopOf(granted).holders != 0) ++suspensions;
        }
        return Job(
            job.consumer,
            job.deadline,
            job.state,
            job.approvals,
            suspensions,
            job.node,
            job.manifestDigest,
            job.priceCeiling,
            jobPools,
            job.class,
            job.attempts,
            _parts[id][0].seenAt
        );
    }

    /// @notice The template under whose grants a job runs; zero when it runs under its own.
    function templateOf(uint256 id) external view returns (bytes32) {
        return _templates[id];
    }

    /// @notice What the proposal says of the manifest's code and scope; zeros when it says nothing.
    function declarationOf(uint256 id) external view returns (Declaration memory) {
        return _declarations[id];
    }

    /// @notice One pool's part in a job; all zero when the pool is not in it. Price and burn are set from funding on; the price
    /// is what is paid in tokens while credits are held for the rest.
    function getShare(uint256 id, address pool) external view returns (JobShare memory share) {
        StoredJob storage job = _jobs[id];
        for (uint256 i; i < job.poolCount; ++i) {
            StoredPart memory part = _parts[id][i];
            if (part.pool != pool) continue;
            RunPrice memory run;
            if (part.generation != 0) {
                run = _priceOf(job, part, _granted(id, job));
                run.price -= credits.paymentOf(id, pool).waived;
            }
            Stop memory stop = IPool(pool).stopOf(_granted(id, job));
            return JobShare(
                run.price, run.poolTokenBurn, part.generation, part.approved, stop.holders != 0, stop.overruled
            );
        }
    }

    /// @notice The transition table, as code.
    function transitionAllowed(JobState from, JobState to) external pure returns (bool) {
        return JobTransitions.allowed(from, to);
    }

    function _speak(
        uint256 id,
        StoredJob storage job,
        string memory kind,
        bytes32 facts,
        StatementProof calldata proof
    ) internal view returns (address node) {
        return _speakOf(id, job, kind, bytes32(id), facts, proof);
    }

    function _speakOf(
        uint256 id,
        StoredJob storage job,
        string memory kind,
        bytes32 subject,
        bytes32 facts,
        StatementProof calldata proof
    ) internal view returns (address node) {
        node = _hearStatement(kind, _parts[id][0].pool, subject, facts, proof);
        address holder = job.node;
        if (holder != address(0) && node != holder) revert OtherNode(id, node, holder);
        _requireAccepted(id, job, node);
    }

    /// Reverts unless every pool of the job accepts statements of the node.
    function _requireAccepted(uint256 id, StoredJob storage job, address node) internal view {
        uint256 count = job.poolCount;
        for (uint256 i; i < count; ++i) {
            IPool(_parts[id][i].pool).requireNode(node);
        }
    }

    function _move(uint256 id, StoredJob storage job, JobState to) internal {
        JobState from = job.state;
        if (!JobTransitions.allowed(from, to)) revert TransitionNotAllowed(id, from, to);
        job.state = to;
        emit JobStateChanged(id, from, to);
    }

    function _job(uint256 id) internal view returns (StoredJob storage job) {
        job = _jobs[id];
        if (job.state == JobState.None) revert JobUnknown(id);
    }

    /// The digest that the grants of a job are for.
    function _granted(uint256 id, StoredJob storage job) internal view returns (bytes32) {
        return job.templated ? _templates[id] : job.manifestDigest;
    }

    /// What a part of a job costs, as it was when the job was funded.
    function _priceOf(StoredJob storage job, StoredPart memory part, bytes32 granted)
        internal
        view
        returns (RunPrice memory)
    {
        return permissions.priceOf(job.consumer, part.pool, granted, part.generation);
    }

    function _partOf(uint256 id, StoredJob storage job, address pool) internal view returns (StoredPart storage part) {
        for (uint256 i; i < job.poolCount; ++i) {
            part = _parts[id][i];
            if (part.pool == pool) return part;
        }
        revert PoolNotInJob(id, pool);
    }

    function _requireTimelock(address pool) internal view {
        if (msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
    }

    function _requireConsumer(uint256 id, StoredJob storage job) internal view {
        if (msg.sender != job.consumer) revert OnlyConsumer(id, msg.sender, job.consumer);
    }

    function _requireBefore(uint256 id, StoredJob storage job) internal view {
        if (block.timestamp > job.deadline) revert DeadlinePassed(id, job.deadline);
    }

    /// Reverts while a pool of the job is paused or holds it.
    function _requireOpen(uint256 id, StoredJob storage job) internal view {
        bytes32 granted = _granted(id, job);
        uint256 count = job.poolCount;
        for (uint256 i; i < count; ++i) {
            IPool(_parts[id][i].pool).requireOpenTo(granted);
        }
    }

    /// Whether a pool of the job is paused or holds it, and until when one last did.
    function _holds(uint256 id, StoredJob storage job) internal view returns (bool held, uint256 heldUntil) {
        bytes32 granted = _granted(id, job);
        uint256 count = job.poolCount;
        for (uint256 i; i < count; ++i) {
            (bool here, uint40 until) = IPool(_parts[id][i].pool).holdOf(granted);
            if (here) held = true;
            if (until > heldUntil) heldUntil = until;
        }
    }
}
