// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {PoolLedger} from "../solidity/pool/PoolLedger.sol";
import {BatchVerdict, ContributionBatches} from "../solidity/registry/ContributionBatches.sol";
import {BatchMaker} from "./BatchMaker.sol";
import {Log} from "./Vm.sol";

/// What the verdicts on Merkle batches pay.
contract BatchPaymentsTest is BatchMaker {
    function setUp() public {
        build();
    }

    function testFuzz_aBatchOfAnySizeIsPaidOnceToItsOwners(uint256 count) external {
        count = bound(count, 1, 40);
        Made memory made = make(count);
        vm.assertEq(batches.getBatch(made.id).root, root(made.leaves));
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), count);
        bytes32[][] memory all = proofs(leaves);
        batches.payVerdicts(made.id, list, all);
        for (uint256 i; i < count; ++i) {
            uint256 entries = i ^ 1 < count ? 2 : 1;
            vm.assertEq(pool.pointsOf(list[i].owner), 1_000 * entries);
            vm.assertTrue(batches.isPaid(made.id, i));
        }
        vm.assertEq(token.totalSupply(), 0);
        vm.assertEq(pool.reserved(), uint256(REWARD) / 10 * count);
        for (uint256 i; i < count; ++i) {
            if (pool.collectable(list[i].owner) != 0) pool.collectFor(list[i].owner);
        }
        vm.assertEq(pool.reserved(), 0);
        vm.assertEq(token.totalSupply(), uint256(REWARD) / 10 * count);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.payVerdicts(made.id, list, all);
    }

    /// All leaves of a verdict tree need no proofs; a part of them, or others, are refused whatever they are.
    function testFuzz_aWholeTreeIsPaidWithoutProofs(uint8 size, uint8 missing) external {
        uint256 count = bound(size, 2, 9);
        Made memory made = make(count);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), count);
        BatchVerdict[] memory part = new BatchVerdict[](count - 1);
        uint256 skipped = missing % count;
        for (uint256 i; i < count - 1; ++i) part[i] = list[i < skipped ? i : i + 1];
        refused(ContributionBatches.ProofInvalid.selector);
        batches.payVerdicts(made.id, part, new bytes32[][](0));
        uint16 score = list[skipped].score;
        list[skipped].score = 9_999;
        refused(ContributionBatches.ProofInvalid.selector);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        list[skipped].score = score;
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        vm.assertEq(pool.totalPoints(), 1_000 * count);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        // One by one with a proof they are paid no second time either.
        bytes32[][] memory all = proofs(leaves);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.payVerdicts(made.id, list, all);
    }

    /// Fees of before a credit are shared by the points of before it, to the unit.
    function test_creditedPointsEarnFromThenOn() external {
        Made memory first = make(2);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(first);
        judge(first.id, root(leaves), 2);
        batches.payVerdicts(first.id, list, new bytes32[][](0));
        address owner = list[0].owner;
        pay(600);
        vm.assertEq(pool.claimable(owner), 600);
        // Three entries: two of the same owner, one of another, who was not there before.
        Made memory second = make(3);
        (list, leaves) = verdictsOf(second);
        judge(second.id, root(leaves), 3);
        batches.payVerdicts(second.id, list, new bytes32[][](0));
        vm.assertEq(pool.claimable(owner), 600);
        vm.assertEq(pool.claimable(list[2].owner), 0);
        pay(500);
        vm.assertEq(pool.claimable(owner), 1_000);
        vm.assertEq(pool.claimable(list[2].owner), 100);
    }

    /// Credits end at the cap, and nobody else can be minted what is promised.
    function test_creditsEndAtTheCap() external {
        pool = foundCapped(uint256(REWARD) * 3 / 10 + 7);
        Made memory made = make(5);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 5);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        vm.assertEq(pool.totalPoints(), 5_000);
        vm.assertEq(pool.reserved(), tokenOf(pool).cap());
        vm.assertEq(pool.collectable(list[0].owner), uint256(REWARD) * 2 / 10);
        vm.assertEq(pool.collectable(list[2].owner), uint256(REWARD) / 10 + 7);
        vm.assertEq(pool.collectable(list[4].owner), 0);
        accept(address(7), pool, 10_000);
        vm.assertEq(tokenOf(pool).balanceOf(address(7)), 0);
        for (uint256 i; i < 4; i += 2) pool.collectFor(list[i].owner);
        vm.assertEq(tokenOf(pool).totalSupply(), tokenOf(pool).cap());
    }

    /// Marks are kept by the word of 256: entries past the first word are paid once, too.
    function test_aLargeBatchIsPaidOnce() external {
        Made memory made = make(258);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 258);
        BatchVerdict[] memory few = new BatchVerdict[](4);
        bytes32[][] memory fewProofs = new bytes32[][](4);
        uint16[4] memory order = [uint16(257), 3, 256, 0];
        for (uint256 i; i < 4; ++i) (few[i], fewProofs[i]) = (list[order[i]], proofOf(leaves, order[i]));
        batches.payVerdicts(made.id, few, fewProofs);
        for (uint256 i; i < 4; ++i) vm.assertTrue(batches.isPaid(made.id, order[i]));
        vm.assertFalse(batches.isPaid(made.id, 1));
        for (uint256 i; i < 4; ++i) {
            (BatchVerdict[] memory one, bytes32[][] memory proof) = (new BatchVerdict[](1), new bytes32[][](1));
            (one[0], proof[0]) = (few[i], fewProofs[i]);
            vm.expectRevert(abi.encodeWithSelector(ContributionBatches.AlreadyPaid.selector, made.id, order[i]));
            batches.payVerdicts(made.id, one, proof);
        }
        // The same entry twice in one call.
        (few[0], fewProofs[0]) = (list[5], proofOf(leaves, 5));
        (few[1], fewProofs[1]) = (list[257], proofOf(leaves, 257));
        batches.payVerdicts(made.id, few, fewProofs);
        vm.assertEq(pool.totalPoints(), 5_000);
        (few[0], fewProofs[0]) = (list[6], proofOf(leaves, 6));
        (few[1], fewProofs[1]) = (list[6], proofOf(leaves, 6));
        batches.payVerdicts(made.id, few, fewProofs);
        vm.assertEq(pool.totalPoints(), 6_000);
        // Over the border of two words and back.
        (few[0], fewProofs[0]) = (list[7], proofOf(leaves, 7));
        (few[1], fewProofs[1]) = (list[256], proofOf(leaves, 256));
        (few[2], fewProofs[2]) = (list[7], proofOf(leaves, 7));
        batches.payVerdicts(made.id, few, fewProofs);
        vm.assertEq(pool.totalPoints(), 7_000);
    }

    /// An entry that was paid or taken back since holds up no other, with and without proofs; the event says who was paid.
    function test_oneEntryHoldsUpNoOther() external {
        Made memory made = make(4);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 4);
        bytes32[][] memory all = proofs(leaves);
        BatchVerdict[] memory first = new BatchVerdict[](1);
        bytes32[][] memory path = new bytes32[][](1);
        (first[0], path[0]) = (list[0], all[0]);
        batches.payVerdicts(made.id, first, path);
        bytes32[] memory proof = proofOf(made.leaves, 2);
        vm.prank(vm.addr(OWNER + 1));
        batches.withdraw(made.id, 2, entryOf(2), proof);
        vm.recordLogs();
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        vm.assertEq(pool.totalPoints(), 3_000);
        BatchVerdict[] memory paid = new BatchVerdict[](2);
        (paid[0], paid[1]) = (list[1], list[3]);
        Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == ContributionBatches.BatchVerdictSkipped.selector) {
                (uint256 index, bool withdrawn) = abi.decode(logs[i].data, (uint256, bool));
                vm.assertTrue((index == 0 && !withdrawn) || (index == 2 && withdrawn));
                ++seen;
            }
            if (logs[i].topics[0] == ContributionBatches.BatchVerdictsPaid.selector) {
                vm.assertEq(keccak256(logs[i].data), keccak256(abi.encode(paid)));
                ++seen;
            }
        }
        vm.assertEq(seen, 3);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
    }

    /// What is credited is minted once, whoever asks, and nobody else's.
    function test_creditedTokensAreMintedOnce() external {
        Made memory made = make(2);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 2);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        address owner = list[0].owner;
        uint256 credited = pool.collectable(owner);
        vm.assertEq(token.balanceOf(owner), 0);
        vm.prank(address(0xbad));
        vm.assertEq(pool.collectFor(owner), credited);
        vm.assertEq(token.balanceOf(owner), credited);
        vm.assertEq(token.balanceOf(address(0xbad)), 0);
        vm.expectRevert(abi.encodeWithSelector(PoolLedger.NothingToCollect.selector, owner));
        pool.collectFor(owner);
        vm.expectRevert(abi.encodeWithSelector(PoolLedger.NothingToCollect.selector, address(0xbad)));
        pool.collectFor(address(0xbad));
    }

    function test_verdictRootsAreRefusedByName() external {
        Made memory made = make(3);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        StatementProof memory none;
        refused(ContributionBatches.BatchUnknown.selector);
        batches.recordVerdictRoot(99, bytes32("r"), 1, none);
        refused(ContributionBatches.VerdictRootInvalid.selector);
        batches.recordVerdictRoot(made.id, 0, 1, none);
        refused(ContributionBatches.VerdictRootInvalid.selector);
        batches.recordVerdictRoot(made.id, bytes32("r"), 4, none);
        refused(ContributionBatches.BatchUnknown.selector);
        batches.payVerdicts(made.id, list, proofs(leaves));
        judge(made.id, root(leaves), 3);
        refused(ContributionBatches.VerdictRootAlreadyRecorded.selector);
        batches.recordVerdictRoot(made.id, bytes32("r"), 1, none);
        refused(ContributionBatches.BatchEmpty.selector);
        batches.payVerdicts(made.id, new BatchVerdict[](0), new bytes32[][](0));
        refused(ContributionBatches.BatchLengthsDiffer.selector);
        batches.payVerdicts(made.id, list, new bytes32[][](1));
        bytes32[][] memory all = proofs(leaves);
        list[0].score = 2_000;
        refused(ContributionBatches.ProofInvalid.selector);
        batches.payVerdicts(made.id, list, all);
        list[0].score = 0;
        refused(ContributionBatches.ScoreInvalid.selector);
        batches.payVerdicts(made.id, list, all);
        list[0].score = 10_001;
        refused(ContributionBatches.ScoreInvalid.selector);
        batches.payVerdicts(made.id, list, all);
        (list[0].score, list[0].index) = (1_000, 3);
        refused(ContributionBatches.ProofInvalid.selector);
        batches.payVerdicts(made.id, list, all);
    }
}
