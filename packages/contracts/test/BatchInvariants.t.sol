// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Anchors} from "../solidity/anchor/Anchors.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {BatchVerdict} from "../solidity/registry/ContributionBatches.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {BatchMaker} from "./BatchMaker.sol";

/// Contributes in batches, judges, pays, pays again, withdraws, forfeits and collects in any order, to a pool whose cap is
/// soon reached; and anchors budget heads, right and wrong. What the contracts refuse is swallowed.
contract BatchWalker is BatchMaker {
    Made[] private _made;
    Anchors public anchors;
    uint256 public pointsCounted;
    uint256 public collected;
    /// Payments of one entry past the first, as points show them.
    uint256 public paidTwice;
    mapping(uint256 id => mapping(uint256 index => bool)) private _paidHere;
    mapping(uint256 id => mapping(uint256 index => bool)) private _takenHere;
    mapping(uint256 id => mapping(uint256 index => bool)) private _forfeitedHere;
    uint64 public sequence;
    bytes32 public head;
    uint256 public headBreaches;
    mapping(bytes32 definition => bytes32) private _claimed;
    uint256 public claimBreaches;
    bool private _judging;

    constructor() {
        build();
        pool = foundCapped(uint256(REWARD) / 2);
        token = tokenOf(pool);
        anchors = new Anchors(nodes, factory);
    }

    function batch(uint256 count) external {
        if (_made.length < 6) _made.push(make(1 + count % 6));
    }

    function verdicts(uint256 pick) external {
        if (_made.length == 0) return;
        Made memory made = _made[pick % _made.length];
        (, bytes32[] memory leaves) = verdictsOf(made);
        _judging = true;
        try this.judgeFor(made.id, root(leaves), leaves.length) {} catch {}
        _judging = false;
    }

    /// External, so that a refusal can be caught; the fuzzer may pose as anyone, this contract included.
    function judgeFor(uint256 id, bytes32 verdictRoot, uint256 accepted) external {
        if (_judging) judge(id, verdictRoot, accepted);
    }

    /// One entry with its proof, or all without.
    function pay(uint256 pick, uint256 index, bool all) external {
        if (_made.length == 0) return;
        Made memory made = _made[pick % _made.length];
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        bytes32[][] memory given = new bytes32[][](0);
        if (!all) {
            index %= list.length;
            given = new bytes32[][](1);
            given[0] = proofOf(leaves, index);
            BatchVerdict[] memory one = new BatchVerdict[](1);
            one[0] = list[index];
            list = one;
        }
        uint256 before = pool.totalPoints();
        try batches.payVerdicts(made.id, list, given) {
            uint256 fresh;
            for (uint256 i; i < list.length; ++i) {
                if (_paidHere[made.id][list[i].index] || _takenHere[made.id][list[i].index]) continue;
                _paidHere[made.id][list[i].index] = true;
                pointsCounted += list[i].score;
                ++fresh;
            }
            if (pool.totalPoints() != before + 1_000 * fresh) ++paidTwice;
        } catch {}
    }

    function withdraw(uint256 pick, uint256 index) external {
        if (_made.length == 0) return;
        Made memory made = _made[pick % _made.length];
        index %= made.leaves.length;
        bytes32[] memory proof = proofOf(made.leaves, index);
        bytes memory entry = entryOf(index);
        vm.prank(vm.addr(OWNER + index / 2));
        try batches.withdraw(made.id, index, entry, proof) {
            _takenHere[made.id][index] = true;
        } catch {}
    }

    function forfeit(uint256 pick, uint256 index) external {
        if (_made.length == 0) return;
        Made memory made = _made[pick % _made.length];
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        index %= list.length;
        try batches.forfeit(made.id, list[index], proofOf(leaves, index)) {
            if (_forfeitedHere[made.id][index]) ++paidTwice;
            _forfeitedHere[made.id][index] = true;
            pointsCounted -= list[index].score;
        } catch {}
    }

    function collect(uint256 who) external {
        try pool.collectFor(vm.addr(OWNER + who % 3)) returns (uint256 amount) {
            collected += amount;
        } catch {}
    }

    /// The other registry, whose rewards are minted at once, draws on the same cap.
    function alone(uint16 score) external {
        uint256 before = token.totalSupply();
        accept(vm.addr(OWNER), pool, score % 2_000);
        pointsCounted += score % 2_000;
        collected += token.totalSupply() - before;
    }

    function anchor(uint64 which, bytes32 next, bool right) external {
        uint64 given = right ? sequence + 1 : which % 8;
        bytes32 previous = right ? head : bytes32(uint256(which % 3));
        bytes32 facts = keccak256(abi.encode(uint256(given), next, previous));
        StatementProof memory proof =
            prove(anchors.BUDGET_STATEMENT(), address(pool), bytes32(uint256(given)), facts);
        try anchors.anchorBudget(address(pool), given, next, previous, proof) {
            if (given != sequence + 1 || previous != head || next == 0) ++headBreaches;
            (sequence, head) = (given, next);
        } catch {}
    }

    function claim(uint256 which, bytes32 inputsRoot) external {
        bytes32 definition = bytes32(which % 3);
        StatementProof memory proof = prove(
            anchors.AGGREGATE_STATEMENT(), address(pool), definition, keccak256(abi.encode(definition, inputsRoot))
        );
        try anchors.claimAggregate(address(pool), definition, inputsRoot, proof) {
            if (_claimed[definition] != 0) ++claimBreaches;
            _claimed[definition] = inputsRoot;
        } catch {}
        if (anchors.aggregateOf(address(pool), definition).inputsRoot != _claimed[definition]) ++claimBreaches;
    }

    function books()
        external
        view
        returns (Pool pool_, uint256 supply, uint256 cap, uint256 collectable, uint256 points)
    {
        pool_ = pool;
        supply = token.totalSupply();
        cap = token.cap();
        for (uint256 i; i < 3; ++i) {
            collectable += pool.collectable(vm.addr(OWNER + i));
            points += pool.pointsOf(vm.addr(OWNER + i));
        }
    }
}

contract BatchInvariantsTest is BatchMaker {
    BatchWalker private walker;

    function setUp() public {
        walker = new BatchWalker();
        targetContract(address(walker));
    }

    function test_theBatchWalkerReachesEveryBook() external {
        walker.batch(3);
        walker.verdicts(0);
        walker.pay(0, 0, true);
        walker.pay(0, 0, false);
        walker.withdraw(0, 0);
        walker.forfeit(0, 0);
        walker.forfeit(0, 0);
        walker.collect(0);
        walker.anchor(0, bytes32("head"), true);
        walker.claim(0, bytes32("root"));
        walker.claim(0, bytes32("other root"));
        (Pool pool_, uint256 supply,,,) = walker.books();
        vm.assertEq(pool_.totalPoints(), 3_000);
        vm.assertEq(supply, 2 * uint256(REWARD) / 10);
        vm.assertEq(walker.sequence(), 1);
        vm.assertEq(walker.anchors().aggregateOf(address(pool_), 0).inputsRoot, bytes32("root"));
        for (uint16 i; i < 10; ++i) walker.alone(1_999);
        uint256 cap;
        (, supply, cap,,) = walker.books();
        vm.assertEq(supply + pool_.reserved(), cap);
    }

    /// No entry is paid twice, in whatever way: points are what was paid less what was taken back.
    function invariant_batchesCannotBeClaimedTwice() external view {
        (Pool pool_,,,, uint256 points) = walker.books();
        vm.assertEq(walker.paidTwice(), 0);
        vm.assertEq(pool_.totalPoints(), walker.pointsCounted());
        vm.assertEq(points, walker.pointsCounted());
    }

    /// No token from nothing: all that exists was credited and collected, and the cap holds with what is promised.
    function invariant_creditedTokensStayUnderTheCap() external view {
        (Pool pool_, uint256 supply, uint256 cap, uint256 collectable,) = walker.books();
        vm.assertEq(supply, walker.collected());
        vm.assertEq(pool_.reserved(), collectable);
        vm.assertLe(supply + collectable, cap);
    }

    function invariant_budgetHeadsOnlyGrow() external view {
        (Pool pool_,,,,) = walker.books();
        vm.assertEq(walker.headBreaches(), 0);
        vm.assertEq(walker.anchors().budgetOf(address(pool_)).sequence, walker.sequence());
        vm.assertEq(walker.anchors().budgetOf(address(pool_)).value, walker.head());
    }

    function invariant_anAggregateIsClaimedOnce() external view {
        vm.assertEq(walker.claimBreaches(), 0);
    }
}
