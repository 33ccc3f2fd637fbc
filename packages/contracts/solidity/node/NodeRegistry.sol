// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {KeySetText} from "./KeySetText.sol";
import {IQuoteVerifier, NodeRules} from "./NodeRules.sol";

/// @notice What independent verifiers confirm about a node after they have checked its evidence.
struct NodeRegistration {
    address statementKey;
    bytes32 keySetDigest;
    bytes32 quoteDigest;
    bytes32 measurement;
    uint64 expiresAt;
}

/// @notice A node statement as it was signed.
struct SignedStatement {
    string kind;
    address pool;
    bytes32 subject;
    bytes32 facts;
    bytes32 digest;
    uint256 nonce;
    bytes signature;
}

/// @notice When a node was first proved to have contradicted itself.
struct FirstProof {
    uint64 blockNumber;
    uint64 time;
}

/// @notice A registered node.
struct Node {
    bytes32 keySetDigest;
    bytes32 quoteDigest;
    bytes32 measurement;
    uint64 expiresAt;
    bool revoked;
    /// @dev The block that its last quote names; zero when it registered by verifiers only.
    uint64 quotedBlock;
}

/// @title Which nodes may speak, and the one place where their statements are checked
/// @notice A node is active when m of n verifiers confirmed its evidence, its measurement is allowed, its registration
/// has not expired and its key is not revoked. Who chooses verifiers and measurements, and who may object, stands in
/// {NodeRules}.
contract NodeRegistry is EIP712, NodeRules {
    /// @notice Longest life of one registration: nodes must show fresh evidence at least this often.
    uint64 public constant MAXIMUM_LIFETIME = 90 days;
    /// @notice What the second half of a registering quote's report data is made of, with {registrationNonce}.
    string public constant REGISTRATION_DOMAIN = "sealpool/registration/1";

    bytes32 private constant STATEMENT_TYPEHASH = keccak256(
        "Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)"
    );
    bytes32 private constant APPROVAL_TYPEHASH = keccak256(
        "NodeApproval(address statementKey,bytes32 keySetDigest,bytes32 quoteDigest,bytes32 measurement,uint64 expiresAt)"
    );

    address[] private _list;
    mapping(address statementKey => Node) private _nodes;
    /// @notice Nodes that were proved to have contradicted themselves.
    mapping(address statementKey => bool) public equivocated;
    mapping(address statementKey => FirstProof) private _proved;

    event EquivocationProved(
        address indexed statementKey, address indexed reporter, string kind, address pool, bytes32 subject
    );
    event NodeRegistered(
        address indexed statementKey,
        bytes32 indexed measurement,
        bytes32 keySetDigest,
        bytes32 quoteDigest,
        uint64 expiresAt
    );
    event NodeRevoked(address indexed statementKey, address by);

    error QuoteNotFresh(bytes32 nonce, bytes32 expected, uint256 blockNumber);
    error QuoteBlockUsed(address statementKey, uint256 blockNumber, uint256 last);
    error QuoteBlockUnknown(uint256 blockNumber);
    error StakeMissing(address statementKey, uint256 staked, uint256 minimum);
    error QuoteVerifierMissing(uint64 from);
    error QuoteForOther(bytes32 measurement, bytes32 reportData);
    error NotEquivocation(bytes32 first, bytes32 second);
    error KindNotExclusive(string kind);
    error NotEnoughVerifiers(uint256 given, uint256 threshold);
    error VerifierUnknown(uint256 index, address signer);
    error RegistrationExpiryInvalid(uint64 expiresAt, uint256 minimum, uint256 maximum);
    error NodeKeyRevoked(address statementKey);
    error NodeUnknown(address statementKey);
    error StatementKeyZero(bytes32 keySetDigest);
    error RevokeNotAllowed(address caller, address statementKey);
    error StatementSignatureInvalid(string kind, bytes32 subject);
    error StatementSignerNotActive(address signer, string kind, bytes32 subject);

    /// @param objectionWindow_ Zero on development chains only: nobody can object then.
    constructor(address owner, uint64 objectionWindow_)
        EIP712("Sealpool", "1")
        NodeRules(owner, objectionWindow_)
    {}

    /// @notice Registers or renews a node. `signatures` are verifiers' signatures in ascending order of signer.
    /// @dev A renewal must reach further into the future than what it replaces, so an old approval cannot be replayed.
    function register(NodeRegistration calldata registration, bytes[] calldata signatures) external {
        _checkApprovals(registration, signatures);
        _register(registration);
    }

    /// @notice Registers or renews a node by its quote alone, checked on chain. All of the registration follows from the quote
    /// and the key set, which is its canonical JSON: who sends it chooses nothing. It lasts {MAXIMUM_LIFETIME}.
    /// @param blockNumber A block that the chain still remembers (256, or 8,191 with EIP-2935) and whose
    /// {registrationNonce} is the second half of the report data: the quote was made after it. Later than that of the node's
    /// last quote, so that one quote registers once, however its unsigned parts are written.
    function registerByQuote(bytes calldata quote, bytes calldata keySet, uint256 blockNumber) external {
        IQuoteVerifier verifier = quoteVerifier();
        if (address(verifier) == address(0)) revert QuoteVerifierMissing(quoteVerifierFrom);
        (bytes32 measurement, bytes32 keySetDigest, bytes32 nonce) = verifier.verify(quote);
        if (sha256(keySet) != keySetDigest) revert QuoteForOther(measurement, keySetDigest);
        bytes32 expected = registrationNonce(blockNumber);
        if (nonce != expected) revert QuoteNotFresh(nonce, expected, blockNumber);
        address key = KeySetText.statementKeyOf(keySet);
        uint256 last = _nodes[key].quotedBlock;
        if (blockNumber <= last) revert QuoteBlockUsed(key, blockNumber, last);
        _nodes[key].quotedBlock = uint64(blockNumber);
        _register(
            NodeRegistration(
                key, keySetDigest, sha256(quote), measurement, uint64(block.timestamp) + MAXIMUM_LIFETIME
            )
        );
    }

    /// @notice The second half of the report data of a quote that registers after this block, on this chain, here.
    function registrationNonce(uint256 blockNumber) public view returns (bytes32) {
        bytes32 hash = Blockhash.blockHash(blockNumber);
        if (hash == 0) revert QuoteBlockUnknown(blockNumber);
        return keccak256(abi.encode(REGISTRATION_DOMAIN, block.chainid, address(this), blockNumber, hash));
    }

    function _register(NodeRegistration memory registration) private {
        address key = registration.statementKey;
        Node storage node = _nodes[key];
        if (key == address(0)) revert StatementKeyZero(registration.keySetDigest);
        if (node.revoked) revert NodeKeyRevoked(key);
        if (!measurementAllowed(registration.measurement)) revert MeasurementNotAllowed(registration.measurement);
        if (minimumStake != 0) {
            uint256 staked = stakes.totalOf(key);
            if (staked < minimumStake) revert StakeMissing(key, staked, minimumStake);
        }
        uint256 minimum = node.expiresAt > block.timestamp ? node.expiresAt : block.timestamp;
        uint256 maximum = block.timestamp + MAXIMUM_LIFETIME;
        if (registration.expiresAt <= minimum || registration.expiresAt > maximum) {
            revert RegistrationExpiryInvalid(registration.expiresAt, minimum, maximum);
        }
        if (node.expiresAt == 0) _list.push(key);
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

    /// @notice Revokes the key of a node that contradicted itself: two statements of a kind that exists once for its pool
    /// and subject, both signed by it, with different facts. Anyone; nothing but the two statements is believed.
    function proveEquivocation(SignedStatement calldata first, SignedStatement calldata second) external {
        address key = equivocatorOf(first, second);
        _nodes[key].revoked = true;
        if (!equivocated[key]) _proved[key] = FirstProof(uint64(block.number), uint64(block.timestamp));
        equivocated[key] = true;
        emit EquivocationProved(key, msg.sender, first.kind, first.pool, first.subject);
    }

    /// @notice The node that these two statements prove to have contradicted itself; reverts when they prove nothing.
    function equivocatorOf(SignedStatement calldata first, SignedStatement calldata second)
        public
        view
        returns (address key)
    {
        if (!_exclusive(first.kind)) revert KindNotExclusive(first.kind);
        key = _signerOf(first);
        if (
            key != _signerOf(second) || keccak256(bytes(first.kind)) != keccak256(bytes(second.kind))
                || first.pool != second.pool || first.subject != second.subject || first.facts == second.facts
        ) revert NotEquivocation(first.facts, second.facts);
        if (_nodes[key].expiresAt == 0) revert NodeUnknown(key);
    }

    /// @notice When the node was first proved to have contradicted itself; all zero when it was not.
    function firstProofOf(address statementKey) external view returns (FirstProof memory) {
        return _proved[statementKey];
    }

    /// @notice How many nodes ever registered.
    function nodeCount() external view returns (uint256) {
        return _list.length;
    }

    /// @notice The node that registered as number `index`, counted from 0. The list only grows.
    function nodeAt(uint256 index) external view returns (address) {
        return _list[index];
    }

    /// @notice Whether statements signed by `statementKey` count now.
    function isActive(address statementKey) public view returns (bool) {
        Node storage node = _nodes[statementKey];
        return !node.revoked && node.expiresAt > block.timestamp && measurementAllowed(node.measurement);
    }

    /// @notice The record of a node; all zero when it never registered.
    function getNode(address statementKey) external view returns (Node memory) {
        return _nodes[statementKey];
    }

    /// @notice What the node with this key was measured to run; zero when it never registered.
    function measurementOf(address statementKey) external view returns (bytes32) {
        return _nodes[statementKey].measurement;
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

    /// Kinds that a node says once for one pool and subject, whatever the nonce.
    function _exclusive(string calldata kind) private pure returns (bool) {
        bytes32 hash = keccak256(bytes(kind));
        return hash == keccak256("sealpool/pool-key/1") || hash == keccak256("sealpool/release/1")
            || hash == keccak256("sealpool/budget-head/1") || hash == keccak256("sealpool/checkpoint/1")
            || hash == keccak256("sealpool/verdict-root/1") || hash == keccak256("sealpool/aggregate/1");
    }

    function _signerOf(SignedStatement calldata s) private view returns (address signer) {
        bytes32 hash = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    STATEMENT_TYPEHASH, keccak256(bytes(s.kind)), s.pool, s.subject, s.facts, s.digest, s.nonce
                )
            )
        );
        ECDSA.RecoverError problem;
        (signer, problem,) = ECDSA.tryRecoverCalldata(hash, s.signature);
        if (problem != ECDSA.RecoverError.NoError) revert StatementSignatureInvalid(s.kind, s.subject);
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
