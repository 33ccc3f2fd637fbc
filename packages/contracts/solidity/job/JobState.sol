// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice State of a job.
enum JobState {
    None,
    Proposed,
    Approved,
    Funded,
    Running,
    Released,
    Settled,
    Refused,
    Failed,
    Cancelled,
    Expired,
    Assigned
}

/// @title The transition table of a job
/// @notice Every change of state goes through {allowed}; what is not listed cannot happen. docs/contracts.md draws it.
///
///   None     -> Proposed | Approved (all grants exist already)
///   Proposed -> Approved | Cancelled | Expired
///   Approved -> Funded | Refused | Cancelled | Expired
///   Funded   -> Assigned | Running | Refused | Cancelled | Expired
///   Assigned -> Funded (the node did not show up) | Running | Refused | Expired
///   Running  -> Funded (the node fell silent) | Released | Refused | Failed | Expired
///   Released -> Settled
library JobTransitions {
    uint256 private constant PROPOSED = 1 << uint256(JobState.Proposed);
    uint256 private constant APPROVED = 1 << uint256(JobState.Approved);
    uint256 private constant FUNDED = 1 << uint256(JobState.Funded);
    uint256 private constant RUNNING = 1 << uint256(JobState.Running);
    uint256 private constant RELEASED = 1 << uint256(JobState.Released);
    uint256 private constant SETTLED = 1 << uint256(JobState.Settled);
    uint256 private constant REFUSED = 1 << uint256(JobState.Refused);
    uint256 private constant FAILED = 1 << uint256(JobState.Failed);
    uint256 private constant CANCELLED = 1 << uint256(JobState.Cancelled);
    uint256 private constant EXPIRED = 1 << uint256(JobState.Expired);
    uint256 private constant ASSIGNED = 1 << uint256(JobState.Assigned);

    /// @dev Room for the targets of one state: of twelve states, sixteen bits each fit into a word.
    uint256 private constant ROW = 16;
    /// @dev All rows in one word.
    uint256 private constant TARGETS = (PROPOSED | APPROVED) << (ROW * uint256(JobState.None))
        | (APPROVED | CANCELLED | EXPIRED) << (ROW * uint256(JobState.Proposed))
        | (FUNDED | REFUSED | CANCELLED | EXPIRED) << (ROW * uint256(JobState.Approved))
        | (ASSIGNED | RUNNING | REFUSED | CANCELLED | EXPIRED) << (ROW * uint256(JobState.Funded))
        | (FUNDED | RUNNING | REFUSED | EXPIRED) << (ROW * uint256(JobState.Assigned))
        | (FUNDED | RELEASED | REFUSED | FAILED | EXPIRED) << (ROW * uint256(JobState.Running))
        | SETTLED << (ROW * uint256(JobState.Released));
    uint256 private constant IN_ESCROW = FUNDED | ASSIGNED | RUNNING | RELEASED;

    function allowed(JobState from, JobState to) internal pure returns (bool) {
        return TARGETS >> (ROW * uint256(from) + uint256(to)) & 1 != 0;
    }

    /// Whether a job in this state holds money in escrow.
    function inEscrow(JobState state) internal pure returns (bool) {
        return IN_ESCROW >> uint256(state) & 1 != 0;
    }
}
