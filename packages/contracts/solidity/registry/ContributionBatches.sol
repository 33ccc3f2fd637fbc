// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {IPool, IPoolDirectory} from "../pool/IPool.sol";
import {BatchEntries, BatchHeader, BatchVerdict} from "./BatchEntries.sol";

/// @notice What the chain remembers of a batch.
struct Batch {
    address relayer;
    uint32 poolIndex;
    uint32 count;
    uint32 epoch;
    bytes32 root;
    bytes32 verdictRoot;
}

/// @title Contributions by the hundred: one slot for many, each signed by its owner
/// @notice Every entry's signature is checked here, and the entries' Merkle root is computed here, so that a relayer can
/// neither invent nor alter a contribution. The signature names the relayer, its batch number and the entry's place, so
/// that an entry counts in one place only and needs no nonce of its own. Verdicts come as a Merkle root in a node's
/// statement; owners are then paid with a proof, each entry once.
contract ContributionBatches is StatementGuard, BatchEntries {
    string public constant VERDICT_ROOT_STATEMENT = "sealpool/verdict-root/1";
    string public constant ERASURE_STATEMENT = "sealpool/batch-erasure/1";
    uint16 public constant FULL_SCORE = 10_000;
    uint256 public constant MAXIMUM_LOCATOR_BYTES = 440;
    /// @dev What one payment holds in memory.
    struct Payment {
        /// @dev One word of marks at a time, while neighbouring entries are paid.
        uint256 place;
        uint256 paid;
        uint256 withdrawn;
        address[] owners;
        uint256[] scores;
        uint256 filled;
        /// @dev Which verdicts were left out; empty while none was.
        bool[] out;
        uint256 skipped;
    }

    IPoolDirectory public immutable pools;

    /// @notice Number of batches; identifiers count from 1.
    uint256 public batchCount;
    /// @notice The number that a relayer's next batch must have.
    mapping(address relayer => uint256) public nextNumber;
    mapping(uint256 id => Batch) private _batches;
    mapping(uint256 id => mapping(uint256 word => uint256)) private _paid;
    mapping(uint256 id => mapping(uint256 word => uint256)) private _withdrawn;
    mapping(uint256 id => mapping(uint256 word => uint256)) private _erased;
    /// @dev Which leaf was paid, where it was paid with a proof: only then could another one of its place be in the tree.
    mapping(uint256 id => mapping(uint256 index => bytes32)) private _paidLeaf;
    /// @dev Batches of which an owner cancelled a place: no other one looks further.
    mapping(bytes32 batch => bool) private _cancelledIn;
    mapping(bytes32 batch => mapping(uint256 index => mapping(address owner => bool))) private _cancelled;

    /// @param entries For each entry 116 bytes: owner, blob digest, commitment, consent digest.
    event BatchContributed(
        uint256 indexed id,
        address indexed pool,
        address indexed relayer,
        uint256 number,
        bytes32 root,
        BatchHeader header,
        bytes entries
    );
    event VerdictRootRecorded(
        uint256 indexed id, address indexed pool, address indexed node, bytes32 root, uint256 accepted
    );
    event BatchVerdictsPaid(uint256 indexed id, BatchVerdict[] verdicts);
    event BatchVerdictSkipped(uint256 indexed id, uint256 index, bool withdrawn);
    event BatchEntryCancelled(bytes32 indexed batch, uint256 index, address indexed owner);
    event BatchEntryWithdrawn(uint256 indexed id, uint256 index, address indexed owner);
    event BatchEntrySuperseded(uint256 indexed id, uint256 index, address indexed owner, bytes32 replacement);
    event BatchErasureRecorded(
        uint256 indexed id, uint256 index, address indexed pool, address indexed node, bytes32 erasureDigest
    );

    error PoolUnknown(uint256 index, address pool);
    error SignatureExpired(uint256 index, uint256 deadline);
    error NumberNotNext(address relayer, uint256 given, uint256 expected);
    error LocatorLengthInvalid(uint256 index, uint256 length, uint256 maximum);
    error BatchUnknown(uint256 id);
    error VerdictRootAlreadyRecorded(uint256 id);
    error VerdictRootInvalid(uint256 id, bytes32 root, uint256 accepted);
    error ProofInvalid(uint256 id, uint256 index);
    error AlreadyPaid(uint256 id, uint256 index);
    error AlreadyWithdrawn(uint256 id, uint256 index);
    error EntryAlreadyCancelled(bytes32 batch, uint256 index, address owner);
    error NotWithdrawnYet(uint256 id, uint256 index);
    error OwnerNotSender(address owner, address sender);
    error ScoreInvalid(uint256 id, uint16 score, bool refused);
    error BatchEmpty(uint256 id);
    error VerdictTwice(uint256 id, uint256 index);
    error NotErasable(uint256 id, uint256 index);
    error ReplacementZero(uint256 id, uint256 index);
    error BatchLengthsDiffer(uint256 verdicts, uint256 proofs);

    constructor(NodeRegistry nodeRegistry_, IPoolDirectory pools_)
        StatementGuard(nodeRegistry_)
    {
        pools = pools_;
    }

    /// @notice Records a batch of contributions of one pool. The sender is the relayer that the owners' signatures name.
    /// @param entries Concatenated entries, 116 bytes each.
    /// @param signatures Concatenated signatures r || s || v, 65 bytes each, in the same order.
    /// @return id The batch's identifier.
    function contributeBatch(
        uint256 number,
        BatchHeader calldata header,
        bytes calldata entries,
        bytes calldata signatures
    ) external returns (uint256 id) {
        uint32 poolIndex = _checkHeader(number, header);
        bytes32 batch = batchHash(msg.sender, number, header);
        bytes32[] memory leaves = _checkEntries(batch, entries, signatures);
        bytes32 root = _rootOf(leaves);
        id = ++batchCount;
        _batches[id] = Batch(msg.sender, poolIndex, uint32(entries.length / ENTRY_BYTES), header.epoch, root, 0);
        emit BatchContributed(id, header.pool, msg.sender, number, root, header, entries);
        if (_cancelledIn[batch]) _withdrawCancelled(id, batch, entries);
    }

    /// @notice Cancels a signature that the caller gave for a place in a batch that is not recorded yet: should the batch come,
    /// the entry is withdrawn from the beginning, and holds up no other. For any place, also one that the caller did not sign.
    function cancelEntry(address relayer, uint256 number, BatchHeader calldata header, uint256 index) external {
        // Afterwards a signature under this number is recorded ({withdraw} takes it back), or can be no more.
        if (number < nextNumber[relayer]) revert NumberNotNext(relayer, number, nextNumber[relayer]);
        bytes32 batch = batchHash(relayer, number, header);
        if (_cancelled[batch][index][msg.sender]) revert EntryAlreadyCancelled(batch, index, msg.sender);
        _cancelledIn[batch] = true;
        _cancelled[batch][index][msg.sender] = true;
        emit BatchEntryCancelled(batch, index, msg.sender);
    }

    /// @notice Whether an owner cancelled a place of a batch, by the hash of what its entries share ({batchHash}).
    function isCancelled(bytes32 batch, uint256 index, address owner) external view returns (bool) {
        return _cancelled[batch][index][owner];
    }

    /// @notice Records the Merkle root over a node's verdicts on a batch.
    /// @dev Statement facts: uint256 id, bytes32 root, uint256 accepted; subject: keccak256(abi.encode(uint256 id,
    /// bytes32 entries' root)), because identifiers are counters and a reorganisation may give one to another batch. A leaf is
    /// keccak256(keccak256(abi.encode(id, index, owner, score, verdictDigest))).
    function recordVerdictRoot(uint256 id, bytes32 root, uint256 accepted, StatementProof calldata proof) external {
        Batch storage batch = _batches[id];
        if (batch.count == 0) revert BatchUnknown(id);
        if (batch.verdictRoot != 0) revert VerdictRootAlreadyRecorded(id);
        if (root == 0 || accepted > batch.count) revert VerdictRootInvalid(id, root, accepted);
        address pool = pools.poolAt(batch.poolIndex);
        bytes32 facts = keccak256(abi.encode(id, root, accepted));
        address node = _hearStatement(VERDICT_ROOT_STATEMENT, pool, keccak256(abi.encode(id, batch.root)), facts, proof);
        IPool(pool).requireNode(node);
        batch.verdictRoot = root;
        emit VerdictRootRecorded(id, pool, node, root, accepted);
    }

    /// @notice Credits accepted entries of one batch to their owners, each once. Anyone may send it. Points count at once;
    /// the tokens are minted when their owner collects them ({Pool.collectFor}), from all batches together. Entries that were
    /// paid or taken back before are left out, and told by an event: one of them holds up no other.
    /// @param proofs One for each verdict, or none at all when `verdicts` are all leaves of the tree, in its order; a tree
    /// in which a place has two leaves is paid with proofs only.
    function payVerdicts(uint256 id, BatchVerdict[] calldata verdicts, bytes32[][] calldata proofs) external {
        Batch memory batch = _batches[id];
        if (batch.verdictRoot == 0) revert BatchUnknown(id);
        uint256 count = verdicts.length;
        if (count == 0) revert BatchEmpty(id);
        if (proofs.length != 0 && proofs.length != count) revert BatchLengthsDiffer(count, proofs.length);
        bytes32[] memory leaves = new bytes32[](count);
        Payment memory payment;
        (payment.place, payment.owners, payment.scores) =
            (type(uint256).max, new address[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            bool fresh = _pay(id, batch.count, verdicts[i], payment);
            bytes32 leaf = verdictLeaf(id, verdicts[i]);
            leaves[i] = leaf;
            if (!fresh) _skip(payment, i, count);
            if (proofs.length == 0) {
                if (!fresh) _requireOnce(id, verdicts, i);
                continue;
            }
            _requireProof(id, batch.verdictRoot, verdicts[i].index, leaf, proofs[i]);
            if (fresh) _paidLeaf[id][verdicts[i].index] = leaf;
        }
        if (payment.skipped == count) {
            if (isWithdrawn(id, verdicts[0].index)) revert AlreadyWithdrawn(id, verdicts[0].index);
            revert AlreadyPaid(id, verdicts[0].index);
        }
        _paid[id][payment.place] = payment.paid;
        // Leaves are hashed twice, so that no inner node can pass for one: these are all leaves, or the root is another.
        if (proofs.length == 0 && _rootOf(leaves) != batch.verdictRoot) revert ProofInvalid(id, count);
        if (payment.skipped == 0) _emitPaid(id, verdicts);
        else emit BatchVerdictsPaid(id, _unskipped(verdicts, payment));
        _credit(pools.poolAt(batch.poolIndex), payment);
    }

    /// @notice Takes an entry back. Only its owner, with the entry's place in the batch.
    function withdraw(uint256 id, uint256 index, bytes calldata entry, bytes32[] calldata proof) external {
        _withdraw(id, index, entry, proof);
    }

    /// @notice Takes an entry back because a newer version stands for it: the sealed bytes with this digest, contributed here or
    /// in {DataRegistry}. Only its owner.
    function supersede(
        uint256 id,
        uint256 index,
        bytes calldata entry,
        bytes32[] calldata proof,
        bytes32 replacement
    ) external {
        if (replacement == 0) revert ReplacementZero(id, index);
        _withdraw(id, index, entry, proof);
        emit BatchEntrySuperseded(id, index, msg.sender, replacement);
    }

    /// @notice Records that a node destroyed what it held of an entry that its owner took back.
    /// @dev Statement facts: uint256 id, uint256 index; subject: keccak256(abi.encode(id, index)); digest: the erasure record's.
    function recordErasure(uint256 id, uint256 index, StatementProof calldata proof) external {
        if (!isWithdrawn(id, index) || !_mark(_erased[id], index)) revert NotErasable(id, index);
        address pool = pools.poolAt(_batches[id].poolIndex);
        bytes32 about = keccak256(abi.encode(id, index));
        address node = _hearStatement(ERASURE_STATEMENT, pool, about, about, proof);
        IPool(pool).requireNode(node);
        emit BatchErasureRecorded(id, index, pool, node, proof.digest);
    }

    function _withdraw(uint256 id, uint256 index, bytes calldata entry, bytes32[] calldata proof) private {
        Batch storage batch = _batches[id];
        if (batch.count == 0) revert BatchUnknown(id);
        if (entry.length != ENTRY_BYTES) revert EntriesLengthInvalid(entry.length, 0);
        if (!MerkleProof.verifyCalldata(proof, batch.root, _leafOf(index, entry))) revert ProofInvalid(id, index);
        address owner = address(bytes20(entry[:20]));
        if (owner != msg.sender) revert OwnerNotSender(owner, msg.sender);
        if (!_mark(_withdrawn[id], index)) revert AlreadyWithdrawn(id, index);
        emit BatchEntryWithdrawn(id, index, owner);
    }

    /// @notice Ends the points of a withdrawn entry that was paid before, with its verdict's place. Anyone.
    function forfeit(uint256 id, BatchVerdict calldata verdict, bytes32[] calldata proof) external {
        uint256 index = verdict.index;
        if (!isWithdrawn(id, index)) revert NotWithdrawnYet(id, index);
        // A paid mark beyond the entries says that the points of that place have ended.
        if (!isPaid(id, index) || !_mark(_paid[id], MAXIMUM_ENTRIES + index)) revert AlreadyPaid(id, index);
        Batch memory batch = _batches[id];
        bytes32 leaf = verdictLeaf(id, verdict);
        bytes32 paid = _paidLeaf[id][index];
        if (paid != 0 && paid != leaf) revert ProofInvalid(id, index);
        _requireProof(id, batch.verdictRoot, index, leaf, proof);
        IPool(pools.poolAt(batch.poolIndex)).forfeit(verdict.owner, verdict.score);
    }

    /// @notice The batch as stored; all zero when there is none.
    function getBatch(uint256 id) external view returns (Batch memory) {
        return _batches[id];
    }

    /// @notice Whether the reward of an entry has been paid.
    function isPaid(uint256 id, uint256 index) public view returns (bool) {
        return _paid[id][index >> 8] & (1 << (index & 0xff)) != 0;
    }

    /// @notice Whether a node stated that it destroyed what it held of an entry.
    function isErased(uint256 id, uint256 index) external view returns (bool) {
        return _erased[id][index >> 8] & (1 << (index & 0xff)) != 0;
    }

    /// @notice Whether an entry's owner took it back.
    function isWithdrawn(uint256 id, uint256 index) public view returns (bool) {
        return _withdrawn[id][index >> 8] & (1 << (index & 0xff)) != 0;
    }

    /// Neighbouring entries of one owner become one reward: what it costs to pay an owner is paid once.
    function _merge(Payment memory payment, BatchVerdict calldata verdict) private pure {
        uint256 filled = payment.filled;
        if (filled == 0 || payment.owners[filled - 1] != verdict.owner) {
            payment.owners[filled++] = verdict.owner;
            payment.filled = filled;
        }
        payment.scores[filled - 1] += verdict.score;
    }

    function _credit(address pool, Payment memory payment) private {
        (address[] memory owners, uint256[] memory scores) = (payment.owners, payment.scores);
        uint256 filled = payment.filled;
        assembly ("memory-safe") {
            mstore(owners, filled)
            mstore(scores, filled)
        }
        IPool(pool).credit(owners, scores);
    }

    /// Without proofs a place has one leaf: all of the tree's are here.
    function _requireOnce(uint256 id, BatchVerdict[] calldata verdicts, uint256 place) private pure {
        uint256 index = verdicts[place].index;
        for (uint256 i; i < place; ++i) {
            if (verdicts[i].index == index) revert VerdictTwice(id, index);
        }
    }

    function _skip(Payment memory payment, uint256 place, uint256 count) private pure {
        if (payment.skipped++ == 0) payment.out = new bool[](count);
        payment.out[place] = true;
    }

    function _unskipped(BatchVerdict[] calldata verdicts, Payment memory payment)
        private
        pure
        returns (BatchVerdict[] memory paid)
    {
        paid = new BatchVerdict[](verdicts.length - payment.skipped);
        uint256 filled;
        for (uint256 i; i < verdicts.length; ++i) {
            if (!payment.out[i]) paid[filled++] = verdicts[i];
        }
    }

    /// `emit BatchVerdictsPaid(id, verdicts)`, whose data is the calldata as it came: every field was read, and so checked.
    function _emitPaid(uint256 id, BatchVerdict[] calldata verdicts) private {
        bytes32 topic = BatchVerdictsPaid.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(7, verdicts.length)
            mstore(free, 0x20)
            mstore(add(free, 0x20), verdicts.length)
            calldatacopy(add(free, 0x40), verdicts.offset, size)
            log2(free, add(size, 0x40), topic, id)
        }
    }

    function _requireProof(uint256 id, bytes32 root, uint256 index, bytes32 leaf, bytes32[] calldata proof)
        private
        pure
    {
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert ProofInvalid(id, index);
    }

    /// @return fresh Whether the entry is to be paid: it was neither paid nor taken back.
    function _pay(uint256 id, uint32 count, BatchVerdict calldata verdict, Payment memory payment)
        private
        returns (bool fresh)
    {
        uint256 index = verdict.index;
        if (verdict.score == 0 || verdict.score > FULL_SCORE) revert ScoreInvalid(id, verdict.score, false);
        if (index >= count) revert ProofInvalid(id, index);
        if (index >> 8 != payment.place) {
            if (payment.place != type(uint256).max) _paid[id][payment.place] = payment.paid;
            payment.place = index >> 8;
            (payment.paid, payment.withdrawn) = (_paid[id][payment.place], _withdrawn[id][payment.place]);
        }
        uint256 bit = 1 << (index & 0xff);
        bool withdrawn = payment.withdrawn & bit != 0;
        if (withdrawn || payment.paid & bit != 0) {
            emit BatchVerdictSkipped(id, index, withdrawn);
            return false;
        }
        payment.paid |= bit;
        _merge(payment, verdict);
        return true;
    }

    function _checkHeader(uint256 number, BatchHeader calldata header) private returns (uint32 poolIndex) {
        if (number != nextNumber[msg.sender]) revert NumberNotNext(msg.sender, number, nextNumber[msg.sender]);
        nextNumber[msg.sender] = number + 1;
        if (block.timestamp > header.deadline) revert SignatureExpired(0, header.deadline);
        poolIndex = pools.indexOf(header.pool);
        if (poolIndex == 0) revert PoolUnknown(0, header.pool);
        uint256 length = bytes(header.locatorBase).length;
        if (length == 0 || length > MAXIMUM_LOCATOR_BYTES) revert LocatorLengthInvalid(0, length, MAXIMUM_LOCATOR_BYTES);
        IPool(header.pool).requireOpenEpoch(header.epoch);
    }

    function _withdrawCancelled(uint256 id, bytes32 batch, bytes calldata entries) private {
        uint256 count = entries.length / ENTRY_BYTES;
        for (uint256 i; i < count; ++i) {
            address owner = address(bytes20(entries[i * ENTRY_BYTES:]));
            if (!_cancelled[batch][i][owner]) continue;
            _mark(_withdrawn[id], i);
            emit BatchEntryWithdrawn(id, i, owner);
        }
    }

    function _mark(mapping(uint256 word => uint256) storage marks, uint256 index) private returns (bool fresh) {
        uint256 bit = 1 << (index & 0xff);
        uint256 word = marks[index >> 8];
        fresh = word & bit == 0;
        if (fresh) marks[index >> 8] = word | bit;
    }
}
