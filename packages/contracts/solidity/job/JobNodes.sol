// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../node/StatementGuard.sol";
import {IPool} from "../pool/IPool.sol";
import {JobClass} from "./Job.sol";
import {JobDraw} from "./JobDraw.sol";
import {JobState} from "./JobState.sol";
import {JobStore} from "./JobStore.sol";

/// @title Which node has a job: lots, starts, heartbeats, hand-off
/// @notice A node that does not show up or falls silent loses the job to another one and can never have it again.
abstract contract JobNodes is JobStore, JobDraw {
    string public constant START_STATEMENT = "sealpool/start/1";
    string public constant HEARTBEAT_STATEMENT = "sealpool/heartbeat/1";
    string public constant HAND_OFF_STATEMENT = "sealpool/hand-off/1";
    /// @notice An assigned node that has not started after this long loses the job.
    uint256 public constant ASSIGNMENT_WINDOW = 15 minutes;
    /// @notice A running node that was not heard for this long loses the job.
    uint256 public constant HEARTBEAT_TIMEOUT = 1 hours;
    /// @notice How often a job may change its node; afterwards it ends by its deadline.
    uint8 public constant MAXIMUM_ATTEMPTS = 16;

    /// @notice Whether a node had a job and lost it or handed it on.
    mapping(uint256 id => mapping(address node => bool)) public hadJob;

    event JobAssigned(uint256 indexed id, address indexed node);
    event JobHeard(uint256 indexed id, address indexed node, uint256 time);
    event JobHandedOff(uint256 indexed id, address indexed from, address indexed to);
    event JobLost(uint256 indexed id, address indexed node, uint8 attempts);
    event JobStarted(uint256 indexed id, address indexed node);

    error NotAssigned(uint256 id);
    error NodeHadJob(uint256 id, address node);
    error NodeNotSilent(uint256 id, uint256 silentFrom);
    error TooManyAttempts(uint256 id);
    error HeartbeatOutOfOrder(uint256 id, uint256 given, uint256 last, uint256 time);
    error NodeNotActive(uint256 id, address node);
    error NotDrawn(uint256 id);

    /// @notice Gives a drawn job to a node by lot, once the block that decides is there. Anyone.
    /// @dev The lot falls among the nodes that were registered when the job was funded, by the hash of a block that nobody
    /// knew then. Whoever waits until that hash is forgotten (256 blocks) only causes a new draw. While a pool is paused or
    /// holds the job the lot is fixed, by the first call, and falls afterwards; so it is while none of its candidates can run the job,
    /// and may fall on nobody for ever: the consumer then cancels and tries another run.
    function assign(uint256 id) external {
        StoredJob storage job = _job(id);
        if (job.class != JobClass.Drawn) revert NotDrawn(id);
        _requireBefore(id, job);
        if (job.state != JobState.Funded) revert TransitionNotAllowed(id, job.state, JobState.Assigned);
        (bool held,) = _holds(id, job);
        if (held) {
            if (_fixLot(id)) return;
            _requireOpen(id, job);
        }
        (uint256 seed, uint256 candidates) = _drawn(id);
        if (seed != 0) {
            for (uint256 k; k < DRAW_ATTEMPTS; ++k) {
                address node = nodeRegistry.nodeAt(uint256(keccak256(abi.encode(seed, k))) % candidates);
                if (!_eligible(id, job, node)) continue;
                _move(id, job, JobState.Assigned);
                job.node = node;
                _parts[id][0].seenAt = uint40(block.timestamp);
                emit JobAssigned(id, node);
                return;
            }
            // Drawn anew, a pool that the consumer brought could turn every lot away that it does not like.
            if (!_fixLot(id)) revert NodeNotActive(id, address(0));
            return;
        }
        _drawAmongAll(id);
    }

    /// @notice A node takes the job. Statement facts: bytes32 manifestDigest.
    function start(uint256 id, StatementProof calldata proof) external {
        StoredJob storage job = _job(id);
        _requireBefore(id, job);
        if (job.class == JobClass.Drawn && job.state != JobState.Assigned) revert NotAssigned(id);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest));
        address node = _speak(id, job, START_STATEMENT, facts, proof);
        _requireNew(id, job, node);
        _requireOpen(id, job);
        _move(id, job, JobState.Running);
        job.node = node;
        _parts[id][0].seenAt = uint40(block.timestamp);
        emit JobStarted(id, node);
    }

    /// @notice The node that runs the job says that it is still there.
    /// Statement facts: bytes32 manifestDigest, uint256 time (unix seconds, later than the last and not in the future).
    function heartbeat(uint256 id, uint256 time, StatementProof calldata proof) external {
        StoredJob storage job = _job(id);
        if (job.state != JobState.Running) revert TransitionNotAllowed(id, job.state, JobState.Running);
        StoredPart storage first = _parts[id][0];
        if (time <= first.seenAt || time > block.timestamp) {
            revert HeartbeatOutOfOrder(id, time, first.seenAt, block.timestamp);
        }
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, time));
        address node = _speak(id, job, HEARTBEAT_STATEMENT, facts, proof);
        first.seenAt = uint40(time);
        emit JobHeard(id, node, time);
    }

    /// @notice The node that runs the job hands it to a second attested node, which every pool of the job accepts. Not while
    /// a pool is paused or holds the job: another node begins nothing then.
    /// Statement facts: bytes32 manifestDigest, address to.
    function handOff(uint256 id, address to, StatementProof calldata proof) external {
        StoredJob storage job = _job(id);
        if (job.state != JobState.Running) revert TransitionNotAllowed(id, job.state, JobState.Running);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, to));
        address from = _speak(id, job, HAND_OFF_STATEMENT, facts, proof);
        _requireOpen(id, job);
        _lose(id, job);
        if (!_eligible(id, job, to)) revert NodeNotActive(id, to);
        job.node = to;
        _parts[id][0].seenAt = uint40(block.timestamp);
        emit JobHandedOff(id, from, to);
    }

    /// @notice Takes a job from a node that did not show up or fell silent, so that another one can have it. Anyone; not while
    /// a pool is paused or holds the job, or does not accept the node that was drawn, and the node's time begins anew
    /// afterwards: it was not the node that stood still.
    function requeue(uint256 id) external {
        StoredJob storage job = _job(id);
        if (job.state != JobState.Assigned && job.state != JobState.Running) {
            revert TransitionNotAllowed(id, job.state, JobState.Funded);
        }
        _requireOpen(id, job);
        // Nor does a pool draw another node by turning this one away, perhaps one that the consumer founded: {expire} ends that.
        if (job.class == JobClass.Drawn) _requireAccepted(id, job, job.node);
        (, uint256 silentFrom) = _silence(id, job);
        if (block.timestamp <= silentFrom) revert NodeNotSilent(id, silentFrom);
        _lose(id, job);
        _move(id, job, JobState.Funded);
        if (job.class == JobClass.Drawn) _drawAmongAll(id);
    }

    function _drawAmongAll(uint256 id) internal {
        _scheduleDraw(id, nodeRegistry.nodeCount());
    }

    /// What a node that lost the job or handed it on signed before counts for it no more.
    function _requireNew(uint256 id, StoredJob storage job, address node) internal view {
        if (job.attempts != 0 && hadJob[id][node]) revert NodeHadJob(id, node);
    }

    /// Whether the node that has a drawn job fell silent while a pool turns it away: no statement of it counts, and {requeue} waits.
    function _stranded(uint256 id, StoredJob storage job) internal view returns (bool) {
        if (job.class != JobClass.Drawn) return false;
        if (job.state != JobState.Assigned && job.state != JobState.Running) return false;
        (bool held, uint256 silentFrom) = _silence(id, job);
        return !held && block.timestamp > silentFrom && !_accepted(id, job, job.node);
    }

    /// Until when the node that has the job has time, which begins anew after a pause, a stop or other rules; and whether a pool
    /// is paused or holds the job now.
    function _silence(uint256 id, StoredJob storage job) private view returns (bool held, uint256 silentFrom) {
        (held, silentFrom) = _holds(id, job);
        uint256 seenAt = _parts[id][0].seenAt;
        if (seenAt > silentFrom) silentFrom = seenAt;
        silentFrom += job.state == JobState.Assigned ? ASSIGNMENT_WINDOW : HEARTBEAT_TIMEOUT;
    }

    /// Whether a node could run the job: active, accepted by every pool, and without a history with it.
    function _eligible(uint256 id, StoredJob storage job, address node) private view returns (bool) {
        return !hadJob[id][node] && nodeRegistry.isActive(node) && _accepted(id, job, node);
    }

    function _accepted(uint256 id, StoredJob storage job, address node) private view returns (bool) {
        for (uint256 i; i < job.poolCount; ++i) {
            try IPool(_parts[id][i].pool).requireNode(node) {} catch {
                return false;
            }
        }
        return true;
    }

    /// The node that has the job has it no more, for ever.
    function _lose(uint256 id, StoredJob storage job) private {
        address node = job.node;
        if (job.attempts == MAXIMUM_ATTEMPTS) revert TooManyAttempts(id);
        uint8 attempts = ++job.attempts;
        hadJob[id][node] = true;
        job.node = address(0);
        emit JobLost(id, node, attempts);
    }
}
