// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {Contribution, ContributionState, DataRegistry, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolWorld} from "./PoolWorld.sol";

/// What members give to a pool, take back and are owed.
contract PoolMembersTest is PoolWorld {
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
        data.recordVerdicts(address(pool), new VerdictEntry[](0), proof);
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
}
