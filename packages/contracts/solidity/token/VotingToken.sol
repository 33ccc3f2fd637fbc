// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

/// @title ERC-20 with votes (ERC-5805), in one slot for each holder
/// @notice Functions, events and errors are those of OpenZeppelin's ERC20Votes; what differs is where the numbers stand. There
/// a new holder costs three slots (balance, number of checkpoints, checkpoint), here one, and two checkpoints of the past share
/// a slot. That needs numbers that fit: at most 2^96 - 1 tokens, and at most 2^32 checkpoints, one a second, which a clock of
/// 32 bits keeps for 136 years from the deployment; afterwards tokens move on, and votes of the past are no longer told apart.
abstract contract VotingToken is ERC20Burnable, ERC20Permit, IERC5805 {
    bytes32 private constant DELEGATION_TYPEHASH =
        keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");

    /// @dev What an account has, and the latest checkpoint of the votes that go through it. For the supply: `votes` alone.
    struct Account {
        uint96 balance;
        uint96 votes;
        /// @dev Seconds since `_origin`; zero: there has been no checkpoint.
        uint32 changedAt;
        /// @dev How many earlier checkpoints there are.
        uint32 changes;
    }

    /// @notice There are never more tokens than this at once.
    uint256 public immutable cap;
    /// @dev The second before the deployment, so that no checkpoint is of second zero.
    uint256 private immutable _origin = block.timestamp - 1;

    mapping(address account => Account) private _accounts;
    /// @dev Earlier checkpoints, two in a slot, which structs would not be: votes, and in the last 32 bits the second from
    /// which on they held.
    mapping(address account => uint128[1 << 32]) private _past;
    mapping(address account => address) private _delegatee;
    /// @dev Its past stands under the zero address, which has no votes.
    Account private _supply;

    /// @notice As in OpenZeppelin's ERC20Capped.
    error ERC20ExceededCap(uint256 increasedSupply, uint256 cap);
    /// @notice As in OpenZeppelin's ERC20Votes.
    error ERC20ExceededSafeSupply(uint256 increasedSupply, uint256 cap);
    /// @notice As in OpenZeppelin's Votes.
    error ERC5805FutureLookup(uint256 timepoint, uint48 clock);
    error CheckpointUnknown(address account, uint32 index);

    constructor(uint256 cap_) {
        if (cap_ > type(uint96).max) revert ERC20ExceededSafeSupply(cap_, type(uint96).max);
        cap = cap_;
    }

    /// @notice Votes are counted by time, which means the same on every chain (ERC-6372).
    function clock() public view returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice ERC-6372 description of {clock}.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=timestamp";
    }

    /// @inheritdoc ERC20
    function totalSupply() public view override returns (uint256) {
        return _supply.votes;
    }

    /// @inheritdoc ERC20
    function balanceOf(address account) public view override returns (uint256) {
        return _accounts[account].balance;
    }

    /// @notice Whom an account's tokens vote through: itself until it delegates, so that holders can vote without a
    /// transaction of their own before the first vote.
    function delegates(address account) public view virtual returns (address) {
        address chosen = _delegatee[account];
        return chosen == address(0) ? account : chosen;
    }

    /// @notice Votes through an account now.
    function getVotes(address account) external view returns (uint256) {
        return _accounts[account].votes;
    }

    /// @notice Votes that went through an account at the end of a second that has passed.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        return _votesAt(_accounts[account], account, timepoint);
    }

    /// @notice Tokens that existed at the end of a second that has passed.
    function getPastTotalSupply(uint256 timepoint) external view returns (uint256) {
        return _votesAt(_supply, address(0), timepoint);
    }

    /// @notice How many checkpoints an account has.
    function numCheckpoints(address account) external view returns (uint32) {
        Account memory held = _accounts[account];
        return held.changedAt == 0 ? 0 : held.changes + 1;
    }

    /// @notice A checkpoint of an account, counted from zero: `_key` is a unix time, `_value` the votes from then on.
    function checkpoints(address account, uint32 index) external view returns (Checkpoints.Checkpoint208 memory) {
        Account memory held = _accounts[account];
        if (held.changedAt == 0 || index > held.changes) revert CheckpointUnknown(account, index);
        uint128 past = index == held.changes ? _pack(held) : _past[account][index];
        return Checkpoints.Checkpoint208(uint48(_origin + uint32(past)), past >> 32);
    }

    /// @notice Lets the caller's tokens vote through another account.
    function delegate(address delegatee) external {
        _delegate(msg.sender, delegatee);
    }

    /// @notice Lets the tokens of the signer of typed data vote through another account; anyone may send it.
    function delegateBySig(address delegatee, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s) external {
        if (block.timestamp > expiry) revert VotesExpiredSignature(expiry);
        bytes32 hash = _hashTypedDataV4(keccak256(abi.encode(DELEGATION_TYPEHASH, delegatee, nonce, expiry)));
        address signer = ECDSA.recover(hash, v, r, s);
        _useCheckedNonce(signer, nonce);
        _delegate(signer, delegatee);
    }

    /// Delegating to nobody means voting oneself again.
    function _delegate(address account, address delegatee) internal virtual {
        if (delegatee == address(0)) delegatee = account;
        address before = delegates(account);
        _delegatee[account] = delegatee;
        emit DelegateChanged(account, before, delegatee);
        uint96 value = _accounts[account].balance;
        if (before == delegatee || value == 0) return;
        _changeVotes(before, value, false);
        _changeVotes(delegatee, value, true);
    }

    function _update(address from, address to, uint256 value) internal override {
        address giver = from == address(0) ? from : delegates(from);
        address taker = to == address(0) ? to : delegates(to);
        bool moves = giver != taker && value != 0;
        if (from == address(0)) {
            _changeSupply(value, true);
        } else {
            uint256 balance = _accounts[from].balance;
            if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        }
        emit Transfer(from, to, value);
        // From here on `value` fits: it is part of a balance or of the supply.
        uint96 amount = uint96(value);
        if (from != address(0)) {
            _change(from, amount, false, moves && giver == from);
            if (moves && giver != from && giver != address(0)) _changeVotes(giver, amount, false);
        }
        if (to == address(0)) {
            _changeSupply(value, false);
        } else {
            _change(to, amount, true, moves && taker == to);
            if (moves && taker != to && taker != address(0)) _changeVotes(taker, amount, true);
        }
    }

    function _changeSupply(uint256 value, bool more) private {
        Account memory supply = _supply;
        // Compared before it is added, or a sum past 2^256 would have no name.
        if (more && value > cap - supply.votes) {
            revert ERC20ExceededCap(value > type(uint256).max - supply.votes ? type(uint256).max : supply.votes + value, cap);
        }
        uint256 total = more ? supply.votes + value : supply.votes - value;
        _checkpoint(address(0), supply, uint96(total));
        _supply = supply;
    }

    /// Balance, and votes where they go through the account itself: one read and one write.
    function _change(address account, uint96 value, bool more, bool withVotes) private {
        Account memory held = _accounts[account];
        held.balance = more ? held.balance + value : held.balance - value;
        if (withVotes) _vote(account, held, value, more);
        _accounts[account] = held;
    }

    function _changeVotes(address account, uint96 value, bool more) private {
        Account memory held = _accounts[account];
        _vote(account, held, value, more);
        _accounts[account] = held;
    }

    function _vote(address account, Account memory held, uint96 value, bool more) private {
        uint96 before = held.votes;
        uint96 votes = more ? before + value : before - value;
        _checkpoint(account, held, votes);
        emit DelegateVotesChanged(account, before, votes);
    }

    /// Sets the votes from this second on, and keeps what they were until then.
    function _checkpoint(address account, Account memory held, uint96 votes) private {
        uint32 time = _second(block.timestamp);
        if (held.changedAt != time) {
            if (held.changedAt != 0) _past[account][held.changes++] = _pack(held);
            held.changedAt = time;
        }
        held.votes = votes;
    }

    function _votesAt(Account storage stored, address account, uint256 timepoint) private view returns (uint96) {
        if (timepoint >= clock()) revert ERC5805FutureLookup(timepoint, clock());
        if (timepoint <= _origin) return 0;
        uint32 time = _second(timepoint);
        Account memory held = stored;
        if (held.changedAt <= time) return held.votes;
        // How many earlier checkpoints are not after that second.
        uint256 low;
        uint256 high = held.changes;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (uint32(_past[account][middle]) <= time) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? 0 : uint96(_past[account][low - 1] >> 32);
    }

    function _pack(Account memory held) private pure returns (uint128) {
        return uint128(held.votes) << 32 | held.changedAt;
    }

    function _second(uint256 time) private view returns (uint32) {
        uint256 since = time - _origin;
        return since > type(uint32).max ? type(uint32).max : uint32(since);
    }
}
