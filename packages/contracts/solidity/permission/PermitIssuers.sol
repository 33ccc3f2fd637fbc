// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IPool, IPoolDirectory} from "../pool/IPool.sol";
import {Terms} from "./Grant.sol";

/// @notice What an issuer signs off chain, without gas: a grant for one grantee. Nobody else can use it.
struct QueryPermit {
    address issuer;
    /// @dev Number of the appointment under which it is given ({PermitIssuers.appointmentOf}); it is worth nothing after it.
    uint32 appointment;
    address pool;
    address grantee;
    /// @dev Of a job's manifest, or of a template.
    bytes32 jobDigest;
    Terms terms;
    /// @dev Tells permits with the same words apart.
    uint256 salt;
}

/// @notice What a pool's vote lets an issuer give away.
struct Appointment {
    /// @dev Price and burn are the least that a permit asks, runs the most of all permits together, the window is around each
    /// permit's, and the scope is each permit's.
    Terms bounds;
    /// @dev Counts the appointments of this issuer for this digest; zero: there was none.
    uint32 number;
    /// @dev Runs of the permits that were redeemed, used or not.
    uint32 issued;
    bool ended;
}

/// @notice What became of a permit.
struct Redemption {
    /// @dev Of the grant that came of it; zero before.
    uint32 generation;
    bool revoked;
}

/// @title Grants that an issuer signs, within what a pool's vote lets it give away
/// @notice A vote appoints an issuer for one digest, with bounds. The issuer signs permits; the grantee redeems one, once, for a
/// grant. Issuer and vote revoke a permit before that and after.
abstract contract PermitIssuers is EIP712 {
    IPoolDirectory public immutable pools;

    bytes32 private constant TERMS_TYPEHASH = keccak256(
        "Terms(uint128 price,uint128 poolTokenBurn,uint32 runs,uint64 opensAt,uint64 closesAt,bytes32 scopeDigest)"
    );
    /// @dev Not `Permit`: wallets take that for leave to spend tokens (ERC-2612).
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "QueryPermit(address issuer,uint32 appointment,address pool,address grantee,bytes32 jobDigest,Terms terms,uint256 salt)Terms(uint128 price,uint128 poolTokenBurn,uint32 runs,uint64 opensAt,uint64 closesAt,bytes32 scopeDigest)"
    );

    mapping(bytes32 key => Appointment) private _appointments;
    mapping(bytes32 permitDigest => Redemption) private _redemptions;

    event IssuerAppointed(
        address indexed pool, address indexed issuer, bytes32 indexed jobDigest, uint32 number, Terms bounds
    );
    event IssuerDismissed(address indexed pool, address indexed issuer, bytes32 indexed jobDigest, uint32 number);
    /// @dev `issued`: runs that the appointment has given away now.
    event PermitRedeemed(
        bytes32 indexed permitDigest, address indexed pool, address indexed grantee, address issuer, uint32 issued
    );
    event PermitRevoked(bytes32 indexed permitDigest, address indexed pool, address indexed issuer);

    error OnlyPoolTimelock(address caller, address pool);
    error TermsInvalid(uint32 runs, uint64 opensAt, uint64 closesAt);
    error OnlyGrantee(address caller, address grantee);
    error IssuerNotAppointed(address issuer, address pool, bytes32 jobDigest, uint32 appointment);
    error PermitAlreadyRedeemed(bytes32 permitDigest);
    error PermitIsRevoked(bytes32 permitDigest);
    error PermitSignatureInvalid(address issuer);
    error PermitTooCheap(uint128 leastPrice, uint128 leastPoolTokenBurn);
    error PermitOutsideWindow(uint64 opensAt, uint64 closesAt);
    error PermitRunsExceeded(uint32 runs, uint32 left);
    error PermitScopeOther(bytes32 scope, bytes32 bound);

    constructor(IPoolDirectory pools_) EIP712("Sealpool", "1") {
        pools = pools_;
    }

    /// @notice Lets an issuer give away runs of one digest, within bounds; replaces its appointment for it, and with that every
    /// permit that was not redeemed. Only the pool's timelock.
    function appointIssuer(address pool, address issuer, bytes32 jobDigest, Terms calldata bounds)
        external
        returns (uint32 number)
    {
        _requirePoolTimelock(pool);
        _requireTerms(bounds);
        Appointment storage appointment = _appointments[_appointmentKey(pool, issuer, jobDigest)];
        number = appointment.number + 1;
        appointment.bounds = bounds;
        appointment.number = number;
        appointment.issued = 0;
        appointment.ended = false;
        emit IssuerAppointed(pool, issuer, jobDigest, number, bounds);
    }

    /// @notice Ends an appointment: what was not redeemed never is. Grants that came of it stay, until they are revoked. The pool's
    /// timelock, or the issuer itself.
    function dismissIssuer(address pool, address issuer, bytes32 jobDigest) external {
        if (msg.sender != issuer) _requirePoolTimelock(pool);
        Appointment storage appointment = _appointments[_appointmentKey(pool, issuer, jobDigest)];
        uint32 number = appointment.number;
        if (number == 0 || appointment.ended) revert IssuerNotAppointed(issuer, pool, jobDigest, number);
        appointment.ended = true;
        emit IssuerDismissed(pool, issuer, jobDigest, number);
    }

    /// @notice Turns a permit into a grant, which replaces the grantee's older one for this digest. Only the grantee: whoever sees
    /// its transaction can do nothing with it.
    function redeem(QueryPermit calldata permit, bytes calldata signature) external returns (bytes32 permitDigest) {
        if (msg.sender != permit.grantee) revert OnlyGrantee(msg.sender, permit.grantee);
        permitDigest = hashOf(permit);
        Redemption storage redemption = _redemptions[permitDigest];
        if (redemption.revoked) revert PermitIsRevoked(permitDigest);
        if (redemption.generation != 0) revert PermitAlreadyRedeemed(permitDigest);
        uint32 issued = _issue(permit);
        if (!SignatureChecker.isValidSignatureNowCalldata(permit.issuer, permitDigest, signature)) {
            revert PermitSignatureInvalid(permit.issuer);
        }
        redemption.generation = _recordPermit(permit);
        emit PermitRedeemed(permitDigest, permit.pool, permit.grantee, permit.issuer, issued);
    }

    /// @notice Ends a permit at once: before it was redeemed it never is, afterwards its grant pays for no further run. What was
    /// funded goes on. The permit's issuer, appointed or not, or the pool's timelock.
    function revokePermit(QueryPermit calldata permit) external returns (bytes32 permitDigest) {
        if (msg.sender != permit.issuer) _requirePoolTimelock(permit.pool);
        permitDigest = hashOf(permit);
        Redemption storage redemption = _redemptions[permitDigest];
        if (redemption.revoked) revert PermitIsRevoked(permitDigest);
        redemption.revoked = true;
        if (redemption.generation != 0) _endGrant(permit, redemption.generation);
        emit PermitRevoked(permitDigest, permit.pool, permit.issuer);
    }

    /// @notice The newest appointment of an issuer for a digest, ended or not; number zero when there was none.
    function appointmentOf(address pool, address issuer, bytes32 jobDigest) external view returns (Appointment memory) {
        return _appointments[_appointmentKey(pool, issuer, jobDigest)];
    }

    /// @notice What became of a permit, by its {hashOf}.
    function redemptionOf(bytes32 permitDigest) external view returns (Redemption memory) {
        return _redemptions[permitDigest];
    }

    /// @notice What is signed: EIP-712, bound to chain and contract.
    function hashOf(QueryPermit calldata permit) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    PERMIT_TYPEHASH,
                    permit.issuer,
                    permit.appointment,
                    permit.pool,
                    permit.grantee,
                    permit.jobDigest,
                    keccak256(abi.encode(TERMS_TYPEHASH, permit.terms)),
                    permit.salt
                )
            )
        );
    }

    /// Writes the grant of a permit.
    function _recordPermit(QueryPermit calldata permit) internal virtual returns (uint32 generation);

    /// Ends the grant that came of a permit, unless it was replaced since.
    function _endGrant(QueryPermit calldata permit, uint32 generation) internal virtual;

    function _requirePoolTimelock(address pool) internal view {
        if (pools.indexOf(pool) == 0 || msg.sender != IPool(pool).timelock()) revert OnlyPoolTimelock(msg.sender, pool);
    }

    function _requireTerms(Terms calldata terms) internal view {
        if (terms.runs == 0 || terms.closesAt < terms.opensAt || terms.closesAt < block.timestamp) {
            revert TermsInvalid(terms.runs, terms.opensAt, terms.closesAt);
        }
    }

    /// Counts a permit's runs; reverts unless it is within what the appointment allows now.
    function _issue(QueryPermit calldata permit) private returns (uint32 issued) {
        Appointment storage appointment =
            _appointments[_appointmentKey(permit.pool, permit.issuer, permit.jobDigest)];
        if (permit.appointment == 0 || permit.appointment != appointment.number || appointment.ended) {
            revert IssuerNotAppointed(permit.issuer, permit.pool, permit.jobDigest, permit.appointment);
        }
        Terms memory bounds = appointment.bounds;
        Terms calldata terms = permit.terms;
        if (terms.price < bounds.price || terms.poolTokenBurn < bounds.poolTokenBurn) {
            revert PermitTooCheap(bounds.price, bounds.poolTokenBurn);
        }
        if (terms.opensAt < bounds.opensAt || terms.closesAt > bounds.closesAt) {
            revert PermitOutsideWindow(bounds.opensAt, bounds.closesAt);
        }
        if (terms.scopeDigest != bounds.scopeDigest) revert PermitScopeOther(terms.scopeDigest, bounds.scopeDigest);
        issued = appointment.issued;
        if (terms.runs > bounds.runs - issued) revert PermitRunsExceeded(terms.runs, bounds.runs - issued);
        issued += terms.runs;
        appointment.issued = issued;
    }

    function _appointmentKey(address pool, address issuer, bytes32 jobDigest) private pure returns (bytes32) {
        return keccak256(abi.encode(pool, issuer, jobDigest));
    }
}
