// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState} from "./JobState.sol";

/// @notice How a node gets a job.
enum JobClass {
    /// @dev The first accepted node that starts it.
    Open,
    /// @dev Only the node that the draw assigned, until its time is over.
    Drawn
}

/// @notice What a consumer asks for.
struct JobProposal {
    bytes32 manifestDigest;
    /// @dev The template that the manifest is an instance of, when the grants are for a template; else zero. Nodes check it.
    bytes32 templateDigest;
    /// @dev Digest of the code that the manifest names; a pool that lists its job code accepts no other. Nodes check it.
    bytes32 codeDigest;
    /// @dev Digest of the tables, columns and purpose that the manifest names; a grant with a scope accepts no other.
    /// Nodes check it.
    bytes32 scopeDigest;
    string manifestLocator;
    address[] pools;
    /// @dev The most the consumer will ever pay for this job, whatever the grants say; above 2^96 - 1 it counts as that.
    uint256 priceCeiling;
    uint64 deadline;
    JobClass class;
}

/// @notice One job. Its manifest is found by digest; its locator stands in the event.
struct Job {
    address consumer;
    uint64 deadline;
    JobState state;
    uint8 approvals;
    /// @dev Pools whose contributors hold its runs now.
    uint8 suspensions;
    /// @dev The node that was assigned or started the job; only it can release, refuse or fail it from then on.
    address node;
    bytes32 manifestDigest;
    uint256 priceCeiling;
    address[] pools;
    JobClass class;
    /// @dev How often a node failed to show up or to finish.
    uint8 attempts;
    /// @dev When the assigned or running node was last heard.
    uint64 seenAt;
}

/// @notice One pool's part in a job.
struct JobShare {
    uint128 price;
    uint128 poolTokenBurn;
    uint32 generation;
    bool approved;
    /// @dev Contributors of the pool hold all runs of what was granted ({Pool.suspendRuns}).
    bool suspended;
    /// @dev The pool's vote let it run: its contributors cannot suspend it again.
    bool overruled;
}
