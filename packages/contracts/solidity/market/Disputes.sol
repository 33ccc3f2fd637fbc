// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TokenIntake} from "./TokenIntake.sol";
import {TokenPayout} from "./TokenPayout.sol";

/// @notice Where a dispute stands.
enum DisputeState {
    None,
    Open,
    Answered,
    Ruled,
    Closed
}

/// @title Disputes with equal stakes, a ruling, appeals at twice the stake, and a record of who was right
/// @notice Both sides stake the same; who stays away loses. The arbiter is fixed when the court is made and can only choose
/// between the two sides. A side that the token refuses is owed what is its own, and holds up nobody. The record counts closed disputes: it is all that reputation may be computed from.
contract Disputes is TokenIntake, TokenPayout {
    uint256 public constant ANSWER_WINDOW = 7 days;
    uint256 public constant RULING_WINDOW = 30 days;
    uint256 public constant APPEAL_WINDOW = 3 days;
    uint8 public constant MAXIMUM_APPEALS = 2;

    struct Dispute {
        address challenger;
        DisputeState state;
        uint8 appeals;
        bool forChallenger;
        uint64 since;
        address defendant;
        uint256 stake;
        /// @dev What each side has put in.
        uint256 fromChallenger;
        uint256 fromDefendant;
        bytes32 subject;
    }

    /// @notice How an account's disputes ended: by an arbiter's ruling, or without one.
    struct Record {
        uint32 won;
        uint32 lost;
        /// @dev Closed because it did not answer: nobody looked into them, and each cost its challenger only a wait.
        uint32 unanswered;
    }

    IERC20 public immutable token;
    address public immutable arbiter;
    uint256 public immutable minimumStake;

    uint256 public disputeCount;
    mapping(uint256 id => Dispute) private _disputes;
    mapping(address account => Record) private _records;

    event DisputeOpened(
        uint256 indexed id,
        address indexed challenger,
        address indexed defendant,
        bytes32 subject,
        bytes32 evidenceDigest,
        uint256 stake
    );
    event DisputeAnswered(uint256 indexed id, bytes32 evidenceDigest);
    event DisputeRuled(uint256 indexed id, bool forChallenger, bytes32 verdictDigest);
    event DisputeAppealed(uint256 indexed id, address indexed by, bytes32 evidenceDigest, uint256 stake);
    event DisputeClosed(uint256 indexed id, address indexed winner, uint256 amount);

    error StakeTooSmall(uint256 stake, uint256 minimum);
    error DefendantInvalid(address defendant);
    error StateOther(uint256 id, DisputeState state);
    error OnlyParty(address caller);
    error TooEarly(uint256 from);
    error TooLate(uint256 until);
    error NoMoreAppeals(uint256 id);

    constructor(IERC20 token_, address arbiter_, uint256 minimumStake_) {
        token = token_;
        arbiter = arbiter_;
        minimumStake = minimumStake_;
    }

    /// @notice Opens a dispute over a subject (a receipt, a data set, a delivery) with evidence and a stake.
    function open(address defendant, bytes32 subject, bytes32 evidenceDigest, uint256 stake)
        external
        nonReentrant
        returns (uint256 id)
    {
        if (stake < minimumStake) revert StakeTooSmall(stake, minimumStake);
        if (defendant == address(0) || defendant == msg.sender) revert DefendantInvalid(defendant);
        id = ++disputeCount;
        Dispute storage d = _disputes[id];
        (d.challenger, d.defendant, d.stake, d.fromChallenger, d.subject) =
            (msg.sender, defendant, stake, stake, subject);
        _move(d, DisputeState.Open);
        emit DisputeOpened(id, msg.sender, defendant, subject, evidenceDigest, stake);
        _take(token, msg.sender, stake);
    }

    /// @notice The defendant answers with evidence and the same stake.
    function answer(uint256 id, bytes32 evidenceDigest) external nonReentrant {
        Dispute storage d = _in(id, DisputeState.Open);
        if (msg.sender != d.defendant) revert OnlyParty(msg.sender);
        if (block.timestamp > d.since + ANSWER_WINDOW) revert TooLate(d.since + ANSWER_WINDOW);
        d.fromDefendant = d.stake;
        _move(d, DisputeState.Answered);
        emit DisputeAnswered(id, evidenceDigest);
        _take(token, msg.sender, d.stake);
    }

    /// @notice The arbiter rules; the loser may appeal for a while.
    function rule(uint256 id, bool forChallenger, bytes32 verdictDigest) external {
        Dispute storage d = _in(id, DisputeState.Answered);
        if (msg.sender != arbiter) revert OnlyParty(msg.sender);
        d.forChallenger = forChallenger;
        _move(d, DisputeState.Ruled);
        emit DisputeRuled(id, forChallenger, verdictDigest);
    }

    /// @notice The loser appeals: both sides' stakes double, the loser pays now and the winner's first stake stands for it.
    function appeal(uint256 id, bytes32 evidenceDigest) external nonReentrant {
        Dispute storage d = _in(id, DisputeState.Ruled);
        if (msg.sender != (d.forChallenger ? d.defendant : d.challenger)) revert OnlyParty(msg.sender);
        if (d.appeals == MAXIMUM_APPEALS) revert NoMoreAppeals(id);
        if (block.timestamp > d.since + APPEAL_WINDOW) revert TooLate(d.since + APPEAL_WINDOW);
        uint256 more = d.stake << d.appeals;
        ++d.appeals;
        if (d.forChallenger) d.fromDefendant += more;
        else d.fromChallenger += more;
        _move(d, DisputeState.Answered);
        emit DisputeAppealed(id, msg.sender, evidenceDigest, more);
        _take(token, msg.sender, more);
    }

    /// @notice Ends a dispute: after the appeal window by the ruling, without an answer for the challenger, and without a
    /// ruling for nobody, which returns the stakes. Anyone.
    function close(uint256 id) external nonReentrant {
        Dispute storage d = _disputes[id];
        DisputeState state = d.state;
        uint256 from;
        if (state == DisputeState.Open) from = d.since + ANSWER_WINDOW;
        else if (state == DisputeState.Ruled) from = d.since + APPEAL_WINDOW;
        else if (state == DisputeState.Answered) from = d.since + RULING_WINDOW;
        else revert StateOther(id, state);
        if (block.timestamp <= from) revert TooEarly(from);
        _move(d, DisputeState.Closed);
        uint256 all = d.fromChallenger + d.fromDefendant;
        if (state == DisputeState.Answered) {
            emit DisputeClosed(id, address(0), all);
            _payOrOwe(token, d.challenger, d.fromChallenger);
            _payOrOwe(token, d.defendant, d.fromDefendant);
            return;
        }
        bool challengerWins = state == DisputeState.Open || d.forChallenger;
        (address winner, address loser) =
            challengerWins ? (d.challenger, d.defendant) : (d.defendant, d.challenger);
        // Who was only accused has lost nothing that anybody decided, and to accuse somebody often costs nothing.
        if (state == DisputeState.Open) {
            ++_records[loser].unanswered;
        } else {
            ++_records[winner].won;
            ++_records[loser].lost;
        }
        emit DisputeClosed(id, winner, all);
        _payOrOwe(token, winner, all);
    }

    /// @notice The dispute as stored; state None when there is none.
    function getDispute(uint256 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @notice How an account's disputes ended.
    function recordOf(address account) external view returns (Record memory) {
        return _records[account];
    }

    function _in(uint256 id, DisputeState state) private view returns (Dispute storage d) {
        d = _disputes[id];
        if (d.state != state) revert StateOther(id, d.state);
    }

    function _move(Dispute storage d, DisputeState state) private {
        d.state = state;
        d.since = uint64(block.timestamp);
    }
}
