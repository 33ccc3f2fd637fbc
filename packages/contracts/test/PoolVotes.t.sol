// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApprovalClass, Approvals} from "../solidity/governance/Approvals.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {PoolGovernor} from "../solidity/governance/PoolGovernor.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {PoolWorld} from "./PoolWorld.sol";

/// A pool's approval classes and votes.
contract PoolVotesTest is PoolWorld {
    function grantAs(bytes32 digest) private {
        Terms memory t = Terms(1, 0, 1, uint64(block.timestamp), uint64(block.timestamp + 1), 0);
        vm.prank(lock);
        permissions.grant(address(this), address(pool), digest, t);
    }

    function test_reviewsAndConsentThatAPoolDemands() external {
        bytes32 digest = keccak256("job");
        ApprovalClass memory class = ApprovalClass(1, 5_001);
        refused(Approvals.OnlyPoolTimelock.selector);
        approvals.setClass(address(pool), class);
        refused(Approvals.OnlyPoolTimelock.selector);
        approvals.setClass(address(9), class);
        class.consentBps = 10_001;
        vm.prank(lock);
        refused(Approvals.ConsentTooLarge.selector);
        approvals.setClass(address(pool), class);
        class.consentBps = 5_001;
        vm.prank(lock);
        approvals.setClass(address(pool), class);
        vm.assertEq(approvals.classOf(address(pool)).reviews, 1);
        Terms memory t = Terms(1, 0, 1, uint64(block.timestamp), uint64(block.timestamp + 1), 0);
        vm.prank(lock);
        refused(Approvals.ReviewMissing.selector);
        permissions.grant(address(this), address(pool), digest, t);
        refused(Approvals.NotReviewer.selector);
        approvals.review(address(pool), digest, 0);
        vm.prank(lock);
        approvals.setReviewer(address(pool), address(this), true);
        refused(Approvals.NotReviewed.selector);
        approvals.withdrawReview(address(pool), digest);
        approvals.review(address(pool), digest, 0);
        refused(Approvals.AlreadyReviewed.selector);
        approvals.review(address(pool), digest, 0);
        approvals.withdrawReview(address(pool), digest);
        approvals.review(address(pool), digest, 0);
        accept(MEMBER, pool, 5_000);
        accept(address(8), pool, 5_000);
        vm.prank(lock);
        refused(Approvals.ConsentMissing.selector);
        permissions.grant(address(this), address(pool), digest, t);
        refused(Approvals.OnlyContributor.selector);
        approvals.consent(address(pool), digest);
        refused(Approvals.OnlyContributor.selector);
        approvals.consent(address(9), digest);
        vm.prank(MEMBER);
        approvals.consent(address(pool), digest);
        vm.prank(MEMBER);
        refused(Approvals.AlreadyConsented.selector);
        approvals.consent(address(pool), digest);
        vm.prank(lock);
        refused(Approvals.ConsentMissing.selector);
        permissions.grant(address(this), address(pool), digest, t);
        refused(Approvals.NotConsented.selector);
        approvals.withdrawConsent(address(pool), digest);
        vm.prank(address(8));
        approvals.consent(address(pool), digest);
        grantAs(digest);
        vm.prank(MEMBER);
        approvals.withdrawConsent(address(pool), digest);
        vm.assertEq(approvals.consentPoints(address(pool), digest), 5_000);
    }

    function test_tokensVoteForTheirHolderUntilDelegated() external {
        accept(MEMBER, pool, 10_000);
        vm.assertEq(token.delegates(MEMBER), MEMBER);
        vm.assertEq(token.delegates(address(0)), address(0));
        vm.assertEq(token.delegates(lock), address(0));
        vm.assertEq(token.delegates(address(board)), address(0));
        vm.prank(MEMBER);
        token.delegate(address(8));
        vm.assertEq(token.getVotes(address(8)), REWARD);
        vm.assertEq(token.getVotes(MEMBER), 0);
        vm.prank(MEMBER);
        token.delegate(address(0));
        vm.assertEq(token.getVotes(MEMBER), REWARD);
        vm.prank(lock);
        refused(PoolToken.NoVotes.selector);
        token.delegate(MEMBER);
        vm.assertEq(token.nonces(MEMBER), 0);
    }

    /// A vote from proposal to execution, and no earlier than the time lock allows.
    function test_aVoteChangesTheRulesAfterTheTimeLock() external {
        accept(MEMBER, pool, 10_000);
        vm.warp(block.timestamp + 1);
        PoolGovernor governor = PoolGovernor(payable(pool.governor()));
        vm.assertEq(governor.proposalThreshold(), 0);
        PoolRules memory rules = pool.rules();
        rules.policyDigest = keccak256("voted");
        address[] memory targets = new address[](1);
        uint256[] memory values = new uint256[](1);
        bytes[] memory calls = new bytes[](1);
        (targets[0], calls[0]) = (address(pool), abi.encodeCall(Pool.setRules, (rules)));
        vm.prank(MEMBER);
        uint256 proposal = governor.propose(targets, values, calls, "change");
        vm.assertTrue(governor.proposalNeedsQueuing(proposal));
        vm.warp(block.timestamp + 2);
        vm.prank(MEMBER);
        governor.castVote(proposal, 1);
        vm.warp(block.timestamp + 61);
        governor.queue(targets, values, calls, keccak256("change"));
        vm.assertEq(uint256(governor.state(proposal)), uint256(IGovernor.ProposalState.Queued));
        vm.expectRevert();
        governor.execute(targets, values, calls, keccak256("change"));
        vm.warp(block.timestamp + 6);
        governor.execute(targets, values, calls, keccak256("change"));
        vm.assertEq(pool.rules().policyDigest, keccak256("voted"));
        // The proposer may take a proposal back before the vote begins.
        vm.prank(MEMBER);
        governor.propose(targets, values, calls, "again");
        vm.prank(MEMBER);
        governor.cancel(targets, values, calls, keccak256("again"));
    }
}
