// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPool, IPoolDirectory} from "../pool/IPool.sol";

/// @title Credits: earned by contributing, spent on computations, never bought, sold or given away
/// @notice A double-entry ledger: what is earned comes from the pool's account, what is spent returns there, so that all
/// accounts of a pool always sum to zero. Nobody writes entries: points decide what is earned.
contract Credits {
    IPoolDirectory public immutable pools;

    mapping(address pool => mapping(address account => uint256)) public balanceOf;
    /// @notice The points of an account that have been turned into credits; never falls, so that nothing is earned twice.
    mapping(address pool => mapping(address account => uint256)) public countedPoints;
    /// @notice What a pool has outstanding: the other side of every balance.
    mapping(address pool => uint256) public outstanding;

    event CreditsEarned(address indexed pool, address indexed account, uint256 amount);
    event CreditsSpent(address indexed pool, address indexed account, bytes32 indexed jobDigest, uint256 amount);

    error PoolUnknown(uint256 index, address pool);
    error NothingToEarn(address pool, address account);
    error CreditsShort(address pool, address account, uint256 balance, uint256 amount);
    error CreditsZero(address pool, address account);

    constructor(IPoolDirectory pools_) {
        pools = pools_;
    }

    /// @notice Turns points that were not counted before into credits. Anyone may send it.
    function earn(address pool, address account) external returns (uint256 amount) {
        if (pools.indexOf(pool) == 0) revert PoolUnknown(0, pool);
        uint256 points = IPool(pool).pointsOf(account);
        uint256 counted = countedPoints[pool][account];
        if (points <= counted) revert NothingToEarn(pool, account);
        amount = points - counted;
        countedPoints[pool][account] = points;
        balanceOf[pool][account] += amount;
        outstanding[pool] += amount;
        emit CreditsEarned(pool, account, amount);
    }

    /// @notice Spends own credits on a computation; nodes read the event.
    function spend(address pool, bytes32 jobDigest, uint256 amount) external {
        if (amount == 0) revert CreditsZero(pool, msg.sender);
        uint256 balance = balanceOf[pool][msg.sender];
        if (balance < amount) revert CreditsShort(pool, msg.sender, balance, amount);
        balanceOf[pool][msg.sender] = balance - amount;
        outstanding[pool] -= amount;
        emit CreditsSpent(pool, msg.sender, jobDigest, amount);
    }
}
