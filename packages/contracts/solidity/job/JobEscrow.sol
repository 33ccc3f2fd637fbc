// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Credits} from "../market/Credits.sol";
import {NodeRegistry} from "../node/NodeRegistry.sol";
import {StatementProof} from "../node/StatementGuard.sol";
import {Permissions, RunPrice} from "../permission/Permissions.sol";
import {IPool, IPoolDirectory, StopAct} from "../pool/IPool.sol";
import {JobClass} from "./Job.sol";
import {JobNodes} from "./JobNodes.sol";
import {JobState, JobTransitions} from "./JobState.sol";
import {JobStore} from "./JobStore.sol";

/// @title What jobs are paid with, from funding to settlement or refund
/// @notice Money is in escrow from funding to settlement and returns in full on refusal, failure, cancellation and expiry;
/// credits that stand for a part of it return as credits.
abstract contract JobEscrow is JobNodes, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    string public constant RELEASE_STATEMENT = "sealpool/release/1";
    string public constant REFUSAL_STATEMENT = "sealpool/refusal/1";
    string public constant FAILURE_STATEMENT = "sealpool/failure/1";

    /// @dev The most that a consumer pays. The arrays are in the order of the job's pools; no credits: none are spent.
    struct Limits {
        uint256[] burns;
        uint256[] credits;
        uint256 price;
    }

    IERC20 public immutable protocolToken;
    /// @notice Part of every price that is burned at settlement, in 1/10,000. Fixed for ever.
    uint16 public immutable burnShareBps;
    /// @notice Pool tokens that settled jobs have used up and {burnSettled} has not burned yet.
    mapping(address token => uint256) public settledTokens;

    event JobFunded(uint256 indexed id, address indexed consumer, uint256 price);
    event JobReleased(
        uint256 indexed id, address indexed node, bytes32 receiptDigest, bytes32 resultDigest, bytes32[] budgetHeads
    );
    event JobRefused(uint256 indexed id, address indexed node, bytes32 reason, bytes32 receiptDigest);
    event JobFailed(uint256 indexed id, address indexed node, bytes32 reason);
    event JobSettled(uint256 indexed id, uint256 burned, uint256 shared);
    event SettledTokensBurned(address indexed pool, address indexed token, uint256 amount);
    event JobRefunded(uint256 indexed id, address indexed consumer, uint256 price);

    error BurnShareTooLarge(uint16 bps);
    error PoolUnknown(uint256 index, address pool);
    error DeadlineNotPassed(uint256 id, uint64 deadline);
    error PriceAboveCeiling(uint256 id, uint256 price, uint256 ceiling);
    error EscrowShort(address token, uint256 received, uint256 expected);
    error BurnAboveCeiling(uint256 id, address pool, uint256 burn, uint256 ceiling);
    error BurnCeilingsDiffer(uint256 id, uint256 given, uint256 pools);
    error BudgetHeadsDiffer(uint256 id, uint256 given, uint256 pools);
    error NothingToBurn(address pool);

    constructor(
        IERC20 protocolToken_,
        NodeRegistry nodeRegistry_,
        IPoolDirectory pools_,
        Permissions permissions_,
        Credits credits_,
        uint16 burnShareBps_
    ) JobStore(nodeRegistry_, pools_, permissions_, credits_) {
        if (burnShareBps_ > 10_000) revert BurnShareTooLarge(burnShareBps_);
        protocolToken = protocolToken_;
        burnShareBps = burnShareBps_;
    }

    /// @notice Takes the price into escrow and counts the grants, none of which may use up pool tokens. Only the consumer.
    function fund(uint256 id) external nonReentrant {
        StoredJob storage job = _job(id);
        _fund(id, job, Limits(new uint256[](job.poolCount), new uint256[](0), job.priceCeiling));
    }

    /// @notice The same where grants use up pool tokens.
    /// @param burnCeilings The most of each pool's tokens that the consumer will pay, in the order of the job: a grant may have
    /// been replaced since the consumer read it.
    function fundUpTo(uint256 id, uint256[] calldata burnCeilings) external nonReentrant {
        StoredJob storage job = _job(id);
        _fund(id, job, Limits(burnCeilings, new uint256[](0), job.priceCeiling));
    }

    /// @notice The same where credits pay a part of the price, or all of it ({Credits.hold}).
    /// @param creditLimits The most of each pool's credits that the consumer will spend, in the order of the job; zero: none.
    /// @param priceLimit The most protocol tokens that the consumer will pay besides: what a credit is worth may have changed
    /// since the consumer read it.
    function fundWithCredits(
        uint256 id,
        uint256[] calldata burnCeilings,
        uint256[] calldata creditLimits,
        uint256 priceLimit
    ) external nonReentrant {
        StoredJob storage job = _job(id);
        uint256 ceiling = job.priceCeiling;
        _fund(id, job, Limits(burnCeilings, creditLimits, priceLimit < ceiling ? priceLimit : ceiling));
    }

    function _fund(uint256 id, StoredJob storage job, Limits memory limits) private {
        _requireConsumer(id, job);
        _requireBefore(id, job);
        // The table also leads back to Funded from a node that lost the job: nobody pays for that again.
        if (job.state != JobState.Approved) revert TransitionNotAllowed(id, job.state, JobState.Funded);
        _move(id, job, JobState.Funded);
        bytes32 granted = _granted(id, job);
        uint256 count = job.poolCount;
        if (limits.burns.length != count) revert BurnCeilingsDiffer(id, limits.burns.length, count);
        bool credited = limits.credits.length != 0;
        if (credited && limits.credits.length != count) revert BurnCeilingsDiffer(id, limits.credits.length, count);
        uint256 price;
        Declaration memory declared;
        if (job.declares) declared = _declarations[id];
        for (uint256 i; i < count; ++i) {
            StoredPart storage part = _parts[id][i];
            uint128 asked;
            (asked, limits.burns[i]) = _useGrant(id, part, granted, declared, limits.burns[i]);
            price += asked;
            if (credited) price -= _holdCredits(id, part, asked, limits.credits[i]);
        }
        if (price > limits.price) revert PriceAboveCeiling(id, price, limits.price);
        emit JobFunded(id, msg.sender, price);
        if (job.class == JobClass.Drawn) _drawAmongAll(id);
        for (uint256 i; i < count; ++i) {
            // By now what each grant uses up.
            if (limits.burns[i] != 0) _take(_tokenOf(_parts[id][i].pool), limits.burns[i]);
        }
        _take(protocolToken, price);
    }

    /// Counts one run, and says what it costs.
    function _useGrant(
        uint256 id,
        StoredPart storage part,
        bytes32 granted,
        Declaration memory declared,
        uint256 burnCeiling
    ) private returns (uint128, uint256) {
        address pool = part.pool;
        IPool(pool).requireFundable(granted, declared.codeDigest);
        RunPrice memory run;
        (run, part.generation) = permissions.use(msg.sender, pool, granted, declared.scopeDigest);
        if (run.poolTokenBurn > burnCeiling) revert BurnAboveCeiling(id, pool, run.poolTokenBurn, burnCeiling);
        return (run.price, run.poolTokenBurn);
    }

    /// @return waived What credits pay of the price.
    function _holdCredits(uint256 id, StoredPart storage part, uint128 price, uint256 limit)
        private
        returns (uint256 waived)
    {
        if (limit == 0) return 0;
        waived = credits.hold(id, part.pool, msg.sender, price, limit);
        part.credited = waived != 0;
    }

    /// @notice The node that runs the job declares its result. Statement facts: bytes32 manifestDigest,
    /// bytes32 receiptDigest, bytes32 resultDigest, then one bytes32 budget head per pool, in the job's order. Subject:
    /// keccak256(abi.encode(uint256 id, bytes32 manifestDigest, address consumer)), because numbers are counters: after a
    /// reorganisation an honest node may release another job under the same one, which contradicts nothing.
    function release(
        uint256 id,
        bytes32 receiptDigest,
        bytes32 resultDigest,
        bytes32[] calldata budgetHeads,
        StatementProof calldata proof
    ) external {
        _release(id, receiptDigest, resultDigest, budgetHeads, proof);
    }

    /// @notice Pays a released job out: burns the burn share, hands each pool its part, and gives the pool tokens up for
    /// burning ({burnSettled}).
    function settle(uint256 id) external nonReentrant {
        _settle(id);
    }

    /// @notice Burns the pool tokens of all jobs that were settled since the last time. Anyone: they belong to nobody, and
    /// nothing else can happen to them. One burn for many jobs, because each writes a checkpoint of the supply.
    function burnSettled(address pool) external nonReentrant {
        if (pools.indexOf(pool) == 0) revert PoolUnknown(0, pool);
        address token = address(_tokenOf(pool));
        uint256 amount = settledTokens[token];
        if (amount == 0) revert NothingToBurn(pool);
        settledTokens[token] = 0;
        emit SettledTokensBurned(pool, token, amount);
        ERC20Burnable(token).burn(amount);
    }

    /// @notice {release} and {settle} in one.
    function releaseAndSettle(
        uint256 id,
        bytes32 receiptDigest,
        bytes32 resultDigest,
        bytes32[] calldata budgetHeads,
        StatementProof calldata proof
    ) external nonReentrant {
        _release(id, receiptDigest, resultDigest, budgetHeads, proof);
        _settle(id);
    }

    /// @notice A node refuses the job for a reason; the consumer gets everything back. A drawn job only the node that it was
    /// drawn for.
    /// Statement facts: bytes32 manifestDigest, bytes32 receiptDigest, bytes32 reason.
    function refuse(uint256 id, bytes32 reason, bytes32 receiptDigest, StatementProof calldata proof)
        external
        nonReentrant
    {
        StoredJob storage job = _job(id);
        // Else any node could end a drawn job, and draw anew for the one that it waits for.
        if (job.class == JobClass.Drawn && job.state != JobState.Assigned && job.state != JobState.Running) {
            revert NotAssigned(id);
        }
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, receiptDigest, reason));
        address node = _speak(id, job, REFUSAL_STATEMENT, facts, proof);
        _requireNew(id, job, node);
        emit JobRefused(id, node, reason, receiptDigest);
        _end(id, job, JobState.Refused);
    }

    /// @notice The node that runs the job says that it cannot finish; the consumer gets everything back.
    /// Statement facts: bytes32 manifestDigest, bytes32 reason.
    function fail(uint256 id, bytes32 reason, StatementProof calldata proof) external nonReentrant {
        StoredJob storage job = _job(id);
        bytes32 facts = keccak256(abi.encode(job.manifestDigest, reason));
        address node = _speak(id, job, FAILURE_STATEMENT, facts, proof);
        emit JobFailed(id, node, reason);
        _end(id, job, JobState.Failed);
    }

    /// @notice The consumer withdraws a job that has not started; a drawn one not in the 256 blocks in which its lot is known
    /// and can fall, also when it was fixed and can fall later: the run stays used.
    function cancel(uint256 id) external nonReentrant {
        StoredJob storage job = _job(id);
        _requireConsumer(id, job);
        if (job.class == JobClass.Drawn && job.state == JobState.Funded) {
            (bool held,) = _holds(id, job);
            if (!held) _requireNoLot(id);
        }
        _end(id, job, JobState.Cancelled);
    }

    /// @notice Ends a job whose deadline has passed without a result, or that is stuck before: a pool turns the node away for
    /// which it was drawn, and that node was silent for its time. Anyone; the run stays used, for its lot is known.
    function expire(uint256 id) external nonReentrant {
        StoredJob storage job = _job(id);
        if (block.timestamp <= job.deadline && !_stranded(id, job)) revert DeadlineNotPassed(id, job.deadline);
        _end(id, job, JobState.Expired);
    }

    function _release(
        uint256 id,
        bytes32 receiptDigest,
        bytes32 resultDigest,
        bytes32[] calldata budgetHeads,
        StatementProof calldata proof
    ) private {
        StoredJob storage job = _job(id);
        _requireBefore(id, job);
        if (budgetHeads.length != job.poolCount) revert BudgetHeadsDiffer(id, budgetHeads.length, job.poolCount);
        // Words of 32 bytes each: packed and plain encoding are the same, and the number of heads is fixed by the job.
        bytes32 facts = keccak256(abi.encodePacked(job.manifestDigest, receiptDigest, resultDigest, budgetHeads));
        bytes32 subject = keccak256(abi.encode(id, job.manifestDigest, job.consumer));
        address node = _speakOf(id, job, RELEASE_STATEMENT, subject, facts, proof);
        _move(id, job, JobState.Released);
        emit JobReleased(id, node, receiptDigest, resultDigest, budgetHeads);
    }

    function _settle(uint256 id) private {
        StoredJob storage job = _job(id);
        _move(id, job, JobState.Settled);
        bytes32 granted = _granted(id, job);
        uint256 count = job.poolCount;
        uint256 burned;
        uint256 shared;
        for (uint256 i; i < count; ++i) {
            StoredPart memory part = _parts[id][i];
            RunPrice memory run = _endRun(id, job, part, granted);
            uint256 burn = uint256(run.price) * burnShareBps / 10_000;
            uint256 rest = run.price - burn;
            burned += burn;
            shared += rest;
            if (run.poolTokenBurn != 0) settledTokens[address(_tokenOf(part.pool))] += run.poolTokenBurn;
            if (rest != 0) {
                protocolToken.safeTransfer(part.pool, rest);
                IPool(part.pool).distribute(rest);
            }
        }
        emit JobSettled(id, burned, shared);
        if (burned != 0) ERC20Burnable(address(protocolToken)).burn(burned);
    }

    /// Ends a job without result: state first, then everything in escrow back to the consumer.
    function _end(uint256 id, StoredJob storage job, JobState to) private {
        JobState from = job.state;
        _move(id, job, to);
        if (!JobTransitions.inEscrow(from)) return;
        address consumer = job.consumer;
        bytes32 granted = _granted(id, job);
        // A run that a node refused or began has told the consumer something: only untouched runs are given back.
        bool untouched =
            (from == JobState.Funded || from == JobState.Assigned) && to != JobState.Refused && job.attempts == 0;
        uint256 count = job.poolCount;
        uint256 price;
        for (uint256 i; i < count; ++i) {
            StoredPart memory part = _parts[id][i];
            RunPrice memory run = _endRun(id, job, part, granted);
            price += run.price;
            if (untouched) _giveBack(id, job, part, granted);
            if (run.poolTokenBurn != 0) _tokenOf(part.pool).safeTransfer(consumer, run.poolTokenBurn);
        }
        emit JobRefunded(id, consumer, price);
        if (price != 0) protocolToken.safeTransfer(consumer, price);
    }

    /// What was paid in tokens for a part of a job that is over. Credits that were held for it are spent when the job is settled,
    /// and go back when it is not.
    function _endRun(uint256 id, StoredJob storage job, StoredPart memory part, bytes32 granted)
        private
        returns (RunPrice memory run)
    {
        run = _priceOf(job, part, granted);
        if (part.credited) run.price -= credits.end(id, part.pool, job.state == JobState.Settled);
    }

    /// Gives a run back, but none whose lot is known, which would be another draw for nothing; unless this very pool kept it from
    /// running (not another one, which a consumer can found). What its contributors hold is its vote's from then on: they could
    /// else stop, have the run given back, let go, and draw again.
    function _giveBack(uint256 id, StoredJob storage job, StoredPart memory part, bytes32 granted) private {
        bool seen = job.class == JobClass.Drawn && _lotKnown(id);
        if (seen && !IPool(part.pool).stopFor(StopAct.Bind, address(0), granted)) return;
        permissions.giveBack(job.consumer, part.pool, granted, part.generation);
    }

    /// Takes exactly `amount` from the caller; a token that keeps a fee on transfer cannot fill an escrow.
    function _take(IERC20 token, uint256 amount) private {
        if (amount == 0) return;
        uint256 before = _holding(token);
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _holding(token) - before;
        if (received != amount) revert EscrowShort(address(token), received, amount);
    }

    // Calls that are made in several places, once: the code of each takes a hundred bytes.

    function _tokenOf(address pool) private view returns (IERC20) {
        return IERC20(IPool(pool).token());
    }

    function _holding(IERC20 token) private view returns (uint256) {
        return token.balanceOf(address(this));
    }
}
