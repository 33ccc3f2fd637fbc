// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Grant, RunPrice, Terms} from "../solidity/permission/Grant.sol";
import {PermitWorld} from "./PermitWorld.sol";

/// What limits a grant is written as one word, by hand ({Permissions}), and read by the compiler: field by field it must be what
/// was given, before and after each other way of writing it.
contract GrantWordTest is PermitWorld {
    function setUp() public {
        setUpPermits();
    }

    function testFuzz_aGrantIsReadAsItWasGiven(Terms memory first, Terms memory second) external {
        first = granted(first);
        assertKept(first, 0, false, 1);
        if (first.opensAt > block.timestamp) vm.warp(first.opensAt);
        vm.prank(address(board));
        (RunPrice memory price, uint32 generation) =
            permissions.use(address(this), address(pool), MANIFEST, first.scopeDigest);
        vm.assertEq(generation, 1);
        assertPrice(price, first);
        assertKept(first, 1, false, 1);
        vm.prank(lock);
        permissions.revoke(address(this), address(pool), MANIFEST);
        assertKept(first, 1, true, 1);
        // Another one begins anew, and leaves the price of what was funded under the first.
        second = granted(second);
        assertKept(second, 0, false, 2);
        assertPrice(permissions.priceOf(address(this), address(pool), MANIFEST, 1), first);
        assertPrice(permissions.priceOf(address(this), address(pool), MANIFEST, 2), second);
    }

    /// Any terms that a vote can give now, given.
    function granted(Terms memory terms) private returns (Terms memory) {
        terms.runs = uint32(bound(terms.runs, 1, type(uint32).max));
        uint256 least = terms.opensAt > block.timestamp ? terms.opensAt : block.timestamp;
        terms.closesAt = uint64(bound(terms.closesAt, least, type(uint64).max));
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, terms);
        return terms;
    }

    function assertKept(Terms memory terms, uint32 used, bool revoked, uint32 generation) private view {
        Grant memory kept = permissions.getGrant(address(this), address(pool), MANIFEST);
        vm.assertEq(keccak256(abi.encode(kept)), keccak256(abi.encode(Grant(terms, used, revoked, generation))));
    }

    function assertPrice(RunPrice memory price, Terms memory terms) private pure {
        vm.assertEq(price.price, terms.price);
        vm.assertEq(price.poolTokenBurn, terms.poolTokenBurn);
    }
}
