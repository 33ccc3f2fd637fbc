// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Job, JobClass} from "../solidity/job/Job.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {Grant} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {World} from "./World.sol";

/// Two pools with members, and the books that a walk over them keeps beside those of the contracts.
abstract contract WalkedPools is World {
    uint256 public constant ACTORS = 5;
    Pool[2] public pools;
    uint256[] public offered;
    uint256 public scoreSum;
    uint256 public distributed;
    uint256 public claimed;
    uint256 public fundings;
    mapping(uint256 id => uint256) public paidScores;
    /// What got through although its pool was paused.
    uint256 public pausedBreaches;
    /// Jobs that started without the approval of each of their pools, or before they were paid for.
    uint256 public unapprovedStarts;
    /// Runs under a generation of a grant that were not given back, past the count that the vote gave it.
    uint256 public overuses;
    mapping(bytes32 key => uint256) internal _uses;
    mapping(uint256 id => mapping(address pool => bool)) internal _granted;
    uint256[2] public burned;
    uint256 public withdrawnScores;
    /// Jobs that were settled a second time.
    uint256 public settledTwice;
    uint256[2] public creditsEarned;
    uint256[2] public creditsSpent;
    /// Credits past the points that an account ever had in a pool.
    uint256 public creditsFromNothing;
    mapping(uint256 which => mapping(address account => uint256)) internal _scored;
    mapping(uint256 which => mapping(address account => uint256)) internal _earned;

    constructor() {
        build();
        pools[0] = pool;
        pools[1] = found("second", 700);
        for (uint256 j; j < 2; ++j) {
            address lock = pools[j].timelock();
            vm.prank(lock);
            credits.setWorth(address(pools[j]), 1e15 + uint128(j));
        }
        for (uint256 i; i < ACTORS; ++i) {
            protocolToken.transfer(actor(i), 1e24);
            vm.prank(actor(i));
            protocolToken.approve(address(board), type(uint256).max);
            for (uint256 j; j < 2; ++j) {
                accepted(actor(i), pools[j], 1_000);
                address poolToken = pools[j].token();
                vm.prank(actor(i));
                PoolToken(poolToken).approve(address(board), type(uint256).max);
            }
        }
    }

    function actor(uint256 seed) public pure returns (address) {
        return address(uint160(0x1000 + seed % ACTORS));
    }

    function accepted(address owner, Pool to, uint16 score) internal {
        uint256 id = accept(owner, to, score);
        offered.push(id);
        paidScores[id] = score;
        scoreSum += score;
        _scored[indexOf(to)][owner] += score;
    }

    function indexOf(Pool which) internal view returns (uint256) {
        return which == pools[0] ? 0 : 1;
    }

    function isPaused(Pool which) internal view returns (bool) {
        return block.timestamp < which.pausedUntil();
    }

    function keyOf(uint256 id, address jobPool) internal view returns (bytes32) {
        uint32 generation = board.getShare(id, jobPool).generation;
        return keccak256(abi.encode(board.getJob(id).consumer, jobPool, board.getJob(id).manifestDigest, generation));
    }

    /// What the vote allowed is compared with what was run, both counted here.
    function countRun(uint256 id) internal {
        address[] memory jobPools = board.getJob(id).pools;
        for (uint256 i; i < jobPools.length; ++i) {
            if (isPaused(Pool(jobPools[i]))) ++pausedBreaches;
            Grant memory g =
                permissions.getGrant(board.getJob(id).consumer, jobPools[i], board.getJob(id).manifestDigest);
            if (++_uses[keyOf(id, jobPools[i])] > g.terms.runs) ++overuses;
        }
    }

    /// Whether somebody knows a lot of a drawn job: its run is used, but where this very pool keeps it from running.
    function lotSeen(uint256 id) internal view returns (bool) {
        return board.getJob(id).class == JobClass.Drawn && block.number >= board.drawOf(id).firstBlock;
    }

    function giveBackRun(uint256 id, bool seen) internal {
        address[] memory jobPools = board.getJob(id).pools;
        for (uint256 i; i < jobPools.length; ++i) {
            bool held = isPaused(Pool(jobPools[i])) || board.getShare(id, jobPools[i]).suspended;
            if (held || !seen) --_uses[keyOf(id, jobPools[i])];
        }
    }

    function checkStart(uint256 id, JobState before) internal {
        address[] memory jobPools = board.getJob(id).pools;
        bool drawn = board.getJob(id).class == JobClass.Drawn;
        if (before != (drawn ? JobState.Assigned : JobState.Funded)) ++unapprovedStarts;
        for (uint256 i; i < jobPools.length; ++i) {
            if (isPaused(Pool(jobPools[i]))) ++pausedBreaches;
            if (!board.getShare(id, jobPools[i]).approved) ++unapprovedStarts;
            if (!_granted[id][jobPools[i]]) ++unapprovedStarts;
        }
    }

    /// Jobs that stand as approved, or further on their way, without a grant of each of their pools.
    function approvedByFewer() external view returns (uint256 count) {
        for (uint256 id = 1; id <= board.jobCount(); ++id) {
            Job memory known = board.getJob(id);
            bool approved = known.state == JobState.Assigned
                || (known.state >= JobState.Approved && known.state <= JobState.Settled);
            for (uint256 i; approved && i < known.pools.length; ++i) {
                if (_granted[id][known.pools[i]]) continue;
                ++count;
                break;
            }
        }
    }

    /// Whatever the grants say: a walker pays.
    function ceilings(uint256 id) internal view returns (uint256[] memory all) {
        all = new uint256[](board.getJob(id).pools.length);
        for (uint256 i; i < all.length; ++i) all[i] = type(uint256).max;
    }

    function owed() internal view returns (uint256) {
        return pools[0].liability() + pools[1].liability();
    }

    function pickJob(uint256 seed) internal view returns (uint256) {
        uint256 count = board.jobCount();
        return count == 0 ? 0 : 1 + seed % count;
    }

    function about(uint256 seed) internal view returns (uint256 id, address first, bytes32 manifest) {
        id = pickJob(seed);
        if (id == 0) return (0, address(0), 0);
        first = board.getJob(id).pools[0];
        manifest = board.getJob(id).manifestDigest;
    }

    function books()
        external
        view
        returns (JobBoard board_, uint256 boardBalance, uint256[2] memory poolBalances, uint256[2] memory escrowed)
    {
        board_ = board;
        boardBalance = protocolToken.balanceOf(address(board));
        for (uint256 i; i < 2; ++i) {
            poolBalances[i] = protocolToken.balanceOf(address(pools[i]));
            escrowed[i] = PoolToken(pools[i].token()).balanceOf(address(board));
        }
    }

    /// A pool's ledger: what is outstanding, what its members hold, what is held for jobs, as a sum and job by job.
    function creditBooks(uint256 which)
        external
        view
        returns (uint256 outstanding, uint256 balances, uint256 held, uint256 heldForOpenJobs)
    {
        address of_ = address(pools[which]);
        (outstanding, held) = (credits.outstanding(of_), credits.held(of_));
        for (uint256 i; i < ACTORS; ++i) balances += credits.balanceOf(of_, actor(i));
        for (uint256 id = 1; id <= board.jobCount(); ++id) {
            uint256 paid = credits.paymentOf(id, of_).credits;
            if (paid == 0) continue;
            JobState state = board.getJob(id).state;
            bool open = state == JobState.Funded || state == JobState.Assigned || state == JobState.Running
                || state == JobState.Released;
            if (open) heldForOpenJobs += paid;
        }
    }

    function contributionCount() external view returns (uint256) {
        return data.contributionCount();
    }

    function recordedScore(uint256 id) external view returns (uint256) {
        return data.getRecord(id).score;
    }

    function settledTokens(uint256 which) external view returns (uint256) {
        return board.settledTokens(pools[which].token());
    }

    /// What everybody holds of a pool's token, and what of it votes.
    function heldOf(uint256 which) external view returns (uint256 held, uint256 ofActors, uint256 votes) {
        PoolToken token_ = PoolToken(pools[which].token());
        for (uint256 i; i < ACTORS; ++i) {
            ofActors += token_.balanceOf(actor(i));
            votes += token_.getVotes(actor(i));
        }
        held = ofActors + token_.balanceOf(address(board)) + token_.balanceOf(pools[which].timelock());
    }

    function supplyOf(uint256 which) external view returns (uint256) {
        return PoolToken(pools[which].token()).totalSupply();
    }
}
