// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {PoolToken} from "../token/PoolToken.sol";
import {IPool} from "./IPool.sol";
import {PoolInstitutions} from "./PoolInstitutions.sol";

/// @title A pool's books: its members' points, the pool tokens promised to them, and their share of what jobs pay
/// @notice Tokens are minted only for a recorded verdict, and protocol tokens leave only to contributors and to the timelock.
abstract contract PoolLedger is PoolInstitutions, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 public constant FULL_SCORE = 10_000;
    /// @dev Fees per point are kept in this fixed-point scale. What it cuts off is carried to the next distribution.
    uint256 private constant SCALE = 1e6;

    /// @dev All that a reward writes for its owner, in one slot: what a new contributor costs is this slot.
    struct Account {
        uint40 points;
        /// @dev Pool tokens that are credited and not minted yet; never above {PoolToken.cap}.
        uint96 uncollected;
        uint120 paidPerPoint;
    }

    mapping(address contributor => Account) internal _accounts;
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

    event Forfeited(address indexed contributor, uint256 score);
    event Rewarded(address indexed contributor, uint256 score, uint256 amount);
    /// @dev One event for many; the scores stand in the event of the batch.
    event Credited(address[] contributors, uint256[] amounts);
    event Collected(address indexed contributor, uint256 amount);
    event Distributed(uint256 contributors, uint256 treasury);
    event Claimed(address indexed contributor, uint256 amount);

    error OnlyDataRegistry(address caller, address dataRegistry);
    error OnlyJobBoard(address caller, address jobBoard);
    error DistributionUnpaid(uint256 balance, uint256 needed);
    error PointsShort(address contributor, uint256 points, uint256 score);
    error NothingToClaim(address contributor);
    error NothingToCollect(address contributor);

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    /// @inheritdoc IPool
    function reward(address[] calldata contributors, uint256[] calldata scores) external {
        _requireRegistry();
        uint256[] memory amounts = new uint256[](scores.length);
        uint256 added;
        uint256 full = _rewardPerFullScore();
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
        uint256 full = _rewardPerFullScore();
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
        uint256 treasury = amount * _treasuryShareBps() / 10_000;
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

    /// Pool tokens (smallest unit) for a contribution of score 10,000.
    function _rewardPerFullScore() internal view virtual returns (uint256);

    /// Part of job fees that goes to the timelock, in 1/10,000.
    function _treasuryShareBps() internal view virtual returns (uint256);

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
