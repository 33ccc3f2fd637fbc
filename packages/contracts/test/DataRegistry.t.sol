// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {PoolLedger} from "../solidity/pool/PoolLedger.sol";
import {Contribution, DataRegistry, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {World} from "./World.sol";

contract DataRegistryTest is World {
    function setUp() public {
        build();
    }

    bytes32 private constant TYPEHASH = keccak256(
        "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)"
    );

    function structHash(Contribution memory c, uint256 deadline) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TYPEHASH,
                c.owner,
                c.pool,
                c.blobDigest,
                c.commitment,
                c.schemaId,
                c.consentDigest,
                c.epoch,
                keccak256(bytes(c.locator)),
                c.nonce,
                deadline
            )
        );
    }

    /// Upstream hole (vana.md 2): the owner of a file was whatever the caller said.
    function testFuzz_ownerIsTheSignerNeverAClaim(uint256 key, address claimed) external {
        key = bound(key, 1, 1e30);
        address owner = vm.addr(key);
        Contribution memory contribution = contributionOf(owner, pool);
        bytes memory signature = sign(key, address(data), structHash(contribution, block.timestamp));
        if (claimed != owner) {
            contribution.owner = claimed;
            vm.expectPartialRevert(DataRegistry.ContributionSignatureInvalid.selector);
            data.contributeSigned(contribution, block.timestamp, signature);
            contribution.owner = owner;
        }
        vm.assertEq(data.contributeSigned(contribution, block.timestamp, signature), 1);
        vm.assertEq(data.getRecord(1).owner, owner);
    }

    /// Upstream hole: proofs were not bound to the chain.
    function test_aStatementMadeForAnotherChainMeansNothingHere() external {
        uint256 id = offer(address(7), pool);
        VerdictEntry[] memory entries = verdictOf(id, 1, false);
        // A number, not the chain's identifier: the IR may read that again after it was changed.
        uint256 here = 31_337;
        vm.chainId(here);
        vm.chainId(here + 1);
        StatementProof memory proof = proveVerdicts(pool, entries);
        vm.chainId(here);
        vm.expectPartialRevert(NodeRegistry.StatementSignerNotActive.selector);
        data.recordVerdicts(address(pool), entries, proof);
    }

    /// Upstream hole: one proof was paid by two pools.
    function test_aProofForOnePoolIsNotPaidByAnother() external {
        Pool other = found("other", 0);
        uint256 id = offer(address(7), pool);
        VerdictEntry[] memory entries = verdictOf(id, 10_000, false);
        StatementProof memory proof = proveVerdicts(pool, entries);
        vm.expectPartialRevert(NodeRegistry.StatementSignerNotActive.selector);
        data.recordVerdicts(address(other), entries, proof);
        data.recordVerdicts(address(pool), entries, proof);
        vm.assertEq(token.balanceOf(address(7)), REWARD);
        vm.assertEq(PoolToken(other.token()).balanceOf(address(7)), 0);
    }

    /// Upstream hole: metadata and address could be shifted against each other under one signature.
    function testFuzz_theLocatorIsSignedByItself(string calldata locator) external {
        uint256 length = bytes(locator).length;
        if (length == 0 || length > 512) return;
        Contribution memory contribution = contributionOf(vm.addr(5), pool);
        contribution.locator = locator;
        bytes memory signature = sign(5, address(data), structHash(contribution, block.timestamp));
        contribution.locator = string.concat(locator, "x");
        vm.expectPartialRevert(DataRegistry.ContributionSignatureInvalid.selector);
        data.contributeSigned(contribution, block.timestamp, signature);
    }

    /// Upstream hole: wrapped keys and addresses were kept as text in storage, 375,000 gas for each key.
    function testFuzz_noTextOfAContributionIsStored(string calldata locator) external {
        uint256 length = bytes(locator).length;
        if (length == 0 || length > 512) return;
        offer(address(7), pool);
        Contribution memory contribution = contributionOf(address(8), pool);
        contribution.locator = locator;
        vm.record();
        vm.prank(address(8));
        data.contribute(contribution);
        (, bytes32[] memory writes) = vm.accesses(address(data));
        // The count of contributions, and one slot for this one, which the compiler may write once for each member.
        uint256 slots;
        for (uint256 i; i < writes.length; ++i) {
            bool before;
            for (uint256 j; j < i; ++j) before = before || writes[j] == writes[i];
            if (!before) ++slots;
        }
        vm.assertEq(slots, 2);
        (, writes) = vm.accesses(address(pool));
        vm.assertEq(writes.length, 0);
    }

    function testFuzz_rewardFollowsTheScoreExactly(uint16 score) external {
        score = uint16(bound(score, 0, 10_000));
        accept(address(7), pool, score);
        vm.assertEq(token.balanceOf(address(7)), uint256(REWARD) * score / 10_000);
        vm.assertEq(token.getVotes(address(7)), token.balanceOf(address(7)));
        vm.assertEq(pool.pointsOf(address(7)), score);
    }

    function testFuzz_scoresOverTheFullScoreAreRefused(uint16 score) external {
        score = uint16(bound(score, 10_001, type(uint16).max));
        uint256 id = offer(address(7), pool);
        VerdictEntry[] memory entries = verdictOf(id, score, false);
        StatementProof memory proof = proveVerdicts(pool, entries);
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.ScoreInvalid.selector, id, score, false));
        data.recordVerdicts(address(pool), entries, proof);
    }

    function testFuzz_aNonceCountsOnce(uint256 nonce_, uint256 key) external {
        key = bound(key, 1, 1e30);
        address owner = vm.addr(key);
        Contribution memory contribution = contributionOf(owner, pool);
        contribution.nonce = nonce_;
        bytes memory signature = sign(key, address(data), structHash(contribution, block.timestamp));
        vm.assertFalse(data.nonceUsed(owner, nonce_));
        data.contributeSigned(contribution, block.timestamp, signature);
        vm.assertTrue(data.nonceUsed(owner, nonce_));
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, owner, nonce_));
        data.contributeSigned(contribution, block.timestamp, signature);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, owner, nonce_));
        data.contribute(contribution);
    }

    function testFuzz_aCancelledNonceMakesItsSignaturesWorthless(uint256 nonce_) external {
        Contribution memory contribution = contributionOf(vm.addr(5), pool);
        contribution.nonce = nonce_;
        bytes memory signature = sign(5, address(data), structHash(contribution, block.timestamp));
        vm.prank(vm.addr(5));
        data.cancelNonce(nonce_);
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, vm.addr(5), nonce_));
        data.contributeSigned(contribution, block.timestamp, signature);
    }

    function test_aStatementCountsOnceInEachContract() external {
        uint256 id = offer(address(7), pool);
        VerdictEntry[] memory entries = verdictOf(id, 1, false);
        StatementProof memory proof = proveVerdicts(pool, entries);
        data.recordVerdicts(address(pool), entries, proof);
        vm.expectPartialRevert(DataRegistry.VerdictAlreadyRecorded.selector);
        data.recordVerdicts(address(pool), entries, proof);
    }

    function test_aPoolWithARequiredMeasurementTakesNoVerdictsOfAnother() external {
        bytes32 another = keccak256("another measurement");
        uint256 strangerKey = 0x07e4;
        register(strangerKey, another);
        vm.assertTrue(nodes.isActive(vm.addr(strangerKey)));
        uint256 id = offer(address(7), pool);
        PoolRules memory rules = pool.rules();
        rules.measurement = MEASUREMENT;
        vm.prank(pool.timelock());
        pool.setRules(rules);
        VerdictEntry[] memory entries = verdictOf(id, 10_000, false);
        StatementProof memory strangers = proveVerdictsBy(strangerKey, pool, entries);
        vm.expectRevert(
            abi.encodeWithSelector(Pool.NodeNotAccepted.selector, vm.addr(strangerKey), another, MEASUREMENT)
        );
        data.recordVerdicts(address(pool), entries, strangers);
        data.recordVerdicts(address(pool), entries, proveVerdicts(pool, entries));
        vm.assertEq(token.balanceOf(address(7)), REWARD);
    }

    function test_aNewPolicyClosesThePoolUntilAKeyOfItIsPublished() external {
        PoolRules memory rules = pool.rules();
        rules.policyDigest = keccak256("narrower");
        vm.prank(pool.timelock());
        pool.setRules(rules);
        Contribution memory contribution = contributionOf(address(7), pool);
        vm.prank(address(7));
        vm.expectRevert(
            abi.encodeWithSelector(Pool.EpochPolicyStale.selector, POLICY, rules.policyDigest)
        );
        data.contribute(contribution);
    }

    function test_nobodyButRegistryBoardAndTimelockMovesAPool() external {
        address[] memory accounts = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        accounts[0] = address(this);
        amounts[0] = 1e30;
        vm.expectPartialRevert(PoolLedger.OnlyDataRegistry.selector);
        pool.reward(accounts, amounts);
        vm.expectPartialRevert(PoolToken.OnlyPool.selector);
        token.mintRewards(accounts, amounts);
        vm.expectPartialRevert(PoolLedger.OnlyJobBoard.selector);
        pool.distribute(1);
        PoolRules memory rules = pool.rules();
        vm.expectPartialRevert(Pool.OnlyTimelock.selector);
        pool.setRules(rules);
    }

    function test_theBoardCannotDistributeWhatItHasNotPaid() external {
        accept(address(7), pool, 10_000);
        vm.prank(address(board));
        vm.expectPartialRevert(PoolLedger.DistributionUnpaid.selector);
        pool.distribute(1);
    }
}
