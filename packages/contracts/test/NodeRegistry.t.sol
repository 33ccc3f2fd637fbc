// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NodeRules} from "../solidity/node/NodeRules.sol";
import {Anchors} from "../solidity/anchor/Anchors.sol";
import {KeySetText} from "../solidity/node/KeySetText.sol";
import {IQuoteVerifier, Node, NodeRegistration, NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {World} from "./World.sol";

contract FakeQuoteVerifier is IQuoteVerifier {
    bytes32 private immutable _measurement;

    constructor(bytes32 measurement) {
        _measurement = measurement;
    }

    /// The quote is the report data itself: what is tested here is the registry.
    function verify(bytes calldata quote) external view returns (bytes32, bytes32, bytes32) {
        return (_measurement, bytes32(quote), bytes32(quote[32:]));
    }
}

contract NodeRegistryTest is World {
    uint256 private constant SECOND_VERIFIER = 0xcafe;
    NodeRegistry private guarded;

    function setUp() public {
        build();
        guarded = new NodeRegistry(address(this), 2 days);
    }

    function sorted(address a, address b) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = a < b ? (a, b) : (b, a);
    }

    function registration(address key, bytes32 measurement) private view returns (NodeRegistration memory) {
        return NodeRegistration(
            key, keccak256("keys"), keccak256("quote"), measurement, uint64(block.timestamp + 80 days)
        );
    }

    function approve(NodeRegistry at_, uint256 key, NodeRegistration memory r) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "NodeApproval(address statementKey,bytes32 keySetDigest,bytes32 quoteDigest,bytes32 measurement,uint64 expiresAt)"
        );
        return sign(key, address(at_), keccak256(abi.encode(typeHash, r)));
    }

    /// Allowed measurements: a time lock, a window for objections, and an end to upgrades.
    function test_measurementsWaitAndCanBeObjectedTo() external {
        address[] memory verifiers = sorted(vm.addr(VERIFIER_KEY), vm.addr(SECOND_VERIFIER));
        guarded.setVerifiers(verifiers, 2);
        guarded.setMeasurement(MEASUREMENT, true);
        vm.assertFalse(guarded.measurementAllowed(MEASUREMENT));
        refused(NodeRules.MeasurementAlreadyAllowed.selector);
        guarded.setMeasurement(MEASUREMENT, true);
        refused(NodeRules.OnlyVerifier.selector);
        guarded.objectTo(MEASUREMENT);
        vm.prank(vm.addr(VERIFIER_KEY));
        guarded.objectTo(MEASUREMENT);
        vm.warp(block.timestamp + 3 days);
        vm.assertFalse(guarded.measurementAllowed(MEASUREMENT));
        guarded.setMeasurement(MEASUREMENT, true);
        vm.warp(block.timestamp + 2 days);
        vm.assertTrue(guarded.measurementAllowed(MEASUREMENT));
        vm.prank(vm.addr(VERIFIER_KEY));
        refused(NodeRules.ObjectionTooLate.selector);
        guarded.objectTo(MEASUREMENT);
        guarded.freezeMeasurements();
        refused(NodeRules.MeasurementListFrozen.selector);
        guarded.setMeasurement(keccak256("more"), true);
        guarded.setMeasurement(MEASUREMENT, false);
        vm.assertFalse(guarded.measurementAllowed(MEASUREMENT));
        vm.prank(address(9));
        vm.expectRevert();
        guarded.setMeasurement(MEASUREMENT, false);
        nodes.setMeasurement(MEASUREMENT, true);
    }

    function test_verifiersAreReplacedOnlyAfterTheWindow() external {
        address[] memory first = new address[](1);
        first[0] = vm.addr(VERIFIER_KEY);
        address[] memory second = new address[](1);
        second[0] = vm.addr(SECOND_VERIFIER);
        guarded.setVerifiers(first, 1);
        guarded.setVerifiers(second, 1);
        vm.assertTrue(guarded.isVerifier(first[0]));
        refused(NodeRules.VerifiersNotScheduled.selector);
        guarded.setVerifiers(second, 1);
        vm.warp(block.timestamp + 2 days);
        guarded.setVerifiers(second, 1);
        vm.assertFalse(guarded.isVerifier(first[0]));
        vm.assertTrue(guarded.isVerifier(second[0]));
        vm.assertEq(guarded.getVerifiers()[0], second[0]);
        refused(NodeRules.VerifierSetInvalid.selector);
        guarded.setVerifiers(second, 0);
        refused(NodeRules.VerifierSetInvalid.selector);
        guarded.setVerifiers(second, 2);
        refused(NodeRules.VerifierSetInvalid.selector);
        guarded.setVerifiers(new address[](33), 1);
        refused(NodeRules.VerifiersNotAscending.selector);
        nodes.setVerifiers(new address[](2), 1);
    }

    function test_registrationIsRefusedByName() external {
        address[] memory verifiers = sorted(vm.addr(VERIFIER_KEY), vm.addr(SECOND_VERIFIER));
        (uint256 low, uint256 high) = verifiers[0] == vm.addr(VERIFIER_KEY)
            ? (VERIFIER_KEY, SECOND_VERIFIER)
            : (SECOND_VERIFIER, VERIFIER_KEY);
        nodes.setVerifiers(verifiers, 2);
        NodeRegistration memory r = registration(vm.addr(0x11), MEASUREMENT);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = approve(nodes, low, r);
        refused(NodeRegistry.NotEnoughVerifiers.selector);
        nodes.register(r, signatures);
        signatures = new bytes[](2);
        (signatures[0], signatures[1]) = (approve(nodes, high, r), approve(nodes, low, r));
        refused(NodeRules.VerifiersNotAscending.selector);
        nodes.register(r, signatures);
        (signatures[0], signatures[1]) = (approve(nodes, low, r), approve(nodes, 0x77, r));
        refused(NodeRegistry.VerifierUnknown.selector);
        nodes.register(r, signatures);
        signatures[1] = hex"00";
        refused(NodeRegistry.VerifierUnknown.selector);
        nodes.register(r, signatures);
        signatures[1] = approve(nodes, high, r);
        nodes.register(r, signatures);
        refused(NodeRegistry.RegistrationExpiryInvalid.selector);
        nodes.register(r, signatures);
        r.statementKey = address(0);
        (signatures[0], signatures[1]) = (approve(nodes, low, r), approve(nodes, high, r));
        refused(NodeRegistry.StatementKeyZero.selector);
        nodes.register(r, signatures);
        r = registration(vm.addr(0x12), keccak256("unknown"));
        (signatures[0], signatures[1]) = (approve(nodes, low, r), approve(nodes, high, r));
        refused(NodeRules.MeasurementNotAllowed.selector);
        nodes.register(r, signatures);
        r = registration(vm.addr(0x12), MEASUREMENT);
        r.expiresAt = uint64(block.timestamp + 91 days);
        (signatures[0], signatures[1]) = (approve(nodes, low, r), approve(nodes, high, r));
        refused(NodeRegistry.RegistrationExpiryInvalid.selector);
        nodes.register(r, signatures);
        refused(NodeRegistry.RevokeNotAllowed.selector);
        vm.prank(address(9));
        nodes.revoke(vm.addr(0x11));
        refused(NodeRegistry.NodeUnknown.selector);
        nodes.revoke(vm.addr(0x99));
        nodes.revoke(vm.addr(0x11));
        vm.assertTrue(nodes.getNode(vm.addr(0x11)).revoked);
        r = registration(vm.addr(0x11), MEASUREMENT);
        (signatures[0], signatures[1]) = (approve(nodes, low, r), approve(nodes, high, r));
        refused(NodeRegistry.NodeKeyRevoked.selector);
        nodes.register(r, signatures);
        vm.assertEq(nodes.measurementOf(vm.addr(0x11)), MEASUREMENT);
    }

    /// Signature malleability: the same statement with the other s is no signature.
    function test_anObjectionWindowEnds() external {
        uint64 longest = nodes.MAXIMUM_OBJECTION_WINDOW();
        vm.expectRevert(
            abi.encodeWithSelector(NodeRules.ObjectionWindowTooLong.selector, type(uint64).max, longest)
        );
        new NodeRegistry(address(this), type(uint64).max);
        new NodeRegistry(address(this), longest);
    }

    function test_aSignatureWithAHighSIsRefused() external {
        bytes32 keyDigest = keccak256("key 2");
        StatementProof memory proof = prove(
            pool.KEY_STATEMENT(),
            address(pool),
            keccak256(abi.encode(uint256(2), POLICY)),
            keccak256(abi.encode(uint256(2), POLICY, keyDigest))
        );
        bytes memory signature = proof.signature;
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        assembly {
            let s := mload(add(signature, 0x40))
            mstore(add(signature, 0x40), sub(order, s))
            mstore8(add(signature, 0x60), xor(byte(0, mload(add(signature, 0x60))), 7))
        }
        refused(NodeRegistry.StatementSignatureInvalid.selector);
        pool.publishKey(2, POLICY, keyDigest, proof);
    }

    function keySetOf(string memory key) private pure returns (bytes memory) {
        return bytes.concat(
            '{"config":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","format":"sealpool/key-set",',
            '"hpke":{"kem":"x25519","publicKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"statement":{"address":"0x',
            bytes(key),
            '","scheme":"eip712-secp256k1"},"version":1}'
        );
    }

    function test_aNodeRegistersByItsQuoteAlone() external {
        bytes memory keySet = keySetOf("00000000000000000000000000000000000000ab");
        vm.roll(1_000);
        vm.setBlockhash(990, keccak256("block 990"));
        bytes memory quote = abi.encodePacked(sha256(keySet), nodes.registrationNonce(990), "unsigned");
        refused(NodeRegistry.QuoteVerifierMissing.selector);
        nodes.registerByQuote(quote, keySet, 990);
        nodes.setQuoteVerifier(new FakeQuoteVerifier(MEASUREMENT));
        bytes memory other = keySetOf("00000000000000000000000000000000000000ac");
        refused(NodeRegistry.QuoteForOther.selector);
        nodes.registerByQuote(quote, other, 990);
        nodes.registerByQuote(quote, keySet, 990);
        vm.assertTrue(nodes.isActive(address(0xab)));
        Node memory node = nodes.getNode(address(0xab));
        vm.assertEq(node.quoteDigest, sha256(quote));
        vm.assertEq(node.keySetDigest, sha256(keySet));
        vm.assertEq(node.expiresAt, block.timestamp + 90 days);
        guarded.setQuoteVerifier(new FakeQuoteVerifier(MEASUREMENT));
        refused(NodeRegistry.QuoteVerifierMissing.selector);
        guarded.registerByQuote(quote, keySet, 990);
    }

    /// A quote registers once and soon after the block that it names; a renewal takes another quote.
    function test_aQuoteRenewsOnlyFreshly() external {
        nodes.setQuoteVerifier(new FakeQuoteVerifier(MEASUREMENT));
        bytes memory keySet = keySetOf("00000000000000000000000000000000000000ab");
        vm.roll(1_000);
        vm.setBlockhash(990, keccak256("block 990"));
        vm.setBlockhash(985, keccak256("block 985"));
        bytes memory stale = abi.encodePacked(sha256(keySet), bytes32(0));
        refused(NodeRegistry.QuoteNotFresh.selector);
        nodes.registerByQuote(stale, keySet, 990);
        bytes memory quote = abi.encodePacked(sha256(keySet), nodes.registrationNonce(990));
        refused(NodeRegistry.QuoteNotFresh.selector);
        nodes.registerByQuote(quote, keySet, 985);
        nodes.registerByQuote(quote, keySet, 990);
        vm.warp(block.timestamp + 60 days);
        // The same, or the same with other bytes where nobody signs.
        refused(NodeRegistry.QuoteBlockUsed.selector);
        nodes.registerByQuote(quote, keySet, 990);
        bytes memory rewritten = bytes.concat(quote, "unsigned");
        refused(NodeRegistry.QuoteBlockUsed.selector);
        nodes.registerByQuote(rewritten, keySet, 990);
        bytes memory older = abi.encodePacked(sha256(keySet), nodes.registrationNonce(985));
        refused(NodeRegistry.QuoteBlockUsed.selector);
        nodes.registerByQuote(older, keySet, 985);
        vm.roll(1_247);
        refused(NodeRegistry.QuoteBlockUnknown.selector);
        nodes.registerByQuote(quote, keySet, 990);
        refused(NodeRegistry.QuoteBlockUnknown.selector);
        nodes.registrationNonce(1_247);
        vm.setBlockhash(1_246, keccak256("block 1246"));
        nodes.registerByQuote(abi.encodePacked(sha256(keySet), nodes.registrationNonce(1_246)), keySet, 1_246);
        vm.assertEq(nodes.getNode(address(0xab)).expiresAt, block.timestamp + 90 days);
    }

    /// Bound to chain and registry as well.
    function test_aQuoteForAnotherRegistryRegistersNothingHere() external {
        nodes.setQuoteVerifier(new FakeQuoteVerifier(MEASUREMENT));
        bytes memory keySet = keySetOf("00000000000000000000000000000000000000ab");
        vm.roll(1_000);
        vm.setBlockhash(990, keccak256("block 990"));
        bytes memory elsewhere = abi.encodePacked(sha256(keySet), guarded.registrationNonce(990));
        refused(NodeRegistry.QuoteNotFresh.selector);
        nodes.registerByQuote(elsewhere, keySet, 990);
        bytes32 here = nodes.registrationNonce(990);
        vm.assertEq(
            here,
            keccak256(
                abi.encode(
                    "sealpool/registration/1", block.chainid, address(nodes), uint256(990), keccak256("block 990")
                )
            )
        );
        vm.chainId(7);
        vm.assertTrue(nodes.registrationNonce(990) != here);
    }

    function parseKeySet(bytes calldata text) external pure returns (address) {
        return KeySetText.statementKeyOf(text);
    }

    function test_theKeySetIsReadStrictly() external {
        bytes memory good = keySetOf("00112233445566778899aabbccddeeff00112233");
        vm.assertEq(this.parseKeySet(good), 0x00112233445566778899AABbCCdDeeFf00112233);
        refused(KeySetText.KeySetMalformed.selector);
        this.parseKeySet(keySetOf("00112233445566778899AABBCCDDEEFF00112233"));
        refused(KeySetText.KeySetMalformed.selector);
        this.parseKeySet(bytes.concat(good, " "));
        for (uint256 length; length < good.length; length += 7) {
            bytes memory cut = new bytes(length);
            for (uint256 i; i < length; ++i) cut[i] = good[i];
            refused(KeySetText.KeySetMalformed.selector);
            this.parseKeySet(cut);
        }
    }

    /// Budget heads only grow, each names the one before; checkpoints too.
    function testFuzz_budgetHeadsOnlyGrow(uint64 sequence, bytes32 previous, bytes32 head) external {
        Anchors anchors = new Anchors(nodes, factory);
        bytes32 first = keccak256("head 1");
        budget(anchors, 1, first, 0);
        vm.assertEq(anchors.budgetOf(address(pool)).value, first);
        if (head == 0) return;
        StatementProof memory proof = prove(
            anchors.BUDGET_STATEMENT(),
            address(pool),
            bytes32(uint256(sequence)),
            keccak256(abi.encode(uint256(sequence), head, previous))
        );
        if (sequence != 2) refused(Anchors.SequenceNotNext.selector);
        else if (previous != first) refused(Anchors.PreviousOther.selector);
        anchors.anchorBudget(address(pool), sequence, head, previous, proof);
    }

    function budget(Anchors anchors, uint64 sequence, bytes32 head, bytes32 previous) private {
        StatementProof memory proof = prove(
            anchors.BUDGET_STATEMENT(),
            address(pool),
            bytes32(uint256(sequence)),
            keccak256(abi.encode(uint256(sequence), head, previous))
        );
        anchors.anchorBudget(address(pool), sequence, head, previous, proof);
    }

    function test_checkpointsAreRefusedByName() external {
        Anchors anchors = new Anchors(nodes, factory);
        bytes32 kind = keccak256("receipts");
        bytes32 subject = keccak256(abi.encode(kind, uint256(1)));
        bytes32 facts = keccak256(abi.encode(kind, uint256(1), bytes32("root"), uint256(7)));
        StatementProof memory proof = prove(anchors.CHECKPOINT_STATEMENT(), address(pool), subject, facts);
        refused(Anchors.PoolUnknown.selector);
        anchors.checkpoint(address(9), kind, 1, bytes32("root"), 7, proof);
        refused(Anchors.RootZero.selector);
        anchors.checkpoint(address(pool), kind, 1, 0, 7, proof);
        refused(Anchors.SequenceNotNext.selector);
        anchors.checkpoint(address(pool), kind, 2, bytes32("root"), 7, proof);
        anchors.checkpoint(address(pool), kind, 1, bytes32("root"), 7, proof);
        vm.assertEq(anchors.checkpointOf(address(pool), kind).sequence, 1);
        refused(Anchors.SequenceNotNext.selector);
        anchors.checkpoint(address(pool), kind, 1, bytes32("root"), 7, proof);
        budget(anchors, 1, keccak256("a"), 0);
        budget(anchors, 2, keccak256("b"), keccak256("a"));
    }
}
