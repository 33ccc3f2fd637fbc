// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {VotingToken} from "../solidity/token/VotingToken.sol";
import {CheckpointedToken} from "./stand-in/CheckpointedToken.sol";
import {Log, TestBase} from "./Vm.sol";

/// A pool's token beside OpenZeppelin's ERC20Votes: whatever is done to both, nobody can tell them apart.
contract VotingTokenTest is TestBase {
    uint256 private constant START = 1_800_000_000;
    uint256 private constant CAP = 1e24;
    uint256 private constant KEY = 0xd1e9a7e;
    address private constant TREASURY = address(0x7000);
    address private constant ESCROW = address(0xe000);
    address private constant MEMBER = address(0x1001);
    address private constant OTHER = address(0x1002);
    bytes32 private constant DELEGATION = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");

    PoolToken private token;
    CheckpointedToken private like;

    function setUp() public {
        vm.warp(START);
        token = tokenOf(CAP);
        like = new CheckpointedToken(TREASURY, ESCROW);
    }

    function tokenOf(uint256 cap) private returns (PoolToken) {
        return new PoolToken(
            "reference", "REF", address(this), TREASURY, ESCROW, cap, new address[](0), new uint256[](0)
        );
    }

    function mint(address to, uint256 value) private {
        (address[] memory accounts, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (accounts[0], amounts[0]) = (to, value);
        token.mintRewards(accounts, amounts);
    }

    function actor(uint8 seed) private pure returns (address) {
        uint8 which = seed % 6;
        return which == 4 ? TREASURY : which == 5 ? ESCROW : address(uint160(0x1001 + which));
    }

    /// One step for each four bytes: what, who, whom, how much.
    function testFuzz_behavesAsOpenZeppelinsVotes(bytes calldata steps) external {
        uint256 count = steps.length / 4 > 24 ? 24 : steps.length / 4;
        vm.recordLogs();
        for (uint256 i; i < count; ++i) {
            (uint8 what, uint8 who, uint8 whom, uint8 much) =
                (uint8(steps[4 * i]), uint8(steps[4 * i + 1]), uint8(steps[4 * i + 2]), uint8(steps[4 * i + 3]));
            step(what % 8, actor(who), actor(whom), uint256(much) * 1e15);
            sameLogs();
        }
        vm.warp(block.timestamp + 1);
        for (uint8 who; who < 6; ++who) same(actor(who));
        same(address(0));
        vm.assertEq(token.totalSupply(), like.totalSupply(), "supply");
        for (uint256 time = START - 2; time < block.timestamp; ++time) {
            vm.assertEq(token.getPastTotalSupply(time), like.getPastTotalSupply(time), "past supply");
        }
    }

    function step(uint8 what, address who, address whom, uint256 value) private {
        if (what < 2) {
            mint(whom, value);
            // Nothing is minted where nothing is due.
            if (value != 0) like.mint(whom, value);
        } else if (what < 5) {
            (bool done, bool alike) = both(who, abi.encodeCall(token.transfer, (whom, value)));
            vm.assertTrue(done == alike);
        } else if (what == 5) {
            (bool done, bool alike) = both(who, abi.encodeCall(token.burn, (value)));
            vm.assertTrue(done == alike);
        } else if (what == 6) {
            address to = value % 7e15 == 0 ? address(0) : whom;
            (bool done, bool alike) = both(who, abi.encodeCall(token.delegate, (to)));
            vm.assertTrue(done == alike);
        } else {
            vm.warp(block.timestamp + value / 1e15 % 4);
        }
    }

    function both(address who, bytes memory data) private returns (bool done, bool alike) {
        vm.prank(who);
        (done,) = address(token).call(data);
        vm.prank(who);
        (alike,) = address(like).call(data);
    }

    function sameLogs() private {
        Log[] memory logs = vm.getRecordedLogs();
        bytes32[2] memory seen;
        for (uint256 i; i < logs.length; ++i) {
            uint256 which = logs[i].emitter == address(token) ? 0 : 1;
            seen[which] = keccak256(abi.encode(seen[which], logs[i].topics, logs[i].data));
        }
        vm.assertEq(seen[0], seen[1]);
    }

    function same(address who) private view {
        vm.assertEq(token.balanceOf(who), like.balanceOf(who), "balance");
        vm.assertEq(token.getVotes(who), like.getVotes(who), "votes");
        vm.assertEq(token.delegates(who), like.delegates(who));
        uint32 count = like.numCheckpoints(who);
        vm.assertEq(token.numCheckpoints(who), count, "number of checkpoints");
        for (uint32 i; i < count; ++i) {
            vm.assertEq(token.checkpoints(who, i)._key, like.checkpoints(who, i)._key, "time of a checkpoint");
            vm.assertEq(token.checkpoints(who, i)._value, like.checkpoints(who, i)._value, "checkpoint");
        }
        for (uint256 time = START - 2; time < block.timestamp; ++time) {
            vm.assertEq(token.getPastVotes(who, time), like.getPastVotes(who, time), "past votes");
        }
    }

    /// Many checkpoints, so that the search in them takes every turn.
    function test_everySecondOfAHistoryIsFound() external {
        for (uint256 i; i < 33; ++i) {
            vm.warp(START + 3 * i);
            mint(MEMBER, 1);
        }
        vm.warp(START + 200);
        for (uint256 i; i < 99; ++i) vm.assertEq(token.getPastVotes(MEMBER, START + i), i / 3 + 1);
        vm.assertEq(token.getPastVotes(MEMBER, START - 1), 0);
        vm.assertEq(token.getPastVotes(MEMBER, 0), 0);
        vm.assertEq(token.numCheckpoints(MEMBER), 33);
    }

    function test_thereAreNoCheckpointsBeyondTheLast() external {
        refused(VotingToken.CheckpointUnknown.selector);
        token.checkpoints(MEMBER, 0);
        mint(MEMBER, 1);
        token.checkpoints(MEMBER, 0);
        refused(VotingToken.CheckpointUnknown.selector);
        token.checkpoints(MEMBER, 1);
    }

    function test_votesOfNowAndLaterAreNotPast() external {
        mint(MEMBER, 5);
        refused(VotingToken.ERC5805FutureLookup.selector);
        token.getPastVotes(MEMBER, START);
        refused(VotingToken.ERC5805FutureLookup.selector);
        token.getPastTotalSupply(START);
        refused(VotingToken.ERC5805FutureLookup.selector);
        token.getPastVotes(MEMBER, type(uint256).max);
    }

    function test_theSupplyEndsAtTheCap() external {
        mint(MEMBER, CAP);
        refused(VotingToken.ERC20ExceededCap.selector);
        mint(OTHER, 1);
        vm.prank(MEMBER);
        token.burn(1);
        mint(OTHER, 1);
        vm.assertEq(token.totalSupply(), CAP);
    }

    /// Numbers that do not fit a slot are refused, never cut.
    function test_numbersThatDoNotFitAreRefused() external {
        refused(VotingToken.ERC20ExceededSafeSupply.selector);
        tokenOf(1 << 96);
        token = tokenOf(type(uint96).max);
        mint(MEMBER, type(uint96).max);
        refused(VotingToken.ERC20ExceededCap.selector);
        mint(MEMBER, 1 << 96);
        vm.expectRevert();
        mint(MEMBER, type(uint256).max);
        refused(IERC20Errors.ERC20InsufficientBalance.selector);
        vm.prank(OTHER);
        token.transfer(MEMBER, 1 << 96);
        refused(IERC20Errors.ERC20InsufficientBalance.selector);
        vm.prank(MEMBER);
        token.transfer(OTHER, 1 << 96);
        vm.prank(MEMBER);
        token.transfer(OTHER, type(uint96).max);
        vm.assertEq(token.getVotes(OTHER), type(uint96).max);
        vm.assertEq(token.getVotes(MEMBER), 0);
    }

    /// After 136 years the clock of checkpoints stands still, and tokens still move.
    function test_tokensMoveWhenTheClockHasRunOut() external {
        mint(MEMBER, 10);
        vm.warp(START + (1 << 32) + 5);
        vm.prank(MEMBER);
        token.transfer(OTHER, 4);
        vm.warp(START + (1 << 33));
        vm.prank(MEMBER);
        token.transfer(OTHER, 4);
        vm.assertEq(token.balanceOf(OTHER), 8);
        vm.assertEq(token.getVotes(OTHER), 8);
        vm.assertEq(token.getPastVotes(MEMBER, START), 10);
        vm.assertEq(token.numCheckpoints(OTHER), 1);
    }

    function test_aSignedDelegationCountsOnceAndInTime() external {
        address holder = vm.addr(KEY);
        mint(holder, 7);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, delegationHash(address(token), 0, START + 1));
        refused(Nonces.InvalidAccountNonce.selector);
        token.delegateBySig(OTHER, 1, START + 1, v, r, s);
        token.delegateBySig(OTHER, 0, START + 1, v, r, s);
        vm.assertEq(token.getVotes(OTHER), 7);
        vm.assertEq(token.getVotes(holder), 0);
        refused(Nonces.InvalidAccountNonce.selector);
        token.delegateBySig(OTHER, 0, START + 1, v, r, s);
        (v, r, s) = vm.sign(KEY, delegationHash(address(token), 1, START - 1));
        refused(IVotes.VotesExpiredSignature.selector);
        token.delegateBySig(OTHER, 1, START - 1, v, r, s);
    }

    /// A signature for another token names another signer here, who has nothing.
    function test_aDelegationForAnotherTokenMovesNothingHere() external {
        address holder = vm.addr(KEY);
        mint(holder, 7);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, delegationHash(address(like), 0, START + 1));
        token.delegateBySig(OTHER, 0, START + 1, v, r, s);
        vm.assertEq(token.delegates(holder), holder);
        vm.assertEq(token.getVotes(OTHER), 0);
    }

    function delegationHash(address of_, uint256 nonce, uint256 expiry) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("reference"),
                keccak256("1"),
                block.chainid,
                of_
            )
        );
        bytes32 hash = keccak256(abi.encode(DELEGATION, OTHER, nonce, expiry));
        return keccak256(abi.encodePacked("\x19\x01", domain, hash));
    }

    function test_theClockIsTime() external view {
        vm.assertEq(token.clock(), START);
        vm.assertEq(keccak256(bytes(token.CLOCK_MODE())), keccak256("mode=timestamp"));
    }
}
