// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {TokenIntake} from "./TokenIntake.sol";

/// @title Rewards for keeping ciphertext available: a random chunk for each epoch, answered with its Merkle path
/// @notice The chunk of an epoch follows from a block that was unknown when the epoch began, so answers cannot be computed
/// before; who misses an epoch loses that epoch only. An epoch is drawn once: a keeper of a part of the data cannot wait for
/// a second draw. The block is remembered when anyone {pin}s it, and by the chain for 8,191 blocks (EIP-2935) or 256.
contract LivenessRewards is TokenIntake, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 public constant ANSWER_WINDOW = 1 days;
    uint256 public constant MAXIMUM_CHUNK_BYTES = 4_096;

    struct Watch {
        IERC20 token;
        uint64 epochLength;
        address keeper;
        uint64 startsAt;
        address sponsor;
        uint64 chunks;
        uint256 reward;
        uint256 left;
        bytes32 root;
    }

    struct Challenge {
        uint64 epoch;
        uint64 openedAt;
        uint64 blockNumber;
        bool answered;
        /// @dev Hash of the deciding block once it was pinned.
        bytes32 seed;
    }

    uint256 public watchCount;
    mapping(uint256 id => Watch) private _watches;
    mapping(uint256 id => Challenge) private _challenges;

    event WatchOpened(uint256 indexed id, address indexed sponsor, address indexed keeper, bytes32 root, uint64 chunks);
    event Challenged(uint256 indexed id, uint64 epoch, uint256 blockNumber);
    event Pinned(uint256 indexed id, uint64 epoch, bytes32 seed);
    event Answered(uint256 indexed id, uint64 epoch, uint256 chunk, uint256 reward);
    event WatchClosed(uint256 indexed id, uint256 returned);

    error WatchInvalid(bytes32 root, uint256 chunks, uint256 epochLength, uint256 reward, address keeper);
    error WatchUnknown(uint256 id);
    error ChallengeStands(uint256 id, uint64 epoch);
    error NoChallenge(uint256 id);
    error TooLate(uint256 until);
    error BlockUnknown(uint256 blockNumber);
    error ChunkInvalid(uint256 id, uint256 chunk);
    error OnlySponsor(address caller, address sponsor);

    /// @notice Opens a watch over a blob of `chunks` chunks with this Merkle root, and deposits what it can pay.
    /// @dev Leaf: keccak256(keccak256(abi.encode(index, keccak256(chunk)))).
    function open(
        IERC20 token,
        address keeper,
        bytes32 root,
        uint64 chunks,
        uint64 epochLength,
        uint256 reward,
        uint256 total
    ) external nonReentrant returns (uint256 id) {
        if (root == 0 || chunks == 0 || epochLength <= ANSWER_WINDOW || reward == 0 || keeper == address(0)) {
            revert WatchInvalid(root, chunks, epochLength, reward, keeper);
        }
        id = ++watchCount;
        _watches[id] = Watch(
            token, epochLength, keeper, uint64(block.timestamp), msg.sender, chunks, reward, total, root
        );
        emit WatchOpened(id, msg.sender, keeper, root, chunks);
        _take(token, msg.sender, total);
    }

    /// @notice Opens the challenge of the current epoch. Anyone.
    function challenge(uint256 id) external {
        Watch storage watch = _watches[id];
        if (watch.root == 0) revert WatchUnknown(id);
        uint64 epoch = uint64((block.timestamp - watch.startsAt) / watch.epochLength) + 1;
        Challenge storage current = _challenges[id];
        if (current.epoch == epoch) revert ChallengeStands(id, epoch);
        // Nor may a new epoch take away the time that the last one still has.
        bool answerable = current.epoch != 0 && !current.answered && current.openedAt + ANSWER_WINDOW >= block.timestamp;
        if (answerable) revert ChallengeStands(id, current.epoch);
        _challenges[id] = Challenge(epoch, uint64(block.timestamp), uint64(block.number + 1), false, 0);
        emit Challenged(id, epoch, block.number + 1);
    }

    /// @notice Remembers the deciding block of the open challenge while the chain still knows it. Anyone.
    function pin(uint256 id) external {
        Challenge storage current = _challenges[id];
        if (current.epoch == 0 || current.answered) revert NoChallenge(id);
        bytes32 seed = _seedOf(current);
        current.seed = seed;
        emit Pinned(id, current.epoch, seed);
    }

    /// @notice Answers a challenge with the chunk that it asks for; the keeper is paid.
    function answer(uint256 id, bytes calldata chunk, bytes32[] calldata proof) external nonReentrant {
        Watch storage watch = _watches[id];
        Challenge storage current = _challenges[id];
        if (current.epoch == 0 || current.answered) revert NoChallenge(id);
        uint256 until = current.openedAt + ANSWER_WINDOW;
        if (block.timestamp > until) revert TooLate(until);
        uint256 index = chunkOf(id);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(index, keccak256(chunk)))));
        if (
            chunk.length == 0 || chunk.length > MAXIMUM_CHUNK_BYTES
                || !MerkleProof.verifyCalldata(proof, watch.root, leaf)
        ) revert ChunkInvalid(id, index);
        current.answered = true;
        uint256 reward = watch.left < watch.reward ? watch.left : watch.reward;
        watch.left -= reward;
        emit Answered(id, current.epoch, index, reward);
        if (reward != 0) watch.token.safeTransfer(watch.keeper, reward);
    }

    /// @notice Ends a watch; what is left returns. Only the sponsor, and not while a challenge can still be answered.
    function close(uint256 id) external nonReentrant {
        Watch storage watch = _watches[id];
        if (msg.sender != watch.sponsor) revert OnlySponsor(msg.sender, watch.sponsor);
        Challenge storage current = _challenges[id];
        if (current.epoch != 0 && !current.answered && block.timestamp <= current.openedAt + ANSWER_WINDOW) {
            revert ChallengeStands(id, current.epoch);
        }
        uint256 left = watch.left;
        IERC20 token = watch.token;
        delete _watches[id];
        emit WatchClosed(id, left);
        if (left != 0) token.safeTransfer(msg.sender, left);
    }

    /// @notice The chunk that the open challenge asks for.
    function chunkOf(uint256 id) public view returns (uint256) {
        Challenge storage current = _challenges[id];
        if (current.epoch == 0) revert NoChallenge(id);
        if (_watches[id].root == 0) revert WatchUnknown(id);
        return uint256(keccak256(abi.encode(_seedOf(current), id, current.epoch))) % _watches[id].chunks;
    }

    /// @notice The watch as stored; all zero when there is none.
    function getWatch(uint256 id) external view returns (Watch memory) {
        return _watches[id];
    }

    /// @notice The newest challenge of a watch.
    function getChallenge(uint256 id) external view returns (Challenge memory) {
        return _challenges[id];
    }

    function _seedOf(Challenge storage current) private view returns (bytes32 seed) {
        seed = current.seed;
        if (seed == 0) seed = Blockhash.blockHash(current.blockNumber);
        if (seed == 0) revert BlockUnknown(current.blockNumber);
    }
}
