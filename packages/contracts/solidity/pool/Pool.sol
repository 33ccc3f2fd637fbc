// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StatementProof} from "../node/StatementGuard.sol";
import {ContributionRecord, ContributionState, DataRegistry} from "../registry/DataRegistry.sol";
import {IPool, StopAct} from "./IPool.sol";
import {PoolInstitutions} from "./PoolInstitutions.sol";
import {PoolLedger} from "./PoolLedger.sol";
import {PoolRestrictions} from "./PoolRestrictions.sol";
import {Founding, KeyEpoch, PoolRules, PoolSurroundings} from "./PoolRules.sol";
import {PoolStops} from "./PoolStops.sol";

/// @title One pool: its rules, its key epochs, its members' points and their share of what jobs pay
/// @notice There is no administrator: rules change only through the pool's timelock, tokens are minted only for a
/// recorded verdict, and protocol tokens leave only to contributors and to the timelock.
contract Pool is PoolLedger, PoolStops, PoolRestrictions {
    string public constant KEY_STATEMENT = "sealpool/pool-key/1";
    uint16 public constant MAXIMUM_TREASURY_SHARE_BPS = 2_000;
    /// @notice A pause ends by itself after this long, and the next may begin only as long after its end.
    uint40 public constant PAUSE_DURATION = 7 days;
    string public name;
    PoolRules private _rules;

    /// @dev What every contribution asks, in one slot.
    struct Gate {
        address node;
        uint32 epoch;
        uint40 pausedUntil;
        /// @dev Whether the published key belongs to the policy in force.
        bool open;
        /// @dev As in the rules, where funding finds it without another slot.
        bool anyJobCode;
    }

    Gate private _gate;
    bytes32 private _keyPolicyDigest;
    bytes32 private _keyDigest;
    bytes32 private _attestationDigest;

    /// @notice Who may pause; zero: nobody.
    address public guardian;
    uint40 private _rulesChangedAt;

    event RulesChanged(PoolRules rules);
    event KeyEpochPublished(
        uint32 indexed epoch, bytes32 policyDigest, bytes32 keyDigest, address indexed node, bytes32 attestationDigest
    );
    event GuardianChanged(address guardian);
    event Paused(address indexed by, uint40 until);
    event Resumed();
    error OnlyTimelock(address caller, address timelock);
    error OnlyGuardian(address caller, address guardian);
    error PoolIsPaused(uint40 until);
    error PauseTooSoon(uint40 earliest);
    error NotPaused(uint40 pausedUntil);
    error OnlyContributor(address caller, address pool);
    error PolicyDigestZero(bytes32 current);
    error TreasuryShareTooLarge(uint16 bps, uint16 maximum);
    error EpochNotNext(uint32 given, uint32 expected);
    error EpochPolicyStale(bytes32 given, bytes32 current);
    error EpochNotCurrent(uint32 given, uint32 current);
    error NodeNotAccepted(address node, bytes32 measurement, bytes32 required);

    modifier onlyTimelock() {
        if (msg.sender != timelock) revert OnlyTimelock(msg.sender, timelock);
        _;
    }

    constructor(Founding memory founding, PoolSurroundings memory around) PoolInstitutions(founding, around) {
        guardian = founding.guardian;
        name = founding.name;
        _setRules(founding.rules);
        for (uint256 i; i < founding.jobCode.length; ++i) {
            _setJobCode(founding.jobCode[i], true);
        }
    }

    /// @notice Replaces the rules. A new policy digest closes the pool to contributions until a node publishes a key
    /// that is derived from it; data sealed under the old policy stays under the old policy.
    function setRules(PoolRules calldata rules_) external onlyTimelock {
        _setRules(rules_);
    }

    /// @notice Accepts code for jobs, or accepts it no more. Only a vote.
    function setJobCode(bytes32 codeDigest, bool accepted) external onlyTimelock {
        _setJobCode(codeDigest, accepted);
    }

    /// @notice Holds every future run of a digest, a job's or a template's, whoever proposes it and under whatever number.
    /// Any contributor, for itself: it holds until this contributor lets go or the vote overrules it.
    function suspendRuns(bytes32 digest) external {
        if (_accounts[msg.sender].points == 0) revert OnlyContributor(msg.sender, address(this));
        _suspend(msg.sender, digest);
    }

    /// @notice The same for a contributor whose accepted contribution earned no points.
    function suspendRunsWith(bytes32 digest, uint256 contributionId) external {
        ContributionRecord memory record = DataRegistry(dataRegistry).getRecord(contributionId);
        bool here = record.state == ContributionState.Accepted
            && DataRegistry(dataRegistry).pools().poolAt(record.poolIndex) == address(this);
        if (!here || record.owner != msg.sender) revert OnlyContributor(msg.sender, address(this));
        _suspend(msg.sender, digest);
    }

    /// @notice Lets go: a contributor what it holds itself; a vote all that is held, and for good.
    function resumeRuns(bytes32 digest) external {
        _resume(msg.sender, msg.sender == timelock, digest);
    }

    /// @inheritdoc IPool
    function stopFor(StopAct act, address caller, bytes32 digest) external onlyJobBoard returns (bool held) {
        if (act == StopAct.Resume) {
            _resume(caller, caller == timelock, digest);
        } else if (act == StopAct.Suspend) {
            if (_accounts[caller].points == 0) revert OnlyContributor(caller, address(this));
            _suspend(caller, digest);
        } else {
            _bind(digest);
        }
        (held,) = holdOf(digest);
    }

    /// @inheritdoc IPool
    function holdOf(bytes32 digest) public view returns (bool held, uint40 heldUntil) {
        uint40 until = _gate.pausedUntil;
        (held, heldUntil) = _holdOf(digest);
        if (until > block.timestamp) held = true;
        if (until > heldUntil) heldUntil = until;
        if (_rulesChangedAt > heldUntil) heldUntil = _rulesChangedAt;
    }

    /// @notice Publishes the pool key of the next epoch, signed by a node.
    /// @dev Statement facts: uint256 epoch, bytes32 policyDigest, bytes32 keyDigest. Subject: keccak256(abi.encode(uint256 epoch,
    /// bytes32 policyDigest)), because a reorganisation may undo a vote over the policy: two keys of one epoch under two
    /// policies are both honest.
    function publishKey(uint32 epoch, bytes32 policyDigest_, bytes32 keyDigest, StatementProof calldata proof)
        external
    {
        uint32 next = _gate.epoch + 1;
        if (epoch != next) revert EpochNotNext(epoch, next);
        if (policyDigest_ != _rules.policyDigest) revert EpochPolicyStale(policyDigest_, _rules.policyDigest);
        bytes32 facts = keccak256(abi.encode(uint256(epoch), policyDigest_, keyDigest));
        bytes32 subject = keccak256(abi.encode(uint256(epoch), policyDigest_));
        address node = _hearStatement(KEY_STATEMENT, address(this), subject, facts, proof);
        requireNode(node);
        _gate.node = node;
        _gate.epoch = epoch;
        _gate.open = true;
        _keyPolicyDigest = policyDigest_;
        _keyDigest = keyDigest;
        // A renewal replaces what the registry knows of the node: the evidence behind this key is kept here.
        bytes32 attestationDigest = nodeRegistry.getNode(node).quoteDigest;
        _attestationDigest = attestationDigest;
        emit KeyEpochPublished(epoch, policyDigest_, keyDigest, node, attestationDigest);
    }

    /// @notice Chooses another guardian. Only a vote.
    function setGuardian(address guardian_) external onlyTimelock {
        guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    /// @notice Stops contributions, funding and starts of jobs until a time that is fixed now. Only the guardian, which
    /// can do nothing else with it: claims, refunds, withdrawals and votes go on.
    function pause() external {
        if (msg.sender != guardian) revert OnlyGuardian(msg.sender, guardian);
        uint40 last = _gate.pausedUntil;
        if (last != 0 && block.timestamp < last + PAUSE_DURATION) revert PauseTooSoon(last + PAUSE_DURATION);
        uint40 until = uint40(block.timestamp) + PAUSE_DURATION;
        _gate.pausedUntil = until;
        emit Paused(msg.sender, until);
    }

    /// @notice Ends a pause before its time. Only a vote.
    function resume() external onlyTimelock {
        if (_gate.pausedUntil <= block.timestamp) revert NotPaused(_gate.pausedUntil);
        _gate.pausedUntil = uint40(block.timestamp);
        emit Resumed();
    }

    /// @notice Narrows the policy in force at once, also for the data that is already under it: adds the digest of a
    /// restriction which every use must meet besides the policy. By a vote for good: nobody can take one away. By the guardian
    /// for two weeks, unless a vote adds it, too.
    function narrow(bytes32 restriction) external {
        if (msg.sender != guardian && msg.sender != timelock) revert OnlyGuardian(msg.sender, guardian);
        bytes32 policy = _rules.policyDigest;
        if (restriction == 0) revert RestrictionZero(policy);
        if (msg.sender != timelock) return _narrowForNow(policy, restriction);
        _narrowForGood(policy, restriction);
    }

    /// @notice Ends the guardian's restrictions of the policy in force before their time. Only a vote.
    function endPassingRestrictions() external onlyTimelock {
        _endPassing(_rules.policyDigest);
    }

    /// @notice The current rules.
    function rules() external view returns (PoolRules memory) {
        return _rules;
    }

    /// @notice The current key epoch; all zero before the first.
    function keyEpoch() external view returns (KeyEpoch memory) {
        return KeyEpoch(_gate.epoch, _gate.node, _keyPolicyDigest, _keyDigest, _attestationDigest);
    }

    /// @inheritdoc IPool
    function pausedUntil() external view returns (uint40) {
        return _gate.pausedUntil;
    }

    /// @inheritdoc IPool
    function requireOpenEpoch(uint32 epoch) external view {
        Gate memory gate = _gate;
        if (epoch == 0 || epoch != gate.epoch) revert EpochNotCurrent(epoch, gate.epoch);
        if (!gate.open) revert EpochPolicyStale(_keyPolicyDigest, _rules.policyDigest);
        if (block.timestamp < gate.pausedUntil) revert PoolIsPaused(gate.pausedUntil);
    }

    /// @inheritdoc IPool
    function requireOpenTo(bytes32 digest) public view {
        uint40 until = _gate.pausedUntil;
        if (block.timestamp < until) revert PoolIsPaused(until);
        _requireNotHeld(digest);
    }

    /// @inheritdoc IPool
    function requireFundable(bytes32 digest, bytes32 codeDigest) external view {
        requireOpenTo(digest);
        if (!_gate.anyJobCode && !jobCode[codeDigest]) revert JobCodeNotAccepted(codeDigest);
    }

    /// @inheritdoc IPool
    function requireNode(address node) public view {
        bytes32 required = _rules.measurement;
        if (required == 0) return;
        bytes32 measurement = nodeRegistry.measurementOf(node);
        if (measurement != required) revert NodeNotAccepted(node, measurement, required);
    }

    function _setRules(PoolRules memory rules_) private {
        if (rules_.policyDigest == 0) revert PolicyDigestZero(_rules.policyDigest);
        if (rules_.treasuryShareBps > MAXIMUM_TREASURY_SHARE_BPS) {
            revert TreasuryShareTooLarge(rules_.treasuryShareBps, MAXIMUM_TREASURY_SHARE_BPS);
        }
        _rules = rules_;
        _rulesChangedAt = uint40(block.timestamp);
        _gate.anyJobCode = rules_.anyJobCode;
        _gate.open = _gate.epoch != 0 && _keyPolicyDigest == rules_.policyDigest;
        emit RulesChanged(rules_);
    }

    function _rewardPerFullScore() internal view override returns (uint256) {
        return _rules.rewardPerFullScore;
    }

    function _treasuryShareBps() internal view override returns (uint256) {
        return _rules.treasuryShareBps;
    }
}
