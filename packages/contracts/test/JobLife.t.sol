// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass} from "../solidity/job/Job.sol";
import {JobDraw} from "../solidity/job/JobDraw.sol";
import {JobEscrow} from "../solidity/job/JobEscrow.sol";
import {JobNodes} from "../solidity/job/JobNodes.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {JobLifeWorld} from "./JobLifeWorld.sol";

/// The long ways through a job's life: lots, silence, hand-off, templates, pauses, and every refusal on the way.
contract JobLifeTest is JobLifeWorld {
    bytes32 private constant TEMPLATE = keccak256("template");

    function state(uint256 id) private view returns (JobState) {
        return board.getJob(id).state;
    }

    function check(uint256 id, JobState expected) private view {
        vm.assertEq(uint256(state(id)), uint256(expected));
    }

    function draw(uint256 id, bytes32 hash) private returns (address) {
        uint256 decides = block.number + 2;
        vm.roll(decides + 1);
        vm.setBlockhash(decides, hash);
        board.assign(id);
        return board.getJob(id).node;
    }

    function keyOf(address node) private pure returns (uint256) {
        return node == vm.addr(NODE_KEY) ? NODE_KEY : SECOND_KEY;
    }

    /// The lot falls by a block that nobody knew at funding, among the nodes there were then.
    function testFuzz_theLotCannotBeGround(bytes32 hash) external {
        if (hash == 0) return;
        uint256 id = funded(JobClass.Drawn);
        JobDraw.Draw memory drawn = board.drawOf(id);
        vm.assertEq(drawn.blockNumber, block.number + 2);
        vm.assertEq(drawn.candidates, 2);
        StatementProof memory early = say(NODE_KEY, board.START_STATEMENT(), id, abi.encode(MANIFEST));
        refused(JobNodes.NotAssigned.selector);
        board.start(id, early);
        refused(JobDraw.DrawTooEarly.selector);
        board.assign(id);
        // Registered after the funding: no candidate.
        register(0xbad, MEASUREMENT);
        address node = draw(id, hash);
        vm.assertTrue(node == vm.addr(NODE_KEY) || node == vm.addr(SECOND_KEY));
        uint256 expected = uint256(keccak256(abi.encode(keccak256(abi.encode(hash, id)), uint256(0)))) % 2;
        vm.assertEq(node, nodes.nodeAt(expected));
        uint256 other = keyOf(node) == NODE_KEY ? SECOND_KEY : NODE_KEY;
        StatementProof memory proof = say(other, board.START_STATEMENT(), id, abi.encode(MANIFEST));
        refused(JobStore.OtherNode.selector);
        board.start(id, proof);
        start(keyOf(node), id);
        check(id, JobState.Running);
    }

    function test_onlyAFundedJobIsDrawn() external {
        uint256 id = funded(JobClass.Drawn);
        draw(id, keccak256("drawn"));
        refused(JobStore.TransitionNotAllowed.selector);
        board.assign(id);
    }

    function test_aForgottenBlockOnlyCausesANewDraw() external {
        uint256 id = funded(JobClass.Drawn);
        vm.roll(block.number + 1_000);
        board.assign(id);
        check(id, JobState.Funded);
        vm.assertEq(board.drawOf(id).blockNumber, block.number + 2);
        uint256 open = funded(JobClass.Open);
        refused(JobNodes.NotDrawn.selector);
        board.assign(open);
    }

    function test_nobodyIsDrawnWhoIsNotActive() external {
        nodes.setMeasurement(MEASUREMENT, false);
        uint256 id = funded(JobClass.Drawn);
        vm.assertEq(draw(id, keccak256("any")), address(0));
        check(id, JobState.Funded);
    }

    function test_nobodyIsDrawnWhomThePoolDoesNotAccept() external {
        Pool strict = pool;
        uint256 id = funded(JobClass.Drawn);
        bytes32 required = keccak256("required");
        _require(strict, required);
        vm.assertEq(draw(id, keccak256("any")), address(0));
    }

    function _require(Pool of_, bytes32 measurement) private {
        PoolRules memory rules = of_.rules();
        rules.measurement = measurement;
        address lock = of_.timelock();
        vm.prank(lock);
        of_.setRules(rules);
    }

    function test_aNodeThatDoesNotShowUpLosesTheJobForEver() external {
        uint256 id = funded(JobClass.Drawn);
        address node = draw(id, keccak256("x"));
        refused(JobNodes.NodeNotSilent.selector);
        board.requeue(id);
        vm.warp(block.timestamp + 15 minutes + 1);
        board.requeue(id);
        check(id, JobState.Funded);
        vm.assertTrue(board.hadJob(id, node));
        vm.assertEq(board.getJob(id).attempts, 1);
        for (uint256 i; i < 8; ++i) {
            address next = draw(id, keccak256(abi.encode(i)));
            if (next == address(0)) continue;
            vm.assertTrue(next != node);
            check(id, JobState.Assigned);
            break;
        }
        uint256 before = protocolToken.balanceOf(address(this));
        vm.warp(block.timestamp + 2 days);
        board.expire(id);
        vm.assertEq(protocolToken.balanceOf(address(this)) - before, 100);
        // Somebody had it: the run is not given back.
        vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).used, 1);
    }

    /// Bad input of the issue: griefing by never finishing.
    function test_aSilentNodeLosesTheJobAndItsStatementCannotBringItBack() external {
        uint256 id = funded(JobClass.Open);
        refused(JobStore.TransitionNotAllowed.selector);
        board.requeue(id);
        StatementProof memory first = say(NODE_KEY, board.START_STATEMENT(), id, abi.encode(MANIFEST));
        board.start(id, first);
        vm.warp(block.timestamp + 1 hours);
        uint256 time = block.timestamp;
        StatementProof memory beat = say(NODE_KEY, board.HEARTBEAT_STATEMENT(), id, abi.encode(MANIFEST, time));
        board.heartbeat(id, time, beat);
        vm.assertEq(board.getJob(id).seenAt, time);
        refused(JobNodes.HeartbeatOutOfOrder.selector);
        board.heartbeat(id, time, beat);
        refused(JobNodes.HeartbeatOutOfOrder.selector);
        board.heartbeat(id, time + 1, beat);
        vm.warp(time + 1 hours);
        refused(JobNodes.NodeNotSilent.selector);
        board.requeue(id);
        vm.warp(time + 1 hours + 1);
        board.requeue(id);
        refused(JobNodes.NodeHadJob.selector);
        board.start(id, first);
        refused(JobStore.TransitionNotAllowed.selector);
        board.heartbeat(id, time + 2, beat);
        start(SECOND_KEY, id);
        check(id, JobState.Running);
        refused(JobStore.TransitionNotAllowed.selector);
        board.cancel(id);
    }

    function test_aRunningNodeHandsOverOnceAndOnlyToAnActiveNode() external {
        uint256 id = funded(JobClass.Open);
        StatementProof memory early =
            say(NODE_KEY, board.HAND_OFF_STATEMENT(), id, abi.encode(MANIFEST, vm.addr(SECOND_KEY)));
        refused(JobStore.TransitionNotAllowed.selector);
        board.handOff(id, vm.addr(SECOND_KEY), early);
        start(NODE_KEY, id);
        StatementProof memory toNobody = say(NODE_KEY, board.HAND_OFF_STATEMENT(), id, abi.encode(MANIFEST, address(9)));
        refused(JobNodes.NodeNotActive.selector);
        board.handOff(id, address(9), toNobody);
        board.handOff(id, vm.addr(SECOND_KEY), early);
        vm.assertEq(board.getJob(id).node, vm.addr(SECOND_KEY));
        StatementProof memory back =
            say(SECOND_KEY, board.HAND_OFF_STATEMENT(), id, abi.encode(MANIFEST, vm.addr(NODE_KEY)));
        refused(JobNodes.NodeNotActive.selector);
        board.handOff(id, vm.addr(NODE_KEY), back);
        StatementProof memory failed = say(SECOND_KEY, board.FAILURE_STATEMENT(), id, abi.encode(MANIFEST, bytes32("why")));
        board.fail(id, bytes32("why"), failed);
        check(id, JobState.Failed);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
    }

    function test_aJobChangesItsNodeSixteenTimesAtMost() external {
        uint256 id = funded(JobClass.Open);
        for (uint256 i; i < 16; ++i) {
            uint256 key = 0x10000 + i;
            register(key, MEASUREMENT);
            start(key, id);
            vm.warp(block.timestamp + 1 hours + 1);
            board.requeue(id);
        }
        start(NODE_KEY, id);
        vm.warp(block.timestamp + 1 hours + 1);
        refused(JobNodes.TooManyAttempts.selector);
        board.requeue(id);
    }

    /// Found by the invariant: the way back from a silent node was open to a second payment.
    function test_aJobIsPaidOnce() external {
        uint256 id = funded(JobClass.Open);
        refused(JobStore.TransitionNotAllowed.selector);
        board.fund(id);
        start(NODE_KEY, id);
        refused(JobStore.TransitionNotAllowed.selector);
        board.fund(id);
        vm.assertEq(protocolToken.balanceOf(address(board)), 100);
    }

    function test_aTemplatesGrantPaysForItsInstances() external {
        grant(TEMPLATE);
        uint256 plain = board.proposeJob(proposal(JobClass.Open, 0));
        check(plain, JobState.Proposed);
        uint256 id = board.proposeJob(proposal(JobClass.Open, TEMPLATE));
        check(id, JobState.Approved);
        vm.assertEq(board.templateOf(id), TEMPLATE);
        board.fund(id);
        vm.assertEq(permissions.getGrant(address(this), address(pool), TEMPLATE).used, 1);
        vm.assertEq(board.getShare(id, address(pool)).price, 100);
        vm.assertEq(board.getShare(id, address(9)).price, 0);
        board.cancel(id);
        vm.assertEq(permissions.getGrant(address(this), address(pool), TEMPLATE).used, 0);
    }

    /// A run of which the consumer has learned something (a node refused it, began it, or lost it) is used, whatever is paid back.
    function test_onlyAnUntouchedRunIsGivenBack() external {
        uint256 id = funded(JobClass.Open);
        board.cancel(id);
        vm.assertEq(used(), 0);
        id = funded(JobClass.Open);
        StatementProof memory proof =
            say(NODE_KEY, board.REFUSAL_STATEMENT(), id, abi.encode(MANIFEST, bytes32("receipt"), bytes32("why")));
        board.refuse(id, bytes32("why"), bytes32("receipt"), proof);
        vm.assertEq(used(), 1);
        id = funded(JobClass.Open);
        start(NODE_KEY, id);
        proof = say(NODE_KEY, board.FAILURE_STATEMENT(), id, abi.encode(MANIFEST, bytes32("why")));
        board.fail(id, bytes32("why"), proof);
        vm.assertEq(used(), 1);
        id = funded(JobClass.Open);
        start(NODE_KEY, id);
        vm.warp(block.timestamp + 1 hours + 1);
        board.requeue(id);
        board.cancel(id);
        vm.assertEq(used(), 1);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
    }

    function used() private view returns (uint32) {
        return permissions.getGrant(address(this), address(pool), MANIFEST).used;
    }

    function test_releaseAndSettlementInOne() external {
        uint256 id = funded(JobClass.Open);
        start(NODE_KEY, id);
        bytes32[] memory heads = new bytes32[](1);
        StatementProof memory proof = say(
            NODE_KEY, board.RELEASE_STATEMENT(), id, abi.encode(MANIFEST, bytes32("r"), bytes32("s"), heads[0])
        );
        refused(JobEscrow.BudgetHeadsDiffer.selector);
        board.release(id, bytes32("r"), bytes32("s"), new bytes32[](2), proof);
        board.releaseAndSettle(id, bytes32("r"), bytes32("s"), heads, proof);
        check(id, JobState.Settled);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
        refused(JobStore.TransitionNotAllowed.selector);
        board.settle(id);
    }

    /// Paused means paused: nothing new is contributed, funded or started; what is owed can still be had.
    function test_pausedMeansPaused() external {
        uint256 ready = funded(JobClass.Open);
        uint256 waiting = board.proposeJob(proposal(JobClass.Open, 0));
        uint256 offered = offer(address(8), pool);
        vm.prank(GUARDIAN);
        pool.pause();
        refused(Pool.PoolIsPaused.selector);
        board.fund(waiting);
        StatementProof memory proof = say(NODE_KEY, board.START_STATEMENT(), ready, abi.encode(MANIFEST));
        refused(Pool.PoolIsPaused.selector);
        board.start(ready, proof);
        refused(Pool.PoolIsPaused.selector);
        pool.requireOpenEpoch(1);
        vm.prank(address(8));
        data.withdraw(offered);
        board.cancel(ready);
        vm.warp(block.timestamp + 7 days);
        pool.requireOpenEpoch(1);
        pool.requireOpenTo(0);
    }

    /// No lot falls while a pool is paused: the drawn node could not start and would lose the job for ever.
    function test_noDrawsWhilePaused() external {
        uint256 id = funded(JobClass.Drawn);
        vm.prank(GUARDIAN);
        pool.pause();
        uint256 decides = block.number + 2;
        vm.roll(decides + 1);
        vm.setBlockhash(decides, keccak256("paused"));
        // The lot is fixed, and falls on nobody.
        board.assign(id);
        vm.assertTrue(board.drawOf(id).lotFixed);
        refused(Pool.PoolIsPaused.selector);
        board.assign(id);
        check(id, JobState.Funded);
        vm.assertFalse(board.hadJob(id, vm.addr(NODE_KEY)) || board.hadJob(id, vm.addr(SECOND_KEY)));
        board.cancel(id);
        vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).used, 0);
    }

    /// Escrow of pool tokens returns whole, and is burned at settlement.
    function test_poolTokensAreEscrowedReturnedAndBurned() external {
        vm.prank(MEMBER);
        token.transfer(address(this), 1_000);
        token.approve(address(board), type(uint256).max);
        Terms memory t = terms();
        t.poolTokenBurn = 30;
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        uint256 id = board.proposeJob(proposal(JobClass.Open, 0));
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnAboveCeiling.selector, id, address(pool), 30, 0));
        board.fund(id);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnAboveCeiling.selector, id, address(pool), 30, 29));
        board.fundUpTo(id, ceiling(29));
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnCeilingsDiffer.selector, id, 2, 1));
        board.fundUpTo(id, new uint256[](2));
        board.fundUpTo(id, ceiling(30));
        vm.assertEq(token.balanceOf(address(board)), 30);
        vm.assertEq(token.getVotes(address(board)), 0);
        board.cancel(id);
        vm.assertEq(token.balanceOf(address(this)), 1_000);
        id = board.proposeJob(proposal(JobClass.Open, 0));
        board.fundUpTo(id, ceiling(30));
        uint256 supply = token.totalSupply();
        start(NODE_KEY, id);
        bytes32[] memory heads = new bytes32[](1);
        StatementProof memory proof = say(
            NODE_KEY, board.RELEASE_STATEMENT(), id, abi.encode(MANIFEST, bytes32("r"), bytes32("s"), heads[0])
        );
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.NothingToBurn.selector, address(pool)));
        board.burnSettled(address(pool));
        board.releaseAndSettle(id, bytes32("r"), bytes32("s"), heads, proof);
        vm.assertEq(board.settledTokens(address(token)), 30);
        id = board.proposeJob(proposal(JobClass.Open, 0));
        board.fundUpTo(id, ceiling(30));
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.PoolUnknown.selector, 0, address(7)));
        board.burnSettled(address(7));
        vm.prank(address(0xbad));
        board.burnSettled(address(pool));
        vm.assertEq(supply - token.totalSupply(), 30);
        // What another job has in escrow stays there.
        vm.assertEq(token.balanceOf(address(board)), 30);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.NothingToBurn.selector, address(pool)));
        board.burnSettled(address(pool));
        board.cancel(id);
        vm.assertEq(token.balanceOf(address(board)), 0);
    }

    function ceiling(uint256 tokens) private pure returns (uint256[] memory all) {
        all = new uint256[](1);
        all[0] = tokens;
    }
}
