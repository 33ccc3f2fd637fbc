// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {PoolLedger} from "../solidity/pool/PoolLedger.sol";
import {BatchEntries} from "../solidity/registry/BatchEntries.sol";
import {BatchHeader, BatchVerdict, ContributionBatches} from "../solidity/registry/ContributionBatches.sol";
import {BatchMaker} from "./BatchMaker.sol";

/// Merkle batches: signatures, places, withdrawal, erasure.
contract BatchesTest is BatchMaker {
    function setUp() public {
        build();
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
        vm.expectRevert(abi.encodeWithSelector(PoolLedger.PointsShort.selector, address(7), 10, 11));
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
        refused(PoolLedger.OnlyDataRegistry.selector);
        pool.forfeit(owner, 1);
    }
}
