// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {BatchHeader, BatchVerdict} from "../solidity/registry/ContributionBatches.sol";
import {World} from "./World.sol";

/// @title Makes Merkle batches: trees are built here, plainly, and not by the contract's own code
abstract contract BatchMaker is World {
    uint256 internal constant OWNER = 0xa000;

    struct Made {
        uint256 id;
        bytes entries;
        bytes32[] leaves;
    }

    function header() internal view returns (BatchHeader memory) {
        return BatchHeader(address(pool), 1, bytes32("schema"), type(uint64).max, "https://blobs/");
    }

    function entryOf(uint256 i) internal pure returns (bytes memory) {
        return abi.encodePacked(vm.addr(OWNER + i / 2), keccak256(abi.encode("blob", i)), bytes32(i + 1), bytes32(i));
    }

    function signatureOf(uint256 key, uint256 number, uint256 i, bytes memory entry, BatchHeader memory h)
        internal
        view
        returns (bytes memory)
    {
        bytes32 batch = keccak256(
            abi.encode(address(this), number, h.pool, h.epoch, h.schemaId, h.deadline, keccak256(bytes(h.locatorBase)))
        );
        return sign(key, address(batches), keccak256(abi.encodePacked(TYPEHASH(), batch, i, words(entry))));
    }

    // solhint-disable-next-line func-name-mixedcase
    function TYPEHASH() internal pure returns (bytes32) {
        return keccak256(
            "BatchedContribution(bytes32 batch,uint256 index,address owner,bytes32 blobDigest,bytes32 commitment,bytes32 consentDigest)"
        );
    }

    /// The entry as four ABI words.
    function words(bytes memory entry) internal pure returns (bytes memory) {
        return bytes.concat(new bytes(12), entry);
    }

    function leafOf(uint256 i, bytes memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes.concat(bytes32(i), words(entry)))));
    }

    function make(uint256 count) internal returns (Made memory made) {
        uint256 number = batches.nextNumber(address(this));
        bytes memory signatures;
        made.leaves = new bytes32[](count);
        BatchHeader memory h = header();
        for (uint256 i; i < count; ++i) {
            bytes memory entry = entryOf(i);
            made.entries = bytes.concat(made.entries, entry);
            signatures = bytes.concat(signatures, signatureOf(OWNER + i / 2, number, i, entry, h));
            made.leaves[i] = leafOf(i, entry);
        }
        made.id = batches.contributeBatch(number, h, made.entries, signatures);
    }

    function up(bytes32[] memory level) internal pure returns (bytes32[] memory next) {
        next = new bytes32[]((level.length + 1) / 2);
        for (uint256 i; i < next.length; ++i) {
            if (2 * i + 1 == level.length) {
                next[i] = level[2 * i];
                continue;
            }
            (bytes32 a, bytes32 b) = (level[2 * i], level[2 * i + 1]);
            next[i] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        }
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) leaves = up(leaves);
        return leaves[0];
    }

    function proofOf(bytes32[] memory leaves, uint256 i) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory long = new bytes32[](32);
        uint256 length;
        while (leaves.length > 1) {
            if (i ^ 1 < leaves.length) long[length++] = leaves[i ^ 1];
            leaves = up(leaves);
            i /= 2;
        }
        proof = new bytes32[](length);
        for (uint256 k; k < length; ++k) proof[k] = long[k];
    }

    function verdictsOf(Made memory made) internal view returns (BatchVerdict[] memory list, bytes32[] memory leaves) {
        list = new BatchVerdict[](made.leaves.length);
        leaves = new bytes32[](list.length);
        for (uint256 i; i < list.length; ++i) {
            list[i] = BatchVerdict(uint32(i), vm.addr(OWNER + i / 2), 1_000, bytes32("verdict"));
            leaves[i] = this.leaf(made.id, list[i]);
        }
    }

    function leaf(uint256 id, BatchVerdict calldata verdict) external pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256(abi.encode(id, verdict.index, verdict.owner, verdict.score, verdict.verdictDigest)))
        );
    }

    function judge(uint256 id, bytes32 verdictRoot, uint256 accepted) internal {
        StatementProof memory proof = prove(
            batches.VERDICT_ROOT_STATEMENT(),
            address(pool),
            keccak256(abi.encode(id, batches.getBatch(id).root)),
            keccak256(abi.encode(id, verdictRoot, accepted))
        );
        batches.recordVerdictRoot(id, verdictRoot, accepted, proof);
    }

    function proofs(bytes32[] memory leaves) internal pure returns (bytes32[][] memory all) {
        all = new bytes32[][](leaves.length);
        for (uint256 i; i < leaves.length; ++i) all[i] = proofOf(leaves, i);
    }
}
