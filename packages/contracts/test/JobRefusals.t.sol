// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobEscrow} from "../solidity/job/JobEscrow.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {PermitIssuers} from "../solidity/permission/PermitIssuers.sol";
import {Permissions, Terms} from "../solidity/permission/Permissions.sol";
import {Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {PoolStops} from "../solidity/pool/PoolStops.sol";
import {JobLifeWorld} from "./JobLifeWorld.sol";

/// What is refused of proposals, approvals, grants and funding, by name.
contract JobRefusalsTest is JobLifeWorld {
    function test_suspensionIsOnceAndOnlyByContributors() external {
        uint256 id = funded(JobClass.Drawn);
        refused(Pool.OnlyContributor.selector);
        board.suspend(id, address(pool));
        refused(JobStore.PoolNotInJob.selector);
        board.suspend(id, address(9));
        vm.prank(MEMBER);
        board.suspend(id, address(pool));
        vm.prank(MEMBER);
        refused(PoolStops.AlreadySuspended.selector);
        board.suspend(id, address(pool));
        refused(PoolStops.JobIsSuspended.selector);
        board.assign(id);
        refused(PoolStops.NotSuspended.selector);
        board.resume(id, address(pool));
        address lock = pool.timelock();
        vm.prank(lock);
        board.resume(id, address(pool));
        vm.prank(lock);
        refused(PoolStops.NotSuspended.selector);
        board.resume(id, address(pool));
        vm.prank(MEMBER);
        refused(PoolStops.SuspensionOverruled.selector);
        board.suspend(id, address(pool));
        uint256 running = funded(JobClass.Open);
        start(NODE_KEY, running);
        vm.prank(MEMBER);
        refused(JobBoard.AlreadyStarted.selector);
        board.suspend(running, address(pool));
    }

    function test_badProposalsAreRefusedByName() external {
        JobProposal memory p = proposal(JobClass.Open, 0);
        p.manifestDigest = 0;
        refused(JobBoard.ManifestDigestZero.selector);
        board.proposeJob(p);
        p = proposal(JobClass.Open, 0);
        p.manifestLocator = string(new bytes(513));
        refused(JobBoard.LocatorTooLong.selector);
        board.proposeJob(p);
        p = proposal(JobClass.Open, 0);
        p.pools = new address[](0);
        refused(JobBoard.PoolCountInvalid.selector);
        board.proposeJob(p);
        p.pools = new address[](17);
        refused(JobBoard.PoolCountInvalid.selector);
        board.proposeJob(p);
        p.pools = one(address(9));
        refused(JobEscrow.PoolUnknown.selector);
        board.proposeJob(p);
        p.pools = new address[](2);
        (p.pools[0], p.pools[1]) = (address(pool), address(pool));
        refused(JobBoard.PoolTwice.selector);
        board.proposeJob(p);
        p = proposal(JobClass.Open, 0);
        p.deadline = uint64(block.timestamp);
        refused(JobBoard.DeadlineNotInFuture.selector);
        board.proposeJob(p);
        p.deadline = uint64(type(uint40).max) + 1;
        refused(JobBoard.DeadlineTooFar.selector);
        board.proposeJob(p);
        refused(JobEscrow.BurnShareTooLarge.selector);
        new JobBoard(protocolToken, nodes, factory, permissions, credits, 10_001);
    }

    function test_approvalAndFundingAreRefusedByName() external {
        uint256 id = board.propose(MANIFEST, "", one(address(pool)), 50, tomorrow());
        Terms memory t = terms();
        refused(JobStore.JobUnknown.selector);
        board.fund(99);
        refused(JobStore.TransitionNotAllowed.selector);
        board.fund(id);
        address lock = pool.timelock();
        Pool second = found("second", 0);
        refused(JobStore.PoolNotInJob.selector);
        board.approve(id, address(second), address(this), MANIFEST, t);
        vm.prank(lock);
        board.approve(id, address(pool), address(this), MANIFEST, t);
        vm.prank(lock);
        refused(JobStore.TransitionNotAllowed.selector);
        board.approve(id, address(pool), address(this), MANIFEST, t);
        refused(JobEscrow.PriceAboveCeiling.selector);
        board.fund(id);
        vm.prank(address(9));
        refused(JobStore.OnlyConsumer.selector);
        board.fund(id);
        refused(JobEscrow.DeadlineNotPassed.selector);
        board.expire(id);
        vm.warp(block.timestamp + 2 days);
        refused(JobStore.DeadlinePassed.selector);
        board.fund(id);
        address[] memory two = new address[](2);
        (two[0], two[1]) = (address(pool), address(second));
        bytes32 other = keccak256("other");
        id = board.propose(other, "", two, 50, tomorrow());
        vm.prank(lock);
        board.approve(id, address(pool), address(this), other, t);
        vm.prank(lock);
        refused(JobBoard.AlreadyApproved.selector);
        board.approve(id, address(pool), address(this), other, t);
    }

    /// A grant that was replaced since the consumer read it takes no more than the consumer agreed to.
    function test_theCeilingHoldsForPoolTokensToo() external {
        grant(MANIFEST);
        uint256 id = board.proposeJob(proposal(JobClass.Open, 0));
        vm.prank(MEMBER);
        token.transfer(address(this), 50e18);
        token.approve(address(board), type(uint256).max);
        Terms memory t = terms();
        t.poolTokenBurn = 50e18;
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnAboveCeiling.selector, id, address(pool), 50e18, 0));
        board.fund(id);
        vm.assertEq(token.balanceOf(address(this)), 50e18);
    }

    /// A grant with a scope pays for jobs that say that very scope.
    function test_aGrantsScopeIsTheJobs() external {
        Terms memory t = terms();
        t.scopeDigest = keccak256("tables and columns");
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        uint256 silent = board.proposeJob(proposal(JobClass.Open, 0));
        refused(Permissions.ScopeOther.selector);
        board.fund(silent);
        JobProposal memory p = proposal(JobClass.Open, 0);
        p.scopeDigest = keccak256("all tables");
        uint256 wide = board.proposeJob(p);
        refused(Permissions.ScopeOther.selector);
        board.fund(wide);
        p.scopeDigest = t.scopeDigest;
        uint256 id = board.proposeJob(p);
        vm.assertEq(board.declarationOf(id).scopeDigest, t.scopeDigest);
        board.fund(id);
    }

    /// A pool that lists its job code funds no other; an empty list denies all.
    function test_aPoolsJobCodeIsItsList() external {
        grant(MANIFEST);
        PoolRules memory rules = pool.rules();
        rules.anyJobCode = false;
        bytes32 code = keccak256("code");
        address lock = pool.timelock();
        vm.prank(lock);
        pool.setRules(rules);
        JobProposal memory p = proposal(JobClass.Open, 0);
        p.codeDigest = code;
        uint256 id = board.proposeJob(p);
        uint256 silent = board.proposeJob(proposal(JobClass.Open, 0));
        vm.expectRevert(abi.encodeWithSelector(PoolStops.JobCodeNotAccepted.selector, code));
        board.fund(id);
        refused(Pool.OnlyTimelock.selector);
        pool.setJobCode(code, true);
        vm.prank(lock);
        refused(PoolStops.JobCodeNotAccepted.selector);
        pool.setJobCode(0, true);
        vm.prank(lock);
        pool.setJobCode(code, true);
        board.fund(id);
        vm.assertEq(board.declarationOf(id).codeDigest, code);
        vm.expectRevert(abi.encodeWithSelector(PoolStops.JobCodeNotAccepted.selector, bytes32(0)));
        board.fund(silent);
        vm.prank(lock);
        pool.setJobCode(code, false);
        id = board.proposeJob(p);
        refused(PoolStops.JobCodeNotAccepted.selector);
        board.fund(id);
    }

    function test_grantsAreRefusedByName() external {
        Terms memory t = terms();
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.grant(address(this), address(9), MANIFEST, t);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.revoke(address(this), address(pool), MANIFEST);
        refused(Permissions.OnlyJobBoard.selector);
        permissions.use(address(this), address(pool), MANIFEST, keccak256("tables and columns"));
        refused(Permissions.OnlyJobBoard.selector);
        permissions.giveBack(address(this), address(pool), MANIFEST, 1);
        address lock = pool.timelock();
        vm.prank(lock);
        refused(Permissions.GrantMissing.selector);
        permissions.revoke(address(this), address(pool), MANIFEST);
        vm.prank(address(board));
        refused(Permissions.GrantMissing.selector);
        permissions.use(address(this), address(pool), MANIFEST, keccak256("tables and columns"));
        t.runs = 0;
        vm.prank(lock);
        refused(PermitIssuers.TermsInvalid.selector);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        t = terms();
        t.closesAt = t.opensAt - 1;
        vm.prank(lock);
        refused(PermitIssuers.TermsInvalid.selector);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        t = terms();
        (t.runs, t.scopeDigest) = (1, keccak256("tables and columns"));
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).terms.scopeDigest, t.scopeDigest);
        vm.prank(address(board));
        permissions.use(address(this), address(pool), MANIFEST, keccak256("tables and columns"));
        vm.prank(address(board));
        refused(Permissions.GrantExhausted.selector);
        permissions.use(address(this), address(pool), MANIFEST, keccak256("tables and columns"));
        vm.prank(address(board));
        permissions.giveBack(address(this), address(pool), MANIFEST, 99);
        vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).used, 1);
        vm.prank(lock);
        permissions.revoke(address(this), address(pool), MANIFEST);
        vm.prank(address(board));
        refused(Permissions.GrantIsRevoked.selector);
        permissions.use(address(this), address(pool), MANIFEST, keccak256("tables and columns"));
        vm.assertFalse(permissions.usable(address(this), address(pool), MANIFEST));
    }

    function test_theTransitionTableIsClosed() external view {
        for (uint256 from; from < 12; ++from) {
            for (uint256 to; to < 12; ++to) {
                bool ok = board.transitionAllowed(JobState(from), JobState(to));
                if (from >= 6 && from <= 10) vm.assertFalse(ok);
                if (to == 0) vm.assertFalse(ok);
            }
        }
    }
}
