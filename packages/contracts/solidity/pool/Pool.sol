// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {PoolGovernor} from "../governance/PoolGovernor.sol";
import {StatementGuard, StatementProof} from "../node/StatementGuard.sol";
import {ContributionRecord, ContributionState, DataRegistry} from "../registry/DataRegistry.sol";
import {PoolToken} from "../token/PoolToken.sol";
import {TokenPlan} from "../token/PoolTokenDeployer.sol";
import {IPool, StopAct} from "./IPool.sol";
import {PoolRestrictions} from "./PoolRestrictions.sol";
import {Founding, KeyEpoch, PoolRules, PoolSurroundings} from "./PoolRules.sol";
import {PoolStops} from "./PoolStops.sol";

/// @title One pool: its rules, its key epochs, its members' points and their share of what jobs pay
/// @notice There is no administrator: rules change only through the pool's timelock, tokens are minted only for a
/// recorded verdict, and protocol tokens leave only to contributors and to the timelock.
contract Pool is StatementGuard, PoolStops, PoolRestrictions, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    string public constant KEY_STATEMENT = "sealpool/pool-key/1";
    uint256 public constant FULL_SCORE = 10_000;
    uint16 public constant MAXIMUM_TREASURY_SHARE_BPS = 2_000;
    /// @notice A pause ends by itself after this long, and the next may begin only as long after its end.
    uint40 public constant PAUSE_DURATION = 7 days;
    /// @dev Fees per point are kept in this fixed-point scale. What it cuts off is carried to the next distribution.
    uint256 private constant SCALE = 1e6;

    address public immutable dataRegistry;
    address public immutable contributionBatches;
    address public immutable jobBoard;
    IERC20 public immutable protocolToken;
    address public immutable override token;
    address public immutable governor;
    address public immutable override timelock;

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

    /// @dev All that a reward writes for its owner, in one slot: what a new contributor costs is this slot.
    struct Account {
        uint40 points;
        /// @dev Pool tokens that are credited and not minted yet; never above {PoolToken.cap}.
        uint96 uncollected;
        uint120 paidPerPoint;
    }

    mapping(address contributor => Account) private _accounts;
    /// @dev Protocol tokens owed, scaled by SCALE, so that no fraction is ever lost.
    mapping(address contributor => uint256) private _owedScaled;

    /// @dev What every reward changes, in one slot, and what every distribution changes, in the next.
    struct Totals {
        uint64 points;
        /// @dev Scaled remainder of past distributions; becomes part of the next one.
        uint192 carryScaled;
        /// @dev Fees per point since founding, scaled by SCALE.
        uint120 accruedPerPoint;
        uint136 liability;
    }

    Totals private _totals;
    /// @notice Pool tokens that are credited and not minted yet: nobody else can be rewarded with them, and a quorum counts them.
    uint256 public override reserved;

    event RulesChanged(PoolRules rules);
    event KeyEpochPublished(
        uint32 indexed epoch, bytes32 policyDigest, bytes32 keyDigest, address indexed node, bytes32 attestationDigest
    );
    event GuardianChanged(address guardian);
    event Paused(address indexed by, uint40 until);
    event Resumed();
    event Forfeited(address indexed contributor, uint256 score);
    event Rewarded(address indexed contributor, uint256 score, uint256 amount);
    /// @dev One event for many; the scores stand in the event of the batch.
    event Credited(address[] contributors, uint256[] amounts);
    event Collected(address indexed contributor, uint256 amount);
    event Distributed(uint256 contributors, uint256 treasury);
    event Claimed(address indexed contributor, uint256 amount);

    error OnlyTimelock(address caller, address timelock);
    error OnlyDataRegistry(address caller, address dataRegistry);
    error OnlyGuardian(address caller, address guardian);
    error PoolIsPaused(uint40 until);
    error PauseTooSoon(uint40 earliest);
    error NotPaused(uint40 pausedUntil);
    error OnlyJobBoard(address caller, address jobBoard);
    error OnlyContributor(address caller, address pool);
    error PolicyDigestZero(bytes32 current);
    error TreasuryShareTooLarge(uint16 bps, uint16 maximum);
    error EpochNotNext(uint32 given, uint32 expected);
    error EpochPolicyStale(bytes32 given, bytes32 current);
    error EpochNotCurrent(uint32 given, uint32 current);
    error NodeNotAccepted(address node, bytes32 measurement, bytes32 required);
    error DistributionUnpaid(uint256 balance, uint256 needed);
    error PointsShort(address contributor, uint256 points, uint256 score);
    error NothingToClaim(address contributor);
    error NothingToCollect(address contributor);

    modifier onlyTimelock() {
        if (msg.sender != timelock) revert OnlyTimelock(msg.sender, timelock);
        _;
    }

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    constructor(Founding memory founding, PoolSurroundings memory around) StatementGuard(around.nodeRegistry) {
        dataRegistry = around.dataRegistry;
        contributionBatches = around.contributionBatches;
        guardian = founding.guardian;
        jobBoard = around.jobBoard;
        protocolToken = around.protocolToken;
        name = founding.name;
        _setRules(founding.rules);
        for (uint256 i; i < founding.jobCode.length; ++i) {
            _setJobCode(founding.jobCode[i], true);
        }

        TimelockController lock = around.timelockDeployer.deploy(founding.governance.timelockDelay);
        PoolToken minted = around.tokenDeployer.deploy(
            TokenPlan(
                founding.name,
                founding.symbol,
                address(lock),
                around.jobBoard,
                founding.treasuryAmount,
                founding.maximumSupply,
                founding.allocations
            )
        );
        PoolGovernor parliament =
            around.governorDeployer.deploy(founding.name, minted, lock, founding.governance);
        lock.grantRole(lock.PROPOSER_ROLE(), address(parliament));
        lock.grantRole(lock.CANCELLER_ROLE(), address(parliament));
        // From here on the timelock governs itself: nobody but a passed vote can change its roles or its delay.
        lock.renounceRole(lock.DEFAULT_ADMIN_ROLE(), address(this));
        timelock = address(lock);
        token = address(minted);
        governor = address(parliament);
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
    function stopFor(StopAct act, address caller, bytes32 digest) external onlyJobBoard {
        if (act == StopAct.Resume) return _resume(caller, caller == timelock, digest);
        if (act == StopAct.Suspend) {
            if (_accounts[caller].points == 0) revert OnlyContributor(caller, address(this));
            return _suspend(caller, digest);
        }
        _bind(digest);
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

    /// @inheritdoc IPool
    function reward(address[] calldata contributors, uint256[] calldata scores) external {
        _requireRegistry();
        uint256[] memory amounts = new uint256[](scores.length);
        uint256 added;
        uint256 full = _rules.rewardPerFullScore;
        uint256 room = _room();
        uint120 accrued = _totals.accruedPerPoint;
        for (uint256 i; i < contributors.length; ++i) {
            (address contributor, uint256 score) = (contributors[i], scores[i]);
            added += score;
            uint256 amount = full * score / FULL_SCORE;
            if (amount > room) amount = room;
            room -= amount;
            amounts[i] = amount;
            _earn(contributor, score, 0, accrued);
            emit Rewarded(contributor, score, amount);
        }
        _totals.points += uint64(added);
        PoolToken(token).mintRewards(contributors, amounts);
    }

    /// @inheritdoc IPool
    function credit(address[] calldata contributors, uint256[] calldata scores) external {
        _requireRegistry();
        uint256[] memory amounts = new uint256[](scores.length);
        uint256 added;
        uint256 full = _rules.rewardPerFullScore;
        uint256 room = _room();
        uint256 left = room;
        uint120 accrued = _totals.accruedPerPoint;
        for (uint256 i; i < contributors.length; ++i) {
            (address contributor, uint256 score) = (contributors[i], scores[i]);
            uint256 amount;
            unchecked {
                // A reward is below 2^128 and a score at most 10,000.
                added += score;
                amount = full * score / FULL_SCORE;
                if (amount > left) amount = left;
                left -= amount;
            }
            amounts[i] = amount;
            _earn(contributor, score, amount, accrued);
        }
        _emitCredited(contributors, amounts);
        _totals.points += uint64(added);
        if (room != left) reserved += room - left;
    }

    /// @notice Mints what was credited to a contributor, from any number of batches; anyone may call (and pay the gas).
    function collectFor(address contributor) external returns (uint256 amount) {
        Account storage account = _accounts[contributor];
        amount = account.uncollected;
        if (amount == 0) revert NothingToCollect(contributor);
        account.uncollected = 0;
        reserved -= amount;
        emit Collected(contributor, amount);
        (address[] memory to, uint256[] memory amounts) = (new address[](1), new uint256[](1));
        (to[0], amounts[0]) = (contributor, amount);
        PoolToken(token).mintRewards(to, amounts);
    }

    /// @inheritdoc IPool
    function forfeit(address contributor, uint256 score) external {
        _requireRegistry();
        Account storage account = _accounts[contributor];
        _accrue(contributor, account, _totals.accruedPerPoint);
        if (score > account.points) revert PointsShort(contributor, account.points, score);
        account.points -= uint40(score);
        _totals.points -= uint64(score);
        emit Forfeited(contributor, score);
    }

    /// @inheritdoc IPool
    function distribute(uint256 amount) external nonReentrant onlyJobBoard {
        Totals memory totals = _totals;
        uint256 balance = protocolToken.balanceOf(address(this));
        if (balance < totals.liability + amount) revert DistributionUnpaid(balance, totals.liability + amount);
        uint256 treasury = amount * _rules.treasuryShareBps / 10_000;
        uint256 contributors = amount - treasury;
        totals.liability += contributors.toUint136();
        uint256 scaled = contributors * SCALE + totals.carryScaled;
        if (totals.points != 0) {
            uint256 accrued = totals.accruedPerPoint + scaled / totals.points;
            // Where a point would be worth more than the slot can say, fees wait for more points: settling never fails.
            if (accrued <= type(uint120).max) {
                totals.accruedPerPoint = uint120(accrued);
                scaled %= totals.points;
            }
        }
        totals.carryScaled = scaled.toUint192();
        _totals = totals;
        emit Distributed(contributors, treasury);
        if (treasury != 0) protocolToken.safeTransfer(timelock, treasury);
    }

    /// @notice Pays the caller's share of job fees.
    function claim() external returns (uint256) {
        return _claim(msg.sender);
    }

    /// @notice Pays a contributor's share to that contributor; anyone may call (and pay the gas).
    function claimFor(address contributor) external returns (uint256) {
        return _claim(contributor);
    }

    /// @notice Protocol tokens that `contributor` can claim now.
    function claimable(address contributor) external view returns (uint256) {
        Account storage account = _accounts[contributor];
        uint256 fresh = _totals.accruedPerPoint - account.paidPerPoint;
        return (_owedScaled[contributor] + account.points * fresh) / SCALE;
    }

    /// @notice Pool tokens that {collectFor} would mint for `contributor` now.
    function collectable(address contributor) external view returns (uint256) {
        return _accounts[contributor].uncollected;
    }

    /// @inheritdoc IPool
    function pointsOf(address contributor) external view returns (uint256) {
        return _accounts[contributor].points;
    }

    /// @inheritdoc IPool
    function totalPoints() external view returns (uint256) {
        return _totals.points;
    }

    /// @notice Protocol tokens that belong to contributors and have not been claimed.
    function liability() external view returns (uint256) {
        return _totals.liability;
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
    function requireRunning() external view {
        uint40 until = _gate.pausedUntil;
        if (block.timestamp < until) revert PoolIsPaused(until);
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
        _gate.anyJobCode = rules_.anyJobCode;
        _gate.open = _gate.epoch != 0 && _keyPolicyDigest == rules_.policyDigest;
        emit RulesChanged(rules_);
    }

    function _requireRegistry() private view {
        if (msg.sender != dataRegistry && msg.sender != contributionBatches) {
            revert OnlyDataRegistry(msg.sender, dataRegistry);
        }
    }

    /// Pool tokens that may still be minted, besides those that are promised already.
    function _room() private view returns (uint256) {
        return PoolToken(token).cap() - PoolToken(token).totalSupply() - reserved;
    }

    /// `emit Credited(contributors, amounts)`; every address was read, and so checked.
    function _emitCredited(address[] calldata contributors, uint256[] memory amounts) private {
        bytes32 topic = Credited.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, contributors.length)
            mstore(free, 0x40)
            mstore(add(free, 0x20), add(0x60, size))
            mstore(add(free, 0x40), contributors.length)
            calldatacopy(add(free, 0x60), contributors.offset, size)
            mcopy(add(add(free, 0x60), size), amounts, add(0x20, size))
            log1(free, add(0x80, shl(1, size)), topic)
        }
    }

    /// One read and one write of the one slot: this is what a new owner costs.
    function _earn(address contributor, uint256 score, uint256 uncollected, uint256 accrued) private {
        Account storage account = _accounts[contributor];
        // The members of Account as the compiler lays them out; by itself it reads and writes the slot once for each.
        uint256 word;
        assembly ("memory-safe") {
            word := sload(account.slot)
        }
        uint256 points = uint40(word);
        uint256 paid = word >> 136;
        if (paid != accrued && points != 0) _owedScaled[contributor] += points * (accrued - paid);
        // What is promised is never above the cap, which fits.
        word = (points + score).toUint40() | uint256(uint96(word >> 40) + uint96(uncollected)) << 40 | accrued << 136;
        assembly ("memory-safe") {
            sstore(account.slot, word)
        }
    }

    /// Brings an account up to date before its points change: what was earned with the old points stays as it was.
    function _accrue(address contributor, Account storage account, uint120 accrued) private {
        uint256 fresh = accrued - account.paidPerPoint;
        if (fresh == 0) return;
        if (account.points != 0) _owedScaled[contributor] += account.points * fresh;
        account.paidPerPoint = accrued;
    }

    function _claim(address contributor) private nonReentrant returns (uint256 amount) {
        Account storage account = _accounts[contributor];
        _accrue(contributor, account, _totals.accruedPerPoint);
        uint256 owed = _owedScaled[contributor];
        amount = owed / SCALE;
        if (amount == 0) revert NothingToClaim(contributor);
        _owedScaled[contributor] = owed % SCALE;
        _totals.liability -= uint136(amount);
        emit Claimed(contributor, amount);
        protocolToken.safeTransfer(contributor, amount);
    }
}
