// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Terms} from "../solidity/permission/Permissions.sol";
import {World} from "./World.sol";

/// Two nodes, a member and a granted job: what the tests of its life begin with.
abstract contract JobLifeWorld is World {
    uint256 internal constant SECOND_KEY = 0x5ec0;
    bytes32 internal constant MANIFEST = keccak256("manifest");
    address internal constant MEMBER = address(7);

    function setUp() public {
        build();
        register(SECOND_KEY, MEASUREMENT);
        accept(MEMBER, pool, 10_000);
        protocolToken.approve(address(board), type(uint256).max);
    }

    function one(address a) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = a;
    }

    function tomorrow() internal view returns (uint64) {
        return uint64(block.timestamp + 1 days);
    }

    function terms() internal view returns (Terms memory) {
        return Terms(100, 0, 100, uint64(block.timestamp), uint64(block.timestamp + 100 days), 0);
    }

    function proposal(JobClass class, bytes32 template) internal view returns (JobProposal memory) {
        return JobProposal(MANIFEST, template, 0, 0, "", one(address(pool)), 1_000, tomorrow(), class);
    }

    function grant(bytes32 digest) internal {
        Terms memory t = terms();
        address lock = pool.timelock();
        vm.prank(lock);
        permissions.grant(address(this), address(pool), digest, t);
    }

    function funded(JobClass class) internal returns (uint256 id) {
        grant(MANIFEST);
        id = board.proposeJob(proposal(class, 0));
        board.fund(id);
    }

    function say(uint256 key, string memory kind, uint256 id, bytes memory words) internal returns (StatementProof memory) {
        return proveBy(key, kind, address(pool), subjectOf(kind, id), keccak256(words));
    }

    function start(uint256 key, uint256 id) internal {
        StatementProof memory proof = say(key, board.START_STATEMENT(), id, abi.encode(MANIFEST));
        board.start(id, proof);
    }
}
