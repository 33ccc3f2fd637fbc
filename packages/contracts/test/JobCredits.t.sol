// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobShare} from "../solidity/job/Job.sol";
import {JobEscrow} from "../solidity/job/JobEscrow.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {CreditPayment, Credits} from "../solidity/market/Credits.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {World} from "./World.sol";

/// Jobs that are paid for with what their consumer earned by contributing: this contract is contributor and consumer.
contract JobCreditsTest is World {
    bytes32 private constant MANIFEST = keccak256("manifest");
    uint128 private constant PRICE = 100;
    uint256 private constant NO_LIMIT = type(uint256).max;

    function setUp() public {
        build();
        accept(address(this), pool, 1_000);
        accept(address(8), pool, 9_000);
        credits.earn(address(pool), address(this));
        protocolToken.approve(address(board), type(uint256).max);
    }

    function all(uint256 value, uint256 count) private pure returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i; i < count; ++i) list[i] = value;
    }

    function setWorth(Pool of_, uint128 worth) private {
        address lock = of_.timelock();
        vm.prank(lock);
        credits.setWorth(address(of_), worth);
    }

    function approved(address[] memory pools, uint128 price) private returns (uint256 id) {
        Terms memory t = Terms(price, 0, 100, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        for (uint256 i; i < pools.length; ++i) {
            address lock = Pool(pools[i]).timelock();
            vm.prank(lock);
            permissions.grant(address(this), pools[i], MANIFEST, t);
        }
        return board.propose(MANIFEST, "", pools, type(uint256).max, uint64(block.timestamp + 1 days));
    }

    function approved(uint128 price) private returns (uint256) {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        return approved(pools, price);
    }

    function fund(uint256 id, uint256 creditLimit, uint256 priceLimit) private {
        board.fundWithCredits(id, all(0, 1), all(creditLimit, 1), priceLimit);
    }

    function say(string memory kind, uint256 id, bytes memory facts) private returns (StatementProof memory) {
        return prove(kind, board.getJob(id).pools[0], subjectOf(kind, id), keccak256(facts));
    }

    function start(uint256 id) private {
        board.start(id, say(board.START_STATEMENT(), id, abi.encode(MANIFEST)));
    }

    function release(uint256 id) private {
        bytes32[] memory heads = new bytes32[](board.getJob(id).pools.length);
        bytes memory facts = abi.encodePacked(MANIFEST, bytes32("receipt"), bytes32("result"), heads);
        board.release(id, "receipt", "result", heads, say(board.RELEASE_STATEMENT(), id, facts));
    }

    function mine() private view returns (uint256) {
        return credits.balanceOf(address(pool), address(this));
    }

    function inEscrow() private view returns (uint256) {
        return protocolToken.balanceOf(address(board));
    }

    /// The ledger of the pool sums to zero, whatever is held.
    function checkLedger() private view {
        uint256 people = mine() + credits.balanceOf(address(pool), address(8));
        vm.assertEq(people + credits.held(address(pool)), credits.outstanding(address(pool)));
    }

    function test_whatWasEarnedPaysAWholeJobWithoutAnyToken() external {
        setWorth(pool, 3);
        uint256 id = approved(PRICE);
        uint256 supply = protocolToken.totalSupply();
        fund(id, NO_LIMIT, 0);
        // 34 credits of 3 are 102: the last is spent whole, and no more than the price is waived.
        CreditPayment memory payment = credits.paymentOf(id, address(pool));
        vm.assertEq(payment.credits, 34);
        vm.assertEq(payment.waived, PRICE);
        vm.assertEq(payment.account, address(this));
        vm.assertEq(mine(), 966);
        vm.assertEq(inEscrow(), 0);
        vm.assertEq(board.getShare(id, address(pool)).price, 0);
        checkLedger();
        start(id);
        release(id);
        board.settle(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Settled));
        // No token was made, moved or burned for them; they are spent, and nobody holds them.
        vm.assertEq(protocolToken.totalSupply(), supply);
        vm.assertEq(protocolToken.balanceOf(address(pool)), 0);
        vm.assertEq(pool.liability(), 0);
        vm.assertEq(credits.outstanding(address(pool)), 966);
        vm.assertEq(credits.held(address(pool)), 0);
        vm.assertEq(credits.paymentOf(id, address(pool)).credits, 0);
        checkLedger();
    }

    function test_creditsPayAPartAndTokensTheRest() external {
        setWorth(pool, 3);
        uint256 id = approved(PRICE);
        uint256 supply = protocolToken.totalSupply();
        fund(id, 10, 70);
        vm.assertEq(inEscrow(), 70);
        vm.assertEq(board.getShare(id, address(pool)).price, 70);
        start(id);
        release(id);
        board.settle(id);
        // A fifth of what came in is burned, the rest is the pool's: the waived part is nobody's.
        vm.assertEq(supply - protocolToken.totalSupply(), 14);
        vm.assertEq(protocolToken.balanceOf(address(pool)), 56);
        vm.assertEq(inEscrow(), 0);
        vm.assertEq(credits.outstanding(address(pool)), 990);
    }

    /// Every end without a result: tokens return as tokens, credits as credits, and can be spent again.
    function test_withoutAResultCreditsReturnAsCredits() external {
        setWorth(pool, 3);
        for (uint256 ending; ending < 5; ++ending) {
            uint256 tokens = protocolToken.balanceOf(address(this));
            uint256 id = approved(PRICE);
            fund(id, 10, 70);
            vm.assertEq(mine(), 990);
            bytes memory refusal = abi.encode(MANIFEST, bytes32("receipt"), bytes32("reason"));
            if (ending == 0) {
                board.cancel(id);
            } else if (ending == 1) {
                vm.warp(block.timestamp + 2 days);
                board.expire(id);
            } else if (ending == 2) {
                board.refuse(id, "reason", "receipt", say(board.REFUSAL_STATEMENT(), id, refusal));
            } else {
                start(id);
                if (ending == 3) {
                    bytes memory facts = abi.encode(MANIFEST, bytes32("reason"));
                    board.fail(id, "reason", say(board.FAILURE_STATEMENT(), id, facts));
                } else {
                    board.refuse(id, "reason", "receipt", say(board.REFUSAL_STATEMENT(), id, refusal));
                }
            }
            vm.assertEq(mine(), 1_000);
            vm.assertEq(credits.outstanding(address(pool)), 1_000);
            vm.assertEq(credits.held(address(pool)), 0);
            vm.assertEq(protocolToken.balanceOf(address(this)), tokens);
            vm.assertEq(inEscrow(), 0);
            vm.assertEq(credits.paymentOf(id, address(pool)).credits, 0);
        }
    }

    function test_whatIsHeldForOneJobPaysForNoOther() external {
        setWorth(pool, 1);
        uint256 first = approved(900);
        uint256 second = approved(900);
        fund(first, NO_LIMIT, 0);
        vm.expectRevert(
            abi.encodeWithSelector(Credits.CreditsShort.selector, address(pool), address(this), 100, 900)
        );
        fund(second, NO_LIMIT, NO_LIMIT);
        // Nor are they earned again: the points behind them are counted.
        refused(Credits.NothingToEarn.selector);
        credits.earn(address(pool), address(this));
        fund(second, 100, 800);
        vm.assertEq(mine(), 0);
        vm.assertEq(inEscrow(), 800);
    }

    function test_theVoteSaysWhatACreditIsWorthAndTheConsumerHowMuchItPays() external {
        uint256 id = approved(PRICE);
        vm.expectRevert(abi.encodeWithSelector(Credits.CreditsNotTaken.selector, address(pool)));
        fund(id, 1, NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(Credits.OnlyPoolTimelock.selector, address(this), address(pool)));
        credits.setWorth(address(pool), 3);
        setWorth(pool, 3);
        // The vote lowers it just before the funding: what the consumer pays in tokens stays under its limit.
        setWorth(pool, 2);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.PriceAboveCeiling.selector, id, 80, 70));
        fund(id, 10, 70);
        fund(id, 10, 80);
        // What is held keeps its worth.
        setWorth(pool, 0);
        board.cancel(id);
        vm.assertEq(mine(), 1_000);
        vm.assertEq(inEscrow(), 0);
    }

    function test_theProposalsCeilingHoldsBesidesTheLimit() external {
        setWorth(pool, 1);
        approved(PRICE);
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        uint256 id = board.propose(MANIFEST, "", pools, 60, uint64(block.timestamp + 1 days));
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.PriceAboveCeiling.selector, id, 61, 60));
        fund(id, 39, NO_LIMIT);
        // What credits pay is not paid in tokens: the ceiling is about those.
        fund(id, 40, NO_LIMIT);
    }

    function test_aWrongNumberOfLimitsFundsNothing() external {
        uint256 id = approved(PRICE);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnCeilingsDiffer.selector, id, 2, 1));
        board.fundWithCredits(id, all(0, 1), all(0, 2), NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.BurnCeilingsDiffer.selector, id, 0, 1));
        board.fundWithCredits(id, all(0, 0), all(0, 1), NO_LIMIT);
        // None, in a pool that takes none: like any other funding.
        fund(id, 0, NO_LIMIT);
        vm.assertEq(inEscrow(), PRICE);
    }

    function test_nobodyButTheBoardMovesCredits() external {
        bytes memory denied = abi.encodeWithSelector(Credits.OnlyJobBoard.selector, address(this), address(board));
        vm.expectRevert(denied);
        credits.hold(1, address(pool), address(this), 1, 1);
        vm.expectRevert(denied);
        credits.end(1, address(pool), true);
        vm.expectRevert(denied);
        credits.end(1, address(pool), false);
    }

    function test_nobodyFundsWithTheCreditsOfAnother() external {
        setWorth(pool, 1);
        credits.earn(address(pool), address(8));
        uint256 id = approved(PRICE);
        vm.prank(address(8));
        refused(bytes4(keccak256("OnlyConsumer(uint256,address,address)")));
        board.fundWithCredits(id, all(0, 1), all(PRICE, 1), 0);
    }

    function test_creditsOfOnePoolPayNothingInAnother() external {
        Pool other = found("other", 0);
        setWorth(pool, 1);
        setWorth(other, 1);
        address[] memory pools = new address[](2);
        (pools[0], pools[1]) = (address(pool), address(other));
        uint256 id = approved(pools, PRICE);
        vm.expectRevert(
            abi.encodeWithSelector(Credits.CreditsShort.selector, address(other), address(this), 0, PRICE)
        );
        board.fundWithCredits(id, all(0, 2), all(PRICE, 2), NO_LIMIT);
        uint256[] memory limits = all(0, 2);
        limits[0] = 40;
        board.fundWithCredits(id, all(0, 2), limits, NO_LIMIT);
        vm.assertEq(inEscrow(), 160);
        JobShare memory share = board.getShare(id, address(other));
        vm.assertEq(share.price, PRICE);
        board.cancel(id);
        vm.assertEq(mine(), 1_000);
    }

    function test_anUnknownPoolHasNoCredits() external {
        refused(Credits.PoolUnknown.selector);
        credits.earn(address(9), address(this));
        vm.expectRevert(abi.encodeWithSelector(Credits.OnlyPoolTimelock.selector, address(this), address(9)));
        credits.setWorth(address(9), 1);
        refused(Credits.NothingToEarn.selector);
        credits.earn(address(pool), address(77));
    }

    /// Contributions taken back end points; what they were counted for is never counted again.
    function test_pointsAreTurnedIntoCreditsOnce() external {
        uint256 id = accept(address(77), pool, 500);
        credits.earn(address(pool), address(77));
        vm.prank(address(77));
        data.withdraw(id);
        accept(address(77), pool, 500);
        refused(Credits.NothingToEarn.selector);
        credits.earn(address(pool), address(77));
        accept(address(77), pool, 7);
        vm.assertEq(credits.earn(address(pool), address(77)), 7);
    }

    /// Tokens and credits together are the price; a credit is never split, and none more is spent than the price takes.
    function testFuzz_tokensAndCreditsAreThePrice(uint128 price, uint128 worth, uint256 limit) external {
        price = uint128(bound(price, 0, 1e24));
        worth = uint128(bound(worth, 1, type(uint128).max));
        limit = bound(limit, 1, 1_000);
        setWorth(pool, worth);
        uint256 id = approved(price);
        fund(id, limit, NO_LIMIT);
        CreditPayment memory payment = credits.paymentOf(id, address(pool));
        vm.assertEq(inEscrow() + payment.waived, price);
        vm.assertLe(payment.credits, limit);
        if (payment.credits != 0) vm.assertTrue(uint256(payment.credits - 1) * worth < price);
        if (payment.credits < limit) vm.assertEq(payment.waived, price);
        vm.assertEq(mine(), 1_000 - payment.credits);
        checkLedger();
        board.cancel(id);
        vm.assertEq(mine(), 1_000);
        vm.assertEq(inEscrow(), 0);
        checkLedger();
    }
}
