// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DirectPayments, Offer, SaleState} from "../solidity/market/DirectPayments.sol";
import {MarketWorld} from "./MarketWorld.sol";

/// Offers, counter-offers, and sales with escrow.
contract DirectPaymentsTest is MarketWorld {
    DirectPayments private payments;

    function setUp() public {
        buildMarket();
        payments = new DirectPayments();
        protocolToken.approve(address(payments), type(uint256).max);
    }

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
}
