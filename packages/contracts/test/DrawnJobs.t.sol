// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolStops} from "../solidity/pool/PoolStops.sol";
import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobDraw} from "../solidity/job/JobDraw.sol";
import {JobNodes} from "../solidity/job/JobNodes.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {Log} from "./Vm.sol";
import {World} from "./World.sol";

/// Who may look at a lot and what it costs to want another one; what pauses and stops do to a job that has its node.
contract DrawnJobsTest is World {
    uint256 private constant SECOND_KEY = 0x5ec0;
    bytes32 private constant MANIFEST = keccak256("manifest");
    address private constant MEMBER = address(7);

    function setUp() public {
        build();
        register(SECOND_KEY, MEASUREMENT);
        accept(MEMBER, pool, 10_000);
        protocolToken.approve(address(board), type(uint256).max);
        Terms memory t = Terms(100, 0, 100, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
    }

    function job(JobClass class, uint256 lasts) private returns (uint256 id) {
        address[] memory list = new address[](1);
        list[0] = address(pool);
        id = board.proposeJob(
            JobProposal(MANIFEST, 0, 0, 0, "", list, 1_000, uint64(block.timestamp + lasts), class)
        );
        board.fund(id);
    }

    function used() private view returns (uint32) {
        return permissions.getGrant(address(this), address(pool), MANIFEST).used;
    }

    function decide(uint256 id, bytes32 hash) private {
        uint256 decides = board.drawOf(id).blockNumber;
        vm.roll(decides + 1);
        vm.setBlockhash(decides, hash);
    }

    function assigned(uint256 lasts) private returns (uint256 id, uint256 key) {
        id = job(JobClass.Drawn, lasts);
        decide(id, keccak256("lot"));
        board.assign(id);
        key = board.getJob(id).node == vm.addr(NODE_KEY) ? NODE_KEY : SECOND_KEY;
    }

    function say(uint256 key, string memory kind, uint256 id, bytes memory words) private returns (StatementProof memory) {
        return proveBy(key, kind, address(pool), subjectOf(kind, id), keccak256(words));
    }

    function refusalBy(uint256 key, uint256 id) private returns (StatementProof memory) {
        return say(key, board.REFUSAL_STATEMENT(), id, abi.encode(MANIFEST, bytes32("receipt"), bytes32("no")));
    }

    function check(uint256 id, JobState expected) private view {
        vm.assertEq(uint256(board.getJob(id).state), uint256(expected));
    }

    function pause() private {
        vm.prank(GUARDIAN);
        pool.pause();
    }

    function stop(uint256 id) private {
        vm.prank(MEMBER);
        board.suspend(id, address(pool));
    }

    function letGo(uint256 id) private {
        vm.prank(MEMBER);
        board.resume(id, address(pool));
    }

    function test_aConsumerCancelsBeforeTheDecidingBlockAndHasItsRunBack() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        vm.roll(board.drawOf(id).blockNumber - 1);
        board.cancel(id);
        vm.assertEq(used(), 0);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
    }

    /// Who knows the lot cannot take the job back while the lot can fall.
    function test_aConsumerCannotCancelADrawThatItDoesNotLike() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        uint256 decides = board.drawOf(id).blockNumber;
        vm.roll(decides);
        vm.expectRevert(abi.encodeWithSelector(JobDraw.DrawPending.selector, id, decides, decides + 256));
        board.cancel(id);
        vm.roll(decides + 256);
        refused(JobDraw.DrawPending.selector);
        board.cancel(id);
        // The chain has forgotten: the money returns, the run does not.
        vm.roll(decides + 257);
        board.cancel(id);
        vm.assertEq(used(), 1);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
    }

    /// A new draw does not make the run whole: somebody knew the first lot.
    function test_aSecondDrawGivesNoRunBack() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        uint256 first = board.drawOf(id).blockNumber;
        vm.roll(first + 300);
        board.assign(id);
        vm.assertEq(board.drawOf(id).blockNumber, block.number + 2);
        vm.assertEq(board.drawOf(id).firstBlock, first);
        board.cancel(id);
        vm.assertEq(used(), 1);
    }

    function test_shortDeadlinesDrawNothingAnew() external {
        for (uint256 i; i < 4; ++i) {
            (uint256 id,) = assigned(30);
            vm.warp(block.timestamp + 31);
            board.expire(id);
            vm.assertEq(used(), i + 1);
        }
        uint256 waiting = job(JobClass.Drawn, 30);
        decide(waiting, keccak256("seen, and never assigned"));
        vm.warp(block.timestamp + 31);
        board.expire(waiting);
        vm.assertEq(used(), 5);
        uint256 early = job(JobClass.Drawn, 30);
        vm.warp(block.timestamp + 31);
        board.expire(early);
        vm.assertEq(used(), 5);
    }

    function test_onlyTheDrawnNodeRefusesADrawnJob() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        StatementProof memory proof = refusalBy(SECOND_KEY, id);
        refused(JobNodes.NotAssigned.selector);
        board.refuse(id, bytes32("no"), bytes32("receipt"), proof);
        decide(id, keccak256("lot"));
        refused(JobNodes.NotAssigned.selector);
        board.refuse(id, bytes32("no"), bytes32("receipt"), proof);
        board.assign(id);
        uint256 key = board.getJob(id).node == vm.addr(NODE_KEY) ? NODE_KEY : SECOND_KEY;
        proof = refusalBy(key == NODE_KEY ? SECOND_KEY : NODE_KEY, id);
        refused(JobStore.OtherNode.selector);
        board.refuse(id, bytes32("no"), bytes32("receipt"), proof);
        board.refuse(id, bytes32("no"), bytes32("receipt"), refusalBy(key, id));
        check(id, JobState.Refused);
        vm.assertEq(used(), 1);
    }

    function test_anOldRefusalOfANodeThatLostTheJobEndsNothing() external {
        uint256 id = job(JobClass.Open, 1 days);
        board.start(id, say(NODE_KEY, board.START_STATEMENT(), id, abi.encode(MANIFEST)));
        StatementProof memory old = refusalBy(NODE_KEY, id);
        vm.warp(block.timestamp + 1 hours + 1);
        board.requeue(id);
        refused(JobNodes.NodeHadJob.selector);
        board.refuse(id, bytes32("no"), bytes32("receipt"), old);
        check(id, JobState.Funded);
        board.refuse(id, bytes32("no"), bytes32("receipt"), refusalBy(SECOND_KEY, id));
    }

    /// Neither a pause nor a stop costs the node the job, and its time begins anew afterwards.
    function test_aPauseCostsNoNodeItsJob() external {
        (uint256 id, uint256 key) = assigned(30 days);
        pause();
        vm.warp(block.timestamp + 15 minutes + 1);
        refused(Pool.PoolIsPaused.selector);
        board.requeue(id);
        uint256 ends = pool.pausedUntil();
        vm.warp(ends + 15 minutes);
        vm.expectRevert(abi.encodeWithSelector(JobNodes.NodeNotSilent.selector, id, ends + 15 minutes));
        board.requeue(id);
        board.start(id, say(key, board.START_STATEMENT(), id, abi.encode(MANIFEST)));
        check(id, JobState.Running);
        vm.assertEq(board.getJob(id).attempts, 0);
    }

    function test_aStopCostsNoNodeItsJob() external {
        (uint256 id,) = assigned(30 days);
        stop(id);
        vm.warp(block.timestamp + 1 days);
        refused(PoolStops.JobIsSuspended.selector);
        board.requeue(id);
        letGo(id);
        refused(JobNodes.NodeNotSilent.selector);
        board.requeue(id);
        vm.warp(block.timestamp + 15 minutes + 1);
        board.requeue(id);
        check(id, JobState.Funded);
    }

    function test_aRunningJobIsHandedToNobodyDuringAPauseOrAStop() external {
        uint256 id = job(JobClass.Open, 30 days);
        board.start(id, say(NODE_KEY, board.START_STATEMENT(), id, abi.encode(MANIFEST)));
        StatementProof memory proof =
            say(NODE_KEY, board.HAND_OFF_STATEMENT(), id, abi.encode(MANIFEST, vm.addr(SECOND_KEY)));
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        refused(PoolStops.JobIsSuspended.selector);
        board.handOff(id, vm.addr(SECOND_KEY), proof);
        vm.prank(MEMBER);
        pool.resumeRuns(MANIFEST);
        pause();
        refused(Pool.PoolIsPaused.selector);
        board.handOff(id, vm.addr(SECOND_KEY), proof);
        vm.warp(pool.pausedUntil());
        board.handOff(id, vm.addr(SECOND_KEY), proof);
        vm.assertEq(board.getJob(id).node, vm.addr(SECOND_KEY));
    }

    /// What a stop or a pause kept from running costs the consumer no run.
    function test_aStoppedJobGivesItsRunBack() external {
        (uint256 id,) = assigned(1 days);
        stop(id);
        vm.warp(block.timestamp + 1 days + 1);
        board.expire(id);
        vm.assertEq(used(), 0);
        vm.assertTrue(pool.stopOf(MANIFEST).binding);
    }

    function test_aPausedDrawIsCancelledWithItsRun() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        decide(id, keccak256("lot"));
        pause();
        board.cancel(id);
        vm.assertEq(used(), 0);
        vm.assertFalse(pool.stopOf(MANIFEST).binding);
    }

    /// A consumer that is a contributor, too, could stop, cancel, let go and draw again: what a run was given back for is the
    /// vote's to lift.
    function test_aStopForWhichARunWasGivenBackIsLiftedByAVoteOnly() external {
        uint256 id = job(JobClass.Drawn, 1 days);
        decide(id, keccak256("not liked"));
        stop(id);
        board.cancel(id);
        vm.assertEq(used(), 0);
        vm.prank(MEMBER);
        vm.expectRevert(abi.encodeWithSelector(PoolStops.SuspensionBinding.selector, MANIFEST));
        pool.resumeRuns(MANIFEST);
        address lock = pool.timelock();
        vm.prank(lock);
        pool.resumeRuns(MANIFEST);
        job(JobClass.Drawn, 1 days);
        vm.assertEq(used(), 1);
    }

    /// A stop is bound, and told to be, once.
    function test_aSecondRunGivenBackBindsNothingAnew() external {
        uint256 first = job(JobClass.Drawn, 1 days);
        uint256 second = job(JobClass.Drawn, 1 days);
        decide(second, keccak256("known"));
        stop(first);
        board.cancel(first);
        vm.recordLogs();
        board.cancel(second);
        vm.assertEq(used(), 0);
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            vm.assertTrue(logs[i].topics[0] != PoolStops.StopBound.selector);
        }
    }
}
