// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DirectPayments, Offer} from "../solidity/market/DirectPayments.sol";
import {Disputes} from "../solidity/market/Disputes.sol";
import {LivenessRewards} from "../solidity/market/LivenessRewards.sol";
import {RevenueSplit} from "../solidity/market/RevenueSplit.sol";
import {RewardEpochs} from "../solidity/market/RewardEpochs.sol";
import {TokenIntake} from "../solidity/market/TokenIntake.sol";
import {TokenPayout} from "../solidity/market/TokenPayout.sol";
import {NodeStakes} from "../solidity/node/NodeStakes.sol";
import {Founding, Pool} from "../solidity/pool/Pool.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {PoolTokenDeployer} from "../solidity/token/PoolTokenDeployer.sol";
import {Allocation, VestingSchedule} from "../solidity/token/VestingSchedule.sol";
import {VotingToken} from "../solidity/token/VotingToken.sol";
import {AuditWorld} from "./AuditWorld.sol";
import {BlockingToken, CallingToken, FeeToken} from "./OddTokens.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// Odd tokens, caps and schedules: what an auditor tried with money.
contract TokenAuditTest is AuditWorld {
    /// An escrow is credited with what arrived or not at all.
    function test_noEscrowTakesATokenThatKeepsAFee() external {
        FeeToken fee = new FeeToken();
        RewardEpochs epochs = new RewardEpochs();
        DirectPayments payments = new DirectPayments();
        Disputes court = new Disputes(fee, address(1), 100);
        LivenessRewards live = new LivenessRewards();
        NodeStakes stakes = new NodeStakes(fee, nodes);
        address[5] memory takers =
            [address(epochs), address(payments), address(court), address(live), address(stakes)];
        for (uint256 i; i < 5; ++i) fee.approve(takers[i], type(uint256).max);
        bytes memory short = abi.encodeWithSelector(TokenIntake.IntakeShort.selector, address(fee), 990, 1_000);
        vm.expectRevert(short);
        epochs.open(fee, bytes32("root"), 1_000, uint64(block.timestamp + 1));
        vm.expectRevert(short);
        court.open(address(2), 0, 0, 1_000);
        vm.expectRevert(short);
        live.open(fee, address(7), bytes32("root"), 1, 2 days, 10, 1_000);
        vm.expectRevert(short);
        stakes.stake(address(3), 1_000);
        Offer memory offer = offerOf(vm.addr(OWNER_KEY), fee);
        bytes memory signature = signedOffer(payments, offer);
        vm.expectRevert(short);
        payments.accept(offer, signature);
        for (uint256 i; i < 5; ++i) vm.assertEq(fee.balanceOf(takers[i]), 0);
    }

    function test_zeroAmountsAreRefused() external {
        RewardEpochs epochs = new RewardEpochs();
        NodeStakes stakes = new NodeStakes(protocolToken, nodes);
        refused(TokenIntake.AmountZero.selector);
        epochs.open(protocolToken, bytes32("root"), 0, uint64(block.timestamp + 1));
        refused(TokenIntake.AmountZero.selector);
        stakes.stake(address(3), 0);
    }

    function splitOf(address token_) private returns (RevenueSplit split) {
        RevenueSplit.Payee[] memory p = new RevenueSplit.Payee[](3);
        p[0] = RevenueSplit.Payee(address(11), 1_000);
        p[1] = RevenueSplit.Payee(address(12), 4_000);
        p[2] = RevenueSplit.Payee(address(13), 5_000);
        split = new RevenueSplit(p);
        BlockingToken(token_).transfer(address(split), 1_000);
    }

    /// One payee on a token's block list stops nobody, and loses nothing either.
    function testFuzz_aRefusedPayeeStopsNobody(uint8 which) external {
        BlockingToken odd = new BlockingToken();
        RevenueSplit split = splitOf(address(odd));
        address bad = address(uint160(11 + which % 3));
        odd.setBlocked(bad, true);
        split.share(odd);
        uint256 own = [uint256(100), 400, 500][which % 3];
        vm.assertEq(split.owed(odd, bad), own);
        vm.assertEq(split.totalOwed(odd), own);
        for (uint160 i = 11; i < 14; ++i) {
            vm.assertEq(odd.balanceOf(address(i)), address(i) == bad ? 0 : [uint256(100), 400, 500][i - 11]);
        }
        // What is owed is no part of the next share.
        vm.expectRevert(abi.encodeWithSelector(RevenueSplit.NothingToShare.selector, odd));
        split.share(odd);
        refused(BlockingToken.AccountBlocked.selector);
        split.payOwed(odd, bad);
        odd.setBlocked(bad, false);
        vm.prank(address(0xbad));
        split.payOwed(odd, bad);
        vm.assertEq(odd.balanceOf(bad), own);
        vm.assertEq(split.totalOwed(odd), 0);
        vm.expectRevert(abi.encodeWithSelector(TokenPayout.NothingOwed.selector, odd, bad));
        split.payOwed(odd, bad);
    }

    function requireGuarded(CallingToken odd) private view {
        vm.assertFalse(odd.called());
        vm.assertEq(
            bytes32(odd.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    /// A token that calls back in the middle of a payment is not paid twice.
    function test_noPaymentIsReentered() external {
        CallingToken odd = new CallingToken();
        RewardEpochs epochs = new RewardEpochs();
        odd.approve(address(epochs), type(uint256).max);
        bytes32 leaf = epochs.leafOf(address(this), 0, 0, address(7), 10);
        bytes32[] memory none = new bytes32[](0);
        uint256 id = epochs.open(odd, leaf, 100, uint64(block.timestamp + 1));
        odd.arm(address(epochs), abi.encodeCall(RewardEpochs.claim, (id, 0, address(7), 10, none)));
        epochs.claim(id, 0, address(7), 10, none);
        requireGuarded(odd);
        vm.assertEq(odd.balanceOf(address(7)), 10);

        RevenueSplit split = splitOf(address(odd));
        odd.arm(address(split), abi.encodeCall(RevenueSplit.share, (odd)));
        split.share(odd);
        requireGuarded(odd);

        LivenessRewards live = new LivenessRewards();
        odd.approve(address(live), type(uint256).max);
        id = live.open(odd, address(7), leafOf(0, "chunk"), 1, 2 days, 10, 100);
        live.challenge(id);
        vm.roll(block.number + 2);
        odd.arm(address(live), abi.encodeCall(LivenessRewards.answer, (id, "chunk", none)));
        live.answer(id, "chunk", none);
        requireGuarded(odd);

        DirectPayments payments = new DirectPayments();
        odd.approve(address(payments), type(uint256).max);
        Offer memory offer = offerOf(vm.addr(OWNER_KEY), odd);
        bytes32 hash = payments.accept(offer, signedOffer(payments, offer));
        vm.prank(offer.seller);
        payments.deliver(hash, 0);
        odd.arm(address(payments), abi.encodeCall(DirectPayments.settle, (hash)));
        payments.settle(hash);
        requireGuarded(odd);
        vm.assertEq(odd.balanceOf(offer.seller), 1_000);
    }

    /// Rewards end at the cap to the unit, and verdicts go on.
    function testFuzz_rewardsEndAtTheCap(uint128 cap, uint16[5] calldata scores) external {
        Pool capped = foundCapped(bound(cap, 1, 3 * uint256(REWARD)));
        PoolToken capToken = tokenOf(capped);
        uint256 points;
        for (uint256 i; i < 5; ++i) {
            uint16 score = scores[i] % 10_001;
            accept(address(uint160(100 + i)), capped, score);
            points += score;
        }
        uint256 earned = uint256(REWARD) * points / 10_000;
        vm.assertEq(capToken.totalSupply(), earned < capToken.cap() ? earned : capToken.cap());
        vm.assertEq(capped.totalPoints(), points);
    }

    /// Nobody mints but the pool, and the pool not above the cap: a second line behind its own counting.
    function test_theTokenItselfHoldsTheCap() external {
        (address[] memory holders, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (holders[0], amounts[0]) = (address(8), 90);
        PoolToken own = new PoolToken("own", "OWN", address(this), address(1), address(2), 100, holders, amounts);
        (holders[0], amounts[0]) = (address(9), 10);
        own.mintRewards(holders, amounts);
        amounts[0] = 1;
        vm.expectRevert(abi.encodeWithSelector(VotingToken.ERC20ExceededCap.selector, 101, 100));
        own.mintRewards(holders, amounts);
        vm.prank(address(9));
        own.burn(1);
        own.mintRewards(holders, amounts);
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(PoolToken.OnlyPool.selector, address(0xbad), address(this)));
        own.mintRewards(holders, amounts);
    }

    function allocated(uint256 amount, uint64 cliff, uint64 duration) private view returns (Founding memory founding) {
        founding = foundingOf("team", 0);
        founding.allocations = new Allocation[](1);
        founding.allocations[0] = Allocation(address(0x7ea), amount, uint64(block.timestamp), cliff, duration);
        founding.treasuryAmount = 5;
        founding.maximumSupply = 1_005;
    }

    /// A team's tokens come after the cliff, by the second, to nobody else.
    function testFuzz_allocationsVestOverTime(uint32 passed) external {
        PoolToken vested = tokenOf(found(allocated(1_000, 180 days, 360 days)));
        vm.assertEq(vested.totalSupply(), 1_005);
        address schedule = vm.computeCreateAddress(address(factory.surroundings().tokenDeployer), 2);
        vm.assertEq(vested.balanceOf(schedule), 1_000);
        uint256 time = passed % 400 days;
        vm.warp(block.timestamp + time);
        uint256 due = time < 180 days ? 0 : time >= 360 days ? 1_000 : 1_000 * time / 360 days;
        vm.prank(address(0xbad));
        VestingSchedule(payable(schedule)).release(address(vested));
        vm.assertEq(vested.balanceOf(address(0x7ea)), due);
        vm.assertEq(vested.balanceOf(address(0xbad)), 0);
        vm.assertEq(vested.getVotes(address(0x7ea)), due);
    }

    function test_allocationsAreRefusedByName() external {
        Founding memory founding = allocated(1_001, 0, 10);
        vm.expectRevert(
            abi.encodeWithSelector(PoolTokenDeployer.SupplyCapInvalid.selector, 1_005, 1_006, type(uint96).max)
        );
        factory.found(founding);
        founding.maximumSupply = uint256(type(uint96).max) + 1;
        refused(PoolTokenDeployer.SupplyCapInvalid.selector);
        factory.found(founding);
        // Sums that no number holds have a name, too.
        founding = allocated(type(uint256).max, 0, 10);
        vm.expectRevert(
            abi.encodeWithSelector(
                PoolTokenDeployer.SupplyCapInvalid.selector, 1_005, type(uint256).max, type(uint96).max
            )
        );
        factory.found(founding);
        founding = allocated(10, 0, 10);
        founding.treasuryAmount = type(uint256).max;
        refused(PoolTokenDeployer.SupplyCapInvalid.selector);
        factory.found(founding);
        founding = allocated(0, 0, 10);
        vm.expectRevert(abi.encodeWithSelector(PoolTokenDeployer.AllocationInvalid.selector, 0));
        factory.found(founding);
        founding = allocated(10, 0, 0);
        refused(PoolTokenDeployer.AllocationInvalid.selector);
        factory.found(founding);
        founding.allocations = new Allocation[](17);
        vm.expectRevert(abi.encodeWithSelector(PoolTokenDeployer.TooManyAllocations.selector, 17, 16));
        factory.found(founding);
    }

    /// Settling never fails for what a point is worth: fees wait until there are more points.
    function test_feesTooLargeForAPointWaitForMore() external {
        accept(address(7), pool, 1);
        uint256 amount = uint256(type(uint120).max) / 1e6 + 1;
        vm.mockCall(
            address(protocolToken), abi.encodeWithSignature("balanceOf(address)", address(pool)), abi.encode(2 * amount)
        );
        vm.prank(address(board));
        pool.distribute(amount);
        vm.assertEq(pool.claimable(address(7)), 0);
        vm.assertEq(pool.liability(), amount);
        accept(address(8), pool, 9_999);
        vm.prank(address(board));
        pool.distribute(0);
        vm.assertEq(pool.claimable(address(7)), amount / 10_000);
        vm.assertLe(amount - pool.claimable(address(7)) - pool.claimable(address(8)), 1);
    }
}
