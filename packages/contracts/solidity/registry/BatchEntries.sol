// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @notice What all contributions of one batch have in common.
struct BatchHeader {
    address pool;
    uint32 epoch;
    bytes32 schemaId;
    /// @dev Last second at which the owners' signatures count.
    uint64 deadline;
    /// @dev The locator of an entry is this text followed by the hex of its blob digest.
    string locatorBase;
}

/// @notice A leaf of a verdict tree: what a node found out about one entry of a batch.
struct BatchVerdict {
    uint32 index;
    address owner;
    /// @dev 1 to 10,000: refused entries are no leaves.
    uint16 score;
    bytes32 verdictDigest;
}

/// @title What the entries of a batch are: how they are packed and signed, and the trees over them and over verdicts
/// @notice Keeps nothing. Trees are of sorted pairs, leaves are hashed twice.
abstract contract BatchEntries is EIP712 {
    uint256 public constant MAXIMUM_ENTRIES = 1_024;
    /// @dev owner (20), blob digest (32), commitment (32), consent digest (32)
    uint256 internal constant ENTRY_BYTES = 116;
    uint256 private constant SIGNATURE_BYTES = 65;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "BatchedContribution(bytes32 batch,uint256 index,address owner,bytes32 blobDigest,bytes32 commitment,bytes32 consentDigest)"
    );

    error EntriesLengthInvalid(uint256 entries, uint256 signatures);
    error DigestZero(uint256 index);
    error ContributionSignatureInvalid(uint256 index, address owner);

    constructor() EIP712("Sealpool", "1") {}

    /// @notice What binds an entry to its batch: chain and contract come with the EIP-712 domain.
    function batchHash(address relayer, uint256 number, BatchHeader calldata header) public pure returns (bytes32) {
        return keccak256(
            abi.encode(
                relayer,
                number,
                header.pool,
                header.epoch,
                header.schemaId,
                header.deadline,
                keccak256(bytes(header.locatorBase))
            )
        );
    }

    /// @notice Leaf of a verdict tree.
    function verdictLeaf(uint256 id, BatchVerdict calldata verdict) public pure returns (bytes32 leaf) {
        // A verdict in calldata is its own ABI encoding: four words, whose unused bits the decoder has checked to be zero.
        (uint32 index, address owner, uint16 score) = (verdict.index, verdict.owner, verdict.score);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, id)
            mstore(add(free, 0x20), index)
            mstore(add(free, 0x40), owner)
            mstore(add(free, 0x60), score)
            mstore(add(free, 0x80), calldataload(add(verdict, 0x60)))
            mstore(0x00, keccak256(free, 0xa0))
            leaf := keccak256(0x00, 0x20)
        }
    }

    /// Checks every entry's signature; gives the entries' leaves. In assembly because this is what a batch costs.
    function _checkEntries(bytes32 batch, bytes calldata entries, bytes calldata signatures)
        internal
        view
        returns (bytes32[] memory leaves)
    {
        uint256 count = entries.length / ENTRY_BYTES;
        if (
            count == 0 || count > MAXIMUM_ENTRIES || entries.length != count * ENTRY_BYTES
                || signatures.length != count * SIGNATURE_BYTES
        ) revert EntriesLengthInvalid(entries.length, signatures.length);
        leaves = new bytes32[](count);
        bytes32 separator = _domainSeparatorV4();
        bytes32 typeHash = ENTRY_TYPEHASH;
        for (uint256 i; i < count; ++i) {
            address owner;
            bool zero;
            bool good;
            assembly ("memory-safe") {
                let free := mload(0x40)
                let entry := add(entries.offset, mul(i, ENTRY_BYTES))
                owner := shr(96, calldataload(entry))
                // typeHash, batch, index, owner, blobDigest, commitment, consentDigest
                mstore(free, typeHash)
                mstore(add(free, 0x20), batch)
                mstore(add(free, 0x40), i)
                mstore(add(free, 0x60), owner)
                calldatacopy(add(free, 0x80), add(entry, 20), 96)
                zero := or(iszero(mload(add(free, 0x80))), iszero(mload(add(free, 0xa0))))
                let structHash := keccak256(free, 0xe0)
                // The leaf is of index, owner and the three digests, hashed twice against second preimages.
                mstore(0x00, keccak256(add(free, 0x40), 0xa0))
                mstore(add(add(leaves, 0x20), shl(5, i)), keccak256(0x00, 0x20))
                mstore(free, hex"1901")
                mstore(add(free, 0x02), separator)
                mstore(add(free, 0x22), structHash)
                mstore(free, keccak256(free, 0x42))
                let signature := add(signatures.offset, mul(i, SIGNATURE_BYTES))
                mstore(add(free, 0x20), shr(248, calldataload(add(signature, 64))))
                calldatacopy(add(free, 0x40), signature, 64)
                good := iszero(or(zero, gt(mload(add(free, 0x60)), HALF_ORDER)))
                // Where nothing can be recovered nothing is written, and the hash that stands there is no owner.
                pop(staticcall(gas(), 1, free, 0x80, 0x00, 0x20))
                good := and(good, eq(mload(0x00), owner))
            }
            if (good) continue;
            if (zero) revert DigestZero(i);
            revert ContributionSignatureInvalid(i, owner);
        }
    }

    function _leafOf(uint256 index, bytes calldata entry) internal pure returns (bytes32) {
        address owner = address(bytes20(entry[:20]));
        bytes32 inner =
            keccak256(abi.encode(index, owner, bytes32(entry[20:52]), bytes32(entry[52:84]), bytes32(entry[84:116])));
        return keccak256(bytes.concat(inner));
    }

    /// Root of a tree of sorted pairs, as OpenZeppelin's proofs expect it; a node without a neighbour moves up as it is.
    function _rootOf(bytes32[] memory nodes) internal pure returns (bytes32 root) {
        uint256 count = nodes.length;
        assembly ("memory-safe") {
            let first := add(nodes, 0x20)
            for {} gt(count, 1) {} {
                let half := shr(1, count)
                for { let i := 0 } lt(i, half) { i := add(i, 1) } {
                    let left := mload(add(first, shl(6, i)))
                    let right := mload(add(add(first, shl(6, i)), 0x20))
                    switch gt(left, right)
                    case 0 {
                        mstore(0x00, left)
                        mstore(0x20, right)
                    }
                    default {
                        mstore(0x00, right)
                        mstore(0x20, left)
                    }
                    mstore(add(first, shl(5, i)), keccak256(0x00, 0x40))
                }
                if and(count, 1) { mstore(add(first, shl(5, half)), mload(add(first, shl(5, sub(count, 1))))) }
                count := add(half, and(count, 1))
            }
            root := mload(first)
        }
    }
}
