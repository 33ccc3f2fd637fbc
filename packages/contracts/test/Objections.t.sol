// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IStakes, NodeRules} from "../solidity/node/NodeRules.sol";
import {IQuoteVerifier, NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {NodeStakes} from "../solidity/node/NodeStakes.sol";
import {World} from "./World.sol";

contract AnyQuote is IQuoteVerifier {
    function verify(bytes calldata) external pure returns (bytes32, bytes32, bytes32) {
        return (keccak256("any"), 0, 0);
    }
}

/// What the owner of the registry adds waits for an objection; what it takes away does not.
contract ObjectionsTest is World {
    NodeRegistry private registry;
    address private constant LOW = address(0x100);
    address private constant MIDDLE = address(0x200);
    address private constant HIGH = address(0x300);

    function setUp() public {
        build();
        registry = new NodeRegistry(address(this), 7 days);
        registry.setVerifiers(three(LOW, MIDDLE, HIGH), 2);
    }

    function three(address a, address b, address c) private pure returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function two(address a, address b) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    function test_verifiersAreObjectedTo() external {
        address[] memory next = three(LOW, MIDDLE, address(0x400));
        registry.setVerifiers(next, 2);
        vm.assertFalse(registry.isVerifier(address(0x400)));
        refused(NodeRules.OnlyVerifier.selector);
        registry.objectToVerifiers();
        vm.prank(HIGH);
        registry.objectToVerifiers();
        vm.prank(HIGH);
        refused(NodeRules.NothingToObjectTo.selector);
        registry.objectToVerifiers();
        // After the objection it is announced anew, and waits anew.
        vm.warp(block.timestamp + 7 days);
        registry.setVerifiers(next, 2);
        vm.assertFalse(registry.isVerifier(address(0x400)));
        vm.warp(block.timestamp + 7 days);
        registry.setVerifiers(next, 2);
        vm.assertTrue(registry.isVerifier(address(0x400)));
        vm.assertFalse(registry.isVerifier(HIGH));
    }

    function test_anAnnouncementOfVerifiersLapses() external {
        address[] memory next = three(LOW, MIDDLE, address(0x400));
        registry.setVerifiers(next, 2);
        vm.warp(block.timestamp + 7 days + 14 days + 1);
        registry.setVerifiers(next, 2);
        vm.assertFalse(registry.isVerifier(address(0x400)));
        refused(NodeRules.VerifiersNotScheduled.selector);
        registry.setVerifiers(next, 2);
        vm.warp(block.timestamp + 7 days + 14 days);
        registry.setVerifiers(next, 2);
        vm.assertTrue(registry.isVerifier(address(0x400)));
    }

    /// A verifier that went bad cannot stay by objecting.
    function test_verifiersAreTakenAwayAtOnce() external {
        registry.setVerifiers(two(LOW, HIGH), 2);
        vm.assertFalse(registry.isVerifier(MIDDLE));
        vm.assertTrue(registry.isVerifier(HIGH));
        // A lower threshold takes nothing away.
        registry.setVerifiers(two(LOW, HIGH), 1);
        vm.assertEq(registry.threshold(), 2);
    }

    function test_frozenVerifiersOnlyBecomeFewer() external {
        registry.freezeVerifiers();
        refused(NodeRules.VerifierListFrozen.selector);
        registry.setVerifiers(three(LOW, MIDDLE, address(0x400)), 2);
        refused(NodeRules.VerifierListFrozen.selector);
        registry.setVerifiers(three(LOW, MIDDLE, HIGH), 1);
        registry.setVerifiers(two(LOW, MIDDLE), 2);
        vm.assertFalse(registry.isVerifier(HIGH));
        vm.prank(LOW);
        refused(bytes4(keccak256("OwnableUnauthorizedAccount(address)")));
        registry.freezeVerifiers();
    }

    function test_anAnnouncementIsVoidOnceTheVerifiersAreFrozen() external {
        address[] memory next = three(LOW, MIDDLE, address(0x400));
        registry.setVerifiers(next, 2);
        registry.freezeVerifiers();
        vm.prank(LOW);
        refused(NodeRules.NothingToObjectTo.selector);
        registry.objectToVerifiers();
        vm.warp(block.timestamp + 7 days);
        refused(NodeRules.VerifierListFrozen.selector);
        registry.setVerifiers(next, 2);
    }

    function test_aQuoteVerifierIsObjectedTo() external {
        IQuoteVerifier first = new AnyQuote();
        IQuoteVerifier second = new AnyQuote();
        registry.setQuoteVerifier(first);
        vm.assertEq(address(registry.quoteVerifier()), address(0));
        vm.prank(LOW);
        registry.objectToQuoteVerifier();
        vm.warp(block.timestamp + 7 days);
        vm.assertEq(address(registry.quoteVerifier()), address(0));
        registry.setQuoteVerifier(first);
        vm.warp(block.timestamp + 7 days);
        vm.assertEq(address(registry.quoteVerifier()), address(first));
        vm.prank(LOW);
        refused(NodeRules.NothingToObjectTo.selector);
        registry.objectToQuoteVerifier();
        // The old one counts until the new one does, and after an objection, too.
        registry.setQuoteVerifier(second);
        vm.assertEq(address(registry.quoteVerifier()), address(first));
        refused(NodeRules.OnlyVerifier.selector);
        registry.objectToQuoteVerifier();
        vm.prank(MIDDLE);
        registry.objectToQuoteVerifier();
        vm.warp(block.timestamp + 7 days);
        vm.assertEq(address(registry.quoteVerifier()), address(first));
        registry.setQuoteVerifier(IQuoteVerifier(address(0)));
        vm.assertEq(address(registry.quoteVerifier()), address(0));
    }

    /// Who says what a quote measures could open a closed list of measurements.
    function test_aFrozenListIsNotOpenedByAnotherQuoteVerifier() external {
        IQuoteVerifier first = new AnyQuote();
        registry.setQuoteVerifier(first);
        vm.warp(block.timestamp + 7 days);
        registry.freezeMeasurements();
        IQuoteVerifier second = new AnyQuote();
        refused(NodeRules.MeasurementListFrozen.selector);
        registry.setQuoteVerifier(second);
        refused(NodeRules.MeasurementListFrozen.selector);
        registry.setMeasurement(keccak256("other"), true);
        vm.assertEq(address(registry.quoteVerifier()), address(first));
        registry.setQuoteVerifier(IQuoteVerifier(address(0)));
        vm.assertEq(address(registry.quoteVerifier()), address(0));
    }

    /// Else a list that says it is closed would grow once more.
    function test_aListIsNotFrozenWhileSomethingWaitsToCount() external {
        registry.setMeasurement(keccak256("announced"), true);
        uint64 from = uint64(block.timestamp + 7 days);
        vm.expectRevert(abi.encodeWithSelector(NodeRules.FreezeTooEarly.selector, from));
        registry.freezeMeasurements();
        vm.warp(from - 1);
        IQuoteVerifier first = new AnyQuote();
        registry.setQuoteVerifier(first);
        vm.warp(from);
        vm.expectRevert(abi.encodeWithSelector(NodeRules.FreezeTooEarly.selector, from - 1 + 7 days));
        registry.freezeMeasurements();
        vm.warp(from - 1 + 7 days);
        registry.freezeMeasurements();
        vm.assertTrue(registry.frozen());
        vm.assertTrue(registry.measurementAllowed(keccak256("announced")));
    }

    /// Where the owner demands a stake, nobody registers or renews without it.
    function test_registrationDemandsTheStake() external {
        NodeStakes stakes = new NodeStakes(protocolToken, nodes);
        nodes.requireStake(IStakes(address(stakes)), 1_000);
        address node = vm.addr(0x77);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StakeMissing.selector, node, 0, 1_000));
        this.registerHere(0x77);
        protocolToken.approve(address(stakes), type(uint256).max);
        stakes.stake(node, 999);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StakeMissing.selector, node, 999, 1_000));
        this.registerHere(0x77);
        stakes.stake(node, 1);
        // What is announced to leave stands for nothing.
        stakes.announceWithdrawal(node);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StakeMissing.selector, node, 0, 1_000));
        this.registerHere(0x77);
        stakes.stake(node, 1);
        this.registerHere(0x77);
        vm.assertTrue(nodes.isActive(node));
        vm.prank(LOW);
        refused(bytes4(keccak256("OwnableUnauthorizedAccount(address)")));
        nodes.requireStake(IStakes(address(0)), 0);
    }

    /// A call of its own, so that it can be expected to fail.
    function registerHere(uint256 key) external {
        enrol(key, MEASUREMENT);
    }
}
