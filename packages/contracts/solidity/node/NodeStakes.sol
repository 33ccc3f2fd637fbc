// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TokenIntake} from "../market/TokenIntake.sol";
import {NodeRegistry} from "./NodeRegistry.sol";

/// @title What a node's operator loses when the node contradicts itself
/// @notice Nobody decides over a slash: {NodeRegistry} holds the proof, or it does not. A tenth goes to whoever asks, which
/// pays for looking; the rest is burned, so that an operator gains nothing by accusing its own node.
/// An announced stake no longer counts in {totalOf}, and a slash still takes it. It can leave only in a window after the
/// delay; then the announcement lapses, so that nobody keeps an old one for the moment in which a proof appears.
contract NodeStakes is TokenIntake, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice From the announcement of a withdrawal to the withdrawal.
    uint256 public constant WITHDRAWAL_DELAY = 21 days;
    /// @notice How long an announced stake can then be withdrawn; later it takes a new announcement.
    uint256 public constant WITHDRAWAL_WINDOW = 3 days;
    uint256 public constant REPORTER_BPS = 1_000;

    struct Stake {
        uint128 amount;
        uint64 withdrawableFrom;
    }

    IERC20 public immutable token;
    NodeRegistry public immutable nodeRegistry;

    mapping(address node => mapping(address operator => Stake)) private _stakes;
    /// @notice All that stands for a node and is not about to leave.
    mapping(address node => uint256) public totalOf;
    /// @notice What was announced to leave, lapsed announcements too: a slash takes it, nobody should count on it.
    mapping(address node => uint256) public leavingOf;

    event Staked(address indexed node, address indexed operator, uint256 amount);
    event WithdrawalAnnounced(address indexed node, address indexed operator, uint64 from);
    event Withdrawn(address indexed node, address indexed operator, uint256 amount);
    event Slashed(address indexed node, address indexed reporter, uint256 reward, uint256 burned);

    error NothingStaked(address node, address operator);
    error NodeEquivocated(address node);
    error NotEquivocated(address node);
    error TooEarly(uint64 from);
    error AnnouncementLapsed(uint64 from, uint256 window);

    constructor(IERC20 token_, NodeRegistry nodeRegistry_) {
        token = token_;
        nodeRegistry = nodeRegistry_;
    }

    /// @notice Adds to a stake for a node; an announced withdrawal is withdrawn.
    function stake(address node, uint128 amount) external nonReentrant {
        if (nodeRegistry.equivocated(node)) revert NodeEquivocated(node);
        Stake storage own = _stakes[node][msg.sender];
        uint256 back = own.withdrawableFrom == 0 ? 0 : own.amount;
        leavingOf[node] -= back;
        totalOf[node] += back + amount;
        own.amount += amount;
        own.withdrawableFrom = 0;
        emit Staked(node, msg.sender, amount);
        _take(token, msg.sender, amount);
    }

    /// @notice Announces that a stake will be withdrawn; again, and the delay begins anew.
    function announceWithdrawal(address node) external {
        Stake storage own = _stakes[node][msg.sender];
        if (nodeRegistry.equivocated(node)) revert NodeEquivocated(node);
        if (own.amount == 0) revert NothingStaked(node, msg.sender);
        if (own.withdrawableFrom == 0) {
            totalOf[node] -= own.amount;
            leavingOf[node] += own.amount;
        }
        own.withdrawableFrom = uint64(block.timestamp + WITHDRAWAL_DELAY);
        emit WithdrawalAnnounced(node, msg.sender, own.withdrawableFrom);
    }

    /// @notice Withdraws an announced stake, in the window after the delay.
    function withdraw(address node) external nonReentrant {
        Stake memory own = _stakes[node][msg.sender];
        if (nodeRegistry.equivocated(node)) revert NodeEquivocated(node);
        if (own.amount == 0) revert NothingStaked(node, msg.sender);
        if (own.withdrawableFrom == 0 || block.timestamp < own.withdrawableFrom) revert TooEarly(own.withdrawableFrom);
        if (block.timestamp > own.withdrawableFrom + WITHDRAWAL_WINDOW) {
            revert AnnouncementLapsed(own.withdrawableFrom, WITHDRAWAL_WINDOW);
        }
        delete _stakes[node][msg.sender];
        leavingOf[node] -= own.amount;
        emit Withdrawn(node, msg.sender, own.amount);
        token.safeTransfer(msg.sender, own.amount);
    }

    /// @notice Slashes all that stands for a node, announced or not, that was proved to have contradicted itself. Anyone.
    function slash(address node) external nonReentrant {
        if (!nodeRegistry.equivocated(node)) revert NotEquivocated(node);
        uint256 amount = totalOf[node] + leavingOf[node];
        if (amount == 0) revert NothingStaked(node, address(0));
        totalOf[node] = 0;
        leavingOf[node] = 0;
        uint256 reward = amount * REPORTER_BPS / 10_000;
        emit Slashed(node, msg.sender, reward, amount - reward);
        if (reward != 0) token.safeTransfer(msg.sender, reward);
        ERC20Burnable(address(token)).burn(amount - reward);
    }

    /// @notice A stake; what was slashed still stands here and can never be withdrawn.
    function stakeOf(address node, address operator) external view returns (Stake memory) {
        return _stakes[node][operator];
    }
}
