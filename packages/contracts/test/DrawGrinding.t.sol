// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobDraw} from "../solidity/job/JobDraw.sol";
import {JobEscrow} from "../solidity/job/JobEscrow.sol";
import {JobNodes} from "../solidity/job/JobNodes.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {PoolRules} from "../solidity/pool/PoolRules.sol";
import {PoolStops} from "../solidity/pool/PoolStops.sol";
import {World} from "./World.sol";

/// A consumer that is a contributor, or has a pool of its own, tries to see a lot and to have another one for the same run.
contract DrawGrindingTest is World {
    bytes32 private constant MANIFEST = keccak256("manifest");
    address private constant MEMBER = address(7);
    Pool private own;

    function setUp() public {
        build();
        for (uint256 key = 1; key < 9; ++key) register(0x5ec0 + key, MEASUREMENT);
        own = found("the consumer's own", 0);
        accept(MEMBER, pool, 10_000);
        accept(MEMBER, own, 10_000);
        protocolToken.approve(address(board), type(uint256).max);
        Terms memory t = Terms(100, 0, 100, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        for (uint256 i; i < 2; ++i) {
            Pool of_ = i == 0 ? pool : own;
            address lock = of_.timelock();
            vm.prank(lock);
            permissions.grant(address(this), address(of_), MANIFEST, t);
        }
    }

    function funded(bool withOwn) private returns (uint256 id) {
        address[] memory list = new address[](withOwn ? 2 : 1);
        list[0] = address(pool);
        if (withOwn) list[1] = address(own);
        id = board.proposeJob(
            JobProposal(MANIFEST, 0, 0, 0, "", list, 1_000, uint64(block.timestamp + 30 days), JobClass.Drawn)
        );
        board.fund(id);
    }

    function used(Pool of_) private view returns (uint32) {
        return permissions.getGrant(address(this), address(of_), MANIFEST).used;
    }

    function decide(uint256 id, bytes32 hash) private {
        uint256 decides = board.drawOf(id).blockNumber;
        vm.roll(decides + 1);
        vm.setBlockhash(decides, hash);
    }

    /// Holds the job until the chain has forgotten the deciding block.
    function outwait(uint256 id) private {
        vm.roll(board.drawOf(id).blockNumber + 257);
    }

    function test_aLotIsFixedWhileAStopHoldsTheJob() external {
        uint256 twin = funded(false);
        uint256 id = funded(false);
        vm.assertEq(board.drawOf(id).blockNumber, board.drawOf(twin).blockNumber);
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        decide(id, keccak256("not liked"));
        // Anyone fixes the lot: nobody has the job yet.
        board.assign(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
        vm.expectRevert(abi.encodeWithSelector(PoolStops.JobIsSuspended.selector, MANIFEST, uint32(1)));
        board.assign(id);
        outwait(id);
        vm.prank(MEMBER);
        pool.resumeRuns(MANIFEST);
        uint256 drawnBy = board.drawOf(id).blockNumber;
        board.assign(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Assigned));
        vm.assertEq(board.drawOf(id).blockNumber, drawnBy);
        vm.assertEq(board.getJob(id).node, expectedNode(id, keccak256("not liked")));
    }

    /// By the documented rule, from the documentation: seed = keccak(hash, id), lot k = keccak(seed, k).
    function expectedNode(uint256 id, bytes32 hash) private view returns (address) {
        uint256 seed = uint256(keccak256(abi.encode(hash, id)));
        return nodes.nodeAt(uint256(keccak256(abi.encode(seed, uint256(0)))) % nodes.nodeCount());
    }

    function test_aLotIsFixedWhileAPoolIsPaused() external {
        uint256 id = funded(false);
        vm.prank(GUARDIAN);
        pool.pause();
        decide(id, keccak256("not liked"));
        board.assign(id);
        refused(Pool.PoolIsPaused.selector);
        board.assign(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
        outwait(id);
        vm.warp(pool.pausedUntil());
        board.assign(id);
        vm.assertEq(board.getJob(id).node, expectedNode(id, keccak256("not liked")));
    }

    /// Once a fixed lot has fallen it decides no second draw: who knows it would know the next node, too.
    function test_aDrawAfterALostNodeGoesByItsOwnBlock() external {
        uint256 id = funded(false);
        vm.prank(MEMBER);
        pool.suspendRuns(MANIFEST);
        decide(id, keccak256("known"));
        board.assign(id);
        vm.prank(MEMBER);
        pool.resumeRuns(MANIFEST);
        board.assign(id);
        address lost = board.getJob(id).node;
        vm.warp(block.timestamp + 15 minutes + 1);
        board.requeue(id);
        vm.assertFalse(board.drawOf(id).lotFixed);
        bytes32 hash = keccak256("new");
        while (expectedNode(id, hash) == lost || expectedNode(id, hash) == secondLotOf(id, keccak256("known"))) {
            hash = keccak256(abi.encode(hash));
        }
        decide(id, hash);
        board.assign(id);
        vm.assertEq(board.getJob(id).node, expectedNode(id, hash));
    }

    function secondLotOf(uint256 id, bytes32 hash) private view returns (address) {
        uint256 seed = uint256(keccak256(abi.encode(hash, id)));
        return nodes.nodeAt(uint256(keccak256(abi.encode(seed, uint256(1)))) % nodes.nodeCount());
    }

    /// A pool that held nothing gives no run back: the consumer could found as many pools as it wants lots.
    function test_aPoolOfItsOwnGivesNoRunOfAnotherBack() external {
        uint256 id = funded(true);
        decide(id, keccak256("not liked"));
        vm.prank(MEMBER);
        own.suspendRuns(MANIFEST);
        board.cancel(id);
        vm.assertEq(used(own), 0);
        vm.assertEq(used(pool), 1);
        vm.assertTrue(own.stopOf(MANIFEST).binding);
    }

    function test_aPauseOfItsOwnPoolGivesNoRunOfAnotherBack() external {
        uint256 id = funded(true);
        decide(id, keccak256("not liked"));
        vm.prank(GUARDIAN);
        own.pause();
        board.cancel(id);
        vm.assertEq(used(own), 0);
        vm.assertEq(used(pool), 1);
    }

    /// A pool that turns the drawn node away, by rules of its own, draws no other one: neither while it does, nor at the moment in
    /// which it takes the node back.
    function test_aPoolOfItsOwnTurnsNoDrawnNodeAway() external {
        uint256 id = funded(true);
        decide(id, keccak256("not liked"));
        board.assign(id);
        address drawn = board.getJob(id).node;
        demand(keccak256("another image"));
        vm.warp(block.timestamp + 15 minutes + 1);
        refused(Pool.NodeNotAccepted.selector);
        board.requeue(id);
        vm.warp(block.timestamp + 1 days);
        demand(0);
        uint256 from = block.timestamp + 15 minutes;
        vm.expectRevert(abi.encodeWithSelector(JobNodes.NodeNotSilent.selector, id, from));
        board.requeue(id);
        vm.assertEq(board.getJob(id).node, drawn);
        // Its time is over like any other's.
        vm.warp(from + 1);
        board.requeue(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
    }

    /// A lot that none of its candidates can run is kept like that of a held job: a pool that turns everybody away, until the lot is
    /// one that the consumer likes, would else have a draw for each block.
    function test_aPoolOfItsOwnTurnsNoLotAway() external {
        uint256 id = funded(true);
        demand(keccak256("nobody runs this"));
        decide(id, keccak256("not liked"));
        uint256 drawnBy = board.drawOf(id).blockNumber;
        board.assign(id);
        vm.assertTrue(board.drawOf(id).lotFixed);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
        vm.expectRevert(abi.encodeWithSelector(JobNodes.NodeNotActive.selector, id, address(0)));
        board.assign(id);
        outwait(id);
        vm.expectRevert(abi.encodeWithSelector(JobNodes.NodeNotActive.selector, id, address(0)));
        board.assign(id);
        demand(0);
        board.assign(id);
        vm.assertEq(board.drawOf(id).blockNumber, drawnBy);
        vm.assertEq(board.getJob(id).node, expectedNode(id, keccak256("not liked")));
    }

    /// The same behind a stop: the lot that it fixed is not lost when nobody can run the job once it is let go.
    function test_aFixedLotOutlivesAPoolThatTurnsEverybodyAway() external {
        uint256 id = funded(true);
        demand(keccak256("nobody runs this"));
        vm.prank(MEMBER);
        own.suspendRuns(MANIFEST);
        decide(id, keccak256("not liked"));
        board.assign(id);
        vm.prank(MEMBER);
        own.resumeRuns(MANIFEST);
        vm.expectRevert(abi.encodeWithSelector(JobNodes.NodeNotActive.selector, id, address(0)));
        board.assign(id);
        demand(0);
        board.assign(id);
        vm.assertEq(board.getJob(id).node, expectedNode(id, keccak256("not liked")));
    }

    /// Who has had a lot fixed on nobody leaves after 256 blocks, and the run stays used.
    function test_aLotThatFallsOnNobodyEndsWithItsRunUsed() external {
        uint256 id = funded(true);
        demand(keccak256("nobody runs this"));
        decide(id, keccak256("not liked"));
        board.assign(id);
        refused(JobDraw.DrawPending.selector);
        board.cancel(id);
        outwait(id);
        board.cancel(id);
        vm.assertEq(used(own), 1);
        vm.assertEq(used(pool), 1);
    }

    /// In any job, with nodes and pools as many as are asked at all, the lot is kept by one transaction.
    function test_theDearestLotFitsATransaction() external {
        for (uint256 key = 9; key < 300; ++key) enrol(0x5ec0 + key, MEASUREMENT);
        address[] memory list = new address[](board.MAXIMUM_POOLS());
        Terms memory t = Terms(0, 0, 1, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        for (uint256 i; i < list.length; ++i) {
            Pool one = found("one of many", 0);
            list[i] = address(one);
            address lock = one.timelock();
            vm.prank(lock);
            permissions.grant(address(this), list[i], MANIFEST, t);
            PoolRules memory rules = one.rules();
            rules.measurement = i + 1 == list.length ? keccak256("nobody runs this") : MEASUREMENT;
            vm.prank(lock);
            one.setRules(rules);
        }
        uint256 id = board.proposeJob(
            JobProposal(MANIFEST, 0, 0, 0, "", list, 0, uint64(block.timestamp + 30 days), JobClass.Drawn)
        );
        board.fund(id);
        decide(id, keccak256("any"));
        // One transaction may use 16,777,216 since EIP-7825. What was written before in this test is warm: 2,000 more for each of five
        // words of a candidate, and for eight of a pool, on a chain.
        board.assign{gas: 16_777_216 - 21_000 - (128 * 5 + 16 * 8) * 2_000}(id);
        vm.assertTrue(board.drawOf(id).lotFixed);
    }

    /// Nor does it strand the job until its deadline: once the node's time is over anyone ends it, and its run stays used.
    function test_aJobWhoseNodeIsTurnedAwayEndsEarlyAndItsRunStaysUsed() external {
        uint256 before = protocolToken.balanceOf(address(this));
        uint256 id = funded(true);
        decide(id, keccak256("any"));
        board.assign(id);
        demand(keccak256("the next image"));
        vm.warp(block.timestamp + 15 minutes);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        vm.warp(block.timestamp + 1);
        vm.prank(address(0xa11));
        board.expire(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Expired));
        vm.assertEq(protocolToken.balanceOf(address(this)), before);
        vm.assertEq(used(own), 1);
        vm.assertEq(used(pool), 1);
    }

    /// A node that runs the job has its hour after the vote.
    function test_aRunningJobWhoseNodeIsTurnedAwayEndsAnHourLater() external {
        uint256 id = funded(true);
        decide(id, keccak256("any"));
        board.assign(id);
        address drawn = board.getJob(id).node;
        uint256 key = NODE_KEY;
        for (uint256 k = 1; k < 9; ++k) {
            if (vm.addr(0x5ec0 + k) == drawn) key = 0x5ec0 + k;
        }
        bytes32 facts = keccak256(abi.encode(MANIFEST));
        board.start(id, proveBy(key, board.START_STATEMENT(), address(pool), bytes32(id), facts));
        vm.warp(block.timestamp + 30 minutes);
        demand(keccak256("the next image"));
        vm.warp(block.timestamp + 1 hours);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        vm.warp(block.timestamp + 1);
        board.expire(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Expired));
        vm.assertEq(used(pool), 1);
    }

    /// What protects a lot is for drawn jobs: an open one that a pool turns its node away from is free for another node at once.
    function test_anOpenJobLeavesANodeThatIsTurnedAway() external {
        address[] memory list = new address[](2);
        (list[0], list[1]) = (address(pool), address(own));
        uint64 deadline = uint64(block.timestamp + 30 days);
        uint256 id = board.proposeJob(JobProposal(MANIFEST, 0, 0, 0, "", list, 1_000, deadline, JobClass.Open));
        board.fund(id);
        bytes32 facts = keccak256(abi.encode(MANIFEST));
        board.start(id, proveBy(NODE_KEY, board.START_STATEMENT(), address(pool), bytes32(id), facts));
        demand(keccak256("the next image"));
        vm.warp(block.timestamp + 1 hours + 1);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        board.requeue(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
    }

    /// Silence alone is for {requeue}; and what is held, or accepted again, waits.
    function test_noOtherDrawnJobEndsEarly() external {
        uint256 id = funded(true);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        // No node has it yet, so none is turned away.
        demand(keccak256("the next image"));
        vm.warp(block.timestamp + 1 days);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        demand(0);
        decide(id, keccak256("any"));
        board.assign(id);
        vm.warp(block.timestamp + 1 days);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        demand(keccak256("the next image"));
        vm.warp(block.timestamp + 1 days);
        vm.prank(MEMBER);
        own.suspendRuns(MANIFEST);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        vm.prank(MEMBER);
        own.resumeRuns(MANIFEST);
        // Its time begins anew after the stop.
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        demand(0);
        vm.warp(block.timestamp + 1 days);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
    }

    /// The vote of the consumer's own pool.
    function demand(bytes32 measurement) private {
        PoolRules memory rules = own.rules();
        rules.measurement = measurement;
        address lock = own.timelock();
        vm.prank(lock);
        own.setRules(rules);
    }
}
