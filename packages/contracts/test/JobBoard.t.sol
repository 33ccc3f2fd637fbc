// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {JobEscrow} from "../solidity/job/JobEscrow.sol";
import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {Permissions, Terms} from "../solidity/permission/Permissions.sol";
import {FeeToken} from "./OddTokens.sol";
import {World} from "./World.sol";

contract JobBoardTest is World {
    bytes32 private constant MANIFEST = keccak256("manifest");

    function setUp() public {
        build();
    }

    function propose(uint256 ceiling) private returns (uint256) {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        return board.propose(MANIFEST, "", pools, ceiling, uint64(block.timestamp + 1 days));
    }

    function terms(uint128 price, uint32 runs) private view returns (Terms memory) {
        return Terms(price, 0, runs, uint64(block.timestamp), uint64(block.timestamp + 1 days), 0);
    }

    /// Upstream hole: jobs were accepted and paid that no pool had approved.
    function testFuzz_nobodyButThePoolsTimelockApproves(address caller) external {
        // The board itself is whom `record` is for; as the caller of `approve` it is no timelock either.
        if (caller == pool.timelock() || caller == address(vm) || caller == address(board)) return;
        uint256 id = propose(type(uint256).max);
        Terms memory offered = terms(1, 1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(JobStore.OnlyPoolTimelock.selector, caller, address(pool)));
        board.approve(id, address(pool), address(this), MANIFEST, offered);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Permissions.OnlyJobBoard.selector, caller, address(board)));
        permissions.record(caller, address(pool), keccak256("manifest"), offered);
    }

    /// A vote is over a consumer and a digest. Its number may belong to another job when the vote is carried out: numbers are
    /// counters, and a reorganisation counts anew.
    function test_aVoteForOneJobApprovesNoOtherOfItsNumber() external {
        vm.prank(address(0xbad));
        uint256 id = propose(type(uint256).max);
        Terms memory offered = terms(1, 1);
        address lock = pool.timelock();
        bytes memory other = abi.encodeWithSelector(JobBoard.JobIsOther.selector, id, address(0xbad), MANIFEST);
        vm.prank(lock);
        vm.expectRevert(other);
        board.approve(id, address(pool), address(this), MANIFEST, offered);
        vm.prank(lock);
        vm.expectRevert(other);
        board.approve(id, address(pool), address(0xbad), keccak256("another manifest"), offered);
        vm.assertEq(permissions.getGrant(address(0xbad), address(pool), MANIFEST).terms.runs, 0);
        vm.prank(lock);
        board.approve(id, address(pool), address(0xbad), MANIFEST, offered);
    }

    /// Who votes for a manifest does not grant every instance of a template.
    function test_aVoteForAManifestGrantsNoTemplate() external {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        bytes32 template = keccak256("template");
        uint256 id = board.proposeJob(
            JobProposal(MANIFEST, template, 0, 0, "", pools, 1, uint64(block.timestamp + 1 days), JobClass.Open)
        );
        address lock = pool.timelock();
        vm.prank(lock);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.JobIsOther.selector, id, address(this), template));
        board.approve(id, address(pool), address(this), MANIFEST, terms(1, 1));
        vm.prank(lock);
        board.approve(id, address(pool), address(this), template, terms(1, 1));
        vm.assertEq(permissions.getGrant(address(this), address(pool), template).terms.runs, 1);
    }

    function testFuzz_aGrantIsNeverUsedPastItsCount(uint32 runs, uint8 attempts) external {
        runs = uint32(bound(runs, 1, 6));
        uint256 first = propose(type(uint256).max);
        Terms memory offered = terms(10, runs);
        vm.prank(pool.timelock());
        board.approve(first, address(pool), address(this), MANIFEST, offered);
        protocolToken.approve(address(board), type(uint256).max);
        uint256 paid;
        uint256[] memory ids = new uint256[](10);
        ids[0] = first;
        for (uint256 i = 1; i < ids.length; ++i) ids[i] = propose(type(uint256).max);
        for (uint256 i; i < bound(attempts, 1, 10); ++i) {
            try board.fund(ids[i]) {
                ++paid;
            } catch {}
        }
        vm.assertLe(paid, runs);
        vm.assertEq(permissions.getGrant(address(this), address(pool), keccak256("manifest")).used, paid);
        vm.assertEq(protocolToken.balanceOf(address(board)), paid * 10);
    }

    function test_aGrantPaysForNothingBeforeItOpens() external {
        uint64 opensAt = uint64(block.timestamp + 100);
        uint64 closesAt = opensAt + 1 hours;
        uint256 id = propose(10);
        vm.prank(pool.timelock());
        board.approve(id, address(pool), address(this), MANIFEST, Terms(10, 0, 1, opensAt, closesAt, 0));
        protocolToken.approve(address(board), 10);
        vm.warp(opensAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                Permissions.GrantOutsideWindow.selector, address(this), pool, keccak256("manifest"), opensAt, closesAt
            )
        );
        board.fund(id);
        vm.warp(opensAt);
        board.fund(id);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Funded));
    }

    function testFuzz_settlementBurnsAndSharesEveryUnit(uint128 price) external {
        accept(address(7), pool, 10_000);
        price = uint128(bound(price, 0, type(uint96).max));
        uint256 id = propose(price);
        Terms memory offered = terms(price, 1);
        vm.prank(pool.timelock());
        board.approve(id, address(pool), address(this), MANIFEST, offered);
        protocolToken.approve(address(board), price);
        board.fund(id);
        bytes32 manifest = keccak256("manifest");
        board.start(id, prove(board.START_STATEMENT(), address(pool), bytes32(id), keccak256(abi.encode(manifest))));
        bytes32[] memory heads = new bytes32[](1);
        board.release(
            id,
            bytes32("receipt"),
            bytes32("result"),
            heads,
            prove(
                board.RELEASE_STATEMENT(),
                address(pool),
                subjectOf(board.RELEASE_STATEMENT(), id),
                keccak256(abi.encode(manifest, bytes32("receipt"), bytes32("result"), heads[0]))
            )
        );
        uint256 supply = protocolToken.totalSupply();
        board.settle(id);
        uint256 burned = uint256(price) * 2_000 / 10_000;
        vm.assertEq(supply - protocolToken.totalSupply(), burned);
        vm.assertEq(protocolToken.balanceOf(address(pool)), price - burned);
        vm.assertEq(protocolToken.balanceOf(address(board)), 0);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Settled));
    }

    function test_aTokenThatKeepsAFeeCannotFillAnEscrow() external {
        FeeToken fee = new FeeToken();
        JobBoard other = new JobBoard(fee, nodes, factory, permissions, credits, 0);
        // The grants of this deployment answer to its own board: lend its place to the other one.
        Permissions lent = new Permissions(
            factory, vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1), approvals
        );
        other = new JobBoard(fee, nodes, factory, lent, credits, 0);
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        uint256 id = other.propose(keccak256("manifest"), "", pools, 1e18, uint64(block.timestamp + 1 days));
        Terms memory offered = terms(1_000, 1);
        vm.prank(pool.timelock());
        other.approve(id, address(pool), address(this), MANIFEST, offered);
        fee.approve(address(other), 1_000);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.EscrowShort.selector, address(fee), 990, 1_000));
        other.fund(id);
    }
}
