// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Stop, StopAct} from "../solidity/pool/IPool.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {PoolLedger} from "../solidity/pool/PoolLedger.sol";
import {PoolStops} from "../solidity/pool/PoolStops.sol";
import {World} from "./World.sol";

/// The owners' stop right: it holds what was granted, not one number of it.
contract StopRightTest is World {
    bytes32 private constant MANIFEST = keccak256("manifest");
    bytes32 private constant TEMPLATE = keccak256("template");
    address private constant MEMBER = address(7);
    address private constant OTHER = address(8);

    function setUp() public {
        build();
        accept(MEMBER, pool, 10_000);
        accept(OTHER, pool, 10);
        protocolToken.approve(address(board), type(uint256).max);
        grant(MANIFEST);
    }

    function grant(bytes32 digest) private {
        Terms memory t = Terms(100, 0, 100, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), digest, t);
    }

    function propose(bytes32 template) private returns (uint256) {
        address[] memory list = new address[](1);
        list[0] = address(pool);
        return board.proposeJob(
            JobProposal(MANIFEST, template, 0, 0, "", list, 1_000, uint64(block.timestamp + 1 days), JobClass.Open)
        );
    }

    function expectHeld(bytes32 digest, uint32 holders) private {
        vm.expectRevert(abi.encodeWithSelector(PoolStops.JobIsSuspended.selector, digest, holders));
    }

    function test_aStoppedJobRunsUnderNoOtherNumber() external {
        uint256 id = propose(0);
        vm.prank(MEMBER);
        board.suspend(id, address(pool));
        uint256 again = propose(0);
        vm.assertEq(board.getJob(again).suspensions, 1);
        vm.assertTrue(board.getShare(again, address(pool)).suspended);
        expectHeld(MANIFEST, 1);
        board.fund(again);
        // The vote lets it run, and for good.
        address lock = pool.timelock();
        vm.prank(lock);
        board.resume(again, address(pool));
        vm.assertTrue(board.getShare(id, address(pool)).overruled);
        board.fund(again);
        vm.prank(OTHER);
        refused(PoolStops.SuspensionOverruled.selector);
        pool.suspendRuns(MANIFEST);
    }

    /// Before anybody proposed it, and for a job that is funded already.
    function test_aDigestIsHeldBeforeAndAfterItIsProposed() external {
        uint256 funded = propose(0);
        board.fund(funded);
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        StatementProof memory proof =
            prove(board.START_STATEMENT(), address(pool), bytes32(funded), keccak256(abi.encode(MANIFEST)));
        expectHeld(MANIFEST, 1);
        board.start(funded, proof);
        uint256 later = propose(0);
        expectHeld(MANIFEST, 1);
        board.fund(later);
        board.cancel(funded);
    }

    function test_aTemplateIsHeldWithAllItsInstances() external {
        grant(TEMPLATE);
        uint256 id = propose(TEMPLATE);
        vm.prank(MEMBER);
        board.suspend(id, address(pool));
        uint256 again = propose(TEMPLATE);
        expectHeld(TEMPLATE, 1);
        board.fund(again);
        // The manifest's own grant is another grant.
        board.fund(propose(0));
    }

    /// Nobody stops first and lets go for another one.
    function test_everyContributorHoldsForItself() external {
        vm.prank(OTHER);
        pool.suspendRuns(MANIFEST);
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        vm.assertEq(pool.stopOf(MANIFEST).holders, 2);
        vm.prank(OTHER);
        pool.resumeRuns(MANIFEST);
        vm.assertFalse(pool.holds(MANIFEST, OTHER));
        vm.prank(OTHER);
        refused(PoolStops.NotSuspended.selector);
        pool.resumeRuns(MANIFEST);
        uint256 id = propose(0);
        expectHeld(MANIFEST, 1);
        board.fund(id);
        vm.prank(MEMBER);
        pool.resumeRuns(MANIFEST);
        vm.assertEq(pool.stopOf(MANIFEST).liftedAt, block.timestamp);
        vm.prank(MEMBER);
        refused(PoolStops.NotSuspended.selector);
        pool.resumeRuns(MANIFEST);
        board.fund(id);
    }

    function test_onlyContributorsStop() external {
        vm.expectRevert(abi.encodeWithSelector(Pool.OnlyContributor.selector, address(this), address(pool)));
        pool.suspendRuns(MANIFEST);
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        vm.prank(MEMBER);
        refused(PoolStops.AlreadySuspended.selector);
        pool.suspendRuns(MANIFEST);
        refused(PoolLedger.OnlyJobBoard.selector);
        pool.stopFor(StopAct.Suspend, MEMBER, MANIFEST);
        refused(PoolLedger.OnlyJobBoard.selector);
        pool.stopFor(StopAct.Resume, MEMBER, MANIFEST);
        refused(PoolLedger.OnlyJobBoard.selector);
        pool.stopFor(StopAct.Bind, MEMBER, MANIFEST);
    }

    /// An accepted contribution without points is in the data, too.
    function test_anAcceptedContributionWithoutPointsStops() external {
        uint256 offered = offer(address(9), pool);
        vm.prank(address(9));
        refused(Pool.OnlyContributor.selector);
        pool.suspendRunsWith(MANIFEST, offered);
        uint256 id = accept(address(9), pool, 0);
        vm.prank(OTHER);
        refused(Pool.OnlyContributor.selector);
        pool.suspendRunsWith(MANIFEST, id);
        Pool second = found("second", 0);
        vm.prank(address(9));
        refused(Pool.OnlyContributor.selector);
        second.suspendRunsWith(MANIFEST, id);
        vm.prank(address(9));
        pool.suspendRunsWith(MANIFEST, id);
        Stop memory stop = pool.stopOf(MANIFEST);
        vm.assertEq(stop.holders, 1);
        vm.prank(address(9));
        data.withdraw(id);
        // What it holds it can still let go.
        vm.prank(address(9));
        pool.resumeRuns(MANIFEST);
        vm.prank(address(9));
        refused(Pool.OnlyContributor.selector);
        pool.suspendRunsWith(MANIFEST, id);
    }
}
