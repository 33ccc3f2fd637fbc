// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Disputes, DisputeState} from "../solidity/market/Disputes.sol";
import {MarketWorld} from "./MarketWorld.sol";

/// Stakes, rulings and appeals.
contract DisputesTest is MarketWorld {
    function setUp() public {
        buildMarket();
    }

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
        // An accusation that nobody looked into is told apart from a ruling.
        vm.assertEq(c.recordOf(address(this)).won, 0);
        vm.assertEq(c.recordOf(seller).lost, 0);
        vm.assertEq(c.recordOf(seller).unanswered, 1);
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
}
