// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Job, JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {Grant, Terms} from "../solidity/permission/Permissions.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {Contribution, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {WalkedPools} from "./WalkedPools.sol";

/// Does random sensible and senseless things to two pools, their contributions and their jobs. Calls that the contracts
/// refuse are swallowed: what matters is that the books are right whatever was tried.
contract Walker is WalkedPools {
    /// Points become credits, and are tried a second time.
    function earn(uint256 who, uint256 which) public {
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

    /// A job that is paid for, begun and refused, four times over a grant of two runs: what began is used. Left to chance alone,
    /// hardly any walk pays for a third.
    function begun(uint256 who, uint256 which) external {
        address[] memory chosen = new address[](1);
        chosen[0] = address(pools[which % 2]);
        bytes32 digest = keccak256(abi.encode("begun", who % 4));
        for (uint256 i; i < 4; ++i) {
            uint256 seed = proposeFor(actor(who), digest, chosen, JobClass.Open) - 1;
            if (i == 0 && board.getJob(seed + 1).state == JobState.Proposed) advance(seed);
            fundId(seed + 1);
            start(seed);
            refuse(seed);
        }
    }

    function approve(uint256 job, uint256 which, uint96 price, uint64 burn, uint32 runs) external {
        Pool by = pools[which % 2];
        Terms memory terms = Terms(
            price % 1e18, burn % 1e15, runs % 3, uint64(block.timestamp), uint64(block.timestamp + 2 days), 0
        );
        uint256 id = pickJob(job);
        Job memory known = board.getJob(id);
        vm.prank(by.timelock());
        try board.approve(id, address(by), known.consumer, known.manifestDigest, terms) {
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
            // While a pool is paused a lot is fixed, and falls on nobody.
            if (board.getJob(id).state != JobState.Assigned) return;
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

    /// A job that credits pay, some steps on its good way: left to chance alone, hardly any walk settles one.
    function credited(uint256 who, uint256 which, uint256 limit, uint8 steps) external {
        address[] memory chosen = new address[](1);
        chosen[0] = address(pools[which % 2]);
        earn(who, which);
        uint256 seed = proposeFor(actor(who), keccak256(abi.encode("credited", who % 4)), chosen, JobClass.Open) - 1;
        if (board.getJob(seed + 1).state == JobState.Proposed) advance(seed);
        fundWithCredits(seed, limit);
        for (uint256 i; i < steps % 4; ++i) advance(seed);
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

    function refuse(uint256 job) public {
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
            Job memory known = board.getJob(id);
            for (uint256 i; i < chosen.length; ++i) {
                vm.prank(Pool(chosen[i]).timelock());
                try board.approve(
                    id,
                    chosen[i],
                    known.consumer,
                    known.manifestDigest,
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
        bool untouched = board.getJob(id).state == JobState.Funded;
        vm.prank(board.getJob(id).consumer);
        try board.cancel(id) {
            if (untouched) giveBackRun(id, lotSeen(id));
        } catch {}
    }

    function expire(uint256 job, uint32 seconds_) external {
        vm.warp(block.timestamp + (seconds_ % 16 == 0 ? 8 days : seconds_ % 1 hours));
        uint256 id = pickJob(job);
        JobState before = board.getJob(id).state;
        bool untouched = before == JobState.Funded || before == JobState.Assigned;
        try board.expire(id) {
            if (untouched) giveBackRun(id, lotSeen(id));
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
}
