// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {Walker} from "./JobWalker.sol";
import {World} from "./World.sol";

contract InvariantsTest is World {
    Walker private walker;

    function setUp() public {
        walker = new Walker();
        targetContract(address(walker));
    }

    /// The invariants below would be empty words if the walker never got anywhere.
    function test_theWalkerReachesEveryBook() external {
        for (uint256 i; i < 3; ++i) {
            walker.propose(i, i, uint8(i));
            walker.run(i, 5);
        }
        walker.propose(3, 2, 3);
        walker.run(3, 2);
        (JobBoard board_, uint256 escrow,,) = walker.books();
        vm.assertEq(uint256(board_.getJob(1).state), uint256(JobState.Settled));
        vm.assertEq(uint256(board_.getJob(3).state), uint256(JobState.Settled));
        vm.assertEq(uint256(board_.getJob(4).state), uint256(JobState.Funded));
        vm.assertEq(escrow, 2e17 + 1);
        walker.claim(0, 0);
        vm.assertTrue(walker.claimed() != 0);
        vm.assertEq(walker.creditsEarned(0), 0);
        walker.refuse(3);
        (, escrow,,) = walker.books();
        vm.assertEq(escrow, 0);
        walker.contribute(1, 1);
        walker.judge(walker.contributionCount() - 1, 1, 9_000, false);
        vm.assertEq(walker.recordedScore(walker.contributionCount()), 9_000);
        uint256 count = board_.jobCount();
        walker.drawn(1, 0, false, true);
        vm.assertEq(uint256(board_.getJob(count + 1).state), uint256(JobState.Running));
        walker.drawn(1, 0, true, true);
        vm.assertEq(uint256(board_.getJob(count + 2).state), uint256(JobState.Funded));
    }

    /// Nor would those about credits, if none were ever held, spent and given back.
    function test_theWalkerSpendsCredits() external {
        for (uint256 i; i < 5; ++i) {
            walker.earn(i, 0);
            walker.earn(i, 1);
        }
        vm.assertEq(walker.creditsEarned(0), 5_000);
        for (uint256 i; i < 6; ++i) walker.propose(i, 1, uint8(i % 4));
        for (uint256 i = 2; i < 6; i += 3) walker.run(i, 3);
        (,, uint256 held,) = walker.creditBooks(1);
        vm.assertEq(held, 200);
        walker.refuse(2);
        walker.run(5, 3);
        (,, held,) = walker.creditBooks(1);
        vm.assertEq(held, 0);
        vm.assertEq(walker.creditsSpent(1), 100);
    }

    /// Escrow is solvent to the unit: the board holds exactly what open jobs paid in, of every token.
    function invariant_escrowHoldsExactlyWhatOpenJobsPaid() external view {
        (JobBoard board_, uint256 balance,, uint256[2] memory escrowed) = walker.books();
        uint256 price;
        uint256[2] memory burns;
        for (uint256 id = 1; id <= board_.jobCount(); ++id) {
            JobState state = board_.getJob(id).state;
            // Of the job's life these are the states in which it is paid for and not settled; `Assigned` stands between the first two.
            bool held = state == JobState.Funded || state == JobState.Assigned || state == JobState.Running;
            if (!held && state != JobState.Released) continue;
            for (uint256 i; i < 2; ++i) {
                price += board_.getShare(id, address(walker.pools(i))).price;
                burns[i] += board_.getShare(id, address(walker.pools(i))).poolTokenBurn;
            }
        }
        vm.assertEq(walker.settledTwice(), 0, "settled once");
        vm.assertEq(balance, price, "protocol tokens in escrow");
        vm.assertEq(escrowed[0], burns[0] + walker.settledTokens(0), "first pool's tokens in escrow");
        vm.assertEq(escrowed[1], burns[1] + walker.settledTokens(1), "second pool's tokens in escrow");
    }

    /// No token from nothing: what exists was earned by a recorded score, less what settled jobs burned.
    function invariant_noTokenFromNothing() external view {
        uint256 supply = walker.supplyOf(0) + walker.supplyOf(1);
        uint256 earned = (walker.scoreSum() + walker.withdrawnScores()) * REWARD / 10_000;
        vm.assertEq(supply + walker.burned(0) + walker.burned(1), earned);
    }

    /// Every token that exists is somebody's, and every token of a member votes once.
    function invariant_balancesAndVotesAreTheSupply() external view {
        for (uint256 i; i < 2; ++i) {
            (uint256 held, uint256 ofActors, uint256 votes) = walker.heldOf(i);
            vm.assertEq(held, walker.supplyOf(i), "balances");
            vm.assertEq(votes, ofActors, "votes");
        }
    }

    function invariant_noJobRunsWithoutApproval() external view {
        vm.assertEq(walker.unapprovedStarts(), 0, "started");
        // Nor is one called approved that runs for want of other grants only.
        vm.assertEq(walker.approvedByFewer(), 0, "approved");
    }

    function invariant_noGrantIsUsedPastItsCount() external view {
        vm.assertEq(walker.overuses(), 0);
    }

    /// No credit from nothing and none spent twice: what was earned is spent, held for a job that is paid for, or somebody's.
    function invariant_creditsSumToZero() external view {
        for (uint256 i; i < 2; ++i) {
            (uint256 outstanding, uint256 balances, uint256 held, uint256 open) = walker.creditBooks(i);
            vm.assertEq(outstanding, balances + held, "ledger");
            vm.assertEq(held, open, "held for open jobs");
            vm.assertEq(walker.creditsEarned(i), outstanding + walker.creditsSpent(i), "earned");
        }
        vm.assertEq(walker.creditsFromNothing(), 0);
    }

    function invariant_pausedMeansPaused() external view {
        vm.assertEq(walker.pausedBreaches(), 0);
    }

    /// Each contribution is paid for one verdict: points are the sum of recorded scores, and so are recorded rewards.
    function invariant_noContributionIsPaidTwice() external view {
        uint256 recorded;
        for (uint256 id = 1; id <= walker.contributionCount(); ++id) {
            uint256 score = walker.recordedScore(id);
            vm.assertEq(walker.paidScores(id), score, "paid for exactly the recorded score");
            vm.assertLe(score, 10_000);
            recorded += score;
        }
        // Records keep the score of what was withdrawn; points do not.
        uint256 counted = recorded - walker.withdrawnScores();
        vm.assertEq(walker.pools(0).totalPoints() + walker.pools(1).totalPoints(), counted, "points");
        vm.assertEq(walker.scoreSum(), counted, "sum of scores");
    }

    /// Pools can pay everything they owe, and nobody is owed more than came in and was not yet paid out.
    function invariant_poolsCanPayWhatTheyOwe() external view {
        (,, uint256[2] memory balances,) = walker.books();
        uint256 liability;
        for (uint256 i; i < 2; ++i) {
            Pool pool_ = walker.pools(i);
            uint256 claimable;
            for (uint256 j; j < walker.ACTORS(); ++j) claimable += pool_.claimable(walker.actor(j));
            vm.assertLe(claimable, pool_.liability(), "claims within liability");
            vm.assertEq(balances[i], pool_.liability(), "balance is the liability");
            liability += pool_.liability();
        }
        vm.assertEq(walker.distributed(), walker.claimed() + liability, "every unit distributed is paid or owed");
    }
}
