// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolRestrictions} from "../solidity/pool/PoolRestrictions.sol";
import {GovernanceSettings} from "../solidity/governance/PoolGovernor.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Founding, Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {PoolFactory} from "../solidity/pool/PoolFactory.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {Allocation} from "../solidity/token/VestingSchedule.sol";
import {PoolWorld} from "./PoolWorld.sol";

/// A pool's law: pauses, restrictions, keys.
contract PoolTest is PoolWorld {
    function test_onlyTheGuardianPausesAndNotForEver() external {
        refused(Pool.OnlyGuardian.selector);
        pool.pause();
        vm.prank(GUARDIAN);
        pool.pause();
        uint256 until = pool.pausedUntil();
        vm.assertEq(until, block.timestamp + 7 days);
        vm.prank(GUARDIAN);
        refused(Pool.PauseTooSoon.selector);
        pool.pause();
        vm.warp(until + 7 days - 1);
        vm.prank(GUARDIAN);
        refused(Pool.PauseTooSoon.selector);
        pool.pause();
        vm.warp(until + 7 days);
        vm.prank(GUARDIAN);
        pool.pause();
        refused(Pool.OnlyTimelock.selector);
        pool.resume();
        vm.prank(lock);
        pool.resume();
        pool.requireOpenTo(0);
        vm.prank(lock);
        refused(Pool.NotPaused.selector);
        pool.resume();
    }

    function test_theGuardianIsChosenByVote() external {
        refused(Pool.OnlyTimelock.selector);
        pool.setGuardian(address(9));
        vm.prank(lock);
        pool.setGuardian(address(9));
        vm.assertEq(pool.guardian(), address(9));
    }

    /// Narrowing works at once and for data that is there already; nobody can widen that way.
    function test_restrictionsOnlyGrow() external {
        refused(Pool.OnlyGuardian.selector);
        pool.narrow(keccak256("no minors"));
        vm.prank(GUARDIAN);
        refused(PoolRestrictions.RestrictionZero.selector);
        pool.narrow(0);
        bytes32 head;
        for (uint256 i; i < 64; ++i) {
            bytes32 restriction = keccak256(abi.encode(i));
            vm.prank(lock);
            pool.narrow(restriction);
            head = keccak256(abi.encode(head, restriction));
        }
        vm.assertEq(pool.restrictionsOf(POLICY).head, head);
        vm.assertEq(pool.restrictionsOf(POLICY).count, 64);
        vm.prank(lock);
        refused(PoolRestrictions.RestrictionsFull.selector);
        pool.narrow(keccak256("one more"));
    }

    /// Widening is for new data only: it needs another policy, and with it another key and another epoch.
    function test_aWiderPolicyLeavesOldDataUnderTheOldOne() external {
        vm.prank(lock);
        pool.narrow(keccak256("no minors"));
        uint256 id = offer(MEMBER, pool);
        PoolRules memory rules = pool.rules();
        rules.policyDigest = keccak256("wider");
        vm.prank(lock);
        pool.setRules(rules);
        vm.assertEq(pool.restrictionsOf(rules.policyDigest).count, 0);
        vm.assertEq(pool.restrictionsOf(POLICY).count, 1);
        vm.assertEq(data.getRecord(id).epoch, 1);
        refused(Pool.EpochPolicyStale.selector);
        pool.requireOpenEpoch(1);
        // Back to the policy that the key is of: open again.
        rules.policyDigest = POLICY;
        vm.prank(lock);
        pool.setRules(rules);
        pool.requireOpenEpoch(1);
    }

    function test_keysAndRulesAreRefusedByName() external {
        PoolRules memory rules = pool.rules();
        rules.policyDigest = 0;
        vm.prank(lock);
        refused(Pool.PolicyDigestZero.selector);
        pool.setRules(rules);
        rules = pool.rules();
        rules.treasuryShareBps = 2_001;
        vm.prank(lock);
        refused(Pool.TreasuryShareTooLarge.selector);
        pool.setRules(rules);
        StatementProof memory proof =
            prove(pool.KEY_STATEMENT(), address(pool), keccak256(abi.encode(uint256(2), POLICY)), keccak256(abi.encode(uint256(2), POLICY, POLICY)));
        refused(Pool.EpochNotNext.selector);
        pool.publishKey(3, POLICY, POLICY, proof);
        refused(Pool.EpochPolicyStale.selector);
        pool.publishKey(2, keccak256("other"), POLICY, proof);
        pool.publishKey(2, POLICY, POLICY, proof);
        vm.assertEq(pool.keyEpoch().epoch, 2);
        refused(Pool.EpochNotCurrent.selector);
        pool.requireOpenEpoch(1);
        refused(Pool.EpochNotCurrent.selector);
        pool.requireOpenEpoch(0);
    }

    function test_theFactoryKnowsItsPools() external {
        vm.assertEq(factory.poolCount(), 1);
        vm.assertEq(factory.poolAt(1), address(pool));
        refused(PoolFactory.PoolUnknown.selector);
        factory.poolAt(0);
        refused(PoolFactory.PoolUnknown.selector);
        factory.poolAt(2);
        vm.assertEq(factory.surroundings().jobBoard, address(board));
        PoolRules memory rules = pool.rules();
        Pool rich = factory.found(
            Founding("rich", "R", rules, 77, SUPPLY, new Allocation[](0), address(0), GovernanceSettings(1, 60, 0, 10, 5, 0), new bytes32[](0))
        );
        vm.assertEq(PoolToken(rich.token()).balanceOf(rich.timelock()), 77);
        vm.assertEq(PoolToken(rich.token()).clock(), block.timestamp);
        vm.assertEq(keccak256(bytes(PoolToken(rich.token()).CLOCK_MODE())), keccak256("mode=timestamp"));
    }
}
