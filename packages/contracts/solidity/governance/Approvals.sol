// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPool, IPoolDirectory} from "../pool/IPool.sol";

/// @notice What a pool demands of a job besides its vote. Both at zero: the vote alone decides.
struct ApprovalClass {
    /// @dev Reviewers who must have approved exactly this digest.
    uint8 reviews;
    /// @dev Part of the pool's points whose owners must have consented, in 1/10,000.
    uint16 consentBps;
}

/// @title Reviewers' statements and owners' consent: what a grant may need besides a vote
/// @notice A pool's vote chooses its class and its reviewers. Reviewers and owners speak about a digest, which is that of
/// exactly what will run; a job over several pools needs each pool's own.
contract Approvals {
    IPoolDirectory public immutable pools;

    mapping(address pool => ApprovalClass) private _classes;
    mapping(address pool => mapping(address reviewer => bool)) public isReviewer;
    mapping(address pool => mapping(bytes32 digest => mapping(address reviewer => bool))) public reviewed;
    mapping(address pool => mapping(bytes32 digest => uint256)) public reviewCount;
    /// @notice The points with which an owner consented; zero when it has not.
    mapping(address pool => mapping(bytes32 digest => mapping(address owner => uint256))) public consentOf;
    mapping(address pool => mapping(bytes32 digest => uint256)) public consentPoints;

    event ClassChanged(address indexed pool, ApprovalClass class);
    event ReviewerSet(address indexed pool, address indexed reviewer, bool allowed);
    event Reviewed(address indexed pool, bytes32 indexed digest, address indexed reviewer, bytes32 statementDigest);
    event ReviewWithdrawn(address indexed pool, bytes32 indexed digest, address indexed reviewer);
    event Consented(address indexed pool, bytes32 indexed digest, address indexed owner, uint256 points);
    event ConsentWithdrawn(address indexed pool, bytes32 indexed digest, address indexed owner, uint256 points);

    error OnlyPoolTimelock(address caller, address pool);
    error ConsentTooLarge(uint16 bps);
    error NotReviewer(address caller, address pool);
    error AlreadyReviewed(address reviewer, address pool, bytes32 digest);
    error NotReviewed(address reviewer, address pool, bytes32 digest);
    error OnlyContributor(address caller, address pool);
    error AlreadyConsented(address owner, address pool, bytes32 digest);
    error NotConsented(address owner, address pool, bytes32 digest);
    error ConsentStands(address owner, address pool, bytes32 digest, uint256 points);
    error ReviewMissing(address pool, bytes32 digest, uint256 given, uint256 required);
    error ConsentMissing(address pool, bytes32 digest, uint256 points, uint256 required);

    constructor(IPoolDirectory pools_) {
        pools = pools_;
    }

    modifier onlyTimelockOf(address pool) {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
        _;
    }

    /// @notice Chooses what a pool demands. Only its vote.
    function setClass(address pool, ApprovalClass calldata class) external onlyTimelockOf(pool) {
        if (class.consentBps > 10_000) revert ConsentTooLarge(class.consentBps);
        _classes[pool] = class;
        emit ClassChanged(pool, class);
    }

    /// @notice Appoints or dismisses a reviewer; what a dismissed one has said about a digest stays counted. Only a vote.
    function setReviewer(address pool, address reviewer, bool allowed) external onlyTimelockOf(pool) {
        isReviewer[pool][reviewer] = allowed;
        emit ReviewerSet(pool, reviewer, allowed);
    }

    /// @notice A reviewer approves a digest. `statementDigest` names the signed review statement.
    function review(address pool, bytes32 digest, bytes32 statementDigest) external {
        if (!isReviewer[pool][msg.sender]) revert NotReviewer(msg.sender, pool);
        if (reviewed[pool][digest][msg.sender]) revert AlreadyReviewed(msg.sender, pool, digest);
        reviewed[pool][digest][msg.sender] = true;
        ++reviewCount[pool][digest];
        emit Reviewed(pool, digest, msg.sender, statementDigest);
    }

    /// @notice A reviewer takes an approval back; grants that exist already need a revocation.
    function withdrawReview(address pool, bytes32 digest) external {
        if (!reviewed[pool][digest][msg.sender]) revert NotReviewed(msg.sender, pool, digest);
        reviewed[pool][digest][msg.sender] = false;
        --reviewCount[pool][digest];
        emit ReviewWithdrawn(pool, digest, msg.sender);
    }

    /// @notice An affected owner consents, with the points it has now.
    function consent(address pool, bytes32 digest) external {
        if (pools.indexOf(pool) == 0) revert OnlyContributor(msg.sender, pool);
        uint256 points = IPool(pool).pointsOf(msg.sender);
        if (points == 0) revert OnlyContributor(msg.sender, pool);
        if (consentOf[pool][digest][msg.sender] != 0) revert AlreadyConsented(msg.sender, pool, digest);
        consentOf[pool][digest][msg.sender] = points;
        consentPoints[pool][digest] += points;
        emit Consented(pool, digest, msg.sender, points);
    }

    /// @notice An owner takes its consent back.
    function withdrawConsent(address pool, bytes32 digest) external {
        uint256 points = consentOf[pool][digest][msg.sender];
        if (points == 0) revert NotConsented(msg.sender, pool, digest);
        consentOf[pool][digest][msg.sender] = 0;
        consentPoints[pool][digest] -= points;
        emit ConsentWithdrawn(pool, digest, msg.sender, points);
    }

    /// @notice Lowers an owner's consent to the points that it has left. Anyone: who consents and takes its data back would
    /// otherwise speak for a part of the pool that is no longer there.
    function lowerConsent(address pool, bytes32 digest, address owner) external {
        uint256 given = consentOf[pool][digest][owner];
        uint256 points = given == 0 ? 0 : IPool(pool).pointsOf(owner);
        if (points >= given) revert ConsentStands(owner, pool, digest, given);
        consentOf[pool][digest][owner] = points;
        consentPoints[pool][digest] -= given - points;
        emit ConsentWithdrawn(pool, digest, owner, given - points);
    }

    /// @notice What a pool demands besides its vote.
    function classOf(address pool) external view returns (ApprovalClass memory) {
        return _classes[pool];
    }

    /// @notice Reverts unless a digest has what the pool demands.
    function requireApproved(address pool, bytes32 digest) external view {
        ApprovalClass memory class = _classes[pool];
        if (class.reviews != 0 && reviewCount[pool][digest] < class.reviews) {
            revert ReviewMissing(pool, digest, reviewCount[pool][digest], class.reviews);
        }
        if (class.consentBps != 0) {
            // Rounded up: a share is reached, never nearly reached.
            uint256 required = (IPool(pool).totalPoints() * class.consentBps + 9_999) / 10_000;
            if (consentPoints[pool][digest] < required) {
                revert ConsentMissing(pool, digest, consentPoints[pool][digest], required);
            }
        }
    }
}
