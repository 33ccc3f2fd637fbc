// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState} from "../solidity/job/JobState.sol";
import {JobStore} from "../solidity/job/JobStore.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {World} from "./World.sol";

/// Another active node, of the same measurement, cannot end a job that a node runs.
contract OtherNodeTest is World {
    uint256 private constant OTHER_KEY = 0x07e4;
    bytes32 private constant MANIFEST = keccak256("manifest");
    bytes32 private constant REASON = keccak256("reason");

    function setUp() public {
        build();
        register(OTHER_KEY, MEASUREMENT);
        protocolToken.approve(address(board), type(uint256).max);
    }

    function proveFor(uint256 key, string memory kind, uint256 id, bytes32 facts)
        private
        returns (StatementProof memory)
    {
        return proveBy(key, kind, address(pool), subjectOf(kind, id), facts);
    }

    /// A job that the first node runs.
    function running() private returns (uint256 id) {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        uint64 tomorrow = uint64(block.timestamp + 1 days);
        id = board.propose(MANIFEST, "", pools, 10, tomorrow);
        vm.prank(pool.timelock());
        board.approve(id, address(pool), address(this), MANIFEST, Terms(10, 0, 1, uint64(block.timestamp), tomorrow, 0));
        board.fund(id);
        board.start(id, proveFor(NODE_KEY, board.START_STATEMENT(), id, keccak256(abi.encode(MANIFEST))));
    }

    function expectOtherNode(uint256 id) private {
        vm.expectRevert(
            abi.encodeWithSelector(JobStore.OtherNode.selector, id, vm.addr(OTHER_KEY), vm.addr(NODE_KEY))
        );
    }

    function test_onlyTheNodeThatStartedAJobReleasesIt() external {
        uint256 id = running();
        bytes32[] memory heads = new bytes32[](1);
        bytes32 facts = keccak256(abi.encode(MANIFEST, bytes32("receipt"), bytes32("result"), heads[0]));
        StatementProof memory others = proveFor(OTHER_KEY, board.RELEASE_STATEMENT(), id, facts);
        StatementProof memory own = proveFor(NODE_KEY, board.RELEASE_STATEMENT(), id, facts);
        expectOtherNode(id);
        board.release(id, bytes32("receipt"), bytes32("result"), heads, others);
        board.release(id, bytes32("receipt"), bytes32("result"), heads, own);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Released));
    }

    function test_onlyTheNodeThatStartedAJobFailsIt() external {
        uint256 id = running();
        bytes32 facts = keccak256(abi.encode(MANIFEST, REASON));
        StatementProof memory others = proveFor(OTHER_KEY, board.FAILURE_STATEMENT(), id, facts);
        StatementProof memory own = proveFor(NODE_KEY, board.FAILURE_STATEMENT(), id, facts);
        expectOtherNode(id);
        board.fail(id, REASON, others);
        board.fail(id, REASON, own);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Failed));
    }

    function test_onlyTheNodeThatStartedAJobRefusesItFromThenOn() external {
        uint256 id = running();
        bytes32 facts = keccak256(abi.encode(MANIFEST, bytes32("receipt"), REASON));
        StatementProof memory others = proveFor(OTHER_KEY, board.REFUSAL_STATEMENT(), id, facts);
        StatementProof memory own = proveFor(NODE_KEY, board.REFUSAL_STATEMENT(), id, facts);
        expectOtherNode(id);
        board.refuse(id, REASON, bytes32("receipt"), others);
        board.refuse(id, REASON, bytes32("receipt"), own);
        vm.assertEq(uint256(board.getJob(id).state), uint256(JobState.Refused));
    }
}
