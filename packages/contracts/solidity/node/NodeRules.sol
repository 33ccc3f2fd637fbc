// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @notice Checks a quote on chain: the other way to be registered, without verifiers.
interface IQuoteVerifier {
    /// @notice What a valid quote says; reverts on any other.
    /// @return measurement One digest of everything that was measured.
    /// @return reportData The first 32 bytes of the report data: the key set's digest.
    /// @return reportDataRest The last 32 bytes of the report data: the nonce that makes the quote fresh.
    function verify(bytes calldata quote)
        external
        view
        returns (bytes32 measurement, bytes32 reportData, bytes32 reportDataRest);
}

/// @notice What stands for a node ({NodeStakes}).
interface IStakes {
    function totalOf(address node) external view returns (uint256);
}

/// @title Which measurements count, who verifies evidence, and who may object to either
/// @notice The owner (a timelock; the deployer on a development chain) chooses verifiers and measurements; it can neither sign
/// for a node nor read, mint or move anything. What the owner adds (a measurement, verifiers, the contract that checks
/// quotes) takes effect after a delay in which any verifier may object; what it takes away takes effect at once.
abstract contract NodeRules is Ownable2Step {
    uint256 public constant MAXIMUM_VERIFIERS = 32;
    /// @notice How long verifiers that were announced can be put in force after the objection window.
    uint64 public constant ANNOUNCEMENT_WINDOW = 14 days;
    /// @notice Longest objection window: what is decided must take effect while those who watch it are still there.
    uint64 public constant MAXIMUM_OBJECTION_WINDOW = 365 days;

    /// @notice Seconds between the owner's decision for a measurement or for verifiers and its effect.
    uint64 public immutable objectionWindow;

    /// @notice Since when a measurement counts; zero: it does not. In the future: verifiers may still object.
    mapping(bytes32 measurement => uint64) public allowedFrom;
    /// @notice Whether the list of measurements is closed for ever, and with it who says what a quote measures.
    bool public frozen;
    /// @notice Whether the verifiers are fixed for ever.
    bool public verifiersFrozen;
    IQuoteVerifier private _quoteVerifier;
    IQuoteVerifier private _nextQuoteVerifier;
    /// @notice From when the next quote verifier counts; zero: there is none.
    uint64 public quoteVerifierFrom;
    /// @notice What must stand for a node that registers or renews; zero address: nothing.
    IStakes public stakes;
    uint256 public minimumStake;
    /// @dev When the last measurement that was announced counts, or would have.
    uint64 private _lastAllowedFrom;
    bytes32 private _pendingVerifiers;
    uint64 private _pendingVerifiersFrom;
    mapping(address verifier => bool) public isVerifier;
    uint256 public threshold;
    address[] private _verifiers;

    event MeasurementSet(bytes32 indexed measurement, bool allowed);
    event MeasurementScheduled(bytes32 indexed measurement, uint64 allowedFrom);
    event MeasurementObjected(bytes32 indexed measurement, address indexed verifier);
    event MeasurementsFrozen();
    event VerifiersScheduled(address[] verifiers, uint256 threshold, uint64 from);
    event VerifiersObjected(bytes32 indexed scheduled, address indexed verifier);
    event VerifiersFixed();
    event QuoteVerifierSet(IQuoteVerifier quoteVerifier, uint64 from);
    event QuoteVerifierObjected(IQuoteVerifier indexed quoteVerifier, address indexed verifier);
    event StakeRequired(IStakes stakes, uint256 minimum);
    event VerifiersSet(address[] verifiers, uint256 threshold);

    error MeasurementNotAllowed(bytes32 measurement);
    error MeasurementAlreadyAllowed(bytes32 measurement, uint64 allowedFrom);
    error ObjectionTooLate(bytes32 measurement, uint64 allowedFrom);
    error MeasurementListFrozen(bytes32 measurement);
    error FreezeTooEarly(uint64 from);
    error OnlyVerifier(address caller);
    error VerifiersNotScheduled(bytes32 scheduled, uint64 from);
    error VerifierListFrozen(uint256 count, uint256 threshold);
    error ObjectionWindowTooLong(uint64 window, uint64 maximum);
    error NothingToObjectTo(uint64 from, uint256 time);
    error VerifierSetInvalid(uint256 count, uint256 threshold);
    error VerifiersNotAscending(uint256 index, address verifier);

    constructor(address owner, uint64 objectionWindow_) Ownable(owner) {
        if (objectionWindow_ > MAXIMUM_OBJECTION_WINDOW) {
            revert ObjectionWindowTooLong(objectionWindow_, MAXIMUM_OBJECTION_WINDOW);
        }
        objectionWindow = objectionWindow_;
    }

    /// @notice Allows a measurement after the objection window, or disallows it at once, which silences every node that
    /// runs it.
    function setMeasurement(bytes32 measurement, bool allowed) external onlyOwner {
        if (!allowed) {
            allowedFrom[measurement] = 0;
            emit MeasurementSet(measurement, false);
            return;
        }
        if (frozen) revert MeasurementListFrozen(measurement);
        // A second decision may not restart or shorten a window that is running.
        if (allowedFrom[measurement] != 0) {
            if (objectionWindow == 0) return;
            revert MeasurementAlreadyAllowed(measurement, allowedFrom[measurement]);
        }
        uint64 from = uint64(block.timestamp) + objectionWindow;
        allowedFrom[measurement] = from;
        _lastAllowedFrom = from;
        if (objectionWindow == 0) emit MeasurementSet(measurement, true);
        else emit MeasurementScheduled(measurement, from);
    }

    /// @notice A verifier's veto against a measurement that does not count yet.
    function objectTo(bytes32 measurement) external {
        if (!isVerifier[msg.sender]) revert OnlyVerifier(msg.sender);
        uint64 from = allowedFrom[measurement];
        if (from <= block.timestamp) revert ObjectionTooLate(measurement, from);
        allowedFrom[measurement] = 0;
        emit MeasurementObjected(measurement, msg.sender);
    }

    /// @notice Closes the list of measurements for ever: none can be added, by nobody, nor another contract that says what a
    /// quote measures. They can still be taken away. Not while something that was announced may still come to
    /// count, or a list that says it is closed would grow. {freezeVerifiers} does the same for verifiers.
    function freezeMeasurements() external onlyOwner {
        uint64 from = _lastAllowedFrom > quoteVerifierFrom ? _lastAllowedFrom : quoteVerifierFrom;
        if (from > block.timestamp) revert FreezeTooEarly(from);
        frozen = true;
        emit MeasurementsFrozen();
    }

    /// @notice Fixes the verifiers for ever, but for those who are taken away.
    function freezeVerifiers() external onlyOwner {
        verifiersFrozen = true;
        _pendingVerifiers = 0;
        emit VerifiersFixed();
    }

    /// @notice Chooses the contract that checks quotes on chain; it counts after the objection window, and what counted before
    /// counts until then. The zero address takes it away at once.
    function setQuoteVerifier(IQuoteVerifier next) external onlyOwner {
        if (address(next) == address(0)) {
            _quoteVerifier = next;
            _nextQuoteVerifier = next;
            quoteVerifierFrom = 0;
            emit QuoteVerifierSet(next, 0);
            return;
        }
        if (frozen) revert MeasurementListFrozen(bytes32(uint256(uint160(address(next)))));
        _quoteVerifier = quoteVerifier();
        _nextQuoteVerifier = next;
        quoteVerifierFrom = uint64(block.timestamp) + objectionWindow;
        emit QuoteVerifierSet(next, quoteVerifierFrom);
    }

    /// @notice A verifier's veto against a quote verifier that does not count yet.
    function objectToQuoteVerifier() external {
        if (!isVerifier[msg.sender]) revert OnlyVerifier(msg.sender);
        if (quoteVerifierFrom <= block.timestamp) revert NothingToObjectTo(quoteVerifierFrom, block.timestamp);
        emit QuoteVerifierObjected(_nextQuoteVerifier, msg.sender);
        _nextQuoteVerifier = IQuoteVerifier(address(0));
        quoteVerifierFrom = 0;
    }

    /// @notice Demands that so much stands for a node when it registers or renews; zero, the default, demands nothing.
    function requireStake(IStakes stakes_, uint256 minimum) external onlyOwner {
        stakes = stakes_;
        minimumStake = minimum;
        emit StakeRequired(stakes_, minimum);
    }

    /// @notice Replaces the verifiers. `verifiers` ascend strictly, which makes them distinct and non-zero. The first set
    /// counts at once, and so does one that only takes verifiers away and lowers no threshold; any other must be sent twice,
    /// before the objection window and at most {ANNOUNCEMENT_WINDOW} after it.
    function setVerifiers(address[] calldata verifiers, uint256 threshold_) external onlyOwner {
        if (threshold_ == 0 || threshold_ > verifiers.length || verifiers.length > MAXIMUM_VERIFIERS) {
            revert VerifierSetInvalid(verifiers.length, threshold_);
        }
        if (_verifiers.length != 0 && !_onlyTakesAway(verifiers, threshold_)) {
            if (verifiersFrozen) revert VerifierListFrozen(verifiers.length, threshold_);
            if (objectionWindow != 0 && !_verifiersDue(verifiers, threshold_)) return;
        }
        for (uint256 i; i < _verifiers.length; ++i) {
            delete isVerifier[_verifiers[i]];
        }
        address previous;
        for (uint256 i; i < verifiers.length; ++i) {
            if (verifiers[i] <= previous) revert VerifiersNotAscending(i, verifiers[i]);
            previous = verifiers[i];
            isVerifier[previous] = true;
        }
        _verifiers = verifiers;
        threshold = threshold_;
        emit VerifiersSet(verifiers, threshold_);
    }

    /// @notice A verifier's veto against verifiers that were announced, also when their time has come and the owner has not
    /// sent them again. It can object to its own removal only as far as that lowers the threshold or adds somebody.
    function objectToVerifiers() external {
        if (!isVerifier[msg.sender]) revert OnlyVerifier(msg.sender);
        bytes32 scheduled = _pendingVerifiers;
        if (scheduled == 0) revert NothingToObjectTo(_pendingVerifiersFrom, block.timestamp);
        _pendingVerifiers = 0;
        emit VerifiersObjected(scheduled, msg.sender);
    }

    /// @notice What checks quotes on chain now; zero: this registry hears verifiers only.
    function quoteVerifier() public view returns (IQuoteVerifier) {
        bool due = address(_nextQuoteVerifier) != address(0) && quoteVerifierFrom <= block.timestamp;
        return due ? _nextQuoteVerifier : _quoteVerifier;
    }

    /// @notice Whether a measurement counts now.
    function measurementAllowed(bytes32 measurement) public view returns (bool) {
        uint64 from = allowedFrom[measurement];
        return from != 0 && from <= block.timestamp;
    }

    /// @notice The current verifiers, ascending.
    function getVerifiers() external view returns (address[] memory) {
        return _verifiers;
    }

    /// Whether all of these are verifiers already, and as many of them must sign as before.
    function _onlyTakesAway(address[] calldata verifiers, uint256 threshold_) private view returns (bool) {
        if (threshold_ < threshold) return false;
        for (uint256 i; i < verifiers.length; ++i) {
            if (!isVerifier[verifiers[i]]) return false;
        }
        return true;
    }

    /// Whether this very set was announced an objection window ago, and not too long ago; announces it when it was not.
    function _verifiersDue(address[] calldata verifiers, uint256 threshold_) private returns (bool) {
        bytes32 scheduled = keccak256(abi.encode(verifiers, threshold_));
        bool lapsed = block.timestamp > _pendingVerifiersFrom + ANNOUNCEMENT_WINDOW;
        if (_pendingVerifiers == scheduled && !lapsed) {
            if (block.timestamp < _pendingVerifiersFrom) revert VerifiersNotScheduled(scheduled, _pendingVerifiersFrom);
            _pendingVerifiers = 0;
            return true;
        }
        _pendingVerifiers = scheduled;
        _pendingVerifiersFrom = uint64(block.timestamp) + objectionWindow;
        emit VerifiersScheduled(verifiers, threshold_, _pendingVerifiersFrom);
        return false;
    }
}
