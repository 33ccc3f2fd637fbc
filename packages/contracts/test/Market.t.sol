// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DirectPayments, Offer, SaleState} from "../solidity/market/DirectPayments.sol";
import {Disputes, DisputeState} from "../solidity/market/Disputes.sol";
import {LivenessRewards} from "../solidity/market/LivenessRewards.sol";
import {RevenueSplit} from "../solidity/market/RevenueSplit.sol";
import {RewardEpochs} from "../solidity/market/RewardEpochs.sol";
import {TokenIntake} from "../solidity/market/TokenIntake.sol";
import {FeeToken} from "./JobBoard.t.sol";
import {World} from "./World.sol";

contract MarketTest is World {
    uint256 private constant SELLER_KEY = 0x5e11;
    address private seller;
    address private constant ARBITER = address(0xa4b);
    DirectPayments private payments;

    function setUp() public {
        build();
        seller = vm.addr(SELLER_KEY);
        payments = new DirectPayments();
        protocolToken.approve(address(payments), type(uint256).max);
    }

    // --- reward epochs ---

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
        bytes32 left = epochs.leafOf(1, 0, address(7), a);
        bytes32 right = epochs.leafOf(1, 1, address(8), b);
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

    // --- revenue ---

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

    // --- direct payments ---

    function offer(uint256 nonce_) private view returns (Offer memory) {
        return Offer(
            seller,
            address(this),
            ARBITER,
            protocolToken,
            1_000,
            keccak256("subject"),
            uint64(block.timestamp + 100),
            uint64(block.timestamp + 1_000),
            0,
            nonce_
        );
    }

    function signed(uint256 key, Offer memory o) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, payments.hashOf(o));
        return abi.encodePacked(r, s, v);
    }

    function bought(uint256 nonce_) private returns (bytes32) {
        Offer memory o = offer(nonce_);
        return payments.accept(o, signed(SELLER_KEY, o));
    }

    function test_aSaleIsPaidByTheBuyerOrByTime() external {
        bytes32 id = bought(1);
        refused(DirectPayments.OnlyParty.selector);
        payments.deliver(id, bytes32("receipt"));
        refused(DirectPayments.StateOther.selector);
        payments.settle(id);
        vm.prank(seller);
        payments.deliver(id, bytes32("receipt"));
        vm.prank(seller);
        refused(DirectPayments.TooEarly.selector);
        payments.settle(id);
        payments.settle(id);
        vm.assertEq(protocolToken.balanceOf(seller), 1_000);
        id = bought(2);
        vm.prank(seller);
        payments.deliver(id, bytes32("receipt"));
        vm.warp(block.timestamp + 3 days + 1);
        refused(DirectPayments.TooLate.selector);
        payments.dispute(id, bytes32("evidence"));
        vm.prank(seller);
        payments.settle(id);
        vm.assertEq(uint256(payments.getSale(id).state), uint256(SaleState.Paid));
        vm.assertEq(protocolToken.balanceOf(address(payments)), 0);
    }

    function test_whatIsNotDeliveredIsRefunded() external {
        bytes32 id = bought(1);
        refused(DirectPayments.TooEarly.selector);
        payments.refund(id);
        vm.warp(block.timestamp + 1_001);
        vm.prank(seller);
        refused(DirectPayments.TooLate.selector);
        payments.deliver(id, bytes32("late"));
        uint256 before = protocolToken.balanceOf(address(this));
        payments.refund(id);
        vm.assertEq(protocolToken.balanceOf(address(this)) - before, 1_000);
        refused(DirectPayments.StateOther.selector);
        payments.refund(id);
    }

    function testFuzz_theArbiterDividesADispute(uint256 toSeller) external {
        bytes32 id = bought(1);
        vm.prank(seller);
        payments.deliver(id, bytes32("receipt"));
        vm.prank(seller);
        refused(DirectPayments.OnlyParty.selector);
        payments.dispute(id, bytes32("evidence"));
        payments.dispute(id, bytes32("evidence"));
        refused(DirectPayments.OnlyParty.selector);
        payments.rule(id, 1);
        vm.prank(ARBITER);
        refused(DirectPayments.ShareTooLarge.selector);
        payments.rule(id, 1_001);
        toSeller = bound(toSeller, 0, 1_000);
        vm.prank(ARBITER);
        payments.rule(id, toSeller);
        vm.assertEq(protocolToken.balanceOf(seller), toSeller);
        vm.assertEq(protocolToken.balanceOf(address(payments)), 0);
    }

    function test_anArbiterWhoNeverDecidesDecidesNothing() external {
        bytes32 id = bought(1);
        vm.prank(seller);
        payments.deliver(id, bytes32("receipt"));
        payments.dispute(id, bytes32("evidence"));
        vm.warp(block.timestamp + 30 days + 1);
        payments.refund(id);
        vm.assertEq(protocolToken.balanceOf(seller), 0);
    }

    /// Front-running of quotes: only the named other side can accept, and only once.
    function test_offersAreRefusedByName() external {
        Offer memory o = offer(1);
        bytes memory signature = signed(SELLER_KEY, o);
        vm.prank(address(9));
        refused(DirectPayments.OnlyParty.selector);
        payments.accept(o, signature);
        vm.prank(address(9));
        refused(DirectPayments.OnlyParty.selector);
        payments.withdrawOffer(o);
        o.amount = 999;
        refused(DirectPayments.OfferSignatureInvalid.selector);
        payments.accept(o, signature);
        o.amount = 1_000;
        payments.accept(o, signature);
        refused(DirectPayments.OfferUsed.selector);
        payments.accept(o, signature);
        o = offer(2);
        signature = signed(SELLER_KEY, o);
        vm.prank(seller);
        payments.withdrawOffer(o);
        refused(DirectPayments.OfferIsWithdrawn.selector);
        payments.accept(o, signature);
        o = offer(3);
        o.deliverBy = o.expiresAt - 1;
        refused(DirectPayments.OfferDatesInvalid.selector);
        payments.accept(o, "");
        o = offer(4);
        vm.warp(block.timestamp + 101);
        refused(DirectPayments.OfferExpired.selector);
        payments.accept(o, "");
    }

    /// A counter-offer is the buyer's own signature, which the seller accepts; it names what it counters.
    function test_aCounterOfferIsAcceptedByTheOtherSide() external {
        uint256 buyerKey = 0xb0b;
        Offer memory o = offer(1);
        bytes32 countered = payments.hashOf(o);
        (o.buyer, o.counterTo, o.amount) = (vm.addr(buyerKey), countered, 600);
        protocolToken.transfer(o.buyer, 600);
        vm.prank(o.buyer);
        protocolToken.approve(address(payments), 600);
        bytes memory signature = signed(buyerKey, o);
        vm.prank(seller);
        bytes32 id = payments.accept(o, signature);
        vm.assertEq(payments.getSale(id).offer.counterTo, countered);
        vm.assertEq(protocolToken.balanceOf(address(payments)), 600);
    }

    // --- disputes ---

    function court() private returns (Disputes c) {
        c = new Disputes(protocolToken, ARBITER, 100);
        protocolToken.approve(address(c), type(uint256).max);
        protocolToken.transfer(seller, 10_000);
        vm.prank(seller);
        protocolToken.approve(address(c), type(uint256).max);
    }

    function test_whoStaysAwayLoses() external {
        Disputes c = court();
        refused(Disputes.StakeTooSmall.selector);
        c.open(seller, 0, 0, 99);
        refused(Disputes.DefendantInvalid.selector);
        c.open(address(this), 0, 0, 100);
        refused(Disputes.DefendantInvalid.selector);
        c.open(address(0), 0, 0, 100);
        uint256 id = c.open(seller, bytes32("receipt"), bytes32("evidence"), 100);
        refused(Disputes.OnlyParty.selector);
        c.answer(id, 0);
        refused(Disputes.TooEarly.selector);
        c.close(id);
        vm.warp(block.timestamp + 7 days + 1);
        vm.prank(seller);
        refused(Disputes.TooLate.selector);
        c.answer(id, 0);
        c.close(id);
        vm.assertEq(c.recordOf(address(this)).won, 1);
        vm.assertEq(c.recordOf(seller).lost, 1);
        vm.assertEq(protocolToken.balanceOf(address(c)), 0);
        refused(Disputes.StateOther.selector);
        c.close(id);
        refused(Disputes.StateOther.selector);
        c.rule(id, true, 0);
    }

    function testFuzz_theWinnerOfAllAppealsGetsAllStakes(bool first, bool second, bool third) external {
        Disputes c = court();
        uint256 own = protocolToken.balanceOf(address(this));
        uint256 id = c.open(seller, 0, 0, 100);
        vm.prank(seller);
        c.answer(id, 0);
        refused(Disputes.OnlyParty.selector);
        c.rule(id, true, 0);
        ruled(c, id, first);
        appealed(c, id, first);
        ruled(c, id, second);
        appealed(c, id, second);
        ruled(c, id, third);
        address loser = third ? seller : address(this);
        vm.prank(loser);
        refused(Disputes.NoMoreAppeals.selector);
        c.appeal(id, 0);
        refused(Disputes.TooEarly.selector);
        c.close(id);
        vm.warp(block.timestamp + 3 days + 1);
        c.close(id);
        vm.assertEq(protocolToken.balanceOf(address(c)), 0);
        uint256 mine = protocolToken.balanceOf(address(this));
        if (third) vm.assertGe(mine, own);
        else vm.assertLe(mine, own);
        vm.assertEq(uint256(c.getDispute(id).state), uint256(DisputeState.Closed));
    }

    function ruled(Disputes c, uint256 id, bool forChallenger) private {
        vm.prank(ARBITER);
        c.rule(id, forChallenger, bytes32("verdict"));
    }

    function appealed(Disputes c, uint256 id, bool forChallenger) private {
        address winner = forChallenger ? address(this) : seller;
        vm.prank(winner);
        refused(Disputes.OnlyParty.selector);
        c.appeal(id, 0);
        vm.prank(forChallenger ? seller : address(this));
        c.appeal(id, 0);
    }

    function test_withoutARulingStakesReturn() external {
        Disputes c = court();
        uint256 own = protocolToken.balanceOf(address(this));
        uint256 id = c.open(seller, 0, 0, 100);
        vm.prank(seller);
        c.answer(id, 0);
        vm.warp(block.timestamp + 30 days + 1);
        c.close(id);
        vm.assertEq(protocolToken.balanceOf(address(this)), own);
        id = c.open(seller, 0, 0, 100);
        vm.prank(seller);
        c.answer(id, 0);
        ruled(c, id, true);
        vm.warp(block.timestamp + 3 days + 1);
        vm.prank(seller);
        refused(Disputes.TooLate.selector);
        c.appeal(id, 0);
    }

    // --- liveness ---

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
