// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {WalletConfirmation} from "../solidity/registry/WalletConfirmation.sol";
import {Contribution, DataRegistry} from "../solidity/registry/DataRegistry.sol";
import {ContractWallet} from "./OddTokens.sol";
import {Log} from "./Vm.sol";
import {World} from "./World.sol";

/// A wallet that answers as it is told: it burns all gas, returns a long answer, fails, or says no.
contract HostileWallet {
    enum Answer {
        Burn,
        Bomb,
        Fail,
        No,
        Short
    }

    Answer private immutable _answer;

    error NotToday(uint256 time);

    constructor(Answer answer) {
        _answer = answer;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        Answer answer = _answer;
        if (answer == Answer.Fail) revert NotToday(block.timestamp);
        if (answer == Answer.No) return 0xffffffff;
        assembly {
            if eq(answer, 1) {
                mstore(0, 0x1626ba7e00000000000000000000000000000000000000000000000000000001)
                return(0, 100000)
            }
            if eq(answer, 4) {
                mstore(0, 0x1626ba7e00000000000000000000000000000000000000000000000000000000)
                return(0, 31)
            }
            for {} 1 {} {}
        }
    }
}

/// One contract wallet in a batch of relayed contributions spends and decides for itself only.
contract WalletBatchesTest is World {
    uint256 private constant OWNER_KEY = 0x0e0e;
    bytes32 private constant TYPEHASH = keccak256(
        "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)"
    );

    function setUp() public {
        build();
    }

    function signed(Contribution memory c, uint256 deadline) private view returns (bytes memory) {
        bytes32 locator = keccak256(bytes(c.locator));
        return sign(
            OWNER_KEY,
            address(data),
            keccak256(
                abi.encode(
                    TYPEHASH, c.owner, c.pool, c.blobDigest, c.commitment, c.schemaId, c.consentDigest, c.epoch,
                    locator, c.nonce, deadline
                )
            )
        );
    }

    function batchOf(address[] memory owners)
        private
        returns (Contribution[] memory contributions, uint256[] memory deadlines, bytes[] memory signatures)
    {
        contributions = new Contribution[](owners.length);
        deadlines = new uint256[](owners.length);
        signatures = new bytes[](owners.length);
        for (uint256 i; i < owners.length; ++i) {
            contributions[i] = contributionOf(owners[i], pool);
            deadlines[i] = block.timestamp;
            signatures[i] = signed(contributions[i], deadlines[i]);
        }
    }

    function two(address first, address second) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }

    function test_aHostileWalletSpendsABoundAndEndsNothing() external {
        for (uint256 answer; answer < 5; ++answer) {
            address hostile = address(new HostileWallet(HostileWallet.Answer(answer)));
            (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
                batchOf(two(hostile, vm.addr(OWNER_KEY)));
            uint256 before = gasleft();
            vm.recordLogs();
            // Bounded, or a wallet without bound would not fail here but never end.
            uint256 first = data.contributeBatch{gas: 3_000_000}(c, deadlines, signatures);
            vm.assertLe(before - gasleft(), data.WALLET_GAS() + 400_000);
            vm.assertEq(data.contributionCount(), first);
            vm.assertEq(data.getRecord(first).owner, vm.addr(OWNER_KEY));
            vm.assertFalse(data.nonceUsed(hostile, c[0].nonce));
            Log[] memory logs = vm.getRecordedLogs();
            vm.assertEq(logs[0].topics[0], DataRegistry.ContributionNotSigned.selector);
            vm.assertEq(address(uint160(uint256(logs[0].topics[1]))), hostile);
        }
    }

    function test_anHonestWalletIsRecordedOnceBesideOthers() external {
        address wallet = address(new ContractWallet(vm.addr(OWNER_KEY)));
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(wallet, vm.addr(OWNER_KEY)));
        uint256 first = data.contributeBatch(c, deadlines, signatures);
        vm.assertEq(data.getRecord(first).owner, wallet);
        vm.assertEq(data.getRecord(first + 1).owner, vm.addr(OWNER_KEY));
        vm.assertTrue(data.nonceUsed(wallet, c[0].nonce));
        // Sent again: both are known, and the error is about that.
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, wallet, c[0].nonce));
        data.contributeBatch(c, deadlines, signatures);
    }

    function test_aWalletsSignatureIsForItsEntryOnly() external {
        address wallet = address(new ContractWallet(vm.addr(OWNER_KEY)));
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(wallet, vm.addr(OWNER_KEY)));
        c[0].locator = "memory:other";
        uint256 first = data.contributeBatch(c, deadlines, signatures);
        vm.assertEq(data.contributionCount(), first);
        // Nothing of a batch is left: that is an error, by name.
        (c[1], deadlines[1], signatures[1]) = (c[0], deadlines[0], signatures[0]);
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.ContributionSignatureInvalid.selector, 0, wallet));
        data.contributeBatch(c, deadlines, signatures);
        deadlines[0] = block.timestamp - 1;
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.SignatureExpired.selector, 0, block.timestamp - 1));
        data.contributeBatch(c, deadlines, signatures);
    }

    /// Too little gas for the wallet is the sender's fault, and makes no honest wallet look as if it had refused.
    function test_aSenderCannotStarveAWallet() external {
        address wallet = address(new ContractWallet(vm.addr(OWNER_KEY)));
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(wallet, vm.addr(OWNER_KEY)));
        refused(WalletConfirmation.WalletGasShort.selector);
        data.contributeBatch{gas: 490_000}(c, deadlines, signatures);
        vm.assertEq(data.contributionCount(), 0);
    }

    /// An account whose code is gone when the batch is mined (EIP-7702), or that never had a key that signs: its entry alone is left
    /// out, and it is no error while another one is left.
    function test_aKeysOwnFaultLeavesOutItsOwnEntry() external {
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(vm.addr(OWNER_KEY), address(0x77)));
        vm.recordLogs();
        uint256 first = data.contributeBatch(c, deadlines, signatures);
        vm.assertEq(data.contributionCount(), first);
        vm.assertEq(data.getRecord(first).owner, vm.addr(OWNER_KEY));
        vm.assertFalse(data.nonceUsed(address(0x77), c[1].nonce));
        Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[1].topics[0], DataRegistry.ContributionNotSigned.selector);
        vm.assertEq(address(uint160(uint256(logs[1].topics[1]))), address(0x77));
    }

    /// Who signs for a moment only, which is over when the batch is mined, holds up nobody else.
    function test_whatHasExpiredIsLeftOut() external {
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(vm.addr(OWNER_KEY), vm.addr(OWNER_KEY)));
        deadlines[1] += 1;
        signatures[1] = signed(c[1], deadlines[1]);
        vm.warp(deadlines[1]);
        uint256 first = data.contributeBatch(c, deadlines, signatures);
        vm.assertEq(data.contributionCount(), first);
        vm.assertTrue(data.nonceUsed(vm.addr(OWNER_KEY), c[1].nonce));
        vm.assertFalse(data.nonceUsed(vm.addr(OWNER_KEY), c[0].nonce));
    }

    /// The signature of nobody is not the zero address's.
    function test_nobodyOwnsNothing() external {
        (Contribution[] memory c, uint256[] memory deadlines, bytes[] memory signatures) =
            batchOf(two(address(0), vm.addr(OWNER_KEY)));
        signatures[0] = new bytes(65);
        uint256 first = data.contributeBatch(c, deadlines, signatures);
        vm.assertEq(data.contributionCount(), first);
        vm.assertEq(data.getRecord(first).owner, vm.addr(OWNER_KEY));
    }
}
