// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TokenIntake} from "../market/TokenIntake.sol";
import {FirstProof, Node, NodeRegistry, SignedStatement} from "./NodeRegistry.sol";

/// @title What a node's operator loses when the node contradicts itself
/// @notice Nobody decides over a slash: {NodeRegistry} holds the proof, or it does not. Nine tenths are burned, so that an
/// operator gains nothing by accusing its own node.
/// A stake answers for as long as the node may speak: it leaves {WITHDRAWAL_DELAY} after the node's registration ended (or
/// after the announcement, when that is later), in a window, and not at all while the node has registered anew. So a proof
/// has at least that long after the last statement that counted, however late in it the node contradicted itself. An
/// announced stake no longer counts in {totalOf}, and a slash still takes it.
/// A tenth goes to who found the contradiction, which is not who copies the proof out of a waiting transaction: the finder
/// {commit}s to the two statements before anybody has shown them, and shows them in a later block ({report}).
contract NodeStakes is TokenIntake, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice From the announcement of a withdrawal, or from the end of the node's registration, to the withdrawal.
    uint256 public constant WITHDRAWAL_DELAY = 21 days;
    /// @notice How long an announced stake can then be withdrawn; later it takes a new announcement.
    uint256 public constant WITHDRAWAL_WINDOW = 3 days;
    /// @notice How long after the first proof finders can report; then the stakes are slashed.
    uint256 public constant REPORT_WINDOW = 1 days;
    uint256 public constant REPORTER_BPS = 1_000;

    struct Stake {
        uint128 amount;
        uint64 withdrawableFrom;
        /// @dev The node's key was revoked already when the withdrawal was announced: it never speaks again.
        bool silent;
    }

    /// @notice Who found a contradiction first.
    struct Report {
        address reporter;
        /// @dev The block of its commitment.
        uint64 committedIn;
    }

    IERC20 public immutable token;
    NodeRegistry public immutable nodeRegistry;

    mapping(address node => mapping(address operator => Stake)) private _stakes;
    /// @notice All that stands for a node and is not about to leave.
    mapping(address node => uint256) public totalOf;
    /// @notice What was announced to leave, lapsed announcements too: a slash takes it, nobody should count on it.
    mapping(address node => uint256) public leavingOf;
    /// @notice The block in which a commitment was made; zero: none was.
    mapping(bytes32 commitment => uint64) public committedIn;
    mapping(address node => Report) private _reports;

    event Staked(address indexed node, address indexed operator, uint256 amount);
    event WithdrawalAnnounced(address indexed node, address indexed operator, uint64 from);
    event Withdrawn(address indexed node, address indexed operator, uint256 amount);
    event EquivocationCommitted(bytes32 indexed commitment);
    event EquivocationReported(address indexed node, address indexed reporter, uint64 committedIn);
    event Slashed(address indexed node, address indexed reporter, uint256 reward, uint256 burned);

    error NothingStaked(address node, address operator);
    error StakeTooLarge(address node, address operator, uint256 amount);
    error NodeEquivocated(address node);
    error NotEquivocated(address node);
    error TooEarly(uint64 from);
    error AnnouncementLapsed(uint64 from, uint256 window);
    error NodeStillRegistered(address node, uint64 expiresAt);
    error NotCommitted(bytes32 commitment, uint64 committedIn);
    error ReportTooLate(address node, uint64 committedIn, uint64 provedIn);
    error ReportedBefore(address node, address reporter);

    constructor(IERC20 token_, NodeRegistry nodeRegistry_) {
        token = token_;
        nodeRegistry = nodeRegistry_;
    }

    /// @notice Adds to a stake for a node; an announced withdrawal is withdrawn.
    function stake(address node, uint128 amount) external nonReentrant {
        if (nodeRegistry.equivocated(node)) revert NodeEquivocated(node);
        Stake storage own = _stakes[node][msg.sender];
        uint256 sum = uint256(own.amount) + amount;
        if (sum > type(uint128).max) revert StakeTooLarge(node, msg.sender, sum);
        uint256 back = own.withdrawableFrom == 0 ? 0 : own.amount;
        leavingOf[node] -= back;
        totalOf[node] += back + amount;
        own.amount = uint128(sum);
        own.withdrawableFrom = 0;
        own.silent = false;
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
        Node memory known = nodeRegistry.getNode(node);
        uint256 from = block.timestamp;
        if (!known.revoked && known.expiresAt > from) from = known.expiresAt;
        own.withdrawableFrom = uint64(from + WITHDRAWAL_DELAY);
        own.silent = known.revoked;
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
        // It may have registered anew since the announcement.
        uint64 expiresAt = nodeRegistry.getNode(node).expiresAt;
        if (!own.silent && block.timestamp < expiresAt + WITHDRAWAL_DELAY) revert NodeStillRegistered(node, expiresAt);
        delete _stakes[node][msg.sender];
        leavingOf[node] -= own.amount;
        emit Withdrawn(node, msg.sender, own.amount);
        token.safeTransfer(msg.sender, own.amount);
    }

    /// @notice Fixes that the sender of a later {report} knew a contradiction in this block, and tells nobody which. The first
    /// time counts.
    function commit(bytes32 commitment) external {
        if (committedIn[commitment] != 0) return;
        committedIn[commitment] = uint64(block.number);
        emit EquivocationCommitted(commitment);
    }

    /// @notice Shows the two statements of a commitment, and proves the contradiction where nobody has. Only who committed, in a
    /// later block; before the first proof, and {REPORT_WINDOW} after it at most. The earliest commitment counts.
    function report(SignedStatement calldata first, SignedStatement calldata second, bytes32 salt) external {
        address node = nodeRegistry.equivocatorOf(first, second);
        bytes32 commitment = commitmentOf(msg.sender, first, second, salt);
        uint64 committed = committedIn[commitment];
        if (committed == 0 || committed >= block.number) revert NotCommitted(commitment, committed);
        if (!nodeRegistry.equivocated(node)) nodeRegistry.proveEquivocation(first, second);
        FirstProof memory proof = nodeRegistry.firstProofOf(node);
        if (committed >= proof.blockNumber || block.timestamp > proof.time + REPORT_WINDOW) {
            revert ReportTooLate(node, committed, proof.blockNumber);
        }
        Report memory known = _reports[node];
        if (known.reporter != address(0) && known.committedIn <= committed) {
            revert ReportedBefore(node, known.reporter);
        }
        _reports[node] = Report(msg.sender, committed);
        emit EquivocationReported(node, msg.sender, committed);
    }

    /// @notice Slashes all that stands for a node, announced or not, that was proved to have contradicted itself. Anyone, from
    /// {REPORT_WINDOW} after the first proof on. Without a report all of it is burned.
    function slash(address node) external nonReentrant {
        if (!nodeRegistry.equivocated(node)) revert NotEquivocated(node);
        uint64 from = uint64(nodeRegistry.firstProofOf(node).time + REPORT_WINDOW);
        if (block.timestamp <= from) revert TooEarly(from);
        uint256 amount = totalOf[node] + leavingOf[node];
        if (amount == 0) revert NothingStaked(node, address(0));
        totalOf[node] = 0;
        leavingOf[node] = 0;
        address reporter = _reports[node].reporter;
        uint256 reward = reporter == address(0) ? 0 : amount * REPORTER_BPS / 10_000;
        // A reporter whom the token refuses holds up no slash: its part is burned, too.
        if (reward != 0 && !token.trySafeTransfer(reporter, reward)) reward = 0;
        emit Slashed(node, reporter, reward, amount - reward);
        ERC20Burnable(address(token)).burn(amount - reward);
    }

    /// @notice A stake; what was slashed still stands here and can never be withdrawn.
    function stakeOf(address node, address operator) external view returns (Stake memory) {
        return _stakes[node][operator];
    }

    /// @notice Who gets a tenth of what stands for a node that contradicted itself; all zero: nobody so far.
    function reportOf(address node) external view returns (Report memory) {
        return _reports[node];
    }

    /// @notice What a finder commits to: itself, the two statements in their order, and a secret of 32 bytes.
    function commitmentOf(
        address reporter,
        SignedStatement calldata first,
        SignedStatement calldata second,
        bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(reporter, first, second, salt));
    }
}
