// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {World} from "./World.sol";

/// @title The deployment, one of its pool's members, and the pool's timelock
abstract contract PoolWorld is World {
    address internal constant MEMBER = address(7);
    address internal lock;

    function setUp() public {
        build();
        lock = pool.timelock();
    }
}
