// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPool, Stop} from "./IPool.sol";

/// @title What may run over a pool: the code that its jobs may have, and which runs its contributors hold
/// @notice Who is a contributor, and who speaks for the vote, is decided by the pool.
abstract contract PoolStops is IPool {
    /// @notice Code that jobs may run.
    mapping(bytes32 codeDigest => bool) public jobCode;

    mapping(bytes32 digest => Stop) private _stops;
    /// @notice Whether a contributor holds the runs of a digest, or did when a vote let them run.
    mapping(bytes32 digest => mapping(address contributor => bool)) public holds;

    event JobCodeSet(bytes32 indexed codeDigest, bool accepted);
    event RunsSuspended(bytes32 indexed digest, address indexed by, uint32 holders);
    event RunsResumed(bytes32 indexed digest, address indexed by, uint32 holders, bool overruled);
    event StopBound(bytes32 indexed digest);

    error JobIsSuspended(bytes32 digest, uint32 holders);
    error AlreadySuspended(bytes32 digest, address contributor);
    error NotSuspended(bytes32 digest, address caller);
    error SuspensionOverruled(bytes32 digest);
    error SuspensionBinding(bytes32 digest);
    error JobCodeNotAccepted(bytes32 codeDigest);

    /// @inheritdoc IPool
    function stopOf(bytes32 digest) external view returns (Stop memory) {
        return _stops[digest];
    }

    function _setJobCode(bytes32 codeDigest, bool accepted) internal {
        // Who declares no code declares zero.
        if (codeDigest == 0) revert JobCodeNotAccepted(codeDigest);
        jobCode[codeDigest] = accepted;
        emit JobCodeSet(codeDigest, accepted);
    }

    function _suspend(address contributor, bytes32 digest) internal {
        Stop storage stop = _stops[digest];
        if (stop.overruled) revert SuspensionOverruled(digest);
        if (holds[digest][contributor]) revert AlreadySuspended(digest, contributor);
        holds[digest][contributor] = true;
        uint32 holders = ++stop.holders;
        emit RunsSuspended(digest, contributor, holders);
    }

    /// Each contributor has a hold of its own, so that nobody can stop first and let go for another one.
    function _resume(address caller, bool byVote, bytes32 digest) internal {
        Stop storage stop = _stops[digest];
        if (stop.holders == 0) revert NotSuspended(digest, caller);
        if (byVote) {
            _stops[digest] = Stop(0, true, false, uint40(block.timestamp));
            emit RunsResumed(digest, caller, 0, true);
            return;
        }
        if (!holds[digest][caller]) revert NotSuspended(digest, caller);
        if (stop.binding) revert SuspensionBinding(digest);
        holds[digest][caller] = false;
        uint32 holders = --stop.holders;
        if (holders == 0) stop.liftedAt = uint40(block.timestamp);
        emit RunsResumed(digest, caller, holders, false);
    }

    /// Leaves a stop to the vote alone.
    function _bind(bytes32 digest) internal {
        Stop storage stop = _stops[digest];
        if (stop.holders == 0 || stop.binding) return;
        stop.binding = true;
        emit StopBound(digest);
    }

    function _holdOf(bytes32 digest) internal view returns (bool, uint40) {
        Stop storage stop = _stops[digest];
        return (stop.holders != 0, stop.liftedAt);
    }

    function _requireNotHeld(bytes32 digest) internal view {
        uint32 holders = _stops[digest].holders;
        if (holders != 0) revert JobIsSuspended(digest, holders);
    }
}
