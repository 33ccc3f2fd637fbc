// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @notice What independent verifiers confirm about a node after they have checked its evidence.
struct NodeRegistration {
    address statementKey;
    bytes32 keySetDigest;
    bytes32 quoteDigest;
    bytes32 measurement;
    uint64 expiresAt;
}

/// @notice A registered node.
struct Node {
    bytes32 keySetDigest;
    bytes32 quoteDigest;
    bytes32 measurement;
    uint64 expiresAt;
    bool revoked;
}

/// @title Which nodes may speak, and the one place where their statements are checked
/// @notice A node is active when m of n verifiers confirmed its evidence, its measurement is allowed, its registration
/// has not expired and its key is not revoked. The owner (a timelock; the deployer on a development chain) chooses
/// verifiers and measurements; it can neither sign for a node nor read, mint or move anything.
contract NodeRegistry is EIP712, Ownable2Step {
    /// @notice Longest life of one registration: nodes must show fresh evidence at least this often.
    uint64 public constant MAXIMUM_LIFETIME = 90 days;
    uint256 public constant MAXIMUM_VERIFIERS = 32;

    bytes32 private constant STATEMENT_TYPEHASH = keccak256(
        "Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)"
    );
    bytes32 private constant APPROVAL_TYPEHASH = keccak256(
        "NodeApproval(address statementKey,bytes32 keySetDigest,bytes32 quoteDigest,bytes32 measurement,uint64 expiresAt)"
    );

    mapping(bytes32 measurement => bool) public measurementAllowed;
    mapping(address verifier => bool) public isVerifier;
    uint256 public threshold;
    address[] private _verifiers;
    mapping(address statementKey => Node) private _nodes;

    event MeasurementSet(bytes32 indexed measurement, bool allowed);
    event VerifiersSet(address[] verifiers, uint256 threshold);
    event NodeRegistered(
        address indexed statementKey,
        bytes32 indexed measurement,
        bytes32 keySetDigest,
        bytes32 quoteDigest,
        uint64 expiresAt
    );
    event NodeRevoked(address indexed statementKey, address by);

    error MeasurementNotAllowed(bytes32 measurement);
    error VerifierSetInvalid(uint256 count, uint256 threshold);
    error VerifiersNotAscending(uint256 index, address verifier);
    error NotEnoughVerifiers(uint256 given, uint256 threshold);
    error VerifierUnknown(uint256 index, address signer);
    error RegistrationExpiryInvalid(uint64 expiresAt, uint256 minimum, uint256 maximum);
    error NodeKeyRevoked(address statementKey);
    error NodeUnknown(address statementKey);
    error StatementKeyZero();
    error RevokeNotAllowed(address caller, address statementKey);
    error StatementSignatureInvalid(string kind, bytes32 subject);
    error StatementSignerNotActive(address signer, string kind, bytes32 subject);

    constructor(address owner) EIP712("Sealpool", "1") Ownable(owner) {}

    /// @notice Allows or disallows a measurement. Disallowing silences every node that runs it at once.
    function setMeasurement(bytes32 measurement, bool allowed) external onlyOwner {
        measurementAllowed[measurement] = allowed;
        emit MeasurementSet(measurement, allowed);
    }

    /// @notice Replaces the verifiers. `verifiers` ascend strictly, which makes them distinct and non-zero.
    function setVerifiers(address[] calldata verifiers, uint256 threshold_) external onlyOwner {
        if (threshold_ == 0 || threshold_ > verifiers.length || verifiers.length > MAXIMUM_VERIFIERS) {
            revert VerifierSetInvalid(verifiers.length, threshold_);
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

    /// @notice Registers or renews a node. `signatures` are verifiers' signatures in ascending order of signer.
    /// @dev A renewal must reach further into the future than what it replaces, so an old approval cannot be replayed.
    function register(NodeRegistration calldata registration, bytes[] calldata signatures) external {
        address key = registration.statementKey;
        Node storage node = _nodes[key];
        if (key == address(0)) revert StatementKeyZero();
        if (node.revoked) revert NodeKeyRevoked(key);
        if (!measurementAllowed[registration.measurement]) revert MeasurementNotAllowed(registration.measurement);
        uint256 minimum = node.expiresAt > block.timestamp ? node.expiresAt : block.timestamp;
        uint256 maximum = block.timestamp + MAXIMUM_LIFETIME;
        if (registration.expiresAt <= minimum || registration.expiresAt > maximum) {
            revert RegistrationExpiryInvalid(registration.expiresAt, minimum, maximum);
        }
        _checkApprovals(registration, signatures);
        node.keySetDigest = registration.keySetDigest;
        node.quoteDigest = registration.quoteDigest;
        node.measurement = registration.measurement;
        node.expiresAt = registration.expiresAt;
        emit NodeRegistered(
            key, registration.measurement, registration.keySetDigest, registration.quoteDigest, registration.expiresAt
        );
    }

    /// @notice Revokes a node's key for ever. Only the owner or the key itself.
    function revoke(address statementKey) external {
        if (msg.sender != owner() && msg.sender != statementKey) revert RevokeNotAllowed(msg.sender, statementKey);
        if (_nodes[statementKey].expiresAt == 0) revert NodeUnknown(statementKey);
        _nodes[statementKey].revoked = true;
        emit NodeRevoked(statementKey, msg.sender);
    }

    /// @notice Whether statements signed by `statementKey` count now.
    function isActive(address statementKey) public view returns (bool) {
        Node storage node = _nodes[statementKey];
        return !node.revoked && node.expiresAt > block.timestamp && measurementAllowed[node.measurement];
    }

    /// @notice The record of a node; all zero when it never registered.
    function getNode(address statementKey) external view returns (Node memory) {
        return _nodes[statementKey];
    }

    /// @notice What the node with this key was measured to run; zero when it never registered.
    function measurementOf(address statementKey) external view returns (bytes32) {
        return _nodes[statementKey].measurement;
    }

    /// @notice The current verifiers, ascending.
    function getVerifiers() external view returns (address[] memory) {
        return _verifiers;
    }

    /// @notice The signer of a node statement; reverts unless it is an active node.
    /// @param facts keccak256 of the abi-encoded facts the contract relies on, zero when there are none.
    /// @param digest SHA-256 of the canonical JSON of the statement.
    function checkStatement(
        string calldata kind,
        address pool,
        bytes32 subject,
        bytes32 facts,
        bytes32 digest,
        uint256 nonce,
        bytes calldata signature
    ) external view returns (address signer) {
        bytes32 hash = _hashTypedDataV4(
            keccak256(abi.encode(STATEMENT_TYPEHASH, keccak256(bytes(kind)), pool, subject, facts, digest, nonce))
        );
        ECDSA.RecoverError problem;
        (signer, problem,) = ECDSA.tryRecoverCalldata(hash, signature);
        if (problem != ECDSA.RecoverError.NoError) revert StatementSignatureInvalid(kind, subject);
        if (!isActive(signer)) revert StatementSignerNotActive(signer, kind, subject);
    }

    function _checkApprovals(NodeRegistration calldata registration, bytes[] calldata signatures) private view {
        if (threshold == 0 || signatures.length < threshold) revert NotEnoughVerifiers(signatures.length, threshold);
        bytes32 hash = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    APPROVAL_TYPEHASH,
                    registration.statementKey,
                    registration.keySetDigest,
                    registration.quoteDigest,
                    registration.measurement,
                    registration.expiresAt
                )
            )
        );
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(hash, signatures[i]);
            if (problem != ECDSA.RecoverError.NoError || !isVerifier[signer]) revert VerifierUnknown(i, signer);
            if (signer <= previous) revert VerifiersNotAscending(i, signer);
            previous = signer;
        }
    }
}
