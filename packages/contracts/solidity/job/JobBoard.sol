// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {Permissions, Terms} from "../permission/Permissions.sol";
import {IPool, IPoolDirectory} from "../pool/IPool.sol";
import {Job, JobShare} from "./Job.sol";
import {JobState, JobTransitions} from "./JobState.sol";

/// @title Proposal, approval, escrow, release and settlement of jobs
/// @notice A job runs only when every pool in it granted it by vote. Money is in escrow from funding to settlement and
/// returns in full on refusal, failure, cancellation and expiry.
contract JobBoard is StatementGuard, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    string public constant START_STATEMENT = "sealpool/start/1";
    string public constant RELEASE_STATEMENT = "sealpool/release/1";
    string public constant REFUSAL_STATEMENT = "sealpool/refusal/1";
    string public constant FAILURE_STATEMENT = "sealpool/failure/1";
    uint256 public constant MAXIMUM_POOLS = 16;
    uint256 public constant MAXIMUM_LOCATOR_BYTES = 512;

    IERC20 public immutable protocolToken;
    IPoolDirectory public immutable pools;
    Permissions public immutable permissions;
    /// @notice Part of every price that is burned at settlement, in 1/10,000. Fixed for ever.
    uint16 public immutable burnShareBps;

    uint256 public jobCount;
    mapping(uint256 id => Job) private _jobs;
    mapping(uint256 id => mapping(address pool => JobShare)) private _shares;

    event JobProposed(
        uint256 indexed id,
        address indexed consumer,
        bytes32 indexed manifestDigest,
        string manifestLocator,
        address[] pools,
        uint256 priceCeiling,
        uint64 deadline
    );
    event JobStateChanged(uint256 indexed id, JobState from, JobState to);
    event JobApproved(uint256 indexed id, address indexed pool, Terms terms);
    event JobSuspended(uint256 indexed id, address indexed pool, address by);
    event JobResumed(uint256 indexed id, address indexed pool);
    event JobFunded(uint256 indexed id, address indexed consumer, uint256 price);
    event JobStarted(uint256 indexed id, address indexed node);
    event JobReleased(
        uint256 indexed id, address indexed node, bytes32 receiptDigest, bytes32 resultDigest, bytes32[] budgetHeads
    );
    event JobRefused(uint256 indexed id, address indexed node, bytes32 reason, bytes32 receiptDigest);
    event JobFailed(uint256 indexed id, address indexed node, bytes32 reason);
    event JobSettled(uint256 indexed id, uint256 burned, uint256 shared);
    event JobRefunded(uint256 indexed id, address indexed consumer, uint256 price);

    error BurnShareTooLarge(uint16 bps);
    error JobUnknown(uint256 id);
    error TransitionNotAllowed(uint256 id, JobState from, JobState to);
    error PoolCountInvalid(uint256 count, uint256 maximum);
    error PoolUnknown(uint256 index, address pool);
    error PoolTwice(uint256 index, address pool);
    error ManifestDigestZero();
    error LocatorTooLong(uint256 length, uint256 maximum);
    error DeadlineNotInFuture(uint64 deadline, uint256 time);
    error DeadlinePassed(uint256 id, uint64 deadline);
    error DeadlineNotPassed(uint256 id, uint64 deadline);
    error OnlyConsumer(uint256 id, address caller, address consumer);
    error OnlyPoolTimelock(address caller, address pool);
    error PoolNotInJob(uint256 id, address pool);
    error AlreadyApproved(uint256 id, address pool);
    error PriceAboveCeiling(uint256 id, uint256 price, uint256 ceiling);
    error EscrowShort(address token, uint256 received, uint256 expected);
    error JobIsSuspended(uint256 id, uint8 suspensions);
    error NotSuspended(uint256 id, address pool);
    error AlreadySuspended(uint256 id, address pool);
    error SuspensionOverruled(uint256 id, address pool);
    error OnlyContributor(address caller, address pool);
    error AlreadyStarted(uint256 id, JobState state);
    error OtherNode(uint256 id, address signer, address node);
    error BudgetHeadsDiffer(uint256 id, uint256 given, uint256 pools);

    constructor(
        IERC20 protocolToken_,
        NodeRegistry nodeRegistry_,
        IPoolDirectory pools_,
        Permissions permissions_,
        uint16 burnShareBps_
    ) StatementGuard(nodeRegistry_) {
        if (burnShareBps_ > 10_000) revert BurnShareTooLarge(burnShareBps_);
        protocolToken = protocolToken_;
        pools = pools_;
        permissions = permissions_;
        burnShareBps = burnShareBps_;
    }

    /// @notice Proposes a job over one or more pools; at once approved when every pool granted it before.
    /// @param priceCeiling The most the consumer will ever pay for this job, whatever the grants say.
    function propose(
        bytes32 manifestDigest,
        string calldata manifestLocator,
        address[] calldata jobPools,
        uint256 priceCeiling,
        uint64 deadline
    ) external returns (uint256 id) {
        if (manifestDigest == 0) revert ManifestDigestZero();
        if (bytes(manifestLocator).length > MAXIMUM_LOCATOR_BYTES) {
            revert LocatorTooLong(bytes(manifestLocator).length, MAXIMUM_LOCATOR_BYTES);
        }
        if (jobPools.length == 0 || jobPools.length > MAXIMUM_POOLS) {
            revert PoolCountInvalid(jobPools.length, MAXIMUM_POOLS);
        }
        if (deadline <= block.timestamp) revert DeadlineNotInFuture(deadline, block.timestamp);
        id = ++jobCount;
        Job storage job = _jobs[id];
        job.consumer = msg.sender;
        job.deadline = deadline;
        job.manifestDigest = manifestDigest;
        job.priceCeiling = priceCeiling;
        job.pools = jobPools;
        emit JobProposed(id, msg.sender, manifestDigest, manifestLocator, jobPools, priceCeiling, deadline);
        uint8 approvals;
        for (uint256 i; i < jobPools.length; ++i) {
            address pool = jobPools[i];
            if (pools.indexOf(pool) == 0) revert PoolUnknown(i, pool);
            for (uint256 j; j < i; ++j) {
                if (jobPools[j] == pool) revert PoolTwice(i, pool);
            }
            if (permissions.usable(msg.sender, pool, manifestDigest)) {
                _shares[id][pool].approved = true;
                ++approvals;
            }
        }
        job.approvals = approvals;
        _move(id, job, approvals == jobPools.length ? JobState.Approved : JobState.Proposed);
    }

    /// @notice Grants a proposed job for one pool. Only that pool's timelock, which acts on a passed vote.
    function approve(uint256 id, address pool, Terms calldata terms) external {
        Job storage job = _job(id);
        _requireInJob(id, job, pool);
        _requireTimelock(pool);
        if (job.state != JobState.Proposed) revert TransitionNotAllowed(id, job.state, JobState.Approved);
        JobShare storage share = _shares[id][pool];
        if (share.approved) revert AlreadyApproved(id, pool);
        share.approved = true;
        emit JobApproved(id, pool, terms);
        permissions.record(job.consumer, pool, job.manifestDigest, terms);
        if (++job.approvals == job.pools.length) _move(id, job, JobState.Approved);
    }

    /// @notice Stops a job that has not started, in the name of one of its pools. Any contributor of that pool.
    function suspend(uint256 id, address pool) external {
        Job storage job = _job(id);
        _requireInJob(id, job, pool);
        if (IPool(pool).pointsOf(msg.sender) == 0) revert OnlyContributor(msg.sender, pool);
        if (uint8(job.state) > uint8(JobState.Funded)) revert AlreadyStarted(id, job.state);
        JobShare storage share = _shares[id][pool];
        if (share.overruled) revert SuspensionOverruled(id, pool);
        if (share.suspended) revert AlreadySuspended(id, pool);
        share.suspended = true;
        ++job.suspensions;
        emit JobSuspended(id, pool, msg.sender);
    }

    /// @notice Lifts a suspension for good. Only the pool's timelock.
    function resume(uint256 id, address pool) external {
        Job storage job = _job(id);
        _requireInJob(id, job, pool);
        _requireTimelock(pool);
        JobShare storage share = _shares[id][pool];
        if (!share.suspended) revert NotSuspended(id, pool);
        share.suspended = false;
        share.overruled = true;
        --job.suspensions;
        emit JobResumed(id, pool);
    }

    /// @notice Takes the price and the pool tokens into escrow and counts the grants. Only the consumer.
    function fund(uint256 id) external nonReentrant {
        Job storage job = _job(id);
        _requireConsumer(id, job);
        _requireBefore(id, job);
        _requireNotSuspended(id, job);
        _move(id, job, JobState.Funded);
        uint256 count = job.pools.length;
        uint256 price;
        for (uint256 i; i < count; ++i) {
            address pool = job.pools[i];
            (Terms memory terms, uint32 generation) = permissions.use(msg.sender, pool, job.manifestDigest);
            JobShare storage share = _shares[id][pool];
            share.price = terms.price;
            share.poolTokenBurn = terms.poolTokenBurn;
            share.generation = generation;
            price += terms.price;
        }
        if (price > job.priceCeiling) revert PriceAboveCeiling(id, price, job.priceCeiling);
        emit JobFunded(id, msg.sender, price);
        for (uint256 i; i < count; ++i) {
            address pool = job.pools[i];
            _take(IERC20(IPool(pool).token()), _shares[id][pool].poolTokenBurn);
        }
        _take(protocolToken, price);
    }

    /// @notice A node takes the job. Statement facts: bytes32 manifestDigest.
    function start(uint256 id, StatementProof calldata proof) external {
        Job storage job = _job(id);
        _requireBefore(id, job);
        _requireNotSuspended(id, job);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest));
        address node = _speak(id, job, START_STATEMENT, facts, proof);
        _move(id, job, JobState.Running);
        job.node = node;
        emit JobStarted(id, node);
    }

    /// @notice The node that runs the job declares its result. Statement facts: bytes32 manifestDigest,
    /// bytes32 receiptDigest, bytes32 resultDigest, then one bytes32 budget head per pool, in the job's order.
    function release(
        uint256 id,
        bytes32 receiptDigest,
        bytes32 resultDigest,
        bytes32[] calldata budgetHeads,
        StatementProof calldata proof
    ) external {
        Job storage job = _job(id);
        _requireBefore(id, job);
        if (budgetHeads.length != job.pools.length) {
            revert BudgetHeadsDiffer(id, budgetHeads.length, job.pools.length);
        }
        // Words of 32 bytes each: packed and plain encoding are the same, and the number of heads is fixed by the job.
        bytes32 facts =
            keccak256(abi.encodePacked(job.manifestDigest, receiptDigest, resultDigest, budgetHeads));
        address node = _speak(id, job, RELEASE_STATEMENT, facts, proof);
        _move(id, job, JobState.Released);
        emit JobReleased(id, node, receiptDigest, resultDigest, budgetHeads);
    }

    /// @notice Pays a released job out: burns the burn share and the pool tokens, hands each pool its part.
    function settle(uint256 id) external nonReentrant {
        Job storage job = _job(id);
        _move(id, job, JobState.Settled);
        uint256 burned;
        uint256 shared;
        for (uint256 i; i < job.pools.length; ++i) {
            address pool = job.pools[i];
            JobShare storage share = _shares[id][pool];
            uint256 burn = uint256(share.price) * burnShareBps / 10_000;
            uint256 rest = share.price - burn;
            burned += burn;
            shared += rest;
            if (share.poolTokenBurn != 0) ERC20Burnable(IPool(pool).token()).burn(share.poolTokenBurn);
            if (rest != 0) {
                protocolToken.safeTransfer(pool, rest);
                IPool(pool).distribute(rest);
            }
        }
        emit JobSettled(id, burned, shared);
        if (burned != 0) ERC20Burnable(address(protocolToken)).burn(burned);
    }

    /// @notice A node refuses the job for a reason; the consumer gets everything back.
    /// Statement facts: bytes32 manifestDigest, bytes32 receiptDigest, bytes32 reason.
    function refuse(uint256 id, bytes32 reason, bytes32 receiptDigest, StatementProof calldata proof)
        external
        nonReentrant
    {
        Job storage job = _job(id);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, receiptDigest, reason));
        address node = _speak(id, job, REFUSAL_STATEMENT, facts, proof);
        emit JobRefused(id, node, reason, receiptDigest);
        _end(id, job, JobState.Refused);
    }

    /// @notice The node that runs the job says that it cannot finish; the consumer gets everything back.
    /// Statement facts: bytes32 manifestDigest, bytes32 reason.
    function fail(uint256 id, bytes32 reason, StatementProof calldata proof) external nonReentrant {
        Job storage job = _job(id);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, reason));
        address node = _speak(id, job, FAILURE_STATEMENT, facts, proof);
        emit JobFailed(id, node, reason);
        _end(id, job, JobState.Failed);
    }

    /// @notice The consumer withdraws a job that has not started.
    function cancel(uint256 id) external nonReentrant {
        Job storage job = _job(id);
        _requireConsumer(id, job);
        _end(id, job, JobState.Cancelled);
    }

    /// @notice Ends a job whose deadline has passed without a result. Anyone.
    function expire(uint256 id) external nonReentrant {
        Job storage job = _job(id);
        if (block.timestamp <= job.deadline) revert DeadlineNotPassed(id, job.deadline);
        _end(id, job, JobState.Expired);
    }

    /// @notice The job as stored; state None when there is none.
    function getJob(uint256 id) external view returns (Job memory) {
        return _jobs[id];
    }

    /// @notice One pool's part in a job.
    function getShare(uint256 id, address pool) external view returns (JobShare memory) {
        return _shares[id][pool];
    }

    /// @notice The transition table, as code.
    function transitionAllowed(JobState from, JobState to) external pure returns (bool) {
        return JobTransitions.allowed(from, to);
    }

    function _speak(
        uint256 id,
        Job storage job,
        string memory kind,
        bytes32 facts,
        StatementProof calldata proof
    ) private returns (address node) {
        node = _useStatement(kind, job.pools[0], bytes32(id), facts, proof);
        if (job.node != address(0) && node != job.node) revert OtherNode(id, node, job.node);
        for (uint256 i; i < job.pools.length; ++i) {
            IPool(job.pools[i]).requireNode(node);
        }
    }

    /// Ends a job without result: state first, then everything in escrow back to the consumer.
    function _end(uint256 id, Job storage job, JobState to) private {
        JobState from = job.state;
        _move(id, job, to);
        if (!JobTransitions.inEscrow(from)) return;
        // A run that a node refused or began has told the consumer something: only untouched runs are given back.
        bool untouched = from == JobState.Funded && to != JobState.Refused;
        uint256 price;
        for (uint256 i; i < job.pools.length; ++i) {
            address pool = job.pools[i];
            JobShare storage share = _shares[id][pool];
            price += share.price;
            if (untouched) permissions.giveBack(job.consumer, pool, job.manifestDigest, share.generation);
            if (share.poolTokenBurn != 0) {
                IERC20(IPool(pool).token()).safeTransfer(job.consumer, share.poolTokenBurn);
            }
        }
        emit JobRefunded(id, job.consumer, price);
        if (price != 0) protocolToken.safeTransfer(job.consumer, price);
    }

    function _move(uint256 id, Job storage job, JobState to) private {
        JobState from = job.state;
        if (!JobTransitions.allowed(from, to)) revert TransitionNotAllowed(id, from, to);
        job.state = to;
        emit JobStateChanged(id, from, to);
    }

    /// Takes exactly `amount` from the caller; a token that keeps a fee on transfer cannot fill an escrow.
    function _take(IERC20 token, uint256 amount) private {
        if (amount == 0) return;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert EscrowShort(address(token), received, amount);
    }

    function _job(uint256 id) private view returns (Job storage job) {
        job = _jobs[id];
        if (job.state == JobState.None) revert JobUnknown(id);
    }

    function _requireInJob(uint256 id, Job storage job, address pool) private view {
        for (uint256 i; i < job.pools.length; ++i) {
            if (job.pools[i] == pool) return;
        }
        revert PoolNotInJob(id, pool);
    }

    function _requireTimelock(address pool) private view {
        if (msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
    }

    function _requireConsumer(uint256 id, Job storage job) private view {
        if (msg.sender != job.consumer) revert OnlyConsumer(id, msg.sender, job.consumer);
    }

    function _requireBefore(uint256 id, Job storage job) private view {
        if (block.timestamp > job.deadline) revert DeadlinePassed(id, job.deadline);
    }

    function _requireNotSuspended(uint256 id, Job storage job) private view {
        if (job.suspensions != 0) revert JobIsSuspended(id, job.suspensions);
    }
}
