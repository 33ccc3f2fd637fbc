// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Certificate, RevocationList, X509} from "./X509.sol";

/// @notice A certificate authority or signer that the root certified.
struct Authority {
    bytes32 x;
    bytes32 y;
    bytes32 subject;
    uint64 notBefore;
    uint64 notAfter;
    /// @dev Whether it may certify (a PCK authority); else it signs TCB info and identities.
    bool certifies;
    /// @dev Of its certificate: the root may revoke it at any later time.
    uint256 serial;
}

/// @notice From when to when something counts.
struct Currency {
    uint64 from;
    uint64 until;
}

/// @title Whom Intel's root certified, and whom it revoked since
/// @notice Anyone brings certificates and lists; only what the root's chain signed is kept, and only newer lists replace any.
abstract contract TdxAuthorities {
    /// @notice keccak256 of the root's public key: who certifies everything here.
    bytes32 public immutable root;
    bytes32 private immutable _rootSubject;
    bytes32 private immutable _rootX;
    bytes32 private immutable _rootY;
    uint64 private immutable _rootNotAfter;

    mapping(bytes32 id => Authority) internal _authorities;
    mapping(bytes32 issuer => Currency) private _lists;
    mapping(bytes32 issuer => mapping(uint256 serial => bool)) public revoked;

    event AuthorityAdded(bytes32 indexed id, bytes32 subject, bool certifies, uint64 notAfter);
    event RevocationListAdded(bytes32 indexed issuer, uint64 thisUpdate, uint64 nextUpdate, uint256 count);

    error SignatureInvalid(bytes32 signer);
    error IssuerOther(bytes32 given, bytes32 expected);
    error AuthorityUnknown(bytes32 id);
    error AuthorityWrongKind(bytes32 id, bool certifies);
    error OutOfDate(uint64 from, uint64 until, uint256 time);
    error NotNewer(uint64 given, uint64 current);
    error IsRevoked(bytes32 issuer, uint256 serial);
    error ListMissing(bytes32 issuer);

    /// @param rootCertificate The self-signed certificate that everything must come from.
    constructor(bytes memory rootCertificate) {
        Certificate memory c = X509.parse(rootCertificate, 0);
        bytes32 id = keccak256(abi.encode(c.x, c.y));
        if (!c.authority) revert AuthorityWrongKind(id, false);
        if (c.issuer != c.subject) revert IssuerOther(c.issuer, c.subject);
        if (!X509.verify(c.signedHash, c.r, c.s, c.x, c.y)) revert SignatureInvalid(id);
        root = id;
        _rootSubject = c.subject;
        _rootX = c.x;
        _rootY = c.y;
        _rootNotAfter = c.notAfter;
    }

    /// @notice Adds a certificate that the root signed: an authority of platform certificates, or the collateral's signer.
    /// The root's revocation list must be here and current.
    function addAuthority(bytes calldata certificate) external returns (bytes32 id) {
        Certificate memory c = X509.parse(certificate, 0);
        if (c.issuer != _rootSubject) revert IssuerOther(c.issuer, _rootSubject);
        if (!X509.verify(c.signedHash, c.r, c.s, _rootX, _rootY)) revert SignatureInvalid(root);
        _requireNow(c.notBefore, c.notAfter);
        _requireListed(root);
        if (revoked[root][c.serial]) revert IsRevoked(root, c.serial);
        id = keccak256(abi.encode(c.x, c.y));
        _authorities[id] = Authority(c.x, c.y, c.subject, c.notBefore, c.notAfter, c.authority, c.serial);
        emit AuthorityAdded(id, c.subject, c.authority, c.notAfter);
    }

    /// @notice Adds a revocation list of the root (`issuer` is {root}) or of an authority.
    function addRevocationList(bytes calldata der, bytes32 issuer) external {
        RevocationList memory list = X509.parseList(der);
        (bytes32 x, bytes32 y, bytes32 subject) = (_rootX, _rootY, _rootSubject);
        if (issuer != root) {
            Authority memory authority = _authority(issuer, true);
            (x, y, subject) = (authority.x, authority.y, authority.subject);
        }
        if (list.issuer != subject) revert IssuerOther(list.issuer, subject);
        if (!X509.verify(list.signedHash, list.r, list.s, x, y)) revert SignatureInvalid(issuer);
        _requireNow(list.thisUpdate, list.nextUpdate);
        if (list.thisUpdate <= _lists[issuer].from) revert NotNewer(list.thisUpdate, _lists[issuer].from);
        _lists[issuer] = Currency(list.thisUpdate, list.nextUpdate);
        for (uint256 i; i < list.serials.length; ++i) {
            revoked[issuer][list.serials[i]] = true;
        }
        emit RevocationListAdded(issuer, list.thisUpdate, list.nextUpdate, list.serials.length);
    }

    /// @notice A certified authority or signer; all zero when there is none.
    function getAuthority(bytes32 id) external view returns (Authority memory) {
        return _authorities[id];
    }

    /// @notice From when to when a revocation list of this issuer counts; zeros when there is none.
    function getRevocationList(bytes32 issuer) external view returns (Currency memory) {
        return _lists[issuer];
    }

    /// What the root says of it now, by its newest list.
    function _authority(bytes32 id, bool certifies) internal view returns (Authority memory authority) {
        authority = _authorities[id];
        if (authority.notAfter == 0) revert AuthorityUnknown(id);
        if (authority.certifies != certifies) revert AuthorityWrongKind(id, authority.certifies);
        _requireNow(authority.notBefore, authority.notAfter);
        // The root signs for it: an expired root vouches for nothing.
        _requireNow(0, _rootNotAfter);
        _requireListed(root);
        if (revoked[root][authority.serial]) revert IsRevoked(root, authority.serial);
    }

    /// What a signer signed before the root revoked it counts no more; that its certificate ran out since is no fault.
    function _requireUnrevoked(bytes32 signer) internal view {
        uint256 serial = _authorities[signer].serial;
        if (revoked[root][serial]) revert IsRevoked(root, serial);
    }

    function _requireNow(uint64 from, uint64 until) internal view {
        if (block.timestamp < from || block.timestamp > until) revert OutOfDate(from, until, block.timestamp);
    }

    function _requireListed(bytes32 issuer) internal view {
        Currency memory list = _lists[issuer];
        if (list.until == 0) revert ListMissing(issuer);
        _requireNow(list.from, list.until);
    }

    function _requireSigned(bytes calldata text, bytes calldata signature, bytes32 signer) internal view {
        Authority memory authority = _authority(signer, false);
        if (signature.length != 64) revert SignatureInvalid(signer);
        if (
            !X509.verify(
                sha256(text), bytes32(signature[:32]), bytes32(signature[32:]), authority.x, authority.y
            )
        ) revert SignatureInvalid(signer);
    }
}
