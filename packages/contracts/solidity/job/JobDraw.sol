// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title By which lot a drawn job finds its node
/// @notice The seed is the hash of a block after the funding: neither the consumer nor a node knows it when the job is
/// funded, and the candidates are counted at that time, so that registering later changes nothing. From the deciding block
/// on the consumer cannot cancel while the lot can fall, and the run is used whatever becomes of the job: another lot takes
/// another run of the grant. Who proposes that very
/// block can withhold it, at the price of the block: enough against nodes and consumers, not against a chain's validators.
abstract contract JobDraw {
    /// @notice Blocks from funding to the block that decides.
    uint256 public constant DRAW_DELAY = 2;
    /// @notice How many lots are drawn before a later block decides anew.
    uint256 public constant DRAW_ATTEMPTS = 32;
    /// @dev How many blocks the chain remembers.
    uint256 private constant MEMORY = 256;

    struct Draw {
        uint64 blockNumber;
        uint64 candidates;
        /// @dev The first block that decided, or will: from it on somebody knows a lot, so the run of the grant is used.
        uint64 firstBlock;
    }

    mapping(uint256 id => Draw) private _draws;

    event DrawScheduled(uint256 indexed id, uint256 blockNumber, uint256 candidates);

    error DrawTooEarly(uint256 id, uint256 blockNumber);
    error DrawPending(uint256 id, uint256 blockNumber, uint256 lastBlock);

    /// @notice The block that decides over a drawn job, and among how many nodes; zero when there is none.
    function drawOf(uint256 id) external view returns (Draw memory) {
        return _draws[id];
    }

    function _scheduleDraw(uint256 id, uint256 candidates) internal {
        uint256 blockNumber = block.number + DRAW_DELAY;
        uint64 first = _draws[id].firstBlock;
        _draws[id] = Draw(uint64(blockNumber), uint64(candidates), first == 0 ? uint64(blockNumber) : first);
        emit DrawScheduled(id, blockNumber, candidates);
    }

    /// Whether a block has decided over the job at any time.
    function _lotKnown(uint256 id) internal view returns (bool) {
        return block.number >= _draws[id].firstBlock;
    }

    /// Reverts while a block has decided, the chain remembers it, and nobody has let the lot fall yet.
    function _requireNoLot(uint256 id) internal view {
        uint256 decides = _draws[id].blockNumber;
        if (block.number >= decides && block.number <= decides + MEMORY) {
            revert DrawPending(id, decides, decides + MEMORY);
        }
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
