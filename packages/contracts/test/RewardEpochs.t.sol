// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LivenessRewards} from "../solidity/market/LivenessRewards.sol";
import {RevenueSplit} from "../solidity/market/RevenueSplit.sol";
import {RewardEpochs} from "../solidity/market/RewardEpochs.sol";
import {TokenIntake} from "../solidity/market/TokenIntake.sol";
import {World} from "./World.sol";
import {FeeToken} from "./OddTokens.sol";

/// Reward epochs, shared revenue, rewards for keeping data.
contract RewardEpochsTest is World {
    function setUp() public {
        build();
    }

    function pairRoot(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function list(bytes32 a) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = a;
    }

    function testFuzz_anEpochPaysEachLeafOnceAndNeverMoreThanItHolds(uint96 first, uint96 second) external {
        uint256 a = bound(first, 1, 1e20);
        uint256 b = bound(second, 1, 1e20);
        RewardEpochs epochs = new RewardEpochs();
        protocolToken.approve(address(epochs), type(uint256).max);
        bytes32 left = epochs.leafOf(address(this), 0, 0, address(7), a);
        bytes32 right = epochs.leafOf(address(this), 0, 1, address(8), b);
        uint256 id = epochs.open(protocolToken, pairRoot(left, right), a + b - 1, uint64(block.timestamp + 10));
        refused(RewardEpochs.ProofInvalid.selector);
        epochs.claim(id, 0, address(7), a + 1, list(right));
        refused(RewardEpochs.ProofInvalid.selector);
        epochs.claim(id, 1, address(7), a, list(right));
        epochs.claim(id, 0, address(7), a, list(right));
        vm.assertEq(protocolToken.balanceOf(address(7)), a);
        refused(RewardEpochs.AlreadyClaimed.selector);
        epochs.claim(id, 0, address(7), a, list(right));
        refused(RewardEpochs.EpochExhausted.selector);
        epochs.claim(id, 1, address(8), b, list(left));
        refused(RewardEpochs.EpochUnknown.selector);
        epochs.claim(9, 1, address(8), b, list(left));
        refused(RewardEpochs.EpochNotOver.selector);
        epochs.close(id);
        vm.warp(block.timestamp + 11);
        refused(RewardEpochs.EpochOver.selector);
        epochs.claim(id, 1, address(8), b, list(left));
        vm.prank(address(9));
        refused(RewardEpochs.OnlyFunder.selector);
        epochs.close(id);
        epochs.close(id);
        epochs.close(id);
        vm.assertEq(protocolToken.balanceOf(address(epochs)), 0);
        vm.assertEq(epochs.getEpoch(id).left, 0);
    }

    /// Who opens an epoch in front of another one's changes nothing: leaves name the funder and its own count, not the identifier.
    function test_nobodyTakesAnEpochsPlace() external {
        RewardEpochs epochs = new RewardEpochs();
        protocolToken.approve(address(epochs), type(uint256).max);
        bytes32 leaf = epochs.leafOf(address(this), epochs.nextNumber(address(this)), 0, address(7), 10);
        vm.prank(address(9));
        protocolToken.approve(address(epochs), type(uint256).max);
        protocolToken.transfer(address(9), 1);
        vm.prank(address(9));
        uint256 first = epochs.open(protocolToken, leaf, 1, uint64(block.timestamp + 10));
        uint256 id = epochs.open(protocolToken, leaf, 10, uint64(block.timestamp + 10));
        vm.assertEq(id, first + 1);
        bytes32[] memory none = new bytes32[](0);
        refused(RewardEpochs.ProofInvalid.selector);
        epochs.claim(first, 0, address(7), 10, none);
        epochs.claim(id, 0, address(7), 10, none);
        vm.assertEq(protocolToken.balanceOf(address(7)), 10);
        // The same root once more: its leaves name the epoch before, and pay nobody.
        id = epochs.open(protocolToken, leaf, 10, uint64(block.timestamp + 10));
        vm.assertEq(epochs.getEpoch(id).number, 1);
        refused(RewardEpochs.ProofInvalid.selector);
        epochs.claim(id, 0, address(7), 10, none);
    }

    function test_epochsAreRefusedByName() external {
        RewardEpochs epochs = new RewardEpochs();
        FeeToken fee = new FeeToken();
        fee.approve(address(epochs), 1_000);
        refused(RewardEpochs.RootZero.selector);
        epochs.open(fee, 0, 1, uint64(block.timestamp + 1));
        refused(RewardEpochs.CloseNotInFuture.selector);
        epochs.open(fee, bytes32("r"), 1, uint64(block.timestamp));
        refused(TokenIntake.IntakeShort.selector);
        epochs.open(fee, bytes32("r"), 1_000, uint64(block.timestamp + 1));
        refused(TokenIntake.AmountZero.selector);
        epochs.open(fee, bytes32("r"), 0, uint64(block.timestamp + 1));
    }

    function payees(uint16 platform, uint16 second) private pure returns (RevenueSplit.Payee[] memory p) {
        p = new RevenueSplit.Payee[](2);
        p[0] = RevenueSplit.Payee(address(11), platform);
        p[1] = RevenueSplit.Payee(address(12), second);
    }

    function testFuzz_revenueIsSharedWhole(uint96 amount, uint16 platform) external {
        platform = uint16(bound(platform, 0, 1_000));
        RevenueSplit split = new RevenueSplit(payees(platform, 10_000 - platform));
        if (amount == 0) {
            refused(RevenueSplit.NothingToShare.selector);
            split.share(protocolToken);
            return;
        }
        protocolToken.transfer(address(split), amount);
        split.share(protocolToken);
        vm.assertEq(protocolToken.balanceOf(address(split)), 0);
        vm.assertEq(protocolToken.balanceOf(address(11)), uint256(amount) * platform / 10_000);
        vm.assertEq(split.getPayees()[1].account, address(12));
    }

    function test_sharesAreRefusedByName() external {
        RevenueSplit.Payee[] memory p = payees(1_001, 8_999);
        refused(RevenueSplit.PlatformShareTooLarge.selector);
        new RevenueSplit(p);
        p = payees(1_000, 8_999);
        refused(RevenueSplit.SharesNotWhole.selector);
        new RevenueSplit(p);
        p[1].account = address(0);
        refused(RevenueSplit.PayeeZero.selector);
        new RevenueSplit(p);
        refused(RevenueSplit.PayeeCountInvalid.selector);
        new RevenueSplit(new RevenueSplit.Payee[](0));
        refused(RevenueSplit.PayeeCountInvalid.selector);
        new RevenueSplit(new RevenueSplit.Payee[](17));
    }

    function test_aKeeperIsPaidForTheChunkThatTheBlockAsksFor() external {
        LivenessRewards live = new LivenessRewards();
        protocolToken.approve(address(live), type(uint256).max);
        bytes32[] memory leaves = new bytes32[](2);
        for (uint256 i; i < 2; ++i) {
            leaves[i] = keccak256(abi.encode(keccak256(abi.encode(i, keccak256(chunk(i))))));
        }
        bytes32 top = pairRoot(leaves[0], leaves[1]);
        refused(LivenessRewards.WatchInvalid.selector);
        live.open(protocolToken, address(7), 0, 2, 2 days, 10, 15);
        uint256 id = live.open(protocolToken, address(7), top, 2, 2 days, 10, 15);
        refused(LivenessRewards.NoChallenge.selector);
        live.answer(id, chunk(0), list(leaves[1]));
        refused(LivenessRewards.WatchUnknown.selector);
        live.challenge(99);
        live.challenge(id);
        refused(LivenessRewards.ChallengeStands.selector);
        live.challenge(id);
        refused(LivenessRewards.BlockUnknown.selector);
        live.chunkOf(id);
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, keccak256("a"));
        uint256 asked = live.chunkOf(id);
        refused(LivenessRewards.ChunkInvalid.selector);
        live.answer(id, chunk(1 - asked), list(leaves[asked]));
        refused(LivenessRewards.ChunkInvalid.selector);
        live.answer(id, "", list(leaves[1 - asked]));
        live.answer(id, chunk(asked), list(leaves[1 - asked]));
        vm.assertEq(protocolToken.balanceOf(address(7)), 10);
        refused(LivenessRewards.NoChallenge.selector);
        live.answer(id, chunk(asked), list(leaves[1 - asked]));
        vm.warp(block.timestamp + 2 days);
        live.challenge(id);
        refused(LivenessRewards.ChallengeStands.selector);
        live.close(id);
        vm.prank(address(9));
        refused(LivenessRewards.OnlySponsor.selector);
        live.close(id);
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, keccak256("b"));
        asked = live.chunkOf(id);
        live.answer(id, chunk(asked), list(leaves[1 - asked]));
        // What is left is less than a reward.
        vm.assertEq(protocolToken.balanceOf(address(7)), 15);
        vm.warp(block.timestamp + 2 days);
        live.challenge(id);
        vm.warp(block.timestamp + 1 days + 1);
        refused(LivenessRewards.TooLate.selector);
        live.answer(id, chunk(0), list(leaves[1]));
        vm.assertEq(live.getChallenge(id).epoch, 3);
        vm.assertEq(live.getWatch(id).left, 0);
        live.close(id);
        id = live.open(protocolToken, address(7), top, 2, 2 days, 10, 15);
        live.close(id);
        vm.assertEq(protocolToken.balanceOf(address(live)), 0);
    }

    function chunk(uint256 i) private pure returns (bytes memory) {
        return abi.encode("chunk", i);
    }
}
