// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a pool's vote allows: how often, until when, for what.
struct Terms {
    /// @dev Protocol tokens per run.
    uint128 price;
    /// @dev Pool tokens burned per run.
    uint128 poolTokenBurn;
    uint32 runs;
    uint64 opensAt;
    /// @dev Last second at which a run may be funded.
    uint64 closesAt;
    /// @dev Digest of the tables, columns and purpose that a run may touch; zero: what the job itself says. A job's digest
    /// fixes them already; a template's grant is where this matters. A job must declare the same digest to be funded, and
    /// nodes hold its manifest to it.
    bytes32 scopeDigest;
}

/// @notice A grant and how often it was used.
struct Grant {
    Terms terms;
    uint32 used;
    bool revoked;
    /// @dev Counts replacements, so that a run of an older grant is never given back to a newer one.
    uint32 generation;
}

/// @notice What one run costs.
struct RunPrice {
    uint128 price;
    uint128 poolTokenBurn;
}

/// @notice A proposed job, as the job board asks about its grants.
struct AskedJob {
    uint256 id;
    address consumer;
    bytes32 manifestDigest;
    /// @dev The digest that its grants are for: its template's, or else its manifest's.
    bytes32 granted;
    /// @dev What it declares of its scope; zero: nothing.
    bytes32 scopeDigest;
}
