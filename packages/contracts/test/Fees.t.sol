// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Pool} from "../solidity/pool/Pool.sol";
import {PoolLedger} from "../solidity/pool/PoolLedger.sol";
import {World} from "./World.sol";

contract FeesTest is World {
    function setUp() public {
        build();
    }

    function distribute(Pool to, uint256 amount) private {
        protocolToken.transfer(address(to), amount);
        vm.prank(address(board));
        to.distribute(amount);
    }

    /// Every unit that comes in goes out or is still owed; what rounding holds back is below one unit per contributor.
    function testFuzz_feesAreSharedByPointsWithoutLoss(uint96 first, uint96 second, uint16 left, uint16 right) external {
        left = uint16(bound(left, 1, 10_000));
        right = uint16(bound(right, 1, 10_000));
        accept(address(7), pool, left);
        accept(address(8), pool, right);
        distribute(pool, first);
        distribute(pool, second);
        uint256 total = uint256(first) + second;
        uint256 owed = pool.claimable(address(7)) + pool.claimable(address(8));
        vm.assertLe(owed, total);
        vm.assertLe(total - owed, 2);
        vm.assertLe(pool.claimable(address(7)), total * left / (uint256(left) + right));
    }

    function testFuzz_laterContributorsGetNothingOfEarlierFees(uint96 amount) external {
        accept(address(7), pool, 5_000);
        distribute(pool, amount);
        accept(address(8), pool, 10_000);
        vm.assertEq(pool.claimable(address(8)), 0);
        vm.assertGe(pool.claimable(address(7)) + 1, amount);
    }

    function testFuzz_theTreasuryGetsItsShareAtOnce(uint96 amount) external {
        Pool other = found("treasury", 500);
        accept(address(7), other, 10_000);
        distribute(other, amount);
        uint256 treasury = uint256(amount) * 500 / 10_000;
        vm.assertEq(protocolToken.balanceOf(other.timelock()), treasury);
        vm.assertEq(other.liability(), amount - treasury);
    }

    function test_feesBeforeTheFirstPointWaitForIt() external {
        distribute(pool, 1_000);
        accept(address(7), pool, 10_000);
        vm.assertEq(pool.claimable(address(7)), 0);
        distribute(pool, 10);
        vm.assertEq(pool.claimable(address(7)), 1_010);
        pool.claimFor(address(7));
        vm.assertEq(protocolToken.balanceOf(address(7)), 1_010);
        vm.expectRevert(abi.encodeWithSelector(PoolLedger.NothingToClaim.selector, address(7)));
        pool.claimFor(address(7));
    }
}
