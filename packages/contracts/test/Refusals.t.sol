// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DirectPayments, Offer, SaleState} from "../solidity/market/DirectPayments.sol";
import {Disputes} from "../solidity/market/Disputes.sol";
import {TokenPayout} from "../solidity/market/TokenPayout.sol";
import {BlockingToken} from "./OddTokens.sol";
import {TestBase} from "./Vm.sol";

/// A party that a token refuses, or that refuses a token, holds up nobody but itself.
contract RefusalsTest is TestBase {
    address private constant ARBITER = address(0xa4b);
    BlockingToken private odd;

    function setUp() public {
        vm.warp(1_800_000_000);
        odd = new BlockingToken();
    }

    function test_aRefusedBuyerVoidsNoRuling() external {
        DirectPayments sales = new DirectPayments();
        address buyer = vm.addr(0xb0);
        odd.transfer(buyer, 1_000);
        vm.prank(buyer);
        odd.approve(address(sales), 1_000);
        Offer memory offer = Offer(
            address(0x5e11),
            buyer,
            ARBITER,
            IERC20(address(odd)),
            1_000,
            bytes32("x"),
            uint64(block.timestamp + 1),
            uint64(block.timestamp + 2),
            0,
            1
        );
        bytes32 h = sales.hashOf(offer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xb0, h);
        vm.prank(address(0x5e11));
        sales.accept(offer, abi.encodePacked(r, s, v));
        vm.prank(address(0x5e11));
        sales.deliver(h, bytes32("receipt"));
        vm.prank(buyer);
        sales.dispute(h, bytes32("e"));
        odd.setBlocked(buyer, true);
        vm.prank(ARBITER);
        sales.rule(h, 999);
        vm.assertEq(uint256(sales.getSale(h).state), uint256(SaleState.Resolved));
        vm.assertEq(odd.balanceOf(address(0x5e11)), 999);
        vm.assertEq(sales.owed(IERC20(address(odd)), buyer), 1);
        odd.setBlocked(buyer, false);
        sales.payOwed(IERC20(address(odd)), buyer);
        vm.assertEq(odd.balanceOf(buyer), 1);
        vm.expectRevert(abi.encodeWithSelector(TokenPayout.NothingOwed.selector, odd, buyer));
        sales.payOwed(IERC20(address(odd)), buyer);
        vm.assertEq(sales.totalOwed(IERC20(address(odd))), 0);
    }

    function open(Disputes court) private returns (uint256 id) {
        odd.transfer(address(21), 100);
        odd.transfer(address(22), 100);
        vm.startPrank(address(21));
        odd.approve(address(court), 100);
        id = court.open(address(22), 0, 0, 100);
        vm.stopPrank();
        vm.startPrank(address(22));
        odd.approve(address(court), 100);
        court.answer(id, 0);
        vm.stopPrank();
    }

    function test_aRefusedPartyLocksNobodysStake() external {
        Disputes court = new Disputes(odd, ARBITER, 1);
        uint256 id = open(court);
        odd.setBlocked(address(21), true);
        vm.warp(block.timestamp + 31 days);
        court.close(id);
        vm.assertEq(odd.balanceOf(address(22)), 100);
        vm.assertEq(court.owed(odd, address(21)), 100);
    }

    function test_aRefusedWinnerIsOwedWhatItWon() external {
        Disputes court = new Disputes(odd, ARBITER, 1);
        uint256 id = open(court);
        vm.prank(ARBITER);
        court.rule(id, true, 0);
        odd.setBlocked(address(21), true);
        vm.warp(block.timestamp + 3 days + 1);
        court.close(id);
        vm.assertEq(court.recordOf(address(21)).won, 1);
        vm.assertEq(court.owed(odd, address(21)), 200);
        odd.setBlocked(address(21), false);
        court.payOwed(odd, address(21));
        vm.assertEq(odd.balanceOf(address(21)), 200);
    }
}
