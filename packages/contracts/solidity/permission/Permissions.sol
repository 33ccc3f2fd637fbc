// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPool, IPoolDirectory} from "../pool/IPool.sol";

/// @notice What a pool's vote allows: how often, until when, for what.
struct Terms {
    /// @dev Protocol tokens per run.
    uint128 price;
    /// @dev Pool tokens burned per run.
    uint128 poolTokenBurn;
    uint32 runs;
    uint64 opensAt;
    /// @dev Last second at which a run may be funded.
    uint64 closesAt;
}

/// @notice A grant and how often it was used.
struct Grant {
    Terms terms;
    uint32 used;
    bool revoked;
    /// @dev Counts replacements, so that a run of an older grant is never given back to a newer one.
    uint32 generation;
}

/// @title Who may run which job on which pool: deny by default
/// @notice A grant is found by (grantee, pool, job digest). It is written only through the job board in a call of the
/// pool's timelock, counted when a job is funded, and given back when a funded job never started.
contract Permissions {
    IPoolDirectory public immutable pools;
    address public immutable jobBoard;

    mapping(bytes32 key => Grant) private _grants;

    event GrantRecorded(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, Terms terms);
    event GrantUsed(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, uint32 used, uint32 runs);
    event GrantReturned(address indexed grantee, address indexed pool, bytes32 indexed jobDigest, uint32 used);
    event GrantRevoked(address indexed grantee, address indexed pool, bytes32 indexed jobDigest);

    error OnlyJobBoard(address caller, address jobBoard);
    error OnlyPoolTimelock(address caller, address pool);
    error GrantMissing(address grantee, address pool, bytes32 jobDigest);
    error GrantIsRevoked(address grantee, address pool, bytes32 jobDigest);
    error GrantOutsideWindow(address grantee, address pool, bytes32 jobDigest, uint64 opensAt, uint64 closesAt);
    error GrantExhausted(address grantee, address pool, bytes32 jobDigest, uint32 runs);
    error TermsInvalid(uint32 runs, uint64 opensAt, uint64 closesAt);

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    constructor(IPoolDirectory pools_, address jobBoard_) {
        pools = pools_;
        jobBoard = jobBoard_;
    }

    /// @notice Writes a grant; replaces an older one of the same grantee, pool and job.
    function record(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) external onlyJobBoard {
        if (terms.runs == 0 || terms.closesAt < terms.opensAt || terms.closesAt < block.timestamp) {
            revert TermsInvalid(terms.runs, terms.opensAt, terms.closesAt);
        }
        bytes32 key = _key(grantee, pool, jobDigest);
        _grants[key] = Grant(terms, 0, false, _grants[key].generation + 1);
        emit GrantRecorded(grantee, pool, jobDigest, terms);
    }

    /// @notice Counts one run and returns its terms; reverts unless the grant allows it now.
    /// @return terms What the vote allowed.
    /// @return generation To be handed back to {giveBack}.
    function use(address grantee, address pool, bytes32 jobDigest)
        external
        onlyJobBoard
        returns (Terms memory terms, uint32 generation)
    {
        Grant storage grant = _grants[_key(grantee, pool, jobDigest)];
        terms = grant.terms;
        if (terms.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        if (grant.revoked) revert GrantIsRevoked(grantee, pool, jobDigest);
        if (block.timestamp < terms.opensAt || block.timestamp > terms.closesAt) {
            revert GrantOutsideWindow(grantee, pool, jobDigest, terms.opensAt, terms.closesAt);
        }
        if (grant.used >= terms.runs) revert GrantExhausted(grantee, pool, jobDigest, terms.runs);
        generation = grant.generation;
        uint32 used = ++grant.used;
        emit GrantUsed(grantee, pool, jobDigest, used, terms.runs);
    }

    /// @notice Gives one run back: it was funded and never started. Does nothing when the grant was replaced since.
    function giveBack(address grantee, address pool, bytes32 jobDigest, uint32 generation) external onlyJobBoard {
        Grant storage grant = _grants[_key(grantee, pool, jobDigest)];
        if (grant.generation != generation || grant.used == 0) return;
        uint32 used = --grant.used;
        emit GrantReturned(grantee, pool, jobDigest, used);
    }

    /// @notice Ends a grant at once. Only the pool's timelock.
    function revoke(address grantee, address pool, bytes32 jobDigest) external {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
        Grant storage grant = _grants[_key(grantee, pool, jobDigest)];
        if (grant.terms.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        grant.revoked = true;
        emit GrantRevoked(grantee, pool, jobDigest);
    }

    /// @notice Whether a run could be funded now.
    function usable(address grantee, address pool, bytes32 jobDigest) external view returns (bool) {
        Grant storage grant = _grants[_key(grantee, pool, jobDigest)];
        return !grant.revoked && grant.used < grant.terms.runs && block.timestamp >= grant.terms.opensAt
            && block.timestamp <= grant.terms.closesAt;
    }

    /// @notice The grant as stored; all zero when there is none.
    function getGrant(address grantee, address pool, bytes32 jobDigest) external view returns (Grant memory) {
        return _grants[_key(grantee, pool, jobDigest)];
    }

    function _key(address grantee, address pool, bytes32 jobDigest) private pure returns (bytes32) {
        return keccak256(abi.encode(grantee, pool, jobDigest));
    }
}
