// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Approvals} from "../governance/Approvals.sol";
import {IPoolDirectory} from "../pool/IPool.sol";
import {AskedJob, Grant, RunPrice, Terms} from "./Grant.sol";
import {PermitIssuers, QueryPermit} from "./PermitIssuers.sol";

/// @title Who may run which job on which pool: deny by default
/// @notice A grant is found by (grantee, pool, digest), where the digest is a job's or a template's. It is written only by
/// the pool's timelock, or out of a permit by an issuer that the pool's vote appointed ({PermitIssuers}), counted when a job is
/// funded, and given back when a funded job never started.
contract Permissions is PermitIssuers {
    address public immutable jobBoard;
    /// @notice Reviews and owners' consent, which a pool may demand besides its vote.
    Approvals public immutable approvals;

    /// @dev All that changes or limits a grant, in one slot, which {_record} writes as one word: it must know every field's place.
    struct Head {
        uint64 opensAt;
        uint64 closesAt;
        uint32 runs;
        uint32 used;
        uint32 generation;
        bool revoked;
        bool scoped;
        /// @dev Whether it came of a permit, and no vote has spoken since.
        bool permitted;
    }

    mapping(bytes32 key => Head) private _heads;
    /// @dev By key and generation: never overwritten, so that a funded job's price stays what it was.
    mapping(bytes32 key => mapping(uint32 generation => RunPrice)) private _prices;
    mapping(bytes32 key => bytes32) private _scopes;

    event GrantRecorded(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, Terms terms);
    event GrantUsed(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, uint32 used, uint32 runs);
    event GrantReturned(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, uint32 used);
    event GrantRevoked(address indexed grantee, address indexed pool, bytes32 indexed jobDigest);
    /// @notice A grant that was there already approves a job, as a vote over the job does: the job board's own event, from here.
    event JobApproved(uint256 indexed id, address indexed pool, Terms terms);

    error OnlyJobBoard(address caller, address jobBoard);
    error GrantMissing(address grantee, address pool, bytes32 jobDigest);
    error GrantIsRevoked(address grantee, address pool, bytes32 jobDigest);
    error GrantOutsideWindow(address grantee, address pool, bytes32 jobDigest, uint64 opensAt, uint64 closesAt);
    error GrantExhausted(address grantee, address pool, bytes32 jobDigest, uint32 runs);
    error ScopeOther(address grantee, address pool, bytes32 jobDigest, bytes32 declared, bytes32 scope);
    error GrantOfVoteStands(address grantee, address pool, bytes32 jobDigest);

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    constructor(IPoolDirectory pools_, address jobBoard_, Approvals approvals_) PermitIssuers(pools_) {
        jobBoard = jobBoard_;
        approvals = approvals_;
    }

    /// @notice Writes a grant before any job asks for it. Only the pool's timelock.
    function grant(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) external {
        _requirePoolTimelock(pool);
        _record(grantee, pool, jobDigest, terms, false);
    }

    /// @notice Writes a grant for a proposed job; replaces an older one of the same grantee, pool and digest.
    function record(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) external onlyJobBoard {
        _record(grantee, pool, jobDigest, terms, false);
    }

    /// @notice Counts one run and returns its price; reverts unless the grant allows it now.
    /// @param scopeDigest What the job says that it touches: must be the grant's, when the grant has one.
    /// @return price What the vote allowed.
    /// @return generation To be handed back to {giveBack} and {priceOf}.
    function use(address grantee, address pool, bytes32 jobDigest, bytes32 scopeDigest)
        external
        onlyJobBoard
        returns (RunPrice memory price, uint32 generation)
    {
        bytes32 key = _key(grantee, pool, jobDigest);
        Head memory head = _requireUsable(key, grantee, pool, jobDigest, scopeDigest);
        generation = head.generation;
        _heads[key].used = head.used + 1;
        price = _prices[key][generation];
        emit GrantUsed(grantee, pool, jobDigest, head.used + 1, head.runs);
    }

    /// @notice What a run under a grant costs, also after the grant has been replaced or revoked.
    function priceOf(address grantee, address pool, bytes32 jobDigest, uint32 generation)
        external
        view
        returns (RunPrice memory)
    {
        return _prices[_key(grantee, pool, jobDigest)][generation];
    }

    /// @notice Gives one run back: it was funded and never started. Does nothing when the grant was replaced since.
    function giveBack(address grantee, address pool, bytes32 jobDigest, uint32 generation) external onlyJobBoard {
        Head storage head = _heads[_key(grantee, pool, jobDigest)];
        if (head.generation != generation || head.used == 0) return;
        uint32 used = --head.used;
        emit GrantReturned(grantee, pool, jobDigest, used);
    }

    /// @notice Says whether a grant approves a job that is being proposed.
    function approveIfGranted(address pool, AskedJob calldata job) external onlyJobBoard returns (bool granted) {
        bytes32 key = _key(job.consumer, pool, job.granted);
        Head memory head = _heads[key];
        granted = _usable(head);
        if (granted) _tellApproval(pool, job, key, head);
    }

    /// @notice The same for a job that was proposed before; reverts unless the grant allows it now.
    function requireGranted(address pool, AskedJob calldata job) external onlyJobBoard {
        bytes32 key = _key(job.consumer, pool, job.granted);
        Head memory head = _requireUsable(key, job.consumer, pool, job.granted, job.scopeDigest);
        _tellApproval(pool, job, key, head);
    }

    /// @notice Ends a grant at once, and lets no permit replace it. Only the pool's timelock.
    function revoke(address grantee, address pool, bytes32 jobDigest) external {
        _requirePoolTimelock(pool);
        Head storage head = _heads[_key(grantee, pool, jobDigest)];
        if (head.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        head.revoked = true;
        head.permitted = false;
        emit GrantRevoked(grantee, pool, jobDigest);
    }

    /// @notice Whether a run could be funded now.
    function usable(address grantee, address pool, bytes32 jobDigest) external view returns (bool) {
        return _usable(_heads[_key(grantee, pool, jobDigest)]);
    }

    /// @notice The grant as stored; all zero when there is none.
    function getGrant(address grantee, address pool, bytes32 jobDigest) external view returns (Grant memory) {
        bytes32 key = _key(grantee, pool, jobDigest);
        Head memory head = _heads[key];
        return Grant(_termsOf(key, head), head.used, head.revoked, head.generation);
    }

    /// @dev A permit ends no grant that a vote wrote and that is not over, and revives none that a vote revoked: another vote does.
    function _recordPermit(QueryPermit calldata permit) internal override returns (uint32 generation) {
        (address grantee, address pool, bytes32 jobDigest) = (permit.grantee, permit.pool, permit.jobDigest);
        Head storage head = _heads[_key(grantee, pool, jobDigest)];
        if (head.runs != 0 && !head.permitted) {
            bool over = head.used >= head.runs || block.timestamp > head.closesAt;
            if (head.revoked || !over) revert GrantOfVoteStands(grantee, pool, jobDigest);
        }
        return _record(grantee, pool, jobDigest, permit.terms, true);
    }

    function _endGrant(QueryPermit calldata permit, uint32 generation) internal override {
        Head storage head = _heads[_key(permit.grantee, permit.pool, permit.jobDigest)];
        if (head.generation != generation || head.revoked) return;
        head.revoked = true;
        emit GrantRevoked(permit.grantee, permit.pool, permit.jobDigest);
    }

    /// Tells of an approval, from which nodes know it. Under a template only the scope says what runs: a grant without one, or
    /// with another than the job's, approves no manifest that nobody voted on.
    function _tellApproval(address pool, AskedJob calldata job, bytes32 key, Head memory head) private {
        bool held = head.scoped && _scopes[key] == job.scopeDigest;
        if (held || job.granted == job.manifestDigest) emit JobApproved(job.id, pool, _termsOf(key, head));
    }

    function _requireUsable(bytes32 key, address grantee, address pool, bytes32 jobDigest, bytes32 scopeDigest)
        private
        view
        returns (Head memory head)
    {
        head = _heads[key];
        if (head.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        if (head.revoked) revert GrantIsRevoked(grantee, pool, jobDigest);
        if (block.timestamp < head.opensAt || block.timestamp > head.closesAt) {
            revert GrantOutsideWindow(grantee, pool, jobDigest, head.opensAt, head.closesAt);
        }
        if (head.used >= head.runs) revert GrantExhausted(grantee, pool, jobDigest, head.runs);
        if (head.scoped && _scopes[key] != scopeDigest) {
            revert ScopeOther(grantee, pool, jobDigest, scopeDigest, _scopes[key]);
        }
    }

    function _usable(Head memory head) private view returns (bool) {
        return !head.revoked && head.used < head.runs && block.timestamp >= head.opensAt
            && block.timestamp <= head.closesAt;
    }

    function _termsOf(bytes32 key, Head memory head) private view returns (Terms memory) {
        RunPrice memory price = _prices[key][head.generation];
        bytes32 scope = head.scoped ? _scopes[key] : bytes32(0);
        return Terms(price.price, price.poolTokenBurn, head.runs, head.opensAt, head.closesAt, scope);
    }

    /// Writes a grant, unused and not revoked.
    function _record(address grantee, address pool, bytes32 jobDigest, Terms calldata terms, bool permitted)
        private
        returns (uint32 generation)
    {
        _requireTerms(terms);
        approvals.requireApproved(pool, jobDigest);
        bytes32 key = _key(grantee, pool, jobDigest);
        Head storage head = _heads[key];
        generation = head.generation + 1;
        RunPrice storage price = _prices[key][generation];
        bytes32 scope = terms.scopeDigest;
        // One write for each slot: the compiler makes one of every field, at 200 gas each.
        uint256 word = uint256(terms.opensAt) | uint256(terms.closesAt) << 64 | uint256(terms.runs) << 128
            | uint256(generation) << 192;
        if (scope != 0) word |= 1 << 232;
        if (permitted) word |= 1 << 240;
        uint256 cost = uint256(terms.price) | uint256(terms.poolTokenBurn) << 128;
        assembly ("memory-safe") {
            sstore(head.slot, word)
            sstore(price.slot, cost)
        }
        if (scope != 0) _scopes[key] = scope;
        emit GrantRecorded(grantee, pool, jobDigest, terms);
    }

    function _key(address grantee, address pool, bytes32 jobDigest) private pure returns (bytes32) {
        return keccak256(abi.encode(grantee, pool, jobDigest));
    }
}
