// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What the registry and the job board ask of a pool
interface IPool {
    function timelock() external view returns (address);
    function token() external view returns (address);
    function pointsOf(address contributor) external view returns (uint256);
    function totalPoints() external view returns (uint256);
    /// @notice Reverts while the pool is paused.
    function requireRunning() external view;
    /// @notice Reverts unless contributions may now be sealed under `epoch`.
    function requireOpenEpoch(uint32 epoch) external view;
    /// @notice Reverts unless the pool accepts statements of this node.
    function requireNode(address node) external view;
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
