// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobClass, JobProposal} from "../solidity/job/Job.sol";
import {Terms} from "../solidity/permission/Grant.sol";
import {QueryPermit} from "../solidity/permission/PermitIssuers.sol";
import {World} from "./World.sol";

/// An issuer that a pool's vote appointed, and permits that it signs by the specification of EIP-712 alone.
abstract contract PermitWorld is World {
    uint256 internal constant ISSUER_KEY = 0x155e;
    bytes32 internal constant MANIFEST = keccak256("a job over table A");
    bytes32 internal constant SCOPE = keccak256("table A");
    address internal lock;
    address internal issuer;

    function setUpPermits() internal {
        build();
        lock = pool.timelock();
        issuer = vm.addr(ISSUER_KEY);
        protocolToken.approve(address(board), type(uint256).max);
    }

    function boundsOf(bytes32 scope) internal view returns (Terms memory) {
        return Terms(100, 0, 10, uint64(block.timestamp), uint64(block.timestamp + 100 days), scope);
    }

    function appoint(bytes32 digest, bytes32 scope) internal returns (uint32) {
        Terms memory bounds = boundsOf(scope);
        vm.prank(lock);
        return permissions.appointIssuer(address(pool), issuer, digest, bounds);
    }

    /// A permit for this contract, under the newest appointment, for two runs at the least price.
    function permitOf(bytes32 digest) internal returns (QueryPermit memory) {
        Terms memory terms = permissions.appointmentOf(address(pool), issuer, digest).bounds;
        uint32 number = permissions.appointmentOf(address(pool), issuer, digest).number;
        terms.runs = 2;
        return QueryPermit(issuer, number, address(pool), address(this), digest, terms, ++nonce);
    }

    function signed(uint256 key, QueryPermit memory permit) internal view returns (bytes memory) {
        return sign(key, address(permissions), structHashOf(permit));
    }

    function structHashOf(QueryPermit memory permit) internal pure returns (bytes32) {
        string memory terms =
            "Terms(uint128 price,uint128 poolTokenBurn,uint32 runs,uint64 opensAt,uint64 closesAt,bytes32 scopeDigest)";
        string memory whole = string.concat(
            "QueryPermit(address issuer,uint32 appointment,address pool,address grantee,bytes32 jobDigest,Terms terms,uint256 salt)",
            terms
        );
        bytes32 words = keccak256(abi.encode(keccak256(bytes(terms)), permit.terms));
        return keccak256(
            abi.encode(
                keccak256(bytes(whole)),
                permit.issuer,
                permit.appointment,
                permit.pool,
                permit.grantee,
                permit.jobDigest,
                words,
                permit.salt
            )
        );
    }

    function redeemed(QueryPermit memory permit) internal returns (bytes32) {
        return permissions.redeem(permit, signed(ISSUER_KEY, permit));
    }

    function proposed(bytes32 manifest, bytes32 template, bytes32 scope) internal returns (uint256) {
        address[] memory pools = new address[](1);
        pools[0] = address(pool);
        uint64 deadline = uint64(block.timestamp + 1 days);
        return board.proposeJob(JobProposal(manifest, template, 0, scope, "", pools, 1_000, deadline, JobClass.Open));
    }

    function expectRefused(QueryPermit memory permit, bytes memory reason) internal {
        bytes memory signature = signed(ISSUER_KEY, permit);
        vm.expectRevert(reason);
        permissions.redeem(permit, signature);
    }
}
