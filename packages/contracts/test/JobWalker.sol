// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Job, JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {Grant, Terms} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {Contribution, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {World} from "./World.sol";

/// Does random sensible and senseless things to two pools, their contributions and their jobs. Calls that the contracts
/// refuse are swallowed: what matters is that the books are right whatever was tried.
contract Walker is World {
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
    mapping(bytes32 key => uint256) private _uses;
    mapping(uint256 id => mapping(address pool => bool)) private _granted;
    uint256[2] public burned;
    uint256 public withdrawnScores;
    /// Jobs that were settled a second time.
    uint256 public settledTwice;
    uint256[2] public creditsEarned;
    uint256[2] public creditsSpent;
    /// Credits past the points that an account ever had in a pool.
    uint256 public creditsFromNothing;
    mapping(uint256 which => mapping(address account => uint256)) private _scored;
    mapping(uint256 which => mapping(address account => uint256)) private _earned;

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

    function accepted(address owner, Pool to, uint16 score) private {
        uint256 id = accept(owner, to, score);
        offered.push(id);
        paidScores[id] = score;
        scoreSum += score;
        _scored[indexOf(to)][owner] += score;
    }

    function indexOf(Pool which) private view returns (uint256) {
        return which == pools[0] ? 0 : 1;
    }

    /// Points become credits, and are tried a second time.
    function earn(uint256 who, uint256 which) external {
        which %= 2;
        for (uint256 i; i < 2; ++i) {
            try credits.earn(address(pools[which]), actor(who)) returns (uint256 amount) {
                creditsEarned[which] += amount;
                _earned[which][actor(who)] += amount;
            } catch {}
        }
        if (_earned[which][actor(who)] > _scored[which][actor(who)]) ++creditsFromNothing;
    }

    function contribute(uint256 who, uint256 which) external {
        Pool to = pools[which % 2];
        Contribution memory contribution = contributionOf(actor(who), to);
        vm.prank(actor(who));
        try data.contribute(contribution) returns (uint256 id) {
            offered.push(id);
            if (isPaused(to)) ++pausedBreaches;
        } catch {}
    }

    /// Seldom, or nothing else would happen.
    function pause(uint256 which, uint8 chance) external {
        if (chance % 5 != 0) return;
        vm.prank(GUARDIAN);
        try pools[which % 2].pause() {} catch {}
    }

    /// Takes a contribution back; its points go, what was paid stays.
    function withdraw(uint256 pick, uint8 chance) external {
        if (chance % 4 != 0) return;
        uint256 id = offered[pick % offered.length];
        vm.prank(data.getRecord(id).owner);
        try data.withdraw(id) {
            scoreSum -= paidScores[id];
            withdrawnScores += paidScores[id];
        } catch {}
    }

    function isPaused(Pool which) private view returns (bool) {
        return block.timestamp < which.pausedUntil();
    }

    function keyOf(uint256 id, address jobPool) private view returns (bytes32) {
        uint32 generation = board.getShare(id, jobPool).generation;
        return keccak256(abi.encode(board.getJob(id).consumer, jobPool, board.getJob(id).manifestDigest, generation));
    }

    /// What the vote allowed is compared with what was run, both counted here.
    function countRun(uint256 id) private {
        address[] memory jobPools = board.getJob(id).pools;
        for (uint256 i; i < jobPools.length; ++i) {
            if (isPaused(Pool(jobPools[i]))) ++pausedBreaches;
            Grant memory g =
                permissions.getGrant(board.getJob(id).consumer, jobPools[i], board.getJob(id).manifestDigest);
            if (++_uses[keyOf(id, jobPools[i])] > g.terms.runs) ++overuses;
        }
    }

    /// Whether somebody knows a lot of a drawn job that neither a pause nor a stop keeps from running: its run is used.
    function lotSeen(uint256 id) private view returns (bool) {
        Job memory known = board.getJob(id);
        if (known.class != JobClass.Drawn || block.number < board.drawOf(id).firstBlock) return false;
        for (uint256 i; i < known.pools.length; ++i) {
            if (isPaused(Pool(known.pools[i])) || board.getShare(id, known.pools[i]).suspended) return false;
        }
        return true;
    }

    function giveBackRun(uint256 id) private {
        address[] memory jobPools = board.getJob(id).pools;
        for (uint256 i; i < jobPools.length; ++i) --_uses[keyOf(id, jobPools[i])];
    }

    function checkStart(uint256 id, JobState before) private {
        address[] memory jobPools = board.getJob(id).pools;
        bool drawn = board.getJob(id).class == JobClass.Drawn;
        if (before != (drawn ? JobState.Assigned : JobState.Funded)) ++unapprovedStarts;
        for (uint256 i; i < jobPools.length; ++i) {
            if (isPaused(Pool(jobPools[i]))) ++pausedBreaches;
            if (!board.getShare(id, jobPools[i]).approved) ++unapprovedStarts;
            if (!_granted[id][jobPools[i]]) ++unapprovedStarts;
        }
    }

    function burnSettled(uint256 which) external {
        Pool of_ = pools[which % 2];
        uint256 supply = PoolToken(of_.token()).totalSupply();
        try board.burnSettled(address(of_)) {
            burned[which % 2] += supply - PoolToken(of_.token()).totalSupply();
        } catch {}
    }

    /// Tries any contribution, judged before or not, at either pool.
    function judge(uint256 pick, uint256 which, uint16 score, bool refused) external {
        uint256 id = offered[pick % offered.length];
        Pool chosen = pools[which % 2];
        VerdictEntry[] memory entries = verdictOf(id, refused ? 0 : score % 12_000, refused);
        try data.recordVerdicts(address(chosen), entries, proveVerdicts(chosen, entries)) {
            paidScores[id] += entries[0].score;
            scoreSum += entries[0].score;
            _scored[which % 2][data.getRecord(id).owner] += entries[0].score;
        } catch {}
    }

    function propose(uint256 who, uint256 which, uint8 manifest) external {
        address[] memory chosen = new address[](which % 3 == 2 ? 2 : 1);
        chosen[0] = address(pools[which % 3 == 1 ? 1 : 0]);
        if (chosen.length == 2) chosen[1] = address(pools[1]);
        JobClass class = manifest % 8 == 7 ? JobClass.Drawn : JobClass.Open;
        proposeFor(actor(who), keccak256(abi.encode(manifest % 4)), chosen, class);
    }

    function proposeFor(address consumer, bytes32 digest, address[] memory chosen, JobClass class)
        private
        returns (uint256 id)
    {
        uint64 deadline = uint64(block.timestamp + 1 days);
        vm.prank(consumer);
        id = board.proposeJob(JobProposal(digest, 0, 0, 0, "", chosen, type(uint256).max, deadline, class));
        // Grants of before count for a new job of the same digest.
        for (uint256 i; i < chosen.length; ++i) {
            Grant memory g = permissions.getGrant(consumer, chosen[i], digest);
            _granted[id][chosen[i]] = g.terms.runs > g.used && block.timestamp <= g.terms.closesAt;
        }
    }

    /// The same job proposed four times while its grant has runs left, and then all of them paid for.
    function again(uint256 job) external {
        uint256 like = pickJob(job);
        if (like == 0) return;
        Job memory known = board.getJob(like);
        uint256[4] memory ids;
        for (uint256 i; i < 4; ++i) ids[i] = proposeFor(known.consumer, known.manifestDigest, known.pools, known.class);
        for (uint256 i; i < 4; ++i) fundId(ids[i]);
    }

    function approve(uint256 job, uint256 which, uint96 price, uint64 burn, uint32 runs) external {
        Pool by = pools[which % 2];
        Terms memory terms = Terms(
            price % 1e18, burn % 1e15, runs % 3, uint64(block.timestamp), uint64(block.timestamp + 2 days), 0
        );
        uint256 id = pickJob(job);
        vm.prank(by.timelock());
        try board.approve(id, address(by), terms) {
            _granted[id][address(by)] = true;
        } catch {}
    }

    function fund(uint256 job) public {
        fundId(pickJob(job));
    }

    /// As much as the price takes, some credits only, or more than the consumer has.
    function fundWithCredits(uint256 job, uint256 limit) public {
        uint256 id = pickJob(job);
        uint256[] memory limits = ceilings(id);
        for (uint256 i; i < limits.length; ++i) {
            if (limit % 3 != 0) limits[i] = limit % 200;
        }
        uint256[] memory all = ceilings(id);
        vm.prank(board.getJob(id).consumer);
        try board.fundWithCredits(id, all, limits, type(uint256).max) {
            ++fundings;
            countRun(id);
        } catch {}
    }

    function fundId(uint256 id) private {
        uint256[] memory all = ceilings(id);
        vm.prank(board.getJob(id).consumer);
        try board.fundUpTo(id, all) {
            ++fundings;
            countRun(id);
        } catch {}
    }

    /// Whatever the grants say: a walker pays.
    function ceilings(uint256 id) private view returns (uint256[] memory all) {
        all = new uint256[](board.getJob(id).pools.length);
        for (uint256 i; i < all.length; ++i) all[i] = type(uint256).max;
    }

    function start(uint256 job) public {
        (uint256 id, address first, bytes32 manifest) = about(job);
        if (id == 0) return;
        JobState before = board.getJob(id).state;
        try board.start(id, prove(board.START_STATEMENT(), first, bytes32(id), keccak256(abi.encode(manifest)))) {
            checkStart(id, before);
        } catch {}
    }

    /// Lets the lot fall over a drawn job, or over one that is none.
    function assign(uint256 job) public {
        uint256 id = pickJob(job);
        uint256 decides = board.drawOf(id).blockNumber;
        if (block.number <= decides) vm.roll(decides + 1);
        if (decides != 0) vm.setBlockhash(decides, keccak256(abi.encode(job)));
        try board.assign(id) {
            address[] memory jobPools = board.getJob(id).pools;
            for (uint256 i; i < jobPools.length; ++i) {
                if (isPaused(Pool(jobPools[i]))) ++pausedBreaches;
            }
        } catch {}
    }

    /// A drawn job all the way to its lot, with a pause of its pool in between or without. Left to chance alone, hardly any walk
    /// has a funded drawn job whose pool is paused before its lot falls: while a pool is paused nothing is funded, and what was
    /// funded before mostly had its lot already.
    function drawn(uint256 who, uint256 which, bool paused, bool starting) external {
        address[] memory chosen = new address[](1);
        chosen[0] = address(pools[which % 2]);
        uint256 seed = proposeFor(actor(who), keccak256(abi.encode("drawn", who % 4)), chosen, JobClass.Drawn) - 1;
        if (board.getJob(seed + 1).state == JobState.Proposed) advance(seed);
        advance(seed);
        if (paused) {
            vm.prank(GUARDIAN);
            try pools[which % 2].pause() {} catch {}
        }
        assign(seed);
        if (starting) start(seed);
    }

    function release(uint256 job) public {
        (uint256 id, address first, bytes32 manifest) = about(job);
        if (id == 0) return;
        bytes32[] memory heads = new bytes32[](board.getJob(id).pools.length);
        bytes32 facts = keccak256(abi.encodePacked(manifest, bytes32("r"), bytes32("s"), heads));
        try board.release(
            id, bytes32("r"), bytes32("s"), heads, prove(board.RELEASE_STATEMENT(), first, subjectOf(board.RELEASE_STATEMENT(), id), facts)
        ) {} catch {}
    }

    function refuse(uint256 job) external {
        (uint256 id, address first, bytes32 manifest) = about(job);
        if (id == 0) return;
        bytes32 facts = keccak256(abi.encode(manifest, bytes32("receipt"), bytes32("reason")));
        try board.refuse(
            id, bytes32("reason"), bytes32("receipt"), prove(board.REFUSAL_STATEMENT(), first, bytes32(id), facts)
        ) {} catch {}
    }

    /// Takes a job one step further on its good way, so that deep states are reached often.
    function advance(uint256 job) public {
        uint256 id = pickJob(job);
        JobState state = board.getJob(id).state;
        if (state == JobState.Proposed) {
            address[] memory chosen = board.getJob(id).pools;
            for (uint256 i; i < chosen.length; ++i) {
                vm.prank(Pool(chosen[i]).timelock());
                try board.approve(
                    id,
                    chosen[i],
                    Terms(1e17 + uint128(i), 1e12, 2, uint64(block.timestamp), uint64(block.timestamp + 1 days), 0)
                ) {
                    _granted[id][chosen[i]] = true;
                } catch {}
            }
        } else if (state == JobState.Approved) {
            // A third with credits, where the consumer has any.
            if (id % 3 == 0) fundWithCredits(job, id);
            if (board.getJob(id).state == JobState.Approved) fund(job);
        } else if (state == JobState.Funded && board.getJob(id).class == JobClass.Drawn) {
            assign(job);
        } else if (state == JobState.Funded || state == JobState.Assigned) {
            start(job);
        } else if (state == JobState.Running) {
            release(job);
        } else if (state == JobState.Released) {
            settle(job);
        }
    }

    /// Takes a job several steps further.
    function run(uint256 job, uint8 steps) external {
        for (uint256 i; i < steps % 6; ++i) {
            advance(job);
        }
    }

    function settle(uint256 job) public {
        uint256 before = owed();
        uint256 id = pickJob(job);
        uint256[2] memory paid;
        for (uint256 i; i < 2; ++i) paid[i] = credits.paymentOf(id, address(pools[i])).credits;
        try board.settle(id) {
            distributed += owed() - before;
            for (uint256 i; i < 2; ++i) creditsSpent[i] += paid[i];
        } catch {
            return;
        }
        // What lies there for other jobs would pay it.
        try board.settle(id) {
            ++settledTwice;
        } catch {}
    }

    function cancel(uint256 job) external {
        uint256 id = pickJob(job);
        bool untouched = board.getJob(id).state == JobState.Funded && !lotSeen(id);
        vm.prank(board.getJob(id).consumer);
        try board.cancel(id) {
            if (untouched) giveBackRun(id);
        } catch {}
    }

    function expire(uint256 job, uint32 seconds_) external {
        vm.warp(block.timestamp + (seconds_ % 16 == 0 ? 8 days : seconds_ % 1 hours));
        uint256 id = pickJob(job);
        JobState before = board.getJob(id).state;
        bool untouched = (before == JobState.Funded || before == JobState.Assigned) && !lotSeen(id);
        try board.expire(id) {
            if (untouched) giveBackRun(id);
        } catch {}
    }

    function suspend(uint256 job, uint256 who, uint256 which) external {
        vm.prank(actor(who));
        try board.suspend(pickJob(job), address(pools[which % 2])) {} catch {}
    }

    function claim(uint256 who, uint256 which) external {
        try pools[which % 2].claimFor(actor(who)) returns (uint256 amount) {
            claimed += amount;
        } catch {}
    }

    function owed() private view returns (uint256) {
        return pools[0].liability() + pools[1].liability();
    }

    function pickJob(uint256 seed) private view returns (uint256) {
        uint256 count = board.jobCount();
        return count == 0 ? 0 : 1 + seed % count;
    }

    function about(uint256 seed) private view returns (uint256 id, address first, bytes32 manifest) {
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

    /// Lets somebody vote through somebody, and hands tokens on.
    function pass(uint256 from, uint256 to, uint256 which, uint96 value, bool delegating) external {
        PoolToken token_ = PoolToken(pools[which % 2].token());
        vm.prank(actor(from));
        if (delegating) {
            token_.delegate(actor(to));
        } else {
            try token_.transfer(actor(to), value % 1e20) {} catch {}
        }
    }

    function supplyOf(uint256 which) external view returns (uint256) {
        return PoolToken(pools[which].token()).totalSupply();
    }
}
