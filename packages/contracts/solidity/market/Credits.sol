// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPool, IPoolDirectory} from "../pool/IPool.sol";

/// @notice What a pool's part of one job was paid with besides tokens.
struct CreditPayment {
    address account;
    uint96 credits;
    /// @dev Protocol tokens that the pool waived for them.
    uint128 waived;
}

/// @title Credits: earned by contributing, spent on jobs, never bought, sold, given away or turned into tokens
/// @notice A double-entry ledger of each pool: what is earned comes from the pool's account, what a job is funded with is held
/// for that job, and then it is spent (back to the pool's account) or given back to who paid, never both. Nobody writes
/// entries: points decide what is earned, the job board what is spent. A pool's vote decides what a credit is worth: so much
/// of the pool's own price is waived for it. No token is made or moved for a credit, nor is any burned.
contract Credits {
    IPoolDirectory public immutable pools;
    address public immutable jobBoard;

    mapping(address pool => mapping(address account => uint256)) public balanceOf;
    /// @notice The points of an account that have been turned into credits; never falls, so that nothing is earned twice.
    mapping(address pool => mapping(address account => uint256)) public countedPoints;
    /// @notice What a pool has outstanding: the other side of every balance and of all that is held.
    mapping(address pool => uint256) public outstanding;
    /// @notice What is held for jobs that are funded and not over.
    mapping(address pool => uint256) public held;
    /// @notice Protocol tokens of its own price that a pool waives for one credit; zero, the default: it takes none.
    mapping(address pool => uint128) public worthOf;
    mapping(uint256 jobId => mapping(address pool => CreditPayment)) private _payments;

    event CreditsEarned(address indexed pool, address indexed account, uint256 amount);
    event CreditWorthSet(address indexed pool, uint128 worth);
    event CreditsHeld(
        uint256 indexed jobId, address indexed pool, address indexed account, uint256 amount, uint256 waived
    );
    event CreditsSpent(uint256 indexed jobId, address indexed pool, address indexed account, uint256 amount);
    event CreditsReturned(uint256 indexed jobId, address indexed pool, address indexed account, uint256 amount);

    error OnlyJobBoard(address caller, address jobBoard);
    error OnlyPoolTimelock(address caller, address pool);
    error PoolUnknown(uint256 index, address pool);
    error NothingToEarn(address pool, address account);
    error CreditsShort(address pool, address account, uint256 balance, uint256 amount);
    error CreditsNotTaken(address pool);

    modifier onlyJobBoard() {
        if (msg.sender != jobBoard) revert OnlyJobBoard(msg.sender, jobBoard);
        _;
    }

    constructor(IPoolDirectory pools_, address jobBoard_) {
        pools = pools_;
        jobBoard = jobBoard_;
    }

    /// @notice Says what a credit is worth in the pool, from now on: what is held keeps the worth that it was paid at. Only a
    /// vote.
    function setWorth(address pool, uint128 worth) external {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
        worthOf[pool] = worth;
        emit CreditWorthSet(pool, worth);
    }

    /// @notice Turns points that were not counted before into credits. Anyone may send it.
    function earn(address pool, address account) external returns (uint256 amount) {
        if (pools.indexOf(pool) == 0) revert PoolUnknown(0, pool);
        amount = earnable(pool, account);
        if (amount == 0) revert NothingToEarn(pool, account);
        countedPoints[pool][account] += amount;
        balanceOf[pool][account] += amount;
        outstanding[pool] += amount;
        emit CreditsEarned(pool, account, amount);
    }

    /// @notice Holds credits for a job in place of a part of its price: as many as the price takes, `limit` at most. Only the
    /// job board, which funds a job once.
    /// @param price What the pool asks, in protocol tokens.
    /// @return waived How much of it need not be paid.
    function hold(uint256 jobId, address pool, address account, uint128 price, uint256 limit)
        external
        onlyJobBoard
        returns (uint256 waived)
    {
        uint256 worth = worthOf[pool];
        if (worth == 0) revert CreditsNotTaken(pool);
        // The last credit may be worth more than what is left of the price: it is spent whole, and waives no more than that.
        uint256 amount = (uint256(price) + worth - 1) / worth;
        if (amount > limit) amount = limit;
        uint256 balance = balanceOf[pool][account];
        if (balance < amount) revert CreditsShort(pool, account, balance, amount);
        if (amount == 0) return 0;
        waived = amount * worth;
        if (waived > price) waived = price;
        balanceOf[pool][account] = balance - amount;
        held[pool] += amount;
        // A balance is a sum of points, each at most 10,000 for a contribution: far below 2^96.
        _payments[jobId][pool] = CreditPayment(account, uint96(amount), uint128(waived));
        emit CreditsHeld(jobId, pool, account, amount, waived);
    }

    /// @notice What was held for a pool's part of a job is spent, or goes back to who paid it, as credits. Only the job board,
    /// when the job is settled or ends without a result.
    /// @return waived What the pool had waived for it.
    function end(uint256 jobId, address pool, bool spent) external onlyJobBoard returns (uint128 waived) {
        CreditPayment memory payment = _payments[jobId][pool];
        delete _payments[jobId][pool];
        held[pool] -= payment.credits;
        if (spent) {
            outstanding[pool] -= payment.credits;
            emit CreditsSpent(jobId, pool, payment.account, payment.credits);
        } else {
            balanceOf[pool][payment.account] += payment.credits;
            emit CreditsReturned(jobId, pool, payment.account, payment.credits);
        }
        return payment.waived;
    }

    /// @notice What {earn} would add now. A pool that the factory did not found answers for itself, and earns nothing.
    function earnable(address pool, address account) public view returns (uint256) {
        uint256 points = IPool(pool).pointsOf(account);
        uint256 counted = countedPoints[pool][account];
        return points > counted ? points - counted : 0;
    }

    /// @notice What is held for a pool's part of a job; all zero when nothing is, also when the job is over.
    function paymentOf(uint256 jobId, address pool) external view returns (CreditPayment memory) {
        return _payments[jobId][pool];
    }
}
