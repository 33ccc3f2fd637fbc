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
    function allowed(JobState from, JobState to) internal pure returns (bool) {
        return _targets(from) & (1 << uint256(to)) != 0;
    }

    /// Whether a job in this state holds money in escrow.
    function inEscrow(JobState state) internal pure returns (bool) {
        return state == JobState.Funded || state == JobState.Assigned || state == JobState.Running
            || state == JobState.Released;
    }

    function _targets(JobState from) private pure returns (uint256) {
        if (from == JobState.None) return _bit(JobState.Proposed) | _bit(JobState.Approved);
        if (from == JobState.Proposed) {
            return _bit(JobState.Approved) | _bit(JobState.Cancelled) | _bit(JobState.Expired);
        }
        if (from == JobState.Approved) {
            return _bit(JobState.Funded) | _bit(JobState.Refused) | _bit(JobState.Cancelled) | _bit(JobState.Expired);
        }
        if (from == JobState.Funded) {
            return _bit(JobState.Assigned) | _bit(JobState.Running) | _bit(JobState.Refused)
                | _bit(JobState.Cancelled) | _bit(JobState.Expired);
        }
        if (from == JobState.Assigned) {
            return _bit(JobState.Funded) | _bit(JobState.Running) | _bit(JobState.Refused) | _bit(JobState.Expired);
        }
        if (from == JobState.Running) {
            return _bit(JobState.Funded) | _bit(JobState.Released) | _bit(JobState.Refused) | _bit(JobState.Failed)
                | _bit(JobState.Expired);
        }
        if (from == JobState.Released) return _bit(JobState.Settled);
        return 0;
    }

    function _bit(JobState state) private pure returns (uint256) {
        return 1 << uint256(state);
    }
}
