// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {IPool, IPoolDirectory} from "../pool/IPool.sol";

/// @title Roots and heads that a node cannot take back: dataset attestations, receipts, logs, and privacy budgets
/// @notice Every chain of a pool grows by one and names what came before, so that neither a rolled back disk nor a second
/// node can shorten or fork it. Two statements about one place are a proof of equivocation (see {NodeRegistry}).
contract Anchors is StatementGuard {
    string public constant CHECKPOINT_STATEMENT = "sealpool/checkpoint/1";
    string public constant BUDGET_STATEMENT = "sealpool/budget-head/1";
    string public constant AGGREGATE_STATEMENT = "sealpool/aggregate/1";

    /// @notice The newest entry of a chain.
    struct Head {
        uint64 sequence;
        uint64 anchoredAt;
        bytes32 value;
    }

    /// @notice Over which inputs a defined aggregate is opened: over these, and never over others.
    struct Aggregate {
        bytes32 inputsRoot;
        address node;
        uint64 claimedAt;
    }

    IPoolDirectory public immutable pools;

    mapping(address pool => mapping(bytes32 kind => Head)) private _checkpoints;
    mapping(address pool => Head) private _budgets;
    mapping(address pool => mapping(bytes32 definition => Aggregate)) private _aggregates;

    event Checkpointed(
        address indexed pool, bytes32 indexed kind, uint64 indexed sequence, bytes32 root, uint256 size, address node
    );
    event BudgetAnchored(address indexed pool, uint64 indexed sequence, bytes32 head, bytes32 previous, address node);
    event AggregateClaimed(address indexed pool, bytes32 indexed definition, bytes32 inputsRoot, address indexed node);

    error PoolUnknown(uint256 index, address pool);
    error AggregateAlreadyClaimed(address pool, bytes32 definition, bytes32 inputsRoot);
    error SequenceNotNext(uint64 given, uint64 expected);
    error PreviousOther(bytes32 given, bytes32 expected);
    error RootZero(address pool);

    constructor(NodeRegistry nodeRegistry_, IPoolDirectory pools_) StatementGuard(nodeRegistry_) {
        pools = pools_;
    }

    /// @notice Anchors the next root of one kind of log: dataset attestations, receipts, a transparency log.
    /// @dev Statement facts: bytes32 kind, uint256 sequence, bytes32 root, uint256 size; subject:
    /// keccak256(abi.encode(kind, sequence)).
    function checkpoint(
        address pool,
        bytes32 kind,
        uint64 sequence,
        bytes32 root,
        uint256 size,
        StatementProof calldata proof
    ) external {
        Head storage head = _checkpoints[pool][kind];
        _requireNext(pool, head, sequence, root);
        bytes32 subject = keccak256(abi.encode(kind, uint256(sequence)));
        bytes32 facts = keccak256(abi.encode(kind, uint256(sequence), root, size));
        address node = _hearStatement(CHECKPOINT_STATEMENT, pool, subject, facts, proof);
        IPool(pool).requireNode(node);
        (head.sequence, head.anchoredAt, head.value) = (sequence, uint64(block.timestamp), root);
        emit Checkpointed(pool, kind, sequence, root, size, node);
    }

    /// @notice Anchors the next head of a pool's budget ledger, which must name the one before.
    /// @dev Statement facts: uint256 sequence, bytes32 head, bytes32 previous; subject: the sequence.
    function anchorBudget(
        address pool,
        uint64 sequence,
        bytes32 head_,
        bytes32 previous,
        StatementProof calldata proof
    ) external {
        Head storage head = _budgets[pool];
        _requireNext(pool, head, sequence, head_);
        if (previous != head.value) revert PreviousOther(previous, head.value);
        bytes32 facts = keccak256(abi.encode(uint256(sequence), head_, previous));
        address node = _hearStatement(BUDGET_STATEMENT, pool, bytes32(uint256(sequence)), facts, proof);
        IPool(pool).requireNode(node);
        (head.sequence, head.anchoredAt, head.value) = (sequence, uint64(block.timestamp), head_);
        emit BudgetAnchored(pool, sequence, head_, previous, node);
    }

    /// @notice Claims, once and for ever, that an encrypted aggregate of this definition is opened over these inputs. The
    /// first claim wins: two quorums that open different subsets could subtract one sum from the other.
    /// @dev Statement facts: bytes32 definition, bytes32 inputsRoot; subject: the definition's digest.
    function claimAggregate(address pool, bytes32 definition, bytes32 inputsRoot, StatementProof calldata proof)
        external
    {
        if (pools.indexOf(pool) == 0) revert PoolUnknown(0, pool);
        if (inputsRoot == 0) revert RootZero(pool);
        Aggregate storage claimed = _aggregates[pool][definition];
        if (claimed.inputsRoot != 0) revert AggregateAlreadyClaimed(pool, definition, claimed.inputsRoot);
        bytes32 facts = keccak256(abi.encode(definition, inputsRoot));
        address node = _hearStatement(AGGREGATE_STATEMENT, pool, definition, facts, proof);
        IPool(pool).requireNode(node);
        (claimed.inputsRoot, claimed.node, claimed.claimedAt) = (inputsRoot, node, uint64(block.timestamp));
        emit AggregateClaimed(pool, definition, inputsRoot, node);
    }

    /// @notice The claim on an aggregate's definition; all zero when there is none.
    function aggregateOf(address pool, bytes32 definition) external view returns (Aggregate memory) {
        return _aggregates[pool][definition];
    }

    /// @notice The newest checkpoint of a kind; all zero when there is none.
    function checkpointOf(address pool, bytes32 kind) external view returns (Head memory) {
        return _checkpoints[pool][kind];
    }

    /// @notice The newest budget head of a pool; all zero when there is none.
    function budgetOf(address pool) external view returns (Head memory) {
        return _budgets[pool];
    }

    function _requireNext(address pool, Head storage head, uint64 sequence, bytes32 value) private view {
        if (pools.indexOf(pool) == 0) revert PoolUnknown(0, pool);
        if (value == 0) revert RootZero(pool);
        uint64 expected = head.sequence + 1;
        if (sequence != expected) revert SequenceNotNext(sequence, expected);
    }
}
