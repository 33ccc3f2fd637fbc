// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPoolDirectory} from "./IPool.sol";
import {Founding, Pool, PoolSurroundings} from "./Pool.sol";

/// @title Founds pools and knows which pools are genuine
/// @notice Anyone may found a pool; the founder keeps no power over it.
contract PoolFactory is IPoolDirectory {
    PoolSurroundings private _around;
    address[] private _pools;

    /// @inheritdoc IPoolDirectory
    mapping(address pool => uint32) public override indexOf;

    event PoolFounded(
        address indexed pool,
        address indexed founder,
        address token,
        address governor,
        address timelock,
        bytes32 policyDigest,
        string name
    );

    error PoolUnknown(uint32 index);

    constructor(PoolSurroundings memory around) {
        _around = around;
    }

    /// @notice Founds a pool with its token, governor and timelock.
    function found(Founding calldata founding) external returns (Pool pool) {
        pool = new Pool(founding, _around);
        _pools.push(address(pool));
        indexOf[address(pool)] = uint32(_pools.length);
        emit PoolFounded(
            address(pool),
            msg.sender,
            pool.token(),
            pool.governor(),
            pool.timelock(),
            founding.rules.policyDigest,
            founding.name
        );
    }

    /// @notice The contracts that every pool founded here relies on.
    function surroundings() external view returns (PoolSurroundings memory) {
        return _around;
    }

    /// @notice How many pools there are.
    function poolCount() external view returns (uint256) {
        return _pools.length;
    }

    /// @inheritdoc IPoolDirectory
    function poolAt(uint32 index) external view returns (address) {
        if (index == 0 || index > _pools.length) revert PoolUnknown(index);
        return _pools[index - 1];
    }
}
