// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApprovalClass, Approvals} from "../solidity/governance/Approvals.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {AskedJob, Terms} from "../solidity/permission/Grant.sol";
import {Appointment, PermitIssuers, QueryPermit} from "../solidity/permission/PermitIssuers.sol";
import {Permissions} from "../solidity/permission/Permissions.sol";
import {PermitWorld} from "./PermitWorld.sol";
import {Log} from "./Vm.sol";

/// Permits that an issuer signs without gas, and what a vote lets it give away.
contract QueryPermitsTest is PermitWorld {
    bytes32 private constant TEMPLATE = keccak256("any question about a scope");

    function setUp() public {
        setUpPermits();
    }

    function test_aPermitForOneTableReadsNoOther() external {
        appoint(MANIFEST, 0);
        appoint(TEMPLATE, SCOPE);
        redeemed(permitOf(MANIFEST));
        redeemed(permitOf(TEMPLATE));
        // By its digest: a job over another table is another job.
        uint256 other = proposed(keccak256("a job over table B"), 0, 0);
        vm.assertEq(uint256(board.getJob(other).state), uint256(JobState.Proposed));
        refused(JobStore.TransitionNotAllowed.selector);
        board.fund(other);
        refused(Permissions.GrantMissing.selector);
        board.approveByGrant(other, address(pool));
        // By its scope, whatever the manifest.
        bytes32 tableB = keccak256("table B");
        uint256 wide = proposed(keccak256("1"), TEMPLATE, tableB);
        vm.expectRevert(
            abi.encodeWithSelector(
                Permissions.ScopeOther.selector, address(this), address(pool), TEMPLATE, tableB, SCOPE
            )
        );
        board.fund(wide);
        uint256 silent = proposed(keccak256("2"), TEMPLATE, 0);
        refused(Permissions.ScopeOther.selector);
        board.fund(silent);
        board.fund(proposed(MANIFEST, 0, 0));
        board.fund(proposed(keccak256("3"), TEMPLATE, SCOPE));
    }

    function test_aPermitsCountReachesZero() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory signature = signed(ISSUER_KEY, permit);
        permissions.redeem(permit, signature);
        uint256 third = proposed(MANIFEST, 0, 0);
        for (uint256 i; i < 2; ++i) board.fund(proposed(MANIFEST, 0, 0));
        vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).used, 2);
        refused(Permissions.GrantExhausted.selector);
        board.fund(third);
        vm.assertFalse(permissions.usable(address(this), address(pool), MANIFEST));
        // Nor does the same signature renew it.
        refused(PermitIssuers.PermitAlreadyRedeemed.selector);
        permissions.redeem(permit, signature);
        redeemed(permitOf(MANIFEST));
        board.fund(third);
    }

    function test_aRevokedPermitPaysForNothing() external {
        appoint(MANIFEST, 0);
        for (uint256 byVote; byVote < 2; ++byVote) {
            address by = byVote == 1 ? lock : issuer;
            // Before it was redeemed.
            QueryPermit memory permit = permitOf(MANIFEST);
            bytes memory signature = signed(ISSUER_KEY, permit);
            bytes32 digest = permissions.hashOf(permit);
            vm.recordLogs();
            vm.prank(by);
            permissions.revokePermit(permit);
            Log[] memory logs = vm.getRecordedLogs();
            vm.assertEq(logs.length, 1);
            vm.assertEq(logs[0].topics[0], PermitIssuers.PermitRevoked.selector);
            vm.assertEq(logs[0].topics[1], digest);
            vm.expectRevert(abi.encodeWithSelector(PermitIssuers.PermitIsRevoked.selector, digest));
            permissions.redeem(permit, signature);
            vm.prank(by);
            refused(PermitIssuers.PermitIsRevoked.selector);
            permissions.revokePermit(permit);
            // Afterwards: what is funded goes on, nothing else is.
            permit = permitOf(MANIFEST);
            digest = redeemed(permit);
            uint256 first = proposed(MANIFEST, 0, 0);
            uint256 second = proposed(MANIFEST, 0, 0);
            board.fund(first);
            vm.prank(by);
            permissions.revokePermit(permit);
            refused(Permissions.GrantIsRevoked.selector);
            board.fund(second);
            board.start(first, prove(board.START_STATEMENT(), address(pool), bytes32(first), keccak256(abi.encode(MANIFEST))));
            vm.assertEq(uint256(board.getJob(first).state), uint256(JobState.Running));
            vm.assertTrue(permissions.redemptionOf(digest).revoked);
        }
        // The runs of revoked permits count as given away.
        vm.assertEq(permissions.appointmentOf(address(pool), issuer, MANIFEST).issued, 4);
    }

    function test_onlyIssuerAndVoteRevoke() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        vm.expectRevert(abi.encodeWithSelector(PermitIssuers.OnlyPoolTimelock.selector, address(this), address(pool)));
        permissions.revokePermit(permit);
        address otherLock = found("other", 0).timelock();
        vm.prank(otherLock);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.revokePermit(permit);
        // Naming oneself as the issuer makes another permit.
        permit.issuer = address(this);
        permissions.revokePermit(permit);
        permit.issuer = issuer;
        redeemed(permit);
    }

    /// A revoked permit ends the grant that came of it, and no later one.
    function test_revokingAPermitLeavesANewerGrant() external {
        appoint(MANIFEST, 0);
        QueryPermit memory first = permitOf(MANIFEST);
        redeemed(first);
        redeemed(permitOf(MANIFEST));
        vm.prank(issuer);
        permissions.revokePermit(first);
        vm.assertTrue(permissions.usable(address(this), address(pool), MANIFEST));
        // A permit that was revoked says nothing of the next one.
        QueryPermit memory third = permitOf(MANIFEST);
        redeemed(third);
        vm.prank(issuer);
        permissions.revokePermit(third);
        vm.assertFalse(permissions.usable(address(this), address(pool), MANIFEST));
        redeemed(permitOf(MANIFEST));
        vm.assertTrue(permissions.usable(address(this), address(pool), MANIFEST));
    }

    function test_onlyTheVoteAppointsAndTheIssuerMayLeave() external {
        Terms memory bounds = boundsOf(0);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.appointIssuer(address(pool), issuer, MANIFEST, bounds);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.appointIssuer(address(9), issuer, MANIFEST, bounds);
        bounds.runs = 0;
        vm.prank(lock);
        refused(PermitIssuers.TermsInvalid.selector);
        permissions.appointIssuer(address(pool), issuer, MANIFEST, bounds);
        vm.assertEq(appoint(MANIFEST, 0), 1);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory signature = signed(ISSUER_KEY, permit);
        refused(PermitIssuers.OnlyPoolTimelock.selector);
        permissions.dismissIssuer(address(pool), issuer, MANIFEST);
        vm.prank(issuer);
        permissions.dismissIssuer(address(pool), issuer, MANIFEST);
        vm.expectRevert(
            abi.encodeWithSelector(PermitIssuers.IssuerNotAppointed.selector, issuer, address(pool), MANIFEST, 1)
        );
        permissions.redeem(permit, signature);
        vm.prank(lock);
        refused(PermitIssuers.IssuerNotAppointed.selector);
        permissions.dismissIssuer(address(pool), issuer, MANIFEST);
        // Another appointment revives no permit of the one before, however like it is.
        vm.assertEq(appoint(MANIFEST, 0), 2);
        refused(PermitIssuers.IssuerNotAppointed.selector);
        permissions.redeem(permit, signature);
        redeemed(permitOf(MANIFEST));
        // A grant that came of a permit outlives the appointment.
        vm.prank(lock);
        permissions.dismissIssuer(address(pool), issuer, MANIFEST);
        board.fund(proposed(MANIFEST, 0, 0));
    }

    /// One appointed for another digest or by another pool is none here.
    function test_anAppointmentIsForOneDigestOfOnePool() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        permit.jobDigest = TEMPLATE;
        bytes memory signature = signed(ISSUER_KEY, permit);
        refused(PermitIssuers.IssuerNotAppointed.selector);
        permissions.redeem(permit, signature);
        permit.jobDigest = MANIFEST;
        permit.pool = address(found("other", 0));
        signature = signed(ISSUER_KEY, permit);
        refused(PermitIssuers.IssuerNotAppointed.selector);
        permissions.redeem(permit, signature);
        // Nor is number zero an appointment.
        permit.appointment = 0;
        signature = signed(ISSUER_KEY, permit);
        refused(PermitIssuers.IssuerNotAppointed.selector);
        permissions.redeem(permit, signature);
    }

    function test_aVotesGrantIsNoPermitsToEnd() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        Terms memory t = boundsOf(0);
        t.runs = 1;
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        bytes memory stands = abi.encodeWithSelector(
            Permissions.GrantOfVoteStands.selector, address(this), address(pool), MANIFEST
        );
        expectRefused(permit, stands);
        // Used up, it stands in nobody's way.
        board.fund(proposed(MANIFEST, 0, 0));
        redeemed(permit);
        // A newer vote wins: it replaces the permit's grant, and revoking the permit does not touch it.
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        vm.prank(issuer);
        permissions.revokePermit(permit);
        vm.assertTrue(permissions.usable(address(this), address(pool), MANIFEST));
        // So does one whose window is over.
        t.closesAt = uint64(block.timestamp + 1);
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        vm.warp(block.timestamp + 2);
        redeemed(permitOf(MANIFEST));
    }

    function test_noPermitRevivesWhatAVoteRevoked() external {
        appoint(MANIFEST, 0);
        redeemed(permitOf(MANIFEST));
        vm.prank(lock);
        permissions.revoke(address(this), address(pool), MANIFEST);
        bytes memory stands = abi.encodeWithSelector(
            Permissions.GrantOfVoteStands.selector, address(this), address(pool), MANIFEST
        );
        expectRefused(permitOf(MANIFEST), stands);
        // Not after its window either, while the appointment lasts.
        appoint(MANIFEST, 0);
        expectRefused(permitOf(MANIFEST), stands);
        Terms memory t = boundsOf(0);
        vm.prank(lock);
        permissions.grant(address(this), address(pool), MANIFEST, t);
        vm.assertTrue(permissions.usable(address(this), address(pool), MANIFEST));
    }

    /// What a pool demands besides its vote, a permit's grant needs as well.
    function test_aPermitNeedsReviewsAndConsentToo() external {
        vm.prank(lock);
        approvals.setClass(address(pool), ApprovalClass(1, 0));
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory signature = signed(ISSUER_KEY, permit);
        refused(Approvals.ReviewMissing.selector);
        permissions.redeem(permit, signature);
        vm.prank(lock);
        approvals.setReviewer(address(pool), address(this), true);
        approvals.review(address(pool), MANIFEST, 0);
        permissions.redeem(permit, signature);
    }

    /// A grant of before approves a job when it is proposed, one that comes later when somebody says so; nodes hear of both by
    /// the same event as of a vote.
    function test_aPermitApprovesAJobThatWaits() external {
        uint256 waits = proposed(MANIFEST, 0, 0);
        refused(Permissions.GrantMissing.selector);
        board.approveByGrant(waits, address(pool));
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        redeemed(permit);
        vm.recordLogs();
        board.approveByGrant(waits, address(pool));
        assertTold(waits, permit.terms);
        vm.assertEq(uint256(board.getJob(waits).state), uint256(JobState.Approved));
        refused(JobStore.TransitionNotAllowed.selector);
        board.approveByGrant(waits, address(pool));
        refused(JobStore.PoolNotInJob.selector);
        board.approveByGrant(waits, address(9));
        refused(JobStore.JobUnknown.selector);
        board.approveByGrant(99, address(pool));
        vm.recordLogs();
        uint256 later = proposed(MANIFEST, 0, 0);
        assertTold(later, permit.terms);
        board.fund(waits);
        board.fund(later);
        uint256 exhausted = proposed(MANIFEST, 0, 0);
        refused(Permissions.GrantExhausted.selector);
        board.approveByGrant(exhausted, address(pool));
    }

    /// Nobody but the board has a grant told of as an approval.
    function test_onlyTheBoardTellsOfApprovals() external {
        AskedJob memory asked = AskedJob(1, address(this), MANIFEST, MANIFEST, 0);
        refused(Permissions.OnlyJobBoard.selector);
        permissions.approveIfGranted(address(pool), asked);
        refused(Permissions.OnlyJobBoard.selector);
        permissions.requireGranted(address(pool), asked);
    }

    /// An approval of a pool counts once, whichever way it came.
    function test_aPoolApprovesOnce() external {
        address[] memory both = new address[](2);
        (both[0], both[1]) = (address(pool), address(found("other", 0)));
        uint256 id = board.propose(MANIFEST, "", both, 1_000, uint64(block.timestamp + 1 days));
        appoint(MANIFEST, 0);
        redeemed(permitOf(MANIFEST));
        board.approveByGrant(id, address(pool));
        refused(JobBoard.AlreadyApproved.selector);
        board.approveByGrant(id, address(pool));
        Terms memory t = boundsOf(0);
        vm.prank(lock);
        refused(JobBoard.AlreadyApproved.selector);
        board.approve(id, address(pool), address(this), MANIFEST, t);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Proposed));
    }

    /// Under a template only the scope says what runs: without one, nodes hear of no approval.
    function test_aTemplateWithoutAScopeApprovesNoUnknownManifest() external {
        appoint(TEMPLATE, 0);
        redeemed(permitOf(TEMPLATE));
        vm.recordLogs();
        uint256 id = proposed(MANIFEST, TEMPLATE, SCOPE);
        vm.assertEq(approvalsTold(id), 0);
        appoint(TEMPLATE, SCOPE);
        redeemed(permitOf(TEMPLATE));
        vm.recordLogs();
        id = proposed(MANIFEST, TEMPLATE, keccak256("table B"));
        vm.assertEq(approvalsTold(id), 0);
        vm.recordLogs();
        id = proposed(MANIFEST, TEMPLATE, SCOPE);
        vm.assertEq(approvalsTold(id), 1);
    }

    function assertTold(uint256 id, Terms memory terms) private {
        Log[] memory logs = vm.getRecordedLogs();
        uint256 found_;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != JobBoard.JobApproved.selector) continue;
            ++found_;
            vm.assertEq(logs[i].emitter, address(permissions));
            vm.assertEq(logs[i].topics[1], bytes32(id));
            vm.assertEq(logs[i].topics[2], bytes32(uint256(uint160(address(pool)))));
            vm.assertEq(keccak256(logs[i].data), keccak256(abi.encode(terms)));
        }
        vm.assertEq(found_, 1);
    }

    function approvalsTold(uint256 id) private returns (uint256 count) {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == JobBoard.JobApproved.selector && logs[i].topics[1] == bytes32(id)) ++count;
        }
    }

    function test_whatIsKeptIsShown() external {
        appoint(MANIFEST, SCOPE);
        Appointment memory appointment = permissions.appointmentOf(address(pool), issuer, MANIFEST);
        vm.assertEq(appointment.bounds.scopeDigest, SCOPE);
        vm.assertFalse(appointment.ended);
        QueryPermit memory permit = permitOf(MANIFEST);
        vm.assertEq(permissions.redemptionOf(permissions.hashOf(permit)).generation, 0);
        bytes32 digest = redeemed(permit);
        vm.assertEq(digest, permissions.hashOf(permit));
        vm.assertEq(permissions.redemptionOf(digest).generation, 1);
        vm.prank(lock);
        permissions.dismissIssuer(address(pool), issuer, MANIFEST);
        vm.assertTrue(permissions.appointmentOf(address(pool), issuer, MANIFEST).ended);
    }
}
