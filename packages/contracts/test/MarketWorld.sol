// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {World} from "./World.sol";

/// @title The deployment, a seller and an arbiter
abstract contract MarketWorld is World {
    uint256 internal constant SELLER_KEY = 0x5e11;
    address internal constant ARBITER = address(0xa4b);
    address internal seller;

    function buildMarket() internal {
        build();
        seller = vm.addr(SELLER_KEY);
    }
}
