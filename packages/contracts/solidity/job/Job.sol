// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState} from "./JobState.sol";

/// @notice One job as stored. Its manifest is found by digest; its locator stands in the event.
struct Job {
    address consumer;
    uint64 deadline;
    JobState state;
    uint8 approvals;
    uint8 suspensions;
    /// @dev The node that started the job; only it can release, refuse or fail it from then on.
    address node;
    bytes32 manifestDigest;
    uint256 priceCeiling;
    address[] pools;
}

/// @notice One pool's part in a job.
struct JobShare {
    uint128 price;
    uint128 poolTokenBurn;
    uint32 generation;
    bool approved;
    bool suspended;
    /// @dev The pool's timelock resumed the job: its contributors cannot suspend it again.
    bool overruled;
}
