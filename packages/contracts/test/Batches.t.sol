// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchEntries} from "../solidity/registry/BatchEntries.sol";
import {NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {BatchHeader, BatchVerdict, ContributionBatches} from "../solidity/registry/ContributionBatches.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {BatchMaker} from "./BatchMaker.sol";
import {Log} from "./Vm.sol";

/// Merkle batches.
contract BatchesTest is BatchMaker {
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

    function pay(uint256 amount) private {
        protocolToken.transfer(address(pool), amount);
        vm.prank(address(board));
        pool.distribute(amount);
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

    /// Only the leaf that was paid is forfeited, though a careless node's tree has two of one place.
    function test_onlyTheLeafThatWasPaidIsForfeited() external {
        accept(address(7), pool, 10_000);
        Made memory made = make(2);
        BatchVerdict[] memory list = new BatchVerdict[](2);
        list[0] = BatchVerdict(0, vm.addr(OWNER), 1_000, bytes32("a"));
        list[1] = BatchVerdict(0, address(7), 10_000, bytes32("b"));
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = this.leaf(made.id, list[0]);
        leaves[1] = this.leaf(made.id, list[1]);
        judge(made.id, root(leaves), 1);
        // Without proofs such a tree is not paid at all.
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.VerdictTwice.selector, made.id, 0));
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        bytes32[][] memory paths = proofs(leaves);
        BatchVerdict[] memory first = new BatchVerdict[](1);
        bytes32[][] memory path = new bytes32[][](1);
        (first[0], path[0]) = (list[0], paths[0]);
        batches.payVerdicts(made.id, first, path);
        bytes32[] memory proof = proofOf(made.leaves, 0);
        vm.prank(vm.addr(OWNER));
        batches.withdraw(made.id, 0, entryOf(0), proof);
        refused(ContributionBatches.ProofInvalid.selector);
        batches.forfeit(made.id, list[1], paths[1]);
        batches.forfeit(made.id, list[0], paths[0]);
        vm.assertEq(pool.pointsOf(address(7)), 10_000);
        vm.assertEq(pool.pointsOf(vm.addr(OWNER)), 0);
    }

    /// Points that are not there end by name.
    function test_moreThanThePointsThatAreThereIsRefusedByName() external {
        accept(address(7), pool, 10);
        vm.prank(address(batches));
        vm.expectRevert(abi.encodeWithSelector(Pool.PointsShort.selector, address(7), 10, 11));
        pool.forfeit(address(7), 11);
    }

    function test_aSignedEntryEndsWithTheBatchsDeadline() external {
        BatchHeader memory h = header();
        h.deadline = uint64(block.timestamp);
        bytes memory entry = entryOf(0);
        bytes memory signature = signatureOf(OWNER, 0, 0, entry, h);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.SignatureExpired.selector, 0, h.deadline));
        batches.contributeBatch(0, h, entry, signature);
        // A later one was not signed.
        h.deadline += 1;
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(0, h, entry, signature);
    }

    function test_anEntryIsReplacedAndItsErasureRecorded() external {
        Made memory made = make(3);
        bytes memory entry = entryOf(2);
        bytes32[] memory proof = proofOf(made.leaves, 2);
        bytes32 about = keccak256(abi.encode(made.id, uint256(2)));
        StatementProof memory erased = prove(batches.ERASURE_STATEMENT(), address(pool), about, about);
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.NotErasable.selector, made.id, 2));
        batches.recordErasure(made.id, 2, erased);
        vm.startPrank(vm.addr(OWNER + 1));
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.ReplacementZero.selector, made.id, 2));
        batches.supersede(made.id, 2, entry, proof, 0);
        batches.supersede(made.id, 2, entry, proof, keccak256("newer"));
        vm.stopPrank();
        vm.assertTrue(batches.isWithdrawn(made.id, 2));
        StatementProof memory other =
            prove(batches.ERASURE_STATEMENT(), address(pool), keccak256(abi.encode(made.id, uint256(1))), about);
        refused(NodeRegistry.StatementSignerNotActive.selector);
        batches.recordErasure(made.id, 2, other);
        batches.recordErasure(made.id, 2, erased);
        vm.assertTrue(batches.isErased(made.id, 2));
        vm.assertFalse(batches.isErased(made.id, 1));
        refused(ContributionBatches.NotErasable.selector);
        batches.recordErasure(made.id, 2, erased);
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
        vm.expectRevert(abi.encodeWithSelector(Pool.NothingToCollect.selector, owner));
        pool.collectFor(owner);
        vm.expectRevert(abi.encodeWithSelector(Pool.NothingToCollect.selector, address(0xbad)));
        pool.collectFor(address(0xbad));
    }

    /// Replay: a signature is good for one place of one batch of one relayer.
    function test_aSignatureIsGoodForOnePlaceOnly() external {
        BatchHeader memory h = header();
        bytes memory entry = entryOf(0);
        bytes memory signature = signatureOf(OWNER, 0, 0, entry, h);
        vm.prank(address(9));
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(0, h, entry, signature);
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(0, h, bytes.concat(entry, entry), bytes.concat(signature, signature));
        h.locatorBase = "https://elsewhere/";
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(0, h, entry, signature);
        h = header();
        batches.contributeBatch(0, h, entry, signature);
        refused(ContributionBatches.NumberNotNext.selector);
        batches.contributeBatch(0, h, entry, signature);
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(1, h, entry, signature);
    }

    function test_batchesAreRefusedByName() external {
        BatchHeader memory h = header();
        bytes memory entry = entryOf(0);
        bytes memory signature = signatureOf(OWNER, 0, 0, entry, h);
        refused(BatchEntries.EntriesLengthInvalid.selector);
        batches.contributeBatch(0, h, "", "");
        refused(BatchEntries.EntriesLengthInvalid.selector);
        batches.contributeBatch(0, h, bytes.concat(entry, hex"00"), signature);
        refused(BatchEntries.EntriesLengthInvalid.selector);
        batches.contributeBatch(0, h, entry, hex"00");
        refused(BatchEntries.EntriesLengthInvalid.selector);
        batches.contributeBatch(0, h, new bytes(116 * 1_025), new bytes(65 * 1_025));
        h.pool = address(9);
        refused(ContributionBatches.PoolUnknown.selector);
        batches.contributeBatch(0, h, entry, signature);
        h = header();
        h.locatorBase = "";
        refused(ContributionBatches.LocatorLengthInvalid.selector);
        batches.contributeBatch(0, h, entry, signature);
        h = header();
        h.epoch = 2;
        refused(Pool.EpochNotCurrent.selector);
        batches.contributeBatch(0, h, entry, signature);
        h = header();
        refused(BatchEntries.DigestZero.selector);
        batches.contributeBatch(0, h, bytes.concat(bytes20(vm.addr(OWNER)), new bytes(96)), signature);
        // Malleability: the other s of the same signature.
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        assembly {
            let s := mload(add(signature, 0x40))
            mstore(add(signature, 0x40), sub(order, s))
            mstore8(add(signature, 0x60), xor(byte(0, mload(add(signature, 0x60))), 7))
        }
        refused(BatchEntries.ContributionSignatureInvalid.selector);
        batches.contributeBatch(0, h, entry, signature);
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

    function test_anEntryIsWithdrawnByItsOwnerAndEarnsNoMore() external {
        Made memory made = make(5);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        bytes memory entry = entryOf(2);
        bytes32[] memory proof = proofOf(made.leaves, 2);
        address owner = vm.addr(OWNER + 1);
        refused(ContributionBatches.BatchUnknown.selector);
        batches.withdraw(99, 2, entry, proof);
        refused(BatchEntries.EntriesLengthInvalid.selector);
        batches.withdraw(made.id, 2, hex"00", proof);
        refused(ContributionBatches.ProofInvalid.selector);
        batches.withdraw(made.id, 3, entry, proof);
        refused(ContributionBatches.OwnerNotSender.selector);
        batches.withdraw(made.id, 2, entry, proof);
        bytes32[] memory verdictProof = proofOf(leaves, 2);
        refused(ContributionBatches.NotWithdrawnYet.selector);
        batches.forfeit(made.id, list[2], verdictProof);
        vm.prank(owner);
        batches.withdraw(made.id, 2, entry, proof);
        vm.prank(owner);
        refused(ContributionBatches.AlreadyWithdrawn.selector);
        batches.withdraw(made.id, 2, entry, proof);
        judge(made.id, root(leaves), 5);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.forfeit(made.id, list[2], verdictProof);
        batches.payVerdicts(made.id, list, proofs(leaves));
        vm.assertEq(pool.totalPoints(), 4_000);
        vm.assertEq(pool.pointsOf(owner), 1_000);
        (BatchVerdict[] memory one, bytes32[][] memory path) = (new BatchVerdict[](1), new bytes32[][](1));
        (one[0], path[0]) = (list[2], verdictProof);
        refused(ContributionBatches.AlreadyWithdrawn.selector);
        batches.payVerdicts(made.id, one, path);
    }

    function test_whatWasPaidBeforeAWithdrawalLosesItsPoints() external {
        Made memory made = make(2);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 2);
        batches.payVerdicts(made.id, list, proofs(leaves));
        address owner = vm.addr(OWNER);
        vm.assertEq(pool.pointsOf(owner), 2_000);
        bytes32[] memory proof = proofOf(made.leaves, 1);
        vm.prank(owner);
        batches.withdraw(made.id, 1, entryOf(1), proof);
        bytes32[] memory verdictProof = proofOf(leaves, 1);
        BatchVerdict memory wrong = BatchVerdict(1, owner, 900, bytes32("verdict"));
        refused(ContributionBatches.ProofInvalid.selector);
        batches.forfeit(made.id, wrong, verdictProof);
        batches.forfeit(made.id, list[1], verdictProof);
        vm.assertEq(pool.pointsOf(owner), 1_000);
        refused(ContributionBatches.AlreadyPaid.selector);
        batches.forfeit(made.id, list[1], verdictProof);
        refused(Pool.OnlyDataRegistry.selector);
        pool.forfeit(owner, 1);
    }
}
