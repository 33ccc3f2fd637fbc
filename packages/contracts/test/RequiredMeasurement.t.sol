// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {Pool, PoolRules} from "../solidity/pool/Pool.sol";
import {World} from "./World.sol";

/// A pool that requires a measurement listens to no active node of another one, whatever it says.
contract RequiredMeasurementTest is World {
    uint256 private constant STRANGER_KEY = 0x07e4;
    bytes32 private constant ANOTHER = keccak256("another measurement");
    bytes32 private constant MANIFEST = keccak256("manifest");
    bytes32 private constant WORD = keccak256("word");

    function setUp() public {
        build();
        register(STRANGER_KEY, ANOTHER);
        protocolToken.approve(address(board), type(uint256).max);
        PoolRules memory rules = pool.rules();
        rules.measurement = MEASUREMENT;
        vm.prank(pool.timelock());
        pool.setRules(rules);
    }

    function expectNotAccepted() private {
        vm.expectRevert(
            abi.encodeWithSelector(Pool.NodeNotAccepted.selector, vm.addr(STRANGER_KEY), ANOTHER, MEASUREMENT)
        );
    }

    function keyProof(uint256 key) private returns (StatementProof memory) {
        bytes32 facts = keccak256(abi.encode(uint256(2), POLICY, WORD));
        return proveBy(key, pool.KEY_STATEMENT(), address(pool), keccak256(abi.encode(uint256(2), POLICY)), facts);
    }

    function test_itTakesNoKeyOfAnother() external {
        StatementProof memory strangers = keyProof(STRANGER_KEY);
        StatementProof memory own = keyProof(NODE_KEY);
        expectNotAccepted();
        pool.publishKey(2, POLICY, WORD, strangers);
        pool.publishKey(2, POLICY, WORD, own);
        vm.assertEq(uint256(pool.keyEpoch().epoch), 2);
    }

    function refinementProof(uint256 key) private returns (StatementProof memory) {
        bytes32 facts = keccak256(abi.encode(WORD, WORD));
        return proveBy(key, data.REFINEMENT_STATEMENT(), address(pool), WORD, facts);
    }

    function test_itTakesNoRefinementOfAnother() external {
        StatementProof memory strangers = refinementProof(STRANGER_KEY);
        StatementProof memory own = refinementProof(NODE_KEY);
        expectNotAccepted();
        data.recordRefinement(address(pool), WORD, WORD, strangers);
        data.recordRefinement(address(pool), WORD, WORD, own);
    }

    function test_itLetsNoOtherStartItsJobs() external {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        uint64 tomorrow = uint64(block.timestamp + 1 days);
        uint256 id = board.propose(MANIFEST, "", pools, 10, tomorrow);
        vm.prank(pool.timelock());
        board.approve(id, address(pool), address(this), MANIFEST, Terms(10, 0, 1, uint64(block.timestamp), tomorrow, 0));
        board.fund(id);
        bytes32 facts = keccak256(abi.encode(MANIFEST));
        string memory kind = board.START_STATEMENT();
        StatementProof memory strangers = proveBy(STRANGER_KEY, kind, address(pool), bytes32(id), facts);
        StatementProof memory own = proveBy(NODE_KEY, kind, address(pool), bytes32(id), facts);
        expectNotAccepted();
        board.start(id, strangers);
        board.start(id, own);
    }
}
