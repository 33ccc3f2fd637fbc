// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolRestrictions} from "../solidity/pool/PoolRestrictions.sol";
import {ApprovalClass, Approvals} from "../solidity/governance/Approvals.sol";
import {GovernanceSettings} from "../solidity/governance/PoolGovernor.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Founding, Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {PoolFactory} from "../solidity/pool/PoolFactory.sol";
import {Contribution, ContributionState, DataRegistry, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolGovernor} from "../solidity/governance/PoolGovernor.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Allocation} from "../solidity/token/VestingSchedule.sol";
import {World} from "./World.sol";

/// A pool's law: pauses, restrictions, keys, exit, approval classes, votes.
contract PoolTest is World {
    address private constant MEMBER = address(7);
    address private lock;

    function setUp() public {
        build();
        lock = pool.timelock();
    }

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
        pool.requireRunning();
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

    /// Exit before a changed policy takes effect: what was earned stays, later fees go to those who stay.
    function testFuzz_whoLeavesKeepsWhatIsEarnedAndEarnsNoMore(uint96 before, uint96 later) external {
        uint256 id = accept(MEMBER, pool, 5_000);
        accept(address(8), pool, 5_000);
        pay(before);
        uint256 earned = pool.claimable(MEMBER);
        vm.prank(MEMBER);
        data.withdraw(id);
        vm.assertEq(pool.pointsOf(MEMBER), 0);
        pay(later);
        vm.assertEq(pool.claimable(MEMBER), earned);
        if (earned == 0) return;
        pool.claimFor(MEMBER);
        vm.assertEq(protocolToken.balanceOf(MEMBER), earned);
    }

    function pay(uint256 amount) private {
        protocolToken.transfer(address(pool), amount);
        vm.prank(address(board));
        pool.distribute(amount);
    }

    function test_withdrawalVersionAndErasure() external {
        uint256 id = accept(MEMBER, pool, 4_000);
        refused(DataRegistry.OwnerNotSender.selector);
        data.withdraw(id);
        StatementProof memory erasure =
            prove(data.ERASURE_STATEMENT(), address(pool), bytes32(id), keccak256(abi.encode(id)));
        refused(DataRegistry.NotErasable.selector);
        data.recordErasure(id, erasure);
        Contribution memory next = contributionOf(MEMBER, pool);
        refused(DataRegistry.OwnerNotSender.selector);
        data.contributeVersion(id, next);
        next.owner = address(8);
        vm.prank(MEMBER);
        refused(DataRegistry.OwnerNotSender.selector);
        data.contributeVersion(id, next);
        Pool second = found("second", 0);
        next = contributionOf(MEMBER, second);
        vm.prank(MEMBER);
        refused(DataRegistry.ContributionOfOtherPool.selector);
        data.contributeVersion(id, next);
        next = contributionOf(MEMBER, pool);
        vm.prank(MEMBER);
        uint256 newer = data.contributeVersion(id, next);
        vm.assertEq(uint256(data.getRecord(id).state), uint256(ContributionState.Superseded));
        vm.assertEq(pool.pointsOf(MEMBER), 0);
        data.recordErasure(id, erasure);
        vm.assertEq(uint256(data.getRecord(id).state), uint256(ContributionState.Erased));
        vm.prank(MEMBER);
        data.withdraw(newer);
        vm.prank(MEMBER);
        refused(DataRegistry.NotWithdrawable.selector);
        data.withdraw(newer);
        refused(DataRegistry.OwnerNotSender.selector);
        data.withdraw(99);
    }

    function test_aWithdrawalCanBeRelayed() external {
        address owner = vm.addr(5);
        uint256 id = offer(owner, pool);
        // A number, not the block's time: the IR may read that again after the clock was moved.
        uint256 deadline = 1_800_000_000;
        bytes32 structHash = keccak256(abi.encode(keccak256("Withdrawal(uint256 id,uint256 deadline)"), id, deadline));
        bytes memory signature = sign(5, address(data), structHash);
        refused(DataRegistry.ContributionUnknown.selector);
        data.withdrawSigned(99, deadline, signature);
        refused(DataRegistry.ContributionSignatureInvalid.selector);
        data.withdrawSigned(id, deadline + 1, signature);
        vm.warp(deadline + 1);
        refused(DataRegistry.SignatureExpired.selector);
        data.withdrawSigned(id, deadline, signature);
        vm.warp(deadline);
        data.withdrawSigned(id, deadline, signature);
        vm.assertEq(uint256(data.getRecord(id).state), uint256(ContributionState.Withdrawn));
    }

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

    function test_anyoneClaimsForItself() external {
        accept(MEMBER, pool, 10_000);
        pay(10);
        vm.prank(MEMBER);
        vm.assertEq(pool.claim(), 10);
    }

    function test_contributionsAreRefusedByName() external {
        Contribution memory c = contributionOf(MEMBER, pool);
        refused(DataRegistry.OwnerNotSender.selector);
        data.contribute(c);
        c.pool = address(9);
        vm.prank(MEMBER);
        refused(DataRegistry.PoolUnknown.selector);
        data.contribute(c);
        c = contributionOf(MEMBER, pool);
        c.blobDigest = 0;
        vm.prank(MEMBER);
        refused(DataRegistry.DigestZero.selector);
        data.contribute(c);
        c = contributionOf(MEMBER, pool);
        c.locator = "";
        vm.prank(MEMBER);
        refused(DataRegistry.LocatorLengthInvalid.selector);
        data.contribute(c);
        refused(DataRegistry.BatchEmpty.selector);
        data.contributeBatch(new Contribution[](0), new uint256[](0), new bytes[](0));
        refused(DataRegistry.BatchLengthsDiffer.selector);
        data.contributeBatch(new Contribution[](1), new uint256[](0), new bytes[](1));
        refused(DataRegistry.SignatureExpired.selector);
        data.contributeSigned(c, block.timestamp - 1, "");
        Contribution[] memory list = new Contribution[](1);
        uint256[] memory deadlines = new uint256[](1);
        (list[0], deadlines[0]) = (c, block.timestamp);
        refused(DataRegistry.ContributionSignatureInvalid.selector);
        data.contributeBatch(list, deadlines, new bytes[](1));
    }

    function test_verdictsAreRefusedByName() external {
        StatementProof memory proof;
        refused(DataRegistry.BatchEmpty.selector);
        data.recordVerdicts(address(pool), verdicts(0), proof);
        refused(DataRegistry.PoolUnknown.selector);
        data.recordVerdicts(address(9), verdictOf(1, 1, false), proof);
        proof = proveVerdicts(pool, verdictOf(42, 1, false));
        refused(DataRegistry.ContributionUnknown.selector);
        data.recordVerdicts(address(pool), verdictOf(42, 1, false), proof);
        uint256 id = offer(MEMBER, pool);
        proof = proveVerdicts(pool, verdictOf(id, 1, true));
        refused(DataRegistry.ScoreInvalid.selector);
        data.recordVerdicts(address(pool), verdictOf(id, 1, true), proof);
        Pool second = found("second", 0);
        proof = proveVerdicts(second, verdictOf(id, 1, false));
        refused(DataRegistry.ContributionOfOtherPool.selector);
        data.recordVerdicts(address(second), verdictOf(id, 1, false), proof);
        proof = proveVerdicts(pool, verdictOf(id, 0, true));
        data.recordVerdicts(address(pool), verdictOf(id, 0, true), proof);
        vm.assertEq(uint256(data.getRecord(id).state), uint256(ContributionState.Refused));
    }

    function test_aRefinementCountsOnce() external {
        bytes32 facts = keccak256(abi.encode(bytes32("schema"), bytes32("rows")));
        StatementProof memory proof = prove(data.REFINEMENT_STATEMENT(), address(pool), bytes32("schema"), facts);
        refused(DataRegistry.PoolUnknown.selector);
        data.recordRefinement(address(9), bytes32("schema"), bytes32("rows"), proof);
        data.recordRefinement(address(pool), bytes32("schema"), bytes32("rows"), proof);
        vm.expectRevert();
        data.recordRefinement(address(pool), bytes32("schema"), bytes32("rows"), proof);
    }

    function verdicts(uint256 count) private pure returns (VerdictEntry[] memory) {
        return new VerdictEntry[](count);
    }
}
