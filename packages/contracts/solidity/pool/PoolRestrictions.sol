// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What has been added to a pool's policies: for good by the vote, for a while by the guardian
/// @notice Data under a policy may be used only within all of it. Who may add what is decided by the pool.
abstract contract PoolRestrictions {
    /// @notice How many restrictions the vote may add to one policy.
    uint32 public constant MAXIMUM_RESTRICTIONS = 64;
    /// @notice How many restrictions the guardian may have in force at once; they take none of the vote's places.
    uint32 private constant MAXIMUM_PASSING_RESTRICTIONS = 8;
    /// @notice The guardian's restrictions end by themselves this long after the first of them, and the next may begin only as
    /// long after their end.
    uint40 private constant PASSING_DURATION = 14 days;

    /// @notice What has been added to a policy since: data under it may be used only within all of it.
    struct Restrictions {
        bytes32 head;
        uint32 count;
    }

    mapping(bytes32 policyDigest => Restrictions) private _restrictions;

    /// @notice What the guardian has added to a policy for a while.
    struct PassingRestrictions {
        uint40 until;
        bytes32[] restrictions;
    }

    mapping(bytes32 policyDigest => PassingRestrictions) private _passing;

    event Narrowed(bytes32 indexed policyDigest, uint32 index, bytes32 restriction, bytes32 head);
    event NarrowedForNow(bytes32 indexed policyDigest, bytes32 restriction, uint40 until);
    event PassingRestrictionsEnded(bytes32 indexed policyDigest);

    error RestrictionZero(bytes32 policyDigest);
    error RestrictionsFull(bytes32 policyDigest);
    error NarrowTooSoon(uint40 earliest);
    error NothingPassing(bytes32 policyDigest);

    /// @notice The restrictions that a policy has been given: the head of their hash chain, and how many there are.
    function restrictionsOf(bytes32 policyDigest) external view returns (Restrictions memory) {
        return _restrictions[policyDigest];
    }

    /// @notice The guardian's restrictions of a policy that hold now, and until when they do; none when their time is over.
    function passingRestrictionsOf(bytes32 policyDigest) external view returns (PassingRestrictions memory passing) {
        if (_passing[policyDigest].until > block.timestamp) passing = _passing[policyDigest];
    }

    function _narrowForGood(bytes32 policy, bytes32 restriction) internal {
        Restrictions storage added = _restrictions[policy];
        uint32 index = added.count;
        if (index == MAXIMUM_RESTRICTIONS) revert RestrictionsFull(policy);
        bytes32 head = keccak256(abi.encode(added.head, restriction));
        added.head = head;
        added.count = index + 1;
        emit Narrowed(policy, index, restriction, head);
    }

    function _narrowForNow(bytes32 policy, bytes32 restriction) internal {
        PassingRestrictions storage passing = _passing[policy];
        uint40 until = passing.until;
        if (until <= block.timestamp) {
            if (until != 0 && block.timestamp < until + PASSING_DURATION) revert NarrowTooSoon(until + PASSING_DURATION);
            until = uint40(block.timestamp) + PASSING_DURATION;
            passing.until = until;
            delete passing.restrictions;
        }
        if (passing.restrictions.length == MAXIMUM_PASSING_RESTRICTIONS) revert RestrictionsFull(policy);
        passing.restrictions.push(restriction);
        emit NarrowedForNow(policy, restriction, until);
    }

    function _endPassing(bytes32 policy) internal {
        PassingRestrictions storage passing = _passing[policy];
        if (passing.until <= block.timestamp) revert NothingPassing(policy);
        passing.until = uint40(block.timestamp);
        emit PassingRestrictionsEnded(policy);
    }
}
