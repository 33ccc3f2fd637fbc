// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title An amount and what it was at any second before
/// @notice The newest value is one slot, two earlier ones share one. Seconds are unix time in 32 bits, until 2106.
library AmountTrace {
    struct Trace {
        uint96 amount;
        uint32 since;
        uint32 changes;
        /// @dev Earlier values, each with the second from which on it held in its last 32 bits.
        uint128[1 << 32] past;
    }

    error LookupInFuture(uint256 timepoint, uint256 time);

    /// @notice Sets the amount from this second on. At most 2^96 - 1, which the caller sees to.
    function set(Trace storage trace, uint256 amount) internal {
        (uint96 before, uint32 since, uint32 changes) = (trace.amount, trace.since, trace.changes);
        if (since != block.timestamp && since != 0) trace.past[changes++] = uint128(before) << 32 | since;
        (trace.amount, trace.since, trace.changes) = (uint96(amount), uint32(block.timestamp), changes);
    }

    /// @notice The amount at the end of a second that has passed.
    function amountAt(Trace storage trace, uint256 timepoint) internal view returns (uint256) {
        if (timepoint >= block.timestamp) revert LookupInFuture(timepoint, block.timestamp);
        if (trace.since <= timepoint) return trace.amount;
        // How many earlier values began no later than that second.
        uint256 low;
        uint256 high = trace.changes;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (uint32(trace.past[middle]) <= timepoint) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? 0 : trace.past[low - 1] >> 32;
    }
}
