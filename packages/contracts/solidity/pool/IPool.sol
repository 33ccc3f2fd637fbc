// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How a pool's contributors hold the runs of one digest (a job's, or a template's).
struct Stop {
    /// @dev Contributors who hold it now.
    uint32 holders;
    /// @dev The pool's vote let it run for good.
    bool overruled;
    /// @dev A run whose lot was known was given back because of it: only a vote can lift it.
    bool binding;
    /// @dev When the last holder let go.
    uint40 liftedAt;
}

/// @notice What the job board can do about a stop.
enum StopAct {
    /// @dev In the name of a contributor.
    Suspend,
    /// @dev In the name of a contributor, or of the vote.
    Resume,
    /// @dev Leaves it to the vote alone, because a run was given back for it.
    Bind
}

/// @title What the registry and the job board ask of a pool
interface IPool {
    function timelock() external view returns (address);
    function token() external view returns (address);
    function pointsOf(address contributor) external view returns (uint256);
    function totalPoints() external view returns (uint256);
    /// @notice Reverts while the pool is paused or a contributor holds the runs of this digest.
    function requireOpenTo(bytes32 digest) external view;
    /// @notice The same for funding, and reverts unless the pool accepts the code that is going to run.
    function requireFundable(bytes32 digest, bytes32 codeDigest) external view;
    /// @notice Time at which the last pause ends or ended; zero before the first.
    function pausedUntil() external view returns (uint40);
    /// @notice How contributors hold a digest.
    function stopOf(bytes32 digest) external view returns (Stop memory);
    /// @notice Whether the pool is paused or contributors hold this digest, and until when it last was or they last did. A change
    /// of its rules counts as the end of such a time: it may have kept a node out.
    function holdOf(bytes32 digest) external view returns (bool held, uint40 heldUntil);
    /// @notice What is done about a stop by way of a job's number. Only the job board.
    /// @return held Whether the pool is paused or holds this digest then.
    function stopFor(StopAct act, address caller, bytes32 digest) external returns (bool held);
    /// @notice Reverts unless contributions may now be sealed under `epoch`.
    function requireOpenEpoch(uint32 epoch) external view;
    /// @notice Reverts unless the pool accepts statements of this node.
    function requireNode(address node) external view;
    /// @notice Pool tokens that are credited and not minted yet.
    function reserved() external view returns (uint256);
    /// @notice Adds points and mints tokens for accepted contributions. Only the two registries of contributions.
    function reward(address[] calldata contributors, uint256[] calldata scores) external;
    /// @notice Adds points and promises tokens, which their owner's first {collectFor} mints: one slot for each owner. Only
    /// the two registries.
    function credit(address[] calldata contributors, uint256[] calldata scores) external;
    /// @notice Takes the points of a withdrawn contribution; what they earned before stays. Only the two registries.
    function forfeit(address contributor, uint256 score) external;
    /// @notice Shares out protocol tokens that have just been transferred here. Only the job board.
    function distribute(uint256 amount) external;
}

/// @title What tells genuine pools from impostors
interface IPoolDirectory {
    /// @notice Position of a pool, counted from 1; zero for an address that this factory did not found.
    function indexOf(address pool) external view returns (uint32);
    function poolAt(uint32 index) external view returns (address);
}
