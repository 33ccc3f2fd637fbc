// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TokenIntake} from "../solidity/market/TokenIntake.sol";
import {FirstProof, NodeRegistry, SignedStatement} from "../solidity/node/NodeRegistry.sol";
import {NodeStakes} from "../solidity/node/NodeStakes.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Pool} from "../solidity/pool/Pool.sol";
import {BlockingToken} from "./OddTokens.sol";
import {World} from "./World.sol";

/// What a contradiction costs, who is paid for finding it, and when a stake may leave.
contract NodeStakesTest is World {
    bytes32 private constant SALT = keccak256("salt");
    address private constant FINDER = address(0xf1d);
    address private constant COPIER = address(0xc0b1);
    NodeStakes private stakes;
    address private node;

    function setUp() public {
        build();
        stakes = new NodeStakes(protocolToken, nodes);
        node = vm.addr(NODE_KEY);
        protocolToken.approve(address(stakes), type(uint256).max);
    }

    function spoken(string memory kind, bytes32 subject, bytes32 facts) private returns (SignedStatement memory) {
        StatementProof memory proof = prove(kind, address(pool), subject, facts);
        return SignedStatement(kind, address(pool), subject, facts, proof.digest, proof.nonce, proof.signature);
    }

    function contradiction() private returns (SignedStatement memory first, SignedStatement memory second) {
        string memory kind = board.RELEASE_STATEMENT();
        first = spoken(kind, bytes32(uint256(1)), keccak256("a"));
        second = spoken(kind, bytes32(uint256(1)), keccak256("b"));
    }

    function commit(address finder, SignedStatement memory first, SignedStatement memory second) private {
        bytes32 commitment = stakes.commitmentOf(finder, first, second, SALT);
        vm.prank(finder);
        stakes.commit(commitment);
    }

    function report(address finder, SignedStatement memory first, SignedStatement memory second) private {
        vm.prank(finder);
        stakes.report(first, second, SALT);
    }

    /// Two statements that contradict each other cost the node its key and its stake; nobody else decides.
    function test_equivocationRevokesAndSlashes() external {
        refused(TokenIntake.AmountZero.selector);
        stakes.stake(node, 0);
        stakes.stake(node, 1_000);
        refused(NodeStakes.NotEquivocated.selector);
        stakes.slash(node);
        string memory kind = board.RELEASE_STATEMENT();
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        SignedStatement memory other = spoken(kind, bytes32(uint256(2)), keccak256("b"));
        SignedStatement memory again = spoken(kind, bytes32(uint256(1)), keccak256("a"));
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, other);
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, again);
        SignedStatement memory verdict = spoken(data.VERDICT_STATEMENT(), bytes32(uint256(1)), keccak256("a"));
        refused(NodeRegistry.KindNotExclusive.selector);
        nodes.proveEquivocation(verdict, verdict);
        bytes memory kept = second.signature;
        second.signature = hex"00";
        refused(NodeRegistry.StatementSignatureInvalid.selector);
        nodes.proveEquivocation(first, second);
        second.signature = kept;
        second.facts = keccak256("c");
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, second);
        second.facts = keccak256("b");
        vm.assertEq(nodes.firstProofOf(node).time, 0);
        vm.prank(address(9));
        nodes.proveEquivocation(first, second);
        vm.assertTrue(nodes.equivocated(node));
        vm.assertFalse(nodes.isActive(node));
        refused(NodeStakes.NodeEquivocated.selector);
        stakes.stake(node, 1);
        refused(NodeStakes.NodeEquivocated.selector);
        stakes.withdraw(node);
        uint64 open = uint64(block.timestamp + stakes.REPORT_WINDOW());
        vm.warp(open);
        vm.expectRevert(abi.encodeWithSelector(NodeStakes.TooEarly.selector, open));
        stakes.slash(node);
        vm.warp(open + 1);
        // Shown a second time it is no newer: the window does not begin anew.
        nodes.proveEquivocation(second, first);
        uint256 supply = protocolToken.totalSupply();
        vm.prank(address(9));
        stakes.slash(node);
        // Who shows a proof that it did not commit to may have copied it: nobody is paid, all is burned.
        vm.assertEq(protocolToken.balanceOf(address(9)), 0);
        vm.assertEq(supply - protocolToken.totalSupply(), 1_000);
        refused(NodeStakes.NothingStaked.selector);
        stakes.slash(node);
        vm.assertEq(stakes.stakeOf(node, address(this)).amount, 1_000);
    }

    function test_strangersStatementsAreNoEquivocation() external {
        SignedStatement memory first = spoken(board.RELEASE_STATEMENT(), 0, keccak256("a"));
        SignedStatement memory second = spoken(board.RELEASE_STATEMENT(), 0, keccak256("b"));
        StatementProof memory a = proveBy(0x999, first.kind, address(pool), 0, first.facts);
        StatementProof memory b = proveBy(0x999, first.kind, address(pool), 0, second.facts);
        (first.digest, first.nonce, first.signature) = (a.digest, a.nonce, a.signature);
        (second.digest, second.nonce, second.signature) = (b.digest, b.nonce, b.signature);
        refused(NodeRegistry.NodeUnknown.selector);
        nodes.proveEquivocation(first, second);
    }

    /// A reorganisation may undo a vote over the policy: keys of one epoch under two policies are both honest. Two keys under
    /// one policy are not.
    function test_twoKeysOfOneEpochContradictOnlyUnderOnePolicy() external {
        string memory kind = pool.KEY_STATEMENT();
        (bytes32 policy, bytes32 key, bytes32 other) = (keccak256("next"), keccak256("key"), keccak256("other key"));
        bytes32 subject = keccak256(abi.encode(uint256(2), POLICY));
        SignedStatement memory first = spoken(kind, subject, keccak256(abi.encode(uint256(2), POLICY, key)));
        SignedStatement memory second = spoken(
            kind, keccak256(abi.encode(uint256(2), policy)), keccak256(abi.encode(uint256(2), policy, other))
        );
        // Both are what the pool asks of a node: it takes the one whose policy is in force.
        vm.expectRevert(abi.encodeWithSelector(Pool.EpochPolicyStale.selector, policy, POLICY));
        pool.publishKey(2, policy, other, StatementProof(second.digest, second.nonce, second.signature));
        pool.publishKey(2, POLICY, key, StatementProof(first.digest, first.nonce, first.signature));
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, second);
        second = spoken(kind, subject, keccak256(abi.encode(uint256(2), POLICY, other)));
        nodes.proveEquivocation(first, second);
        vm.assertTrue(nodes.equivocated(node));
    }

    /// Whoever copies a waiting transaction knows its two statements too late to have committed to them.
    function test_theFinderIsPaidNotWhoCopiesTheProof() external {
        stakes.stake(node, 1_000);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        commit(FINDER, first, second);
        vm.roll(block.number + 1);
        // The copier sees the finder's transaction and is mined first: it proves, commits, reports.
        vm.prank(COPIER);
        nodes.proveEquivocation(first, second);
        commit(COPIER, first, second);
        bytes32 copied = stakes.commitmentOf(COPIER, first, second, SALT);
        vm.prank(COPIER);
        vm.expectRevert(
            abi.encodeWithSelector(NodeStakes.NotCommitted.selector, copied, uint64(block.number))
        );
        stakes.report(first, second, SALT);
        report(FINDER, first, second);
        vm.assertEq(stakes.reportOf(node).reporter, FINDER);
        vm.roll(block.number + 1);
        vm.prank(COPIER);
        refused(NodeStakes.ReportTooLate.selector);
        stakes.report(first, second, SALT);
        vm.warp(block.timestamp + stakes.REPORT_WINDOW() + 1);
        uint256 supply = protocolToken.totalSupply();
        vm.prank(COPIER);
        stakes.slash(node);
        vm.assertEq(protocolToken.balanceOf(FINDER), 100);
        vm.assertEq(protocolToken.balanceOf(COPIER), 0);
        vm.assertEq(supply - protocolToken.totalSupply(), 900);
    }

    function test_aReportProvesByItselfAndTheEarliestCommitmentCounts() external {
        stakes.stake(node, 1_000);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        refused(NodeStakes.NotCommitted.selector);
        stakes.report(first, second, SALT);
        commit(FINDER, first, second);
        // In the same block a commitment proves nothing: it may answer what the block already shows.
        vm.prank(FINDER);
        refused(NodeStakes.NotCommitted.selector);
        stakes.report(first, second, SALT);
        vm.roll(block.number + 1);
        commit(COPIER, first, second);
        // Somebody else's commitment, sent again, changes nothing.
        commit(FINDER, first, second);
        vm.roll(block.number + 1);
        report(COPIER, first, second);
        vm.assertTrue(nodes.equivocated(node));
        report(FINDER, first, second);
        vm.assertEq(stakes.reportOf(node).reporter, FINDER);
        vm.prank(COPIER);
        vm.expectRevert(abi.encodeWithSelector(NodeStakes.ReportedBefore.selector, node, FINDER));
        stakes.report(first, second, SALT);
        // The statements must be a contradiction, and the ones that were committed to.
        refused(NodeRegistry.NotEquivocation.selector);
        stakes.report(first, first, SALT);
        vm.prank(FINDER);
        refused(NodeStakes.NotCommitted.selector);
        stakes.report(second, first, SALT);
    }

    function test_nobodyReportsAfterTheWindow() external {
        stakes.stake(node, 1_000);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        commit(FINDER, first, second);
        vm.roll(block.number + 1);
        nodes.proveEquivocation(first, second);
        FirstProof memory proof = nodes.firstProofOf(node);
        vm.assertEq(proof.time, block.timestamp);
        vm.warp(proof.time + stakes.REPORT_WINDOW() + 1);
        vm.prank(FINDER);
        refused(NodeStakes.ReportTooLate.selector);
        stakes.report(first, second, SALT);
        vm.warp(proof.time + stakes.REPORT_WINDOW());
        report(FINDER, first, second);
    }

    function test_aReporterWhomTheTokenRefusesHoldsUpNoSlash() external {
        BlockingToken odd = new BlockingToken();
        NodeStakes others = new NodeStakes(odd, nodes);
        odd.approve(address(others), 1_000);
        others.stake(node, 1_000);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        bytes32 commitment = others.commitmentOf(FINDER, first, second, SALT);
        others.commit(commitment);
        vm.roll(block.number + 1);
        vm.prank(FINDER);
        others.report(first, second, SALT);
        vm.warp(block.timestamp + others.REPORT_WINDOW() + 1);
        odd.setBlocked(FINDER, true);
        uint256 supply = odd.totalSupply();
        others.slash(node);
        vm.assertEq(supply - odd.totalSupply(), 1_000);
        vm.assertEq(odd.balanceOf(address(others)), 0);
    }

    /// A stake answers for all that the node may say, and for 21 days after.
    function test_aStakeLeavesOnlyAfterTheNodeCanSpeakNoMore() external {
        refused(NodeStakes.NothingStaked.selector);
        stakes.announceWithdrawal(node);
        refused(NodeStakes.NothingStaked.selector);
        stakes.withdraw(node);
        stakes.stake(node, 5);
        refused(NodeStakes.TooEarly.selector);
        stakes.withdraw(node);
        uint64 expiresAt = nodes.getNode(node).expiresAt;
        stakes.announceWithdrawal(node);
        vm.assertEq(stakes.stakeOf(node, address(this)).withdrawableFrom, expiresAt + 21 days);
        vm.warp(expiresAt + 21 days - 1);
        refused(NodeStakes.TooEarly.selector);
        stakes.withdraw(node);
        vm.warp(block.timestamp + 1);
        stakes.withdraw(node);
        vm.assertEq(protocolToken.balanceOf(address(stakes)), 0);
    }

    /// Announced, then registered anew: what the node says under the renewal is still answered for.
    function test_aNodeThatRegistersAnewKeepsItsStake() external {
        stakes.stake(node, 1_000);
        stakes.announceWithdrawal(node);
        uint64 leaves = stakes.stakeOf(node, address(this)).withdrawableFrom;
        vm.warp(leaves - 1);
        register(NODE_KEY, MEASUREMENT);
        uint64 expiresAt = nodes.getNode(node).expiresAt;
        // It contradicts itself in the very window in which the stake was to leave.
        vm.warp(leaves);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        vm.expectRevert(abi.encodeWithSelector(NodeStakes.NodeStillRegistered.selector, node, expiresAt));
        stakes.withdraw(node);
        nodes.proveEquivocation(first, second);
        vm.warp(block.timestamp + stakes.REPORT_WINDOW() + 1);
        stakes.slash(node);
        vm.assertEq(protocolToken.balanceOf(address(stakes)), 0);
    }

    /// A revoked key says nothing that counts: from an announcement after it 21 days are enough; from one before it they are not.
    function test_aRevokedKeyFreesItsStakeAfterTheDelay() external {
        stakes.stake(node, 5);
        stakes.announceWithdrawal(node);
        nodes.revoke(node);
        vm.warp(block.timestamp + 21 days);
        refused(NodeStakes.TooEarly.selector);
        stakes.withdraw(node);
        stakes.announceWithdrawal(node);
        vm.warp(block.timestamp + 21 days - 1);
        refused(NodeStakes.TooEarly.selector);
        stakes.withdraw(node);
        vm.warp(block.timestamp + 1);
        stakes.withdraw(node);
        vm.assertEq(stakes.leavingOf(node), 0);
    }

    /// An old announcement is no way out in front of a slash; an announced stake is not counted on, and a slash takes it.
    function test_aStandingAnnouncementDoesNotEscapeTheSlash() external {
        stakes.stake(node, 1_000);
        stakes.announceWithdrawal(node);
        vm.assertEq(stakes.totalOf(node), 0);
        vm.assertEq(stakes.leavingOf(node), 1_000);
        stakes.stake(node, 1);
        vm.assertEq(stakes.totalOf(node), 1_001);
        vm.assertEq(stakes.leavingOf(node), 0);
        stakes.announceWithdrawal(node);
        uint256 lapses = stakes.stakeOf(node, address(this)).withdrawableFrom + stakes.WITHDRAWAL_WINDOW();
        vm.prank(address(9));
        protocolToken.approve(address(stakes), 7);
        protocolToken.transfer(address(9), 7);
        vm.prank(address(9));
        stakes.stake(node, 7);
        vm.warp(lapses + 1);
        refused(NodeStakes.AnnouncementLapsed.selector);
        stakes.withdraw(node);
        stakes.announceWithdrawal(node);
        vm.assertEq(stakes.totalOf(node), 7);
        vm.assertEq(stakes.leavingOf(node), 1_001);
        refused(NodeStakes.TooEarly.selector);
        stakes.withdraw(node);
        (SignedStatement memory first, SignedStatement memory second) = contradiction();
        nodes.proveEquivocation(first, second);
        refused(NodeStakes.NodeEquivocated.selector);
        stakes.announceWithdrawal(node);
        vm.warp(block.timestamp + stakes.REPORT_WINDOW() + 1);
        uint256 supply = protocolToken.totalSupply();
        stakes.slash(node);
        vm.assertEq(supply - protocolToken.totalSupply(), 1_008);
        vm.assertEq(stakes.totalOf(node) + stakes.leavingOf(node), 0);
    }

    /// The window's last second still counts.
    function test_aStakeLeavesInTheLastSecondOfItsWindow() external {
        stakes.stake(node, 5);
        stakes.announceWithdrawal(node);
        vm.warp(stakes.stakeOf(node, address(this)).withdrawableFrom + stakes.WITHDRAWAL_WINDOW());
        stakes.withdraw(node);
        vm.assertEq(stakes.leavingOf(node), 0);
        vm.assertEq(protocolToken.balanceOf(address(stakes)), 0);
    }

    function test_aStakeThatNoTokenHasIsRefusedByName() external {
        stakes.stake(node, 5);
        vm.expectRevert(
            abi.encodeWithSelector(
                NodeStakes.StakeTooLarge.selector, node, address(this), uint256(type(uint128).max) + 5
            )
        );
        stakes.stake(node, type(uint128).max);
    }
}
