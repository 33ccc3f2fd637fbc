// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchHeader, BatchVerdict, ContributionBatches} from "../solidity/registry/ContributionBatches.sol";
import {BatchMaker} from "./BatchMaker.sol";

/// What an owner signed for a batch it can still take back before the batch comes.
contract CancelledEntriesTest is BatchMaker {
    function setUp() public {
        build();
    }

    function cancel(uint256 who, uint256 number, uint256 index) private {
        BatchHeader memory h = header();
        vm.prank(vm.addr(OWNER + who));
        batches.cancelEntry(address(this), number, h, index);
    }

    function test_aCancelledEntryIsWithdrawnFromTheBeginning() external {
        bytes32 batch = keccak256(
            abi.encode(
                address(this), uint256(0), address(pool), uint32(1), bytes32("schema"), type(uint64).max,
                keccak256("https://blobs/")
            )
        );
        vm.assertFalse(batches.isCancelled(batch, 2, vm.addr(OWNER + 1)));
        cancel(1, 0, 2);
        vm.assertTrue(batches.isCancelled(batch, 2, vm.addr(OWNER + 1)));
        Made memory made = make(5);
        for (uint256 i; i < 5; ++i) vm.assertEq(batches.isWithdrawn(made.id, i) ? 1 : 0, i == 2 ? 1 : 0);
        // It is paid nothing, whatever a node says of it; the others are.
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 5);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        vm.assertEq(pool.totalPoints(), 4_000);
        vm.assertEq(pool.pointsOf(vm.addr(OWNER + 1)), 1_000);
        vm.assertFalse(batches.isPaid(made.id, 2));
        // What is withdrawn is withdrawn once.
        bytes32[] memory proof = proofOf(made.leaves, 2);
        bytes memory entry = entryOf(2);
        vm.prank(vm.addr(OWNER + 1));
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.AlreadyWithdrawn.selector, made.id, 2));
        batches.withdraw(made.id, 2, entry, proof);
    }

    /// The place, the batch and the owner must all be the ones that were cancelled.
    function test_nobodyCancelsForAnother() external {
        cancel(0, 0, 2);
        cancel(1, 0, 4);
        cancel(1, 1, 3);
        Made memory made = make(6);
        for (uint256 i; i < 6; ++i) vm.assertFalse(batches.isWithdrawn(made.id, i));
        // Place 3 of the relayer's next batch is that owner's.
        made = make(6);
        for (uint256 i; i < 6; ++i) vm.assertEq(batches.isWithdrawn(made.id, i) ? 1 : 0, i == 3 ? 1 : 0);
    }

    function test_cancellingIsRefusedByName() external {
        cancel(1, 0, 2);
        BatchHeader memory h = header();
        bytes32 batch = batches.batchHash(address(this), 0, h);
        vm.prank(vm.addr(OWNER + 1));
        vm.expectRevert(
            abi.encodeWithSelector(
                ContributionBatches.EntryAlreadyCancelled.selector, batch, 2, vm.addr(OWNER + 1)
            )
        );
        batches.cancelEntry(address(this), 0, h, 2);
        make(3);
        // Too late: what is recorded is withdrawn, not cancelled.
        vm.prank(vm.addr(OWNER));
        vm.expectRevert(abi.encodeWithSelector(ContributionBatches.NumberNotNext.selector, address(this), 0, 1));
        batches.cancelEntry(address(this), 0, h, 0);
    }
}
