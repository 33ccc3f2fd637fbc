// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolToken} from "./PoolToken.sol";
import {Allocation, VestingSchedule} from "./VestingSchedule.sol";

/// @notice What a pool's token is made of.
struct TokenPlan {
    string name;
    string symbol;
    address treasury;
    address escrow;
    uint256 treasuryAmount;
    uint256 cap;
    Allocation[] allocations;
}

/// @title Holds the creation code of {PoolToken} and {VestingSchedule}, so that the factory stays under the size limit
contract PoolTokenDeployer {
    /// @notice A pool counts what it owes in numbers of this size.
    uint256 public constant MAXIMUM_CAP = type(uint96).max;
    uint256 public constant MAXIMUM_ALLOCATIONS = 16;

    event AllocationVested(
        address indexed token,
        address indexed schedule,
        address indexed beneficiary,
        uint256 amount,
        uint64 startsAt,
        uint64 cliff,
        uint64 duration
    );

    error SupplyCapInvalid(uint256 cap, uint256 allocated, uint256 maximum);
    error TooManyAllocations(uint256 count, uint256 maximum);
    error AllocationInvalid(uint256 index);

    /// @notice Deploys a token that only the caller can mint, and a schedule for each allocation.
    function deploy(TokenPlan calldata plan) external returns (PoolToken token) {
        uint256 count = plan.allocations.length;
        if (count > MAXIMUM_ALLOCATIONS) revert TooManyAllocations(count, MAXIMUM_ALLOCATIONS);
        address[] memory holders = new address[](count + 1);
        uint256[] memory amounts = new uint256[](count + 1);
        (holders[count], amounts[count]) = (plan.treasury, plan.treasuryAmount);
        if (plan.cap > MAXIMUM_CAP || plan.treasuryAmount > plan.cap) {
            revert SupplyCapInvalid(plan.cap, plan.treasuryAmount, MAXIMUM_CAP);
        }
        uint256 sum = plan.treasuryAmount;
        for (uint256 i; i < count; ++i) {
            Allocation calldata allocation = plan.allocations[i];
            if (allocation.amount == 0 || allocation.duration == 0) revert AllocationInvalid(i);
            // Each is compared before it is added, or a sum past 2^256 would have no name.
            if (allocation.amount > plan.cap) revert SupplyCapInvalid(plan.cap, allocation.amount, MAXIMUM_CAP);
            (holders[i], amounts[i]) = (address(new VestingSchedule(allocation)), allocation.amount);
            sum += allocation.amount;
        }
        if (sum > plan.cap) revert SupplyCapInvalid(plan.cap, sum, MAXIMUM_CAP);
        token = new PoolToken(
            plan.name, plan.symbol, msg.sender, plan.treasury, plan.escrow, plan.cap, holders, amounts
        );
        for (uint256 i; i < count; ++i) {
            Allocation calldata allocation = plan.allocations[i];
            emit AllocationVested(
                address(token),
                holders[i],
                allocation.beneficiary,
                allocation.amount,
                allocation.startsAt,
                allocation.cliff,
                allocation.duration
            );
        }
    }
}
