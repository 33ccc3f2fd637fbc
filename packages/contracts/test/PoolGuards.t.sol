// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PoolStops} from "../solidity/pool/PoolStops.sol";
import {PoolRestrictions} from "../solidity/pool/PoolRestrictions.sol";
import {PoolGovernor} from "../solidity/governance/PoolGovernor.sol";
import {NodeRegistry, SignedStatement} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Founding, Pool} from "../solidity/pool/Pool.sol";
import {BatchVerdict} from "../solidity/registry/ContributionBatches.sol";
import {Contribution, DataRegistry, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {BatchMaker} from "./BatchMaker.sol";

interface VmState {
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}

/// What a guardian, a first collector, one owner or a reorganisation cannot do to a pool and its nodes.
contract PoolGuardsTest is BatchMaker {
    address private lock;

    function setUp() public {
        build();
        lock = pool.timelock();
    }

    function narrow(bytes32 restriction) private {
        vm.prank(GUARDIAN);
        pool.narrow(restriction);
    }

    /// A guardian narrows at once, for a while, and never takes the vote's places.
    function test_aGuardiansRestrictionsPass() external {
        for (uint256 i; i < 8; ++i) narrow(bytes32(i + 1));
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(PoolRestrictions.RestrictionsFull.selector, POLICY));
        pool.narrow(bytes32("ninth"));
        PoolRestrictions.PassingRestrictions memory passing = pool.passingRestrictionsOf(POLICY);
        vm.assertEq(passing.restrictions.length, 8);
        vm.assertEq(passing.restrictions[7], bytes32(uint256(8)));
        vm.assertEq(passing.until, block.timestamp + 14 days);
        vm.assertEq(pool.restrictionsOf(POLICY).count, 0);
        // The vote keeps one of them.
        vm.prank(lock);
        pool.narrow(bytes32(uint256(3)));
        vm.assertEq(pool.restrictionsOf(POLICY).count, 1);
        vm.warp(passing.until - 1);
        vm.assertEq(pool.passingRestrictionsOf(POLICY).restrictions.length, 8);
        vm.warp(passing.until);
        vm.assertEq(pool.passingRestrictionsOf(POLICY).restrictions.length, 0);
        vm.assertEq(pool.restrictionsOf(POLICY).count, 1);
        // And not again for as long.
        vm.warp(passing.until + 14 days - 1);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(PoolRestrictions.NarrowTooSoon.selector, passing.until + 14 days));
        pool.narrow(bytes32("again"));
        vm.warp(passing.until + 14 days);
        narrow(bytes32("again"));
        vm.assertEq(pool.passingRestrictionsOf(POLICY).restrictions.length, 1);
        vm.assertEq(pool.passingRestrictionsOf(POLICY).restrictions[0], bytes32("again"));
    }

    function test_theVoteEndsAGuardiansRestrictions() external {
        narrow(bytes32("junk"));
        refused(Pool.OnlyTimelock.selector);
        pool.endPassingRestrictions();
        vm.prank(lock);
        pool.endPassingRestrictions();
        vm.assertEq(pool.passingRestrictionsOf(POLICY).restrictions.length, 0);
        vm.prank(lock);
        vm.expectRevert(abi.encodeWithSelector(PoolRestrictions.NothingPassing.selector, POLICY));
        pool.endPassingRestrictions();
    }

    /// Who collects first is no quorum: what is credited to the others counts.
    function test_theFirstToCollectIsNoQuorum() external {
        Made memory made = make(40);
        (BatchVerdict[] memory list, bytes32[] memory leaves) = verdictsOf(made);
        judge(made.id, root(leaves), 40);
        batches.payVerdicts(made.id, list, new bytes32[][](0));
        address attacker = list[0].owner;
        pool.collectFor(attacker);
        PoolGovernor governor = PoolGovernor(payable(pool.governor()));
        address[] memory targets = new address[](1);
        targets[0] = address(pool);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(Pool.setGuardian, (attacker));
        vm.warp(block.timestamp + 1);
        vm.prank(attacker);
        uint256 proposal = governor.propose(targets, new uint256[](1), calls, "mine");
        vm.warp(governor.proposalSnapshot(proposal) + 1);
        // What the others collect afterwards changes nothing about that second.
        for (uint256 i = 2; i < 40; i += 2) pool.collectFor(list[i].owner);
        vm.assertEq(pool.reserved(), 0);
        uint256 all = 40 * uint256(REWARD) / 10;
        vm.assertEq(governor.quorum(governor.proposalSnapshot(proposal)), all / 10);
        vm.prank(attacker);
        governor.castVote(proposal, 1);
        vm.warp(governor.proposalDeadline(proposal) + 1);
        refused(bytes4(keccak256("GovernorUnexpectedProposalState(uint256,uint8,bytes32)")));
        governor.queue(targets, new uint256[](1), calls, keccak256("mine"));
    }

    /// A quorum that is reached in the last second leaves time to answer.
    function test_aLateQuorumExtendsTheVote() external {
        Founding memory founding = foundingOf("late", 0);
        founding.governance.voteExtension = 30;
        Pool late = found(founding);
        accept(address(7), late, 10_000);
        PoolGovernor governor = PoolGovernor(payable(late.governor()));
        address[] memory targets = new address[](1);
        targets[0] = address(late);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(Pool.setGuardian, (address(1)));
        vm.warp(block.timestamp + 1);
        vm.prank(address(7));
        uint256 proposal = governor.propose(targets, new uint256[](1), calls, "late");
        uint256 deadline = governor.proposalDeadline(proposal);
        vm.warp(deadline);
        vm.prank(address(7));
        governor.castVote(proposal, 1);
        vm.assertEq(governor.proposalDeadline(proposal), deadline + 30);
    }

    function test_carelessGovernanceIsNotFounded() external {
        for (uint256 i; i < 3; ++i) {
            Founding memory founding = foundingOf("careless", 0);
            if (i == 0) founding.governance.votingDelay = 0;
            if (i == 1) founding.governance.quorumPercent = 0;
            if (i == 2) founding.governance.timelockDelay = 0;
            refused(PoolGovernor.GovernanceInvalid.selector);
            factory.found(founding);
        }
    }

    /// The evidence behind a key is kept with it, whatever the node is renewed with later.
    function test_aKeyEpochNamesItsEvidence() external view {
        vm.assertEq(pool.keyEpoch().attestationDigest, keccak256("quote"));
    }

    function test_aPoolIsFoundedWithItsJobCode() external {
        Founding memory founding = foundingOf("listed", 0);
        founding.rules.anyJobCode = false;
        founding.jobCode = new bytes32[](1);
        founding.jobCode[0] = keccak256("code");
        Pool listed = found(founding);
        vm.assertTrue(listed.jobCode(keccak256("code")));
        listed.requireFundable(0, keccak256("code"));
        refused(PoolStops.JobCodeNotAccepted.selector);
        listed.requireFundable(0, keccak256("other"));
    }

    /// An owner that takes its contribution back holds up nobody else's verdict.
    function test_oneWithdrawalHoldsUpNoOtherVerdict() external {
        uint256 a = offer(address(21), pool);
        uint256 b = offer(address(22), pool);
        VerdictEntry[] memory entries = new VerdictEntry[](2);
        entries[0] = VerdictEntry(b, 10_000, false, bytes32("b"));
        entries[1] = VerdictEntry(a, 10_000, false, bytes32("a"));
        StatementProof memory proof = proveVerdicts(pool, entries);
        vm.prank(address(22));
        data.withdraw(b);
        data.recordVerdicts(address(pool), entries, proof);
        vm.assertEq(pool.pointsOf(address(21)), 10_000);
        vm.assertEq(pool.pointsOf(address(22)), 0);
        refused(DataRegistry.VerdictAlreadyRecorded.selector);
        data.recordVerdicts(address(pool), entries, proof);
    }

    /// A contribution that somebody sent before holds up no other of the batch.
    function test_oneUsedNonceHoldsUpNoOtherContribution() external {
        Contribution[] memory list = new Contribution[](2);
        uint256[] memory deadlines = new uint256[](2);
        bytes[] memory signatures = new bytes[](2);
        for (uint256 i; i < 2; ++i) {
            list[i] = contributionOf(vm.addr(50 + i), pool);
            deadlines[i] = block.timestamp;
            signatures[i] = signContribution(50 + i, list[i], deadlines[i]);
        }
        data.contributeSigned(list[0], deadlines[0], signatures[0]);
        uint256 id = data.contributeBatch(list, deadlines, signatures);
        vm.assertEq(data.contributionCount(), 2);
        vm.assertEq(data.getRecord(id).owner, vm.addr(51));
        vm.expectRevert(
            abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, vm.addr(50), list[0].nonce)
        );
        data.contributeBatch(list, deadlines, signatures);
    }

    function signContribution(uint256 key, Contribution memory c, uint256 deadline) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)"
        );
        bytes memory head = abi.encode(typeHash, c.owner, c.pool, c.blobDigest, c.commitment, c.schemaId);
        bytes memory tail = abi.encode(c.consentDigest, c.epoch, keccak256(bytes(c.locator)), c.nonce, deadline);
        return sign(key, address(data), keccak256(bytes.concat(head, tail)));
    }

    /// Numbers are counters: two forks may give one number to two jobs or batches, which contradicts nothing.
    function test_aReorganisationMakesNoHonestNodeContradictItself() external {
        protocolToken.approve(address(board), type(uint256).max);
        bytes32 other = keccak256("another manifest");
        Terms memory t = Terms(100, 0, 5, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
        vm.startPrank(lock);
        permissions.grant(address(this), address(pool), keccak256("manifest"), t);
        permissions.grant(address(this), address(pool), other, t);
        vm.stopPrank();
        uint256 fork = VmState(address(vm)).snapshotState();
        SignedStatement memory first = released(keccak256("manifest"));
        SignedStatement memory firstRoot = judged(3);
        VmState(address(vm)).revertToState(fork);
        SignedStatement memory second = released(other);
        SignedStatement memory secondRoot = judged(4);
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, second);
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(firstRoot, secondRoot);
        // Two results of the very same job still are.
        SignedStatement memory contradicted = signedAs(second.kind, second.subject, keccak256("another result"));
        nodes.proveEquivocation(second, contradicted);
        vm.assertTrue(nodes.equivocated(vm.addr(NODE_KEY)));
    }

    function signedAs(string memory kind, bytes32 subject, bytes32 facts) private returns (SignedStatement memory) {
        StatementProof memory p = prove(kind, address(pool), subject, facts);
        return SignedStatement(kind, address(pool), subject, facts, p.digest, p.nonce, p.signature);
    }

    function released(bytes32 manifest) private returns (SignedStatement memory s) {
        address[] memory list = new address[](1);
        list[0] = address(pool);
        uint256 id = board.propose(manifest, "", list, 100, uint64(block.timestamp + 1 days));
        vm.assertEq(id, 1);
        board.fund(id);
        board.start(id, prove(board.START_STATEMENT(), address(pool), bytes32(id), keccak256(abi.encode(manifest))));
        bytes32[] memory heads = new bytes32[](1);
        bytes32 facts = keccak256(abi.encode(manifest, bytes32("r"), bytes32("s"), heads[0]));
        s = signedAs(board.RELEASE_STATEMENT(), subjectOf(board.RELEASE_STATEMENT(), id), facts);
        board.release(id, bytes32("r"), bytes32("s"), heads, StatementProof(s.digest, s.nonce, s.signature));
    }

    function judged(uint256 count) private returns (SignedStatement memory s) {
        Made memory made = make(count);
        vm.assertEq(made.id, 1);
        (, bytes32[] memory leaves) = verdictsOf(made);
        bytes32 facts = keccak256(abi.encode(made.id, root(leaves), count));
        s = signedAs(batches.VERDICT_ROOT_STATEMENT(), keccak256(abi.encode(made.id, root(made.leaves))), facts);
        batches.recordVerdictRoot(made.id, root(leaves), count, StatementProof(s.digest, s.nonce, s.signature));
    }
}
