// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TokenIntake} from "./TokenIntake.sol";

/// @title Rewards for many by one root: deposited when an epoch opens, claimed with a proof, each once
/// @notice An epoch pays never more than was deposited for it. What nobody claimed returns to the funder after the end.
contract RewardEpochs is TokenIntake, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Epoch {
        IERC20 token;
        uint64 closesAt;
        address funder;
        /// @dev How many epochs its funder had opened before: leaves name it.
        uint96 number;
        bytes32 root;
        uint256 left;
    }

    /// @notice Number of epochs; identifiers count from 1.
    uint256 public epochCount;
    /// @notice How many epochs a funder has opened, and so the number of its next one.
    mapping(address funder => uint96) public nextNumber;
    mapping(uint256 id => Epoch) private _epochs;
    mapping(uint256 id => mapping(uint256 word => uint256)) private _claimed;

    event EpochOpened(
        uint256 indexed id, address indexed funder, IERC20 indexed token, uint96 number, bytes32 root, uint256 total, uint64 closesAt
    );
    event RewardClaimed(uint256 indexed id, uint256 index, address indexed account, uint256 amount);
    event EpochClosed(uint256 indexed id, uint256 returned);

    error RootZero(address sponsor);
    error CloseNotInFuture(uint64 closesAt);
    error EpochUnknown(uint256 id);
    error EpochOver(uint256 id, uint64 closesAt);
    error EpochNotOver(uint256 id, uint64 closesAt);
    error AlreadyClaimed(uint256 id, uint256 index);
    error ProofInvalid(uint256 id, uint256 index);
    error EpochExhausted(uint256 id, uint256 left, uint256 amount);
    error OnlyFunder(address caller, address funder);

    /// @notice Opens an epoch and deposits all that it can pay. Its leaves name the sender and {nextNumber} ({leafOf}).
    function open(IERC20 token, bytes32 root, uint256 total, uint64 closesAt)
        external
        nonReentrant
        returns (uint256 id)
    {
        if (root == 0) revert RootZero(msg.sender);
        if (closesAt <= block.timestamp) revert CloseNotInFuture(closesAt);
        id = ++epochCount;
        uint96 number = nextNumber[msg.sender]++;
        _epochs[id] = Epoch(token, closesAt, msg.sender, number, root, total);
        emit EpochOpened(id, msg.sender, token, number, root, total, closesAt);
        _take(token, msg.sender, total);
    }

    /// @notice Pays one leaf to its account; anyone may send it.
    function claim(uint256 id, uint256 index, address account, uint256 amount, bytes32[] calldata proof)
        external
        nonReentrant
    {
        Epoch storage epoch = _epochs[id];
        if (epoch.root == 0) revert EpochUnknown(id);
        if (block.timestamp > epoch.closesAt) revert EpochOver(id, epoch.closesAt);
        if (isClaimed(id, index)) revert AlreadyClaimed(id, index);
        if (!MerkleProof.verifyCalldata(proof, epoch.root, leafOf(epoch.funder, epoch.number, index, account, amount))) {
            revert ProofInvalid(id, index);
        }
        if (amount > epoch.left) revert EpochExhausted(id, epoch.left, amount);
        _claimed[id][index >> 8] |= 1 << (index & 0xff);
        epoch.left -= amount;
        emit RewardClaimed(id, index, account, amount);
        epoch.token.safeTransfer(account, amount);
    }

    /// @notice Returns what nobody claimed. Only the funder, after the end.
    function close(uint256 id) external nonReentrant {
        Epoch storage epoch = _epochs[id];
        if (msg.sender != epoch.funder) revert OnlyFunder(msg.sender, epoch.funder);
        if (block.timestamp <= epoch.closesAt) revert EpochNotOver(id, epoch.closesAt);
        uint256 left = epoch.left;
        epoch.left = 0;
        emit EpochClosed(id, left);
        if (left != 0) epoch.token.safeTransfer(msg.sender, left);
    }

    /// @notice The epoch as stored; all zero when there is none.
    function getEpoch(uint256 id) external view returns (Epoch memory) {
        return _epochs[id];
    }

    /// @notice Whether a leaf was paid.
    function isClaimed(uint256 id, uint256 index) public view returns (bool) {
        return _claimed[id][index >> 8] & (1 << (index & 0xff)) != 0;
    }

    /// @notice A leaf: chain, contract, funder and the funder's number are in it, so that a root used twice pays nobody by another's
    /// proof. Not the epoch's identifier, which somebody else could take first: the root would then pay nobody.
    function leafOf(address funder, uint256 number, uint256 index, address account, uint256 amount)
        public
        view
        returns (bytes32)
    {
        return keccak256(
            bytes.concat(keccak256(abi.encode(block.chainid, address(this), funder, number, index, account, amount)))
        );
    }
}
