// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Anchors} from "../solidity/anchor/Anchors.sol";
import {ApprovalClass, Approvals} from "../solidity/governance/Approvals.sol";
import {DirectPayments, Offer} from "../solidity/market/DirectPayments.sol";
import {Disputes} from "../solidity/market/Disputes.sol";
import {LivenessRewards} from "../solidity/market/LivenessRewards.sol";
import {TokenPayout} from "../solidity/market/TokenPayout.sol";
import {RevenueSplit} from "../solidity/market/RevenueSplit.sol";
import {RewardEpochs} from "../solidity/market/RewardEpochs.sol";
import {TokenIntake} from "../solidity/market/TokenIntake.sol";
import {NodeRegistry, SignedStatement} from "../solidity/node/NodeRegistry.sol";
import {NodeStakes} from "../solidity/node/NodeStakes.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Founding, Pool} from "../solidity/pool/Pool.sol";
import {Contribution, DataRegistry} from "../solidity/registry/DataRegistry.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {PoolTokenDeployer} from "../solidity/token/PoolTokenDeployer.sol";
import {Allocation, VestingSchedule} from "../solidity/token/VestingSchedule.sol";
import {VotingToken} from "../solidity/token/VotingToken.sol";
import {BlockingToken, CallingToken, ContractWallet, FeeToken} from "./OddTokens.sol";
import {World} from "./World.sol";

/// What an auditor tries, each by its name.
contract AuditTest is World {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant OWNER_KEY = 0x0123;
    string private constant CONTRIBUTION_TYPE =
        "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)";

    function setUp() public {
        build();
    }

    // --- liveness: one draw for each epoch ---

    function leafOf(uint256 i, bytes memory data_) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(i, keccak256(data_)))));
    }

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

    // --- tokens that are not what they seem ---

    /// An escrow is credited with what arrived or not at all.
    function test_noEscrowTakesATokenThatKeepsAFee() external {
        FeeToken fee = new FeeToken();
        RewardEpochs epochs = new RewardEpochs();
        DirectPayments payments = new DirectPayments();
        Disputes court = new Disputes(fee, address(1), 100);
        LivenessRewards live = new LivenessRewards();
        NodeStakes stakes = new NodeStakes(fee, nodes);
        address[5] memory takers =
            [address(epochs), address(payments), address(court), address(live), address(stakes)];
        for (uint256 i; i < 5; ++i) fee.approve(takers[i], type(uint256).max);
        bytes memory short = abi.encodeWithSelector(TokenIntake.IntakeShort.selector, address(fee), 990, 1_000);
        vm.expectRevert(short);
        epochs.open(fee, bytes32("root"), 1_000, uint64(block.timestamp + 1));
        vm.expectRevert(short);
        court.open(address(2), 0, 0, 1_000);
        vm.expectRevert(short);
        live.open(fee, address(7), bytes32("root"), 1, 2 days, 10, 1_000);
        vm.expectRevert(short);
        stakes.stake(address(3), 1_000);
        Offer memory offer = offerOf(vm.addr(OWNER_KEY), fee);
        bytes memory signature = signedOffer(payments, offer);
        vm.expectRevert(short);
        payments.accept(offer, signature);
        for (uint256 i; i < 5; ++i) vm.assertEq(fee.balanceOf(takers[i]), 0);
    }

    function test_zeroAmountsAreRefused() external {
        RewardEpochs epochs = new RewardEpochs();
        NodeStakes stakes = new NodeStakes(protocolToken, nodes);
        refused(TokenIntake.AmountZero.selector);
        epochs.open(protocolToken, bytes32("root"), 0, uint64(block.timestamp + 1));
        refused(TokenIntake.AmountZero.selector);
        stakes.stake(address(3), 0);
    }

    function splitOf(address token_) private returns (RevenueSplit split) {
        RevenueSplit.Payee[] memory p = new RevenueSplit.Payee[](3);
        p[0] = RevenueSplit.Payee(address(11), 1_000);
        p[1] = RevenueSplit.Payee(address(12), 4_000);
        p[2] = RevenueSplit.Payee(address(13), 5_000);
        split = new RevenueSplit(p);
        BlockingToken(token_).transfer(address(split), 1_000);
    }

    /// One payee on a token's block list stops nobody, and loses nothing either.
    function testFuzz_aRefusedPayeeStopsNobody(uint8 which) external {
        BlockingToken odd = new BlockingToken();
        RevenueSplit split = splitOf(address(odd));
        address bad = address(uint160(11 + which % 3));
        odd.setBlocked(bad, true);
        split.share(odd);
        uint256 own = [uint256(100), 400, 500][which % 3];
        vm.assertEq(split.owed(odd, bad), own);
        vm.assertEq(split.totalOwed(odd), own);
        for (uint160 i = 11; i < 14; ++i) {
            vm.assertEq(odd.balanceOf(address(i)), address(i) == bad ? 0 : [uint256(100), 400, 500][i - 11]);
        }
        // What is owed is no part of the next share.
        vm.expectRevert(abi.encodeWithSelector(RevenueSplit.NothingToShare.selector, odd));
        split.share(odd);
        refused(BlockingToken.AccountBlocked.selector);
        split.payOwed(odd, bad);
        odd.setBlocked(bad, false);
        vm.prank(address(0xbad));
        split.payOwed(odd, bad);
        vm.assertEq(odd.balanceOf(bad), own);
        vm.assertEq(split.totalOwed(odd), 0);
        vm.expectRevert(abi.encodeWithSelector(TokenPayout.NothingOwed.selector, odd, bad));
        split.payOwed(odd, bad);
    }

    function requireGuarded(CallingToken odd) private view {
        vm.assertFalse(odd.called());
        vm.assertEq(
            bytes32(odd.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    /// A token that calls back in the middle of a payment is not paid twice.
    function test_noPaymentIsReentered() external {
        CallingToken odd = new CallingToken();
        RewardEpochs epochs = new RewardEpochs();
        odd.approve(address(epochs), type(uint256).max);
        bytes32 leaf = epochs.leafOf(1, 0, address(7), 10);
        bytes32[] memory none = new bytes32[](0);
        uint256 id = epochs.open(odd, leaf, 100, uint64(block.timestamp + 1));
        odd.arm(address(epochs), abi.encodeCall(RewardEpochs.claim, (id, 0, address(7), 10, none)));
        epochs.claim(id, 0, address(7), 10, none);
        requireGuarded(odd);
        vm.assertEq(odd.balanceOf(address(7)), 10);

        RevenueSplit split = splitOf(address(odd));
        odd.arm(address(split), abi.encodeCall(RevenueSplit.share, (odd)));
        split.share(odd);
        requireGuarded(odd);

        LivenessRewards live = new LivenessRewards();
        odd.approve(address(live), type(uint256).max);
        id = live.open(odd, address(7), leafOf(0, "chunk"), 1, 2 days, 10, 100);
        live.challenge(id);
        vm.roll(block.number + 2);
        odd.arm(address(live), abi.encodeCall(LivenessRewards.answer, (id, "chunk", none)));
        live.answer(id, "chunk", none);
        requireGuarded(odd);

        DirectPayments payments = new DirectPayments();
        odd.approve(address(payments), type(uint256).max);
        Offer memory offer = offerOf(vm.addr(OWNER_KEY), odd);
        bytes32 hash = payments.accept(offer, signedOffer(payments, offer));
        vm.prank(offer.seller);
        payments.deliver(hash, 0);
        odd.arm(address(payments), abi.encodeCall(DirectPayments.settle, (hash)));
        payments.settle(hash);
        requireGuarded(odd);
        vm.assertEq(odd.balanceOf(offer.seller), 1_000);
    }

    // --- signatures ---

    function offerOf(address seller, FeeToken token_) private view returns (Offer memory) {
        return offerOf(seller, CallingToken(address(token_)));
    }

    function offerOf(address seller, CallingToken token_) private view returns (Offer memory) {
        return Offer(
            seller, address(this), address(9), token_, 1_000, 0,
            uint64(block.timestamp + 10), uint64(block.timestamp + 20), 0, 1
        );
    }

    function signedOffer(DirectPayments payments, Offer memory offer) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, payments.hashOf(offer));
        return abi.encodePacked(r, s, v);
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

    // --- consent ---

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

    // --- supply ---

    /// Rewards end at the cap to the unit, and verdicts go on.
    function testFuzz_rewardsEndAtTheCap(uint128 cap, uint16[5] calldata scores) external {
        Pool capped = foundCapped(bound(cap, 1, 3 * uint256(REWARD)));
        PoolToken capToken = tokenOf(capped);
        uint256 points;
        for (uint256 i; i < 5; ++i) {
            uint16 score = scores[i] % 10_001;
            accept(address(uint160(100 + i)), capped, score);
            points += score;
        }
        uint256 earned = uint256(REWARD) * points / 10_000;
        vm.assertEq(capToken.totalSupply(), earned < capToken.cap() ? earned : capToken.cap());
        vm.assertEq(capped.totalPoints(), points);
    }

    /// Nobody mints but the pool, and the pool not above the cap: a second line behind its own counting.
    function test_theTokenItselfHoldsTheCap() external {
        (address[] memory holders, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (holders[0], amounts[0]) = (address(8), 90);
        PoolToken own = new PoolToken("own", "OWN", address(this), address(1), address(2), 100, holders, amounts);
        (holders[0], amounts[0]) = (address(9), 10);
        own.mintRewards(holders, amounts);
        amounts[0] = 1;
        vm.expectRevert(abi.encodeWithSelector(VotingToken.ERC20ExceededCap.selector, 101, 100));
        own.mintRewards(holders, amounts);
        vm.prank(address(9));
        own.burn(1);
        own.mintRewards(holders, amounts);
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(PoolToken.OnlyPool.selector, address(0xbad), address(this)));
        own.mintRewards(holders, amounts);
    }

    function allocated(uint256 amount, uint64 cliff, uint64 duration) private view returns (Founding memory founding) {
        founding = foundingOf("team", 0);
        founding.allocations = new Allocation[](1);
        founding.allocations[0] = Allocation(address(0x7ea), amount, uint64(block.timestamp), cliff, duration);
        founding.treasuryAmount = 5;
        founding.maximumSupply = 1_005;
    }

    /// A team's tokens come after the cliff, by the second, to nobody else.
    function testFuzz_allocationsVestOverTime(uint32 passed) external {
        PoolToken vested = tokenOf(found(allocated(1_000, 180 days, 360 days)));
        vm.assertEq(vested.totalSupply(), 1_005);
        address schedule = vm.computeCreateAddress(address(factory.surroundings().tokenDeployer), 2);
        vm.assertEq(vested.balanceOf(schedule), 1_000);
        uint256 time = passed % 400 days;
        vm.warp(block.timestamp + time);
        uint256 due = time < 180 days ? 0 : time >= 360 days ? 1_000 : 1_000 * time / 360 days;
        vm.prank(address(0xbad));
        VestingSchedule(payable(schedule)).release(address(vested));
        vm.assertEq(vested.balanceOf(address(0x7ea)), due);
        vm.assertEq(vested.balanceOf(address(0xbad)), 0);
        vm.assertEq(vested.getVotes(address(0x7ea)), due);
    }

    function test_allocationsAreRefusedByName() external {
        Founding memory founding = allocated(1_001, 0, 10);
        vm.expectRevert(
            abi.encodeWithSelector(PoolTokenDeployer.SupplyCapInvalid.selector, 1_005, 1_006, type(uint96).max)
        );
        factory.found(founding);
        founding.maximumSupply = uint256(type(uint96).max) + 1;
        refused(PoolTokenDeployer.SupplyCapInvalid.selector);
        factory.found(founding);
        // Sums that no number holds have a name, too.
        founding = allocated(type(uint256).max, 0, 10);
        vm.expectRevert(
            abi.encodeWithSelector(
                PoolTokenDeployer.SupplyCapInvalid.selector, 1_005, type(uint256).max, type(uint96).max
            )
        );
        factory.found(founding);
        founding = allocated(10, 0, 10);
        founding.treasuryAmount = type(uint256).max;
        refused(PoolTokenDeployer.SupplyCapInvalid.selector);
        factory.found(founding);
        founding = allocated(0, 0, 10);
        vm.expectRevert(abi.encodeWithSelector(PoolTokenDeployer.AllocationInvalid.selector, 0));
        factory.found(founding);
        founding = allocated(10, 0, 0);
        refused(PoolTokenDeployer.AllocationInvalid.selector);
        factory.found(founding);
        founding.allocations = new Allocation[](17);
        vm.expectRevert(abi.encodeWithSelector(PoolTokenDeployer.TooManyAllocations.selector, 17, 16));
        factory.found(founding);
    }

    // --- encrypted aggregates ---

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

    // --- fees that do not fit ---

    /// Settling never fails for what a point is worth: fees wait until there are more points.
    function test_feesTooLargeForAPointWaitForMore() external {
        accept(address(7), pool, 1);
        uint256 amount = uint256(type(uint120).max) / 1e6 + 1;
        vm.mockCall(
            address(protocolToken), abi.encodeWithSignature("balanceOf(address)", address(pool)), abi.encode(2 * amount)
        );
        vm.prank(address(board));
        pool.distribute(amount);
        vm.assertEq(pool.claimable(address(7)), 0);
        vm.assertEq(pool.liability(), amount);
        accept(address(8), pool, 9_999);
        vm.prank(address(board));
        pool.distribute(0);
        vm.assertEq(pool.claimable(address(7)), amount / 10_000);
        vm.assertLe(amount - pool.claimable(address(7)) - pool.claimable(address(8)), 1);
    }
}
