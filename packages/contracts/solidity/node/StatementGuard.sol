// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NodeRegistry} from "./NodeRegistry.sol";

/// @notice What a node adds to the facts it speaks about.
struct StatementProof {
    /// @dev SHA-256 of the canonical JSON of the whole statement (its body may say more than the facts).
    bytes32 digest;
    uint256 nonce;
    /// @dev 65 bytes r || s || v over the EIP-712 hash, low s.
    bytes signature;
}

/// @title Each node statement counts once
/// @notice Chain and registry are in the EIP-712 domain, the pool, the subject and the facts in the struct, so a statement
/// for one pool, contribution or job means nothing elsewhere. In place it counts once because what it changes can change
/// once only (a contribution is judged once, an epoch begins once, a job is never given back to a node that had it); where
/// nothing of the kind is stored, the node's nonce is: a node numbers such statements and gives no number twice. A signature
/// is never a key, for a second signature over the same statement is the same statement.
abstract contract StatementGuard {
    NodeRegistry public immutable nodeRegistry;

    mapping(address node => mapping(uint256 word => uint256)) private _used;

    error StatementUsed(address node, uint256 nonce, string kind, address pool, bytes32 subject);

    constructor(NodeRegistry nodeRegistry_) {
        nodeRegistry = nodeRegistry_;
    }

    /// @dev Checks signature and node. The caller must change state so that the same statement cannot be heard again.
    function _hearStatement(
        string memory kind,
        address pool,
        bytes32 subject,
        bytes32 facts,
        StatementProof calldata proof
    ) internal view returns (address signer) {
        return nodeRegistry.checkStatement(kind, pool, subject, facts, proof.digest, proof.nonce, proof.signature);
    }

    /// @dev The same for statements that change nothing which could refuse a second hearing: the node's nonce is used up.
    function _useStatement(
        string memory kind,
        address pool,
        bytes32 subject,
        bytes32 facts,
        StatementProof calldata proof
    ) internal returns (address signer) {
        signer = _hearStatement(kind, pool, subject, facts, proof);
        uint256 bit = 1 << (proof.nonce & 0xff);
        uint256 word = _used[signer][proof.nonce >> 8];
        if (word & bit != 0) revert StatementUsed(signer, proof.nonce, kind, pool, subject);
        _used[signer][proof.nonce >> 8] = word | bit;
    }
}
