// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice One sealed file, offered to one pool by its owner.
struct Contribution {
    address owner;
    address pool;
    /// @dev SHA-256 of the sealed bytes.
    bytes32 blobDigest;
    /// @dev Salted commitment to the plaintext.
    bytes32 commitment;
    bytes32 schemaId;
    bytes32 consentDigest;
    uint32 epoch;
    string locator;
    /// @dev Any number the owner has not used before (unordered, so that several can be in flight).
    uint256 nonce;
}

/// @notice What a node found out about one contribution.
struct VerdictEntry {
    uint256 contributionId;
    /// @dev 0 to 10,000.
    uint16 score;
    bool refused;
    bytes32 verdictDigest;
}

/// @notice State of a contribution. docs/contracts.md draws it:
///
///   None       -> Offered
///   Offered    -> Accepted | Refused | Withdrawn | Superseded
///   Accepted   -> Withdrawn | Superseded
///   Refused    -> Withdrawn | Superseded
///   Withdrawn  -> Erased (a node states it)
///   Superseded -> Erased (a node states it)
enum ContributionState {
    None,
    Offered,
    Accepted,
    Refused,
    /// @dev Its owner took it back: no job may read it any more.
    Withdrawn,
    /// @dev Its owner replaced it by another contribution.
    Superseded,
    /// @dev A node stated that it destroyed what it held of a withdrawn or superseded contribution.
    Erased
}

/// @notice What the chain remembers of a contribution; everything else stands in its event.
struct ContributionRecord {
    address owner;
    uint32 poolIndex;
    uint32 epoch;
    uint16 score;
    ContributionState state;
}
