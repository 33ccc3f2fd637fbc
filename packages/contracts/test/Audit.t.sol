// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Anchors} from "../solidity/anchor/Anchors.sol";
import {ApprovalClass, Approvals} from "../solidity/governance/Approvals.sol";
import {DirectPayments, Offer} from "../solidity/market/DirectPayments.sol";
import {LivenessRewards} from "../solidity/market/LivenessRewards.sol";
import {NodeRegistry, SignedStatement} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Contribution, DataRegistry} from "../solidity/registry/DataRegistry.sol";
import {AuditWorld} from "./AuditWorld.sol";
import {CallingToken, ContractWallet} from "./OddTokens.sol";

/// What an auditor tries, each by its name.
contract AuditTest is AuditWorld {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    string private constant CONTRIBUTION_TYPE =
        "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)";

    function watch(LivenessRewards live) private returns (uint256) {
        protocolToken.approve(address(live), type(uint256).max);
        return live.open(protocolToken, address(7), leafOf(0, "chunk"), 1, 2 days, 10, 100);
    }

    /// A keeper of half of the data cannot wait 256 blocks for a draw that it likes better.
    function test_aKeeperGetsNoSecondDrawInAnEpoch() external {
        LivenessRewards live = new LivenessRewards();
        uint256 id = watch(live);
        live.challenge(id);
        vm.roll(block.number + 10_000);
        vm.expectRevert(abi.encodeWithSelector(LivenessRewards.ChallengeStands.selector, id, 1));
        live.challenge(id);
        refused(LivenessRewards.BlockUnknown.selector);
        live.answer(id, "chunk", new bytes32[](0));
        refused(LivenessRewards.BlockUnknown.selector);
        live.pin(id);
        // The next epoch is another matter.
        vm.warp(block.timestamp + 2 days);
        live.challenge(id);
        vm.assertEq(live.getChallenge(id).epoch, 2);
    }

    function test_aPinnedBlockOutlivesTheChainsMemory() external {
        LivenessRewards live = new LivenessRewards();
        uint256 id = watch(live);
        refused(LivenessRewards.NoChallenge.selector);
        live.pin(id);
        refused(LivenessRewards.NoChallenge.selector);
        live.chunkOf(id);
        live.challenge(id);
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, keccak256("seed"));
        uint256 asked = live.chunkOf(id);
        vm.prank(address(0xbad));
        live.pin(id);
        vm.assertEq(live.getChallenge(id).seed, keccak256("seed"));
        vm.roll(block.number + 10_000);
        vm.assertEq(live.chunkOf(id), asked);
        live.answer(id, "chunk", new bytes32[](0));
        vm.assertEq(protocolToken.balanceOf(address(7)), 10);
        refused(LivenessRewards.NoChallenge.selector);
        live.pin(id);
        live.close(id);
        vm.expectRevert(abi.encodeWithSelector(LivenessRewards.WatchUnknown.selector, id));
        live.chunkOf(id);
    }

    /// A challenge late in an epoch keeps its day, although the next epoch begins within it.
    function test_aNewEpochDoesNotTakeAwayTheTimeToAnswer() external {
        LivenessRewards live = new LivenessRewards();
        uint256 id = watch(live);
        vm.warp(block.timestamp + 2 days - 1);
        live.challenge(id);
        vm.warp(block.timestamp + 10);
        vm.expectRevert(abi.encodeWithSelector(LivenessRewards.ChallengeStands.selector, id, 1));
        live.challenge(id);
        vm.warp(block.timestamp + 1 days);
        live.challenge(id);
        vm.assertEq(live.getChallenge(id).epoch, 2);
    }

    function signedContribution(Contribution memory c, uint256 deadline) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(bytes(CONTRIBUTION_TYPE)), c.owner, c.pool, c.blobDigest, c.commitment, c.schemaId,
                c.consentDigest, c.epoch, keccak256(bytes(c.locator)), c.nonce, deadline
            )
        );
        return sign(OWNER_KEY, address(data), structHash);
    }

    /// The other signature that the curve allows for the same text, and the short form of the same signature.
    function others(bytes memory signature) private pure returns (bytes memory high, bytes memory compact) {
        (bytes32 r, bytes32 s, uint8 v) = (word(signature, 0), word(signature, 32), uint8(signature[64]));
        high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? 28 : 27);
        compact = abi.encodePacked(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    function word(bytes memory text, uint256 at) private pure returns (bytes32 result) {
        for (uint256 i; i < 32; ++i) result |= bytes32(text[at + i]) >> (8 * i);
    }

    function testFuzz_contributionSignaturesAreNotMalleable(uint256 salt) external {
        Contribution memory c = contributionOf(vm.addr(OWNER_KEY), pool);
        c.nonce = salt;
        uint256 deadline = block.timestamp + 1;
        bytes memory signature = signedContribution(c, deadline);
        (bytes memory high, bytes memory compact) = others(signature);
        vm.assertTrue(uint256(word(signature, 32)) <= HALF_ORDER);
        bytes memory invalid =
            abi.encodeWithSelector(DataRegistry.ContributionSignatureInvalid.selector, 0, c.owner);
        vm.expectRevert(invalid);
        data.contributeSigned(c, deadline, high);
        vm.expectRevert(invalid);
        data.contributeSigned(c, deadline, compact);
        vm.expectRevert(invalid);
        data.contributeSigned(c, deadline, bytes.concat(signature, hex"00"));
        vm.expectRevert(invalid);
        data.contributeSigned(c, deadline + 1, signature);
        data.contributeSigned(c, deadline, signature);
        vm.expectRevert(abi.encodeWithSelector(DataRegistry.NonceUsed.selector, 0, c.owner, salt));
        data.contributeSigned(c, deadline, signature);
    }

    /// A malleable signature may not look like a second, contradicting statement either.
    function test_theSameStatementTwiceSignedIsNoEquivocation() external {
        StatementProof memory proof = prove("sealpool/release/1", address(pool), bytes32("s"), bytes32("f"));
        SignedStatement memory first = SignedStatement(
            "sealpool/release/1", address(pool), bytes32("s"), bytes32("f"), proof.digest, proof.nonce, proof.signature
        );
        SignedStatement memory second = first;
        (bytes memory high,) = others(proof.signature);
        second = SignedStatement(
            first.kind, first.pool, first.subject, first.facts, first.digest, first.nonce, high
        );
        refused(NodeRegistry.StatementSignatureInvalid.selector);
        nodes.proveEquivocation(first, second);
        refused(NodeRegistry.NotEquivocation.selector);
        nodes.proveEquivocation(first, first);
    }

    /// Contract wallets contribute, withdraw and sell by ERC-1271; another wallet's owner does not sign for them.
    function test_contractWalletsContributeAndWithdraw() external {
        ContractWallet wallet = new ContractWallet(vm.addr(OWNER_KEY));
        ContractWallet stranger = new ContractWallet(address(5));
        Contribution memory c = contributionOf(address(stranger), pool);
        uint256 deadline = block.timestamp + 1;
        bytes memory signature = signedContribution(c, deadline);
        refused(DataRegistry.ContributionSignatureInvalid.selector);
        data.contributeSigned(c, deadline, signature);
        c.owner = address(wallet);
        signature = signedContribution(c, deadline);
        uint256 id = data.contributeSigned(c, deadline, signature);
        vm.assertEq(data.getRecord(id).owner, address(wallet));
        refused(DataRegistry.NonceUsed.selector);
        data.contributeSigned(c, deadline, signature);
        signature = sign(
            OWNER_KEY,
            address(data),
            keccak256(abi.encode(keccak256("Withdrawal(uint256 id,uint256 deadline)"), id, deadline))
        );
        data.withdrawSigned(id, deadline, signature);

        DirectPayments payments = new DirectPayments();
        CallingToken paid = new CallingToken();
        paid.approve(address(payments), type(uint256).max);
        Offer memory offer = offerOf(address(stranger), paid);
        signature = signedOffer(payments, offer);
        refused(DirectPayments.OfferSignatureInvalid.selector);
        payments.accept(offer, signature);
        offer.seller = address(wallet);
        payments.accept(offer, signedOffer(payments, offer));
        vm.assertEq(paid.balanceOf(address(payments)), 1_000);
    }

    /// A front-runner who copies an offer's acceptance, or a relayed contribution, gains nothing by being first.
    function test_copyingAnothersTransactionGainsNothing() external {
        Contribution memory c = contributionOf(vm.addr(OWNER_KEY), pool);
        bytes memory signature = signedContribution(c, block.timestamp);
        vm.prank(address(0xbad));
        uint256 id = data.contributeSigned(c, block.timestamp, signature);
        vm.assertEq(data.getRecord(id).owner, c.owner);
        DirectPayments payments = new DirectPayments();
        Offer memory offer = offerOf(vm.addr(OWNER_KEY), CallingToken(address(protocolToken)));
        signature = signedOffer(payments, offer);
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(DirectPayments.OnlyParty.selector, address(0xbad)));
        payments.accept(offer, signature);
    }

    /// Who consents and takes its data back does not speak for the rest any more.
    function test_consentEndsWithThePointsItWasGivenWith() external {
        uint256 id = accept(address(7), pool, 6_000);
        accept(address(8), pool, 4_000);
        vm.prank(pool.timelock());
        approvals.setClass(address(pool), ApprovalClass(0, 6_000));
        vm.prank(address(7));
        approvals.consent(address(pool), "digest");
        approvals.requireApproved(address(pool), "digest");
        bytes memory stands = abi.encodeWithSelector(
            Approvals.ConsentStands.selector, address(7), address(pool), bytes32("digest"), 6_000
        );
        vm.expectRevert(stands);
        approvals.lowerConsent(address(pool), "digest", address(7));
        vm.prank(address(7));
        data.withdraw(id);
        vm.prank(address(8));
        approvals.lowerConsent(address(pool), "digest", address(7));
        vm.assertEq(approvals.consentPoints(address(pool), "digest"), 0);
        vm.expectRevert(
            abi.encodeWithSelector(Approvals.ConsentMissing.selector, address(pool), bytes32("digest"), 0, 2_400)
        );
        approvals.requireApproved(address(pool), "digest");
        refused(Approvals.ConsentStands.selector);
        approvals.lowerConsent(address(pool), "digest", address(7));
        refused(Approvals.ConsentStands.selector);
        approvals.lowerConsent(address(pool), "digest", address(8));
    }

    function claimOf(bytes32 definition, bytes32 inputsRoot) private returns (StatementProof memory) {
        return prove(
            "sealpool/aggregate/1", address(pool), definition, keccak256(abi.encode(definition, inputsRoot))
        );
    }

    /// Over which inputs an aggregate is opened is said once: two openings of different subsets would tell one input.
    function test_theFirstClaimOnAnAggregateStands() external {
        Anchors anchors = new Anchors(nodes, factory);
        StatementProof memory first = claimOf("definition", "one");
        vm.expectRevert(abi.encodeWithSelector(Anchors.PoolUnknown.selector, 0, address(7)));
        anchors.claimAggregate(address(7), "definition", "one", first);
        refused(Anchors.RootZero.selector);
        anchors.claimAggregate(address(pool), "definition", 0, first);
        refused(NodeRegistry.StatementSignerNotActive.selector);
        anchors.claimAggregate(address(pool), "definition", "two", first);
        anchors.claimAggregate(address(pool), "definition", "one", first);
        bytes memory stands = abi.encodeWithSelector(
            Anchors.AggregateAlreadyClaimed.selector, address(pool), bytes32("definition"), bytes32("one")
        );
        StatementProof memory second = claimOf("definition", "two");
        vm.expectRevert(stands);
        anchors.claimAggregate(address(pool), "definition", "two", second);
        vm.expectRevert(stands);
        anchors.claimAggregate(address(pool), "definition", "one", first);
        vm.assertEq(anchors.aggregateOf(address(pool), "definition").inputsRoot, bytes32("one"));
        vm.assertEq(anchors.aggregateOf(address(pool), "definition").node, vm.addr(NODE_KEY));
        vm.assertEq(anchors.aggregateOf(address(pool), "definition").claimedAt, block.timestamp);
        // Signing both is a proof against the node.
        nodes.proveEquivocation(
            SignedStatement(
                "sealpool/aggregate/1", address(pool), "definition",
                keccak256(abi.encode(bytes32("definition"), bytes32("one"))), first.digest, first.nonce, first.signature
            ),
            SignedStatement(
                "sealpool/aggregate/1", address(pool), "definition",
                keccak256(abi.encode(bytes32("definition"), bytes32("two"))),
                second.digest, second.nonce, second.signature
            )
        );
        vm.assertTrue(nodes.equivocated(vm.addr(NODE_KEY)));
    }

    /// A node cannot skip or rewrite what it anchored before.
    function test_aBudgetHeadNamesTheOneBefore() external {
        Anchors anchors = new Anchors(nodes, factory);
        bytes32 facts = keccak256(abi.encode(uint256(1), bytes32("one"), bytes32(0)));
        StatementProof memory proof = prove("sealpool/budget-head/1", address(pool), bytes32(uint256(1)), facts);
        vm.expectRevert(abi.encodeWithSelector(Anchors.PreviousOther.selector, bytes32("x"), bytes32(0)));
        anchors.anchorBudget(address(pool), 1, "one", "x", proof);
        anchors.anchorBudget(address(pool), 1, "one", 0, proof);
        vm.expectRevert(abi.encodeWithSelector(Anchors.PreviousOther.selector, bytes32(0), bytes32("one")));
        anchors.anchorBudget(address(pool), 2, "two", 0, proof);
        vm.expectRevert(abi.encodeWithSelector(Anchors.SequenceNotNext.selector, 1, 2));
        anchors.anchorBudget(address(pool), 1, "one", 0, proof);
    }
}
