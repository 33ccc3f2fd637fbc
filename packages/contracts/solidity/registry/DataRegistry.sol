// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {IPool, IPoolDirectory} from "../pool/IPool.sol";
import {Contribution, ContributionRecord, ContributionState, VerdictEntry} from "./Contribution.sol";
import {WalletConfirmation} from "./WalletConfirmation.sol";

/// @title Who contributed what to which pool, and what became of it
/// @notice The owner of a contribution is whoever signed it (a transaction or EIP-712 typed data), never a claim of
/// the sender. A verdict counts once per contribution and names it, so it can be neither replayed nor redirected.
contract DataRegistry is StatementGuard, EIP712, WalletConfirmation {
    string public constant VERDICT_STATEMENT = "sealpool/verdict-batch/1";
    string public constant REFINEMENT_STATEMENT = "sealpool/refinement/1";
    string public constant ERASURE_STATEMENT = "sealpool/erasure/1";
    uint16 public constant FULL_SCORE = 10_000;
    uint256 public constant MAXIMUM_LOCATOR_BYTES = 512;

    bytes32 private constant CONTRIBUTION_TYPEHASH = keccak256(
        "Contribution(address owner,address pool,bytes32 blobDigest,bytes32 commitment,bytes32 schemaId,bytes32 consentDigest,uint32 epoch,string locator,uint256 nonce,uint256 deadline)"
    );

    bytes32 private constant WITHDRAWAL_TYPEHASH = keccak256("Withdrawal(uint256 id,uint256 deadline)");

    IPoolDirectory public immutable pools;

    /// @notice How many contributions there are; identifiers count from 1.
    uint256 public contributionCount;
    mapping(uint256 id => ContributionRecord) private _records;
    mapping(address owner => mapping(uint256 word => uint256)) private _nonces;
    mapping(address pool => uint32) private _poolIndex;

    event Contributed(
        uint256 indexed id,
        address indexed pool,
        address indexed owner,
        bytes32 blobDigest,
        bytes32 commitment,
        bytes32 schemaId,
        bytes32 consentDigest,
        uint32 epoch,
        string locator,
        uint256 nonce
    );
    event VerdictRecorded(
        uint256 indexed id,
        address indexed pool,
        address indexed owner,
        uint16 score,
        bool refused,
        bytes32 verdictDigest
    );
    event VerdictBatchRecorded(address indexed pool, address indexed node, bytes32 batchDigest, uint256 count);
    event RefinementRecorded(
        address indexed pool,
        address indexed node,
        bytes32 refinementDigest,
        bytes32 schemaId,
        bytes32 rowsRoot
    );

    event ContributionSkipped(uint256 index, address indexed owner, uint256 nonce);
    event ContributionNotSigned(uint256 index, address indexed owner, uint256 nonce);
    event VerdictSkipped(uint256 indexed id, address indexed pool, ContributionState state);
    event NonceCancelled(address indexed owner, uint256 nonce);
    event ContributionWithdrawn(uint256 indexed id, address indexed pool, address indexed owner, uint16 score);
    event ContributionSuperseded(uint256 indexed id, uint256 indexed by, address indexed owner);
    event ErasureRecorded(uint256 indexed id, address indexed pool, address indexed node, bytes32 erasureDigest);

    error NotWithdrawable(uint256 id, ContributionState state);
    error NotErasable(uint256 id, ContributionState state);
    error OwnerNotSender(address owner, address sender);
    error PoolUnknown(uint256 index, address pool);
    error DigestZero(uint256 index);
    error LocatorLengthInvalid(uint256 index, uint256 length, uint256 maximum);
    error SignatureExpired(uint256 index, uint256 deadline);
    error NonceUsed(uint256 index, address owner, uint256 nonce);
    error ContributionSignatureInvalid(uint256 index, address owner);
    error BatchEmpty(uint256 contributionCount);
    error BatchLengthsDiffer(uint256 contributions, uint256 deadlines, uint256 signatures);
    error ContributionUnknown(uint256 id);
    error ContributionOfOtherPool(uint256 id, address pool, address given);
    error VerdictAlreadyRecorded(uint256 id, ContributionState state);
    error ScoreInvalid(uint256 id, uint16 score, bool refused);

    constructor(NodeRegistry nodeRegistry_, IPoolDirectory pools_)
        StatementGuard(nodeRegistry_)
        EIP712("Sealpool", "1")
    {
        pools = pools_;
    }

    /// @notice Contributes in the owner's own transaction, which is its own protection against replay: the nonce must not
    /// have been used by a relayed contribution, and stays free. Cancel it when a signature with it is still about.
    function contribute(Contribution calldata contribution) external returns (uint256 id) {
        if (contribution.owner != msg.sender) revert OwnerNotSender(contribution.owner, msg.sender);
        return _recordOwn(contribution);
    }

    /// @notice Makes signatures with this nonce worthless.
    function cancelNonce(uint256 nonce) external {
        _useNonce(0, msg.sender, nonce);
        emit NonceCancelled(msg.sender, nonce);
    }

    /// @notice Contributes for an owner who signed typed data; anyone may send it.
    function contributeSigned(Contribution calldata contribution, uint256 deadline, bytes calldata signature)
        external
        returns (uint256 id)
    {
        return _recordSigned(0, contribution, deadline, signature);
    }

    /// @notice Contributes for many owners. A contribution whose nonce was used since (sent by somebody else, or cancelled) is
    /// left out and told by an event, and so is one that its owner has not signed: a contract wallet, which has {WALLET_GAS} for
    /// that, may confirm a signature when the batch is sent and not when it is mined, an account may lose its code meanwhile
    /// (EIP-7702), and a deadline may pass. Any other fault ends it all, and its error carries the index of the entry; so does a batch of which nothing is left.
    /// @return firstId Identifier of the first that was recorded; the others follow in order.
    function contributeBatch(
        Contribution[] calldata contributions,
        uint256[] calldata deadlines,
        bytes[] calldata signatures
    ) external returns (uint256 firstId) {
        uint256 count = contributions.length;
        if (count == 0) revert BatchEmpty(contributionCount);
        if (deadlines.length != count || signatures.length != count) {
            revert BatchLengthsDiffer(count, deadlines.length, signatures.length);
        }
        firstId = contributionCount + 1;
        for (uint256 i; i < count; ++i) {
            _recordOrSkip(i, contributions[i], deadlines[i], signatures[i]);
        }
        if (contributionCount < firstId) {
            (address owner, uint256 nonce) = (contributions[0].owner, contributions[0].nonce);
            if (nonceUsed(owner, nonce)) revert NonceUsed(0, owner, nonce);
            if (block.timestamp > deadlines[0]) revert SignatureExpired(0, deadlines[0]);
            revert ContributionSignatureInvalid(0, owner);
        }
    }

    /// @notice Takes a contribution back. Its points end at once, so that it earns nothing from later jobs; what it has
    /// earned stays. Only its owner; possible while the pool is paused, too.
    function withdraw(uint256 id) external {
        address owner = _records[id].owner;
        if (owner != msg.sender) revert OwnerNotSender(owner, msg.sender);
        _withdraw(id, ContributionState.Withdrawn);
    }

    /// @notice Takes a contribution back for an owner who signed typed data; anyone may send it.
    function withdrawSigned(uint256 id, uint256 deadline, bytes calldata signature) external {
        if (block.timestamp > deadline) revert SignatureExpired(0, deadline);
        bytes32 hash = _hashTypedDataV4(keccak256(abi.encode(WITHDRAWAL_TYPEHASH, id, deadline)));
        address owner = _records[id].owner;
        if (owner == address(0)) revert ContributionUnknown(id);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, hash, signature)) {
            revert ContributionSignatureInvalid(0, owner);
        }
        _withdraw(id, ContributionState.Withdrawn);
    }

    /// @notice Replaces a contribution by a newer version: the older one counts no more, the newer one awaits its verdict.
    function contributeVersion(uint256 previous, Contribution calldata contribution) external returns (uint256 id) {
        ContributionRecord memory record = _records[previous];
        if (record.owner != msg.sender) revert OwnerNotSender(record.owner, msg.sender);
        if (contribution.owner != msg.sender) revert OwnerNotSender(contribution.owner, msg.sender);
        if (_indexOf(0, contribution.pool) != record.poolIndex) {
            revert ContributionOfOtherPool(previous, pools.poolAt(record.poolIndex), contribution.pool);
        }
        _withdraw(previous, ContributionState.Superseded);
        id = _recordOwn(contribution);
        emit ContributionSuperseded(previous, id, msg.sender);
    }

    /// @notice Records that a node destroyed what it held of a contribution that its owner took back.
    /// @dev Statement facts: uint256 id; subject: the identifier; digest: the erasure record's.
    function recordErasure(uint256 id, StatementProof calldata proof) external {
        ContributionRecord storage record = _records[id];
        ContributionState state = record.state;
        if (state != ContributionState.Withdrawn && state != ContributionState.Superseded) {
            revert NotErasable(id, state);
        }
        address pool = pools.poolAt(record.poolIndex);
        address node = _hearStatement(ERASURE_STATEMENT, pool, bytes32(id), keccak256(abi.encode(id)), proof);
        IPool(pool).requireNode(node);
        record.state = ContributionState.Erased;
        emit ErasureRecorded(id, pool, node, proof.digest);
    }

    /// @notice Records a node's verdicts on contributions of one pool and rewards the accepted ones. What was judged or taken
    /// back since the node signed is left out and told by an event: one owner holds up no other.
    /// @dev Statement facts: uint256 number of entries, bytes32 keccak256(abi.encode(entries)), so that a statement stays
    /// small whatever the batch; subject: the first contribution's identifier.
    function recordVerdicts(address pool, VerdictEntry[] calldata entries, StatementProof calldata proof) external {
        if (entries.length == 0) revert BatchEmpty(contributionCount);
        uint32 poolIndex = _indexOf(0, pool);
        address node = _hearStatement(
            VERDICT_STATEMENT,
            pool,
            bytes32(entries[0].contributionId),
            keccak256(abi.encode(entries.length, keccak256(abi.encode(entries)))),
            proof
        );
        IPool(pool).requireNode(node);

        uint256 accepted;
        uint256 judged;
        address[] memory owners = new address[](entries.length);
        uint256[] memory scores = new uint256[](entries.length);
        for (uint256 i; i < entries.length; ++i) {
            VerdictEntry calldata entry = entries[i];
            address owner = _judge(entry, pool, poolIndex);
            if (owner == address(0)) continue;
            ++judged;
            if (!entry.refused) {
                owners[accepted] = owner;
                scores[accepted] = entry.score;
                ++accepted;
            }
        }
        if (judged == 0) {
            uint256 first = entries[0].contributionId;
            revert VerdictAlreadyRecorded(first, _records[first].state);
        }
        // Only the accepted ones are handed on: shorten both arrays in place instead of copying them.
        assembly ("memory-safe") {
            mstore(owners, accepted)
            mstore(scores, accepted)
        }
        emit VerdictBatchRecorded(pool, node, proof.digest, judged);
        if (accepted != 0) IPool(pool).reward(owners, scores);
    }

    /// @notice Records that a node refined a pool's accepted contributions into tables.
    /// @dev Statement facts: bytes32 schemaId, bytes32 rowsRoot; subject: schemaId; digest: the refinement digest.
    function recordRefinement(address pool, bytes32 schemaId, bytes32 rowsRoot, StatementProof calldata proof)
        external
    {
        _indexOf(0, pool);
        bytes32 facts = keccak256(abi.encode(schemaId, rowsRoot));
        address node = _useStatement(REFINEMENT_STATEMENT, pool, schemaId, facts, proof);
        IPool(pool).requireNode(node);
        emit RefinementRecorded(pool, node, proof.digest, schemaId, rowsRoot);
    }

    /// @notice The record of a contribution; state None when there is none.
    function getRecord(uint256 id) external view returns (ContributionRecord memory) {
        return _records[id];
    }

    /// @notice Whether `owner` has already used `nonce`.
    function nonceUsed(address owner, uint256 nonce) public view returns (bool) {
        return _nonces[owner][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    function _withdraw(uint256 id, ContributionState to) private {
        ContributionRecord storage stored = _records[id];
        ContributionRecord memory record = stored;
        if (record.state == ContributionState.None || uint8(record.state) > uint8(ContributionState.Refused)) {
            revert NotWithdrawable(id, record.state);
        }
        stored.state = to;
        address pool = pools.poolAt(record.poolIndex);
        emit ContributionWithdrawn(id, pool, record.owner, record.score);
        if (record.score != 0) IPool(pool).forfeit(record.owner, record.score);
    }

    /// @return owner Zero when the contribution is not to be judged any more.
    function _judge(VerdictEntry calldata entry, address pool, uint32 poolIndex) private returns (address owner) {
        uint256 id = entry.contributionId;
        ContributionRecord storage stored = _records[id];
        ContributionRecord memory record = stored;
        if (record.state == ContributionState.None) revert ContributionUnknown(id);
        if (record.poolIndex != poolIndex) {
            revert ContributionOfOtherPool(id, pools.poolAt(record.poolIndex), pool);
        }
        if (record.state != ContributionState.Offered) {
            emit VerdictSkipped(id, pool, record.state);
            return address(0);
        }
        if (entry.score > FULL_SCORE || (entry.refused && entry.score != 0)) {
            revert ScoreInvalid(id, entry.score, entry.refused);
        }
        owner = record.owner;
        stored.score = entry.score;
        stored.state = entry.refused ? ContributionState.Refused : ContributionState.Accepted;
        emit VerdictRecorded(id, pool, owner, entry.score, entry.refused, entry.verdictDigest);
    }

    function _recordOrSkip(
        uint256 index,
        Contribution calldata contribution,
        uint256 deadline,
        bytes calldata signature
    ) private {
        (address owner, uint256 nonce) = (contribution.owner, contribution.nonce);
        if (nonceUsed(owner, nonce)) {
            emit ContributionSkipped(index, owner, nonce);
        } else if (block.timestamp <= deadline && _signedBy(index, owner, _hashToSign(index, contribution, deadline), signature)) {
            _recordOnce(index, contribution);
        } else {
            emit ContributionNotSigned(index, owner, nonce);
        }
    }

    /// An account may have code when a batch is sent and none when it is mined (EIP-7702): that leaves out its own entry. The other
    /// way round it is asked as a wallet is, for which whoever sends the batch must have left gas ({WalletGasShort}).
    function _signedBy(uint256 index, address owner, bytes32 hash, bytes calldata signature) private view returns (bool) {
        if (owner.code.length != 0) return _confirms(index, owner, hash, signature);
        return SignatureChecker.isValidSignatureNowCalldata(owner, hash, signature);
    }

    function _recordSigned(
        uint256 index,
        Contribution calldata contribution,
        uint256 deadline,
        bytes calldata signature
    ) private returns (uint256) {
        bytes32 hash = _hashToSign(index, contribution, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(contribution.owner, hash, signature)) {
            revert ContributionSignatureInvalid(index, contribution.owner);
        }
        return _recordOnce(index, contribution);
    }

    function _hashToSign(uint256 index, Contribution calldata contribution, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        if (block.timestamp > deadline) revert SignatureExpired(index, deadline);
        return _hashTypedDataV4(_structHash(contribution, deadline));
    }

    function _recordOnce(uint256 index, Contribution calldata contribution) private returns (uint256) {
        _useNonce(index, contribution.owner, contribution.nonce);
        return _record(index, contribution);
    }

    function _recordOwn(Contribution calldata contribution) private returns (uint256) {
        if (nonceUsed(contribution.owner, contribution.nonce)) revert NonceUsed(0, contribution.owner, contribution.nonce);
        return _record(0, contribution);
    }

    function _record(uint256 index, Contribution calldata contribution) private returns (uint256 id) {
        uint32 poolIndex = _indexOf(index, contribution.pool);
        if (contribution.blobDigest == 0 || contribution.commitment == 0) revert DigestZero(index);
        uint256 length = bytes(contribution.locator).length;
        if (length == 0 || length > MAXIMUM_LOCATOR_BYTES) {
            revert LocatorLengthInvalid(index, length, MAXIMUM_LOCATOR_BYTES);
        }
        IPool(contribution.pool).requireOpenEpoch(contribution.epoch);
        id = ++contributionCount;
        _records[id] =
            ContributionRecord(contribution.owner, poolIndex, contribution.epoch, 0, ContributionState.Offered);
        emit Contributed(
            id,
            contribution.pool,
            contribution.owner,
            contribution.blobDigest,
            contribution.commitment,
            contribution.schemaId,
            contribution.consentDigest,
            contribution.epoch,
            contribution.locator,
            contribution.nonce
        );
    }

    /// A pool's index never changes, so it is asked for once.
    function _indexOf(uint256 index, address pool) private returns (uint32 poolIndex) {
        poolIndex = _poolIndex[pool];
        if (poolIndex != 0) return poolIndex;
        poolIndex = pools.indexOf(pool);
        if (poolIndex == 0) revert PoolUnknown(index, pool);
        _poolIndex[pool] = poolIndex;
    }

    function _useNonce(uint256 index, address owner, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 0xff);
        uint256 word = _nonces[owner][nonce >> 8];
        if (word & bit != 0) revert NonceUsed(index, owner, nonce);
        _nonces[owner][nonce >> 8] = word | bit;
    }

    function _structHash(Contribution calldata c, uint256 deadline) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CONTRIBUTION_TYPEHASH,
                c.owner,
                c.pool,
                c.blobDigest,
                c.commitment,
                c.schemaId,
                c.consentDigest,
                c.epoch,
                keccak256(bytes(c.locator)),
                c.nonce,
                deadline
            )
        );
    }
}
