// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {VestingWalletCliff} from "@openzeppelin/contracts/finance/VestingWalletCliff.sol";

/// @notice Tokens for a founder, a team or a backer, paid out over time.
struct Allocation {
    address beneficiary;
    uint256 amount;
    /// @dev Unix seconds.
    uint64 startsAt;
    /// @dev Seconds from the start before which nothing is paid; then all that has vested since the start.
    uint64 cliff;
    /// @dev Seconds from the start to the last token.
    uint64 duration;
}

/// @title Pays one beneficiary what has vested, linearly after a cliff
/// @notice OpenZeppelin's schedule as it is: anyone may {release}, only the beneficiary is paid, and it alone can hand its
/// claim on. Tokens that have not vested carry no vote.
contract VestingSchedule is VestingWalletCliff {
    constructor(Allocation memory allocation)
        VestingWallet(allocation.beneficiary, allocation.startsAt, allocation.duration)
        VestingWalletCliff(allocation.cliff)
    {}
}
