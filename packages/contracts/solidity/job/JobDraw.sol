// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title By which lot a drawn job finds its node
/// @notice The seed is the hash of a block after the funding: neither the consumer nor a node knows it when the job is
/// funded, and the candidates are counted at that time, so that registering later changes nothing. Who proposes that very
/// block can withhold it, at the price of the block: enough against nodes and consumers, not against a chain's validators.
abstract contract JobDraw {
    /// @notice Blocks from funding to the block that decides.
    uint256 public constant DRAW_DELAY = 2;
    /// @notice How many lots are drawn before a later block decides anew.
    uint256 public constant DRAW_ATTEMPTS = 32;

    struct Draw {
        uint64 blockNumber;
        uint64 candidates;
    }

    mapping(uint256 id => Draw) private _draws;

    event DrawScheduled(uint256 indexed id, uint256 blockNumber, uint256 candidates);

    error DrawTooEarly(uint256 id, uint256 blockNumber);

    /// @notice The block that decides over a drawn job, and among how many nodes; zero when there is none.
    function drawOf(uint256 id) external view returns (Draw memory) {
        return _draws[id];
    }

    function _scheduleDraw(uint256 id, uint256 candidates) internal {
        uint256 blockNumber = block.number + DRAW_DELAY;
        _draws[id] = Draw(uint64(blockNumber), uint64(candidates));
        emit DrawScheduled(id, blockNumber, candidates);
    }

    /// @return seed Zero when the deciding block is no longer known or nobody can be drawn.
    function _drawn(uint256 id) internal view returns (uint256 seed, uint256 candidates) {
        Draw memory draw = _draws[id];
        if (block.number <= draw.blockNumber) revert DrawTooEarly(id, draw.blockNumber);
        bytes32 hash = blockhash(draw.blockNumber);
        candidates = draw.candidates;
        if (hash != 0 && candidates != 0) seed = uint256(keccak256(abi.encode(hash, id)));
    }
}
