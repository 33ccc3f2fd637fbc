// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title By which lot a drawn job finds its node
/// @notice The seed is the hash of a block after the funding: neither the consumer nor a node knows it when the job is
/// funded, and the candidates are counted at that time, so that registering later changes nothing. From the deciding block
/// on the consumer cannot cancel while the lot can fall (256 blocks at most), and the run is used whatever becomes of the job: another lot takes
/// another run of the grant, but for up to 16 nodes that were drawn and did not start in time. Who proposes that very
/// block can withhold it, at the price of the block: enough against nodes and consumers, not against a chain's validators.
abstract contract JobDraw {
    /// @notice Blocks from funding to the block that decides.
    uint256 public constant DRAW_DELAY = 2;
    /// @notice How many candidates one block's hash names, one after the other, until one can run the job. When none can, the
    /// hash stays: were it forgotten, a pool that the consumer brought could turn away every lot that it does not like.
    uint256 public constant DRAW_ATTEMPTS = 128;
    /// @dev How many blocks the chain remembers.
    uint256 private constant MEMORY = 256;

    struct Draw {
        uint64 blockNumber;
        uint64 candidates;
        /// @dev The first block that decided, or will: from it on somebody knows a lot, so the run of the grant is used.
        uint64 firstBlock;
        /// @dev The deciding block's hash is kept here, because the job was held when it became known, or nobody could run it.
        bool lotFixed;
    }

    mapping(uint256 id => Draw) private _draws;
    mapping(uint256 id => bytes32 blockHash) private _fixed;

    event DrawScheduled(uint256 indexed id, uint256 blockNumber, uint256 candidates);
    event LotFixed(uint256 indexed id, uint256 blockNumber);

    error DrawTooEarly(uint256 id, uint256 blockNumber);
    error DrawPending(uint256 id, uint256 blockNumber, uint256 lastBlock);

    /// @notice The block that decides over a drawn job, and among how many nodes; zero when there is none.
    function drawOf(uint256 id) external view returns (Draw memory) {
        return _draws[id];
    }

    function _scheduleDraw(uint256 id, uint256 candidates) internal {
        uint256 blockNumber = block.number + DRAW_DELAY;
        uint64 first = _draws[id].firstBlock;
        _draws[id] = Draw(uint64(blockNumber), uint64(candidates), first == 0 ? uint64(blockNumber) : first, false);
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

    /// Keeps the hash that decides, for a job that is held, or that no candidate can run, while the chain would forget it: who
    /// outwaits a stop, a pause or a pool's rules, its own among them, draws nothing anew.
    /// @return Whether it was known and not kept yet.
    function _fixLot(uint256 id) internal returns (bool) {
        Draw storage draw = _draws[id];
        bytes32 hash = blockhash(draw.blockNumber);
        if (hash == 0 || draw.lotFixed) return false;
        draw.lotFixed = true;
        _fixed[id] = hash;
        emit LotFixed(id, draw.blockNumber);
        return true;
    }

    /// @return seed Zero when the deciding block is no longer known or nobody can be drawn.
    function _drawn(uint256 id) internal view returns (uint256 seed, uint256 candidates) {
        Draw memory draw = _draws[id];
        if (block.number <= draw.blockNumber) revert DrawTooEarly(id, draw.blockNumber);
        bytes32 hash = draw.lotFixed ? _fixed[id] : blockhash(draw.blockNumber);
        candidates = draw.candidates;
        if (hash != 0 && candidates != 0) seed = uint256(keccak256(abi.encode(hash, id)));
    }
}
