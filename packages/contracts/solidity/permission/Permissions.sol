// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Approvals} from "../governance/Approvals.sol";
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
    /// @dev Digest of the tables, columns and purpose that a run may touch; zero: what the job itself says. A job's digest
    /// fixes them already; a template's grant is where this matters. A job must declare the same digest to be funded, and
    /// nodes hold its manifest to it.
    bytes32 scopeDigest;
}

/// @notice A grant and how often it was used.
struct Grant {
    Terms terms;
    uint32 used;
    bool revoked;
    /// @dev Counts replacements, so that a run of an older grant is never given back to a newer one.
    uint32 generation;
}

/// @notice What one run costs.
struct RunPrice {
    uint128 price;
    uint128 poolTokenBurn;
}

/// @title Who may run which job on which pool: deny by default
/// @notice A grant is found by (grantee, pool, digest), where the digest is a job's or a template's. It is written only by
/// the pool's timelock, counted when a job is funded, and given back when a funded job never started.
contract Permissions {
    IPoolDirectory public immutable pools;
    address public immutable jobBoard;
    /// @notice Reviews and owners' consent, which a pool may demand besides its vote.
    Approvals public immutable approvals;

    /// @dev All that changes or limits a grant, in one slot.
    struct Head {
        uint64 opensAt;
        uint64 closesAt;
        uint32 runs;
        uint32 used;
        uint32 generation;
        bool revoked;
        bool scoped;
    }

    mapping(bytes32 key => Head) private _heads;
    /// @dev By key and generation: never overwritten, so that a funded job's price stays what it was.
    mapping(bytes32 key => mapping(uint32 generation => RunPrice)) private _prices;
    mapping(bytes32 key => bytes32) private _scopes;

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
    error ScopeOther(address grantee, address pool, bytes32 jobDigest, bytes32 declared, bytes32 scope);
    error TermsInvalid(uint32 runs, uint64 opensAt, uint64 closesAt);

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    constructor(IPoolDirectory pools_, address jobBoard_, Approvals approvals_) {
        pools = pools_;
        jobBoard = jobBoard_;
        approvals = approvals_;
    }

    /// @notice Writes a grant before any job asks for it. Only the pool's timelock.
    function grant(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) external {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
        _record(grantee, pool, jobDigest, terms);
    }

    /// @notice Writes a grant for a proposed job; replaces an older one of the same grantee, pool and digest.
    function record(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) external onlyJobBoard {
        _record(grantee, pool, jobDigest, terms);
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
        Head memory head = _heads[key];
        if (head.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        if (head.revoked) revert GrantIsRevoked(grantee, pool, jobDigest);
        if (block.timestamp < head.opensAt || block.timestamp > head.closesAt) {
            revert GrantOutsideWindow(grantee, pool, jobDigest, head.opensAt, head.closesAt);
        }
        if (head.used >= head.runs) revert GrantExhausted(grantee, pool, jobDigest, head.runs);
        if (head.scoped && _scopes[key] != scopeDigest) {
            revert ScopeOther(grantee, pool, jobDigest, scopeDigest, _scopes[key]);
        }
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

    /// @notice Ends a grant at once. Only the pool's timelock.
    function revoke(address grantee, address pool, bytes32 jobDigest) external {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
        Head storage head = _heads[_key(grantee, pool, jobDigest)];
        if (head.runs == 0) revert GrantMissing(grantee, pool, jobDigest);
        head.revoked = true;
        emit GrantRevoked(grantee, pool, jobDigest);
    }

    /// @notice Whether a run could be funded now.
    function usable(address grantee, address pool, bytes32 jobDigest) external view returns (bool) {
        Head memory head = _heads[_key(grantee, pool, jobDigest)];
        return !head.revoked && head.used < head.runs && block.timestamp >= head.opensAt
            && block.timestamp <= head.closesAt;
    }

    /// @notice The grant as stored; all zero when there is none.
    function getGrant(address grantee, address pool, bytes32 jobDigest) external view returns (Grant memory) {
        bytes32 key = _key(grantee, pool, jobDigest);
        Head memory head = _heads[key];
        RunPrice memory price = _prices[key][head.generation];
        Terms memory terms = Terms(
            price.price,
            price.poolTokenBurn,
            head.runs,
            head.opensAt,
            head.closesAt,
            head.scoped ? _scopes[key] : bytes32(0)
        );
        return Grant(terms, head.used, head.revoked, head.generation);
    }

    function _record(address grantee, address pool, bytes32 jobDigest, Terms calldata terms) private {
        if (terms.runs == 0 || terms.closesAt < terms.opensAt || terms.closesAt < block.timestamp) {
            revert TermsInvalid(terms.runs, terms.opensAt, terms.closesAt);
        }
        approvals.requireApproved(pool, jobDigest);
        bytes32 key = _key(grantee, pool, jobDigest);
        uint32 generation = _heads[key].generation + 1;
        bool scoped = terms.scopeDigest != 0;
        _heads[key] = Head(terms.opensAt, terms.closesAt, terms.runs, 0, generation, false, scoped);
        _prices[key][generation] = RunPrice(terms.price, terms.poolTokenBurn);
        if (scoped) _scopes[key] = terms.scopeDigest;
        emit GrantRecorded(grantee, pool, jobDigest, terms);
    }

    function _key(address grantee, address pool, bytes32 jobDigest) private pure returns (bytes32) {
        return keccak256(abi.encode(grantee, pool, jobDigest));
    }
}
