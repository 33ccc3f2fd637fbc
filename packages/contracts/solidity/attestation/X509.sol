// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Der} from "./Der.sol";

/// @notice What a chain check needs of a certificate.
struct Certificate {
    bytes32 issuer;
    bytes32 subject;
    uint256 serial;
    uint64 notBefore;
    uint64 notAfter;
    bytes32 x;
    bytes32 y;
    bool authority;
    /// @dev Content of the extension that the caller asked for; both zero when the certificate has none.
    uint256 extensionStart;
    uint256 extensionEnd;
    bytes32 signedHash;
    bytes32 r;
    bytes32 s;
}

/// @notice What a revocation check needs of a revocation list.
struct RevocationList {
    bytes32 issuer;
    uint64 thisUpdate;
    uint64 nextUpdate;
    uint256[] serials;
    bytes32 signedHash;
    bytes32 r;
    bytes32 s;
}

/// @title Certificates and revocation lists of X.509 v3 with ECDSA on P-256 and SHA-256, and nothing else
/// @notice RFC 5280. An unknown critical extension, another algorithm, a second value after the first: all refuse.
library X509 {
    using Der for bytes;

    /// @dev ecdsa-with-SHA256, as a whole AlgorithmIdentifier without parameters
    bytes32 private constant ECDSA_SHA256 = keccak256(hex"06082a8648ce3d040302");
    /// @dev id-ecPublicKey with prime256v1
    bytes32 private constant EC_P256 = keccak256(hex"06072a8648ce3d020106082a8648ce3d030107");
    bytes32 private constant BASIC_CONSTRAINTS = keccak256(hex"551d13");
    bytes32 private constant KEY_USAGE = keccak256(hex"551d0f");
    uint256 internal constant MAXIMUM_REVOKED = 4_096;

    error CertificateMalformed(uint256 offset);
    error CertificateAlgorithm(uint256 offset);
    error CertificateExtensionCritical(uint256 offset);
    error CertificateKeyUsage(uint256 offset);

    /// @notice Parses a certificate. `wanted` is keccak256 of the object identifier of one extension to point at.
    function parse(bytes memory der, bytes32 wanted) internal view returns (Certificate memory c) {
        Der.Value memory tbs = _signed(der);
        c.signedHash = _signedHash(der, tbs);
        (c.r, c.s) = _signature(der, tbs.end);

        Der.Value memory v = der.expect(tbs.start, tbs.end, 0xa0);
        Der.Value memory version = der.expect(v.start, v.end, Der.INTEGER);
        if (der.unsigned(version) != 2 || version.end != v.end) revert CertificateMalformed(v.start);
        v = der.expect(v.end, tbs.end, Der.INTEGER);
        c.serial = der.unsigned(v);
        v = _algorithm(der, v.end, tbs.end);
        v = der.expect(v.end, tbs.end, Der.SEQUENCE);
        c.issuer = der.hashOf(v.start, v.end);
        v = der.expect(v.end, tbs.end, Der.SEQUENCE);
        {
            Der.Value memory date = der.read(v.start, v.end);
            c.notBefore = der.time(date);
            date = der.read(date.end, v.end);
            c.notAfter = der.time(date);
            if (date.end != v.end) revert CertificateMalformed(v.start);
        }
        v = der.expect(v.end, tbs.end, Der.SEQUENCE);
        c.subject = der.hashOf(v.start, v.end);
        v = der.expect(v.end, tbs.end, Der.SEQUENCE);
        _key(der, v, c);
        v = der.expect(v.end, tbs.end, 0xa3);
        if (v.end != tbs.end) revert CertificateMalformed(v.end);
        _extensions(der, v, c, wanted);
    }

    /// @notice Parses a revocation list.
    function parseList(bytes memory der) internal view returns (RevocationList memory list) {
        Der.Value memory tbs = _signed(der);
        list.signedHash = _signedHash(der, tbs);
        (list.r, list.s) = _signature(der, tbs.end);

        Der.Value memory v = der.expect(tbs.start, tbs.end, Der.INTEGER);
        if (der.unsigned(v) != 1) revert CertificateMalformed(v.start);
        v = _algorithm(der, v.end, tbs.end);
        v = der.expect(v.end, tbs.end, Der.SEQUENCE);
        list.issuer = der.hashOf(v.start, v.end);
        v = der.read(v.end, tbs.end);
        list.thisUpdate = der.time(v);
        v = der.read(v.end, tbs.end);
        list.nextUpdate = der.time(v);
        if (v.end == tbs.end) return list;
        v = der.read(v.end, tbs.end);
        if (v.tag == Der.SEQUENCE) {
            list.serials = _serials(der, v);
            if (v.end == tbs.end) return list;
            v = der.read(v.end, tbs.end);
        }
        // Extensions of the list: number and key identifier; a critical one would change what the list means.
        if (v.tag != 0xa0 || v.end != tbs.end) revert CertificateMalformed(v.start);
        Certificate memory none;
        _extensions(der, v, none, 0);
    }

    /// @notice ECDSA over P-256 by the precompile at 0x100 where the chain has it, else in Solidity. Either of the two
    /// values of s is a signature: the standard knows no low s.
    function verify(bytes32 hash, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view returns (bool) {
        if (uint256(s) > P256.N / 2 && uint256(s) < P256.N) s = bytes32(P256.N - uint256(s));
        return P256.verify(hash, r, s, x, y);
    }

    /// The outer SEQUENCE must be all there is; gives the part that is signed.
    function _signed(bytes memory der) private pure returns (Der.Value memory) {
        Der.Value memory outer = der.expect(0, der.length, Der.SEQUENCE);
        if (outer.end != der.length) revert CertificateMalformed(outer.end);
        return der.expect(outer.start, outer.end, Der.SEQUENCE);
    }

    function _signedHash(bytes memory der, Der.Value memory tbs) private view returns (bytes32) {
        Der.Value memory outer = der.read(0, der.length);
        return der.sha256Of(outer.start, tbs.end);
    }

    function _signature(bytes memory der, uint256 offset) private pure returns (bytes32 r, bytes32 s) {
        Der.Value memory v = _algorithm(der, offset, der.length);
        v = der.expect(v.end, der.length, Der.BIT_STRING);
        if (v.end != der.length || v.end == v.start || der[v.start] != 0) revert CertificateMalformed(v.start);
        Der.Value memory pair = der.expect(v.start + 1, v.end, Der.SEQUENCE);
        if (pair.end != v.end) revert CertificateMalformed(pair.end);
        v = der.expect(pair.start, pair.end, Der.INTEGER);
        r = bytes32(der.unsigned(v));
        v = der.expect(v.end, pair.end, Der.INTEGER);
        s = bytes32(der.unsigned(v));
        if (v.end != pair.end) revert CertificateMalformed(v.end);
    }

    function _algorithm(bytes memory der, uint256 offset, uint256 limit) private pure returns (Der.Value memory v) {
        v = der.expect(offset, limit, Der.SEQUENCE);
        if (der.hashOf(v.start, v.end) != ECDSA_SHA256) revert CertificateAlgorithm(offset);
    }

    function _key(bytes memory der, Der.Value memory info, Certificate memory c) private pure {
        Der.Value memory v = der.expect(info.start, info.end, Der.SEQUENCE);
        if (der.hashOf(v.start, v.end) != EC_P256) revert CertificateAlgorithm(v.start);
        v = der.expect(v.end, info.end, Der.BIT_STRING);
        // No unused bits, then an uncompressed point.
        if (v.end != info.end || v.end - v.start != 66 || der[v.start] != 0 || der[v.start + 1] != 0x04) {
            revert CertificateMalformed(v.start);
        }
        c.x = der.word(v.start + 2);
        c.y = der.word(v.start + 34);
    }

    function _extensions(bytes memory der, Der.Value memory tagged, Certificate memory c, bytes32 wanted)
        private
        pure
    {
        Der.Value memory list = der.expect(tagged.start, tagged.end, Der.SEQUENCE);
        if (list.end != tagged.end) revert CertificateMalformed(list.end);
        bool mayCertify;
        uint256 seen;
        for (uint256 p = list.start; p < list.end;) {
            Der.Value memory extension = der.expect(p, list.end, Der.SEQUENCE);
            p = extension.end;
            Der.Value memory oid = der.expect(extension.start, extension.end, Der.OBJECT_IDENTIFIER);
            Der.Value memory v = der.read(oid.end, extension.end);
            bool critical;
            if (v.tag == Der.BOOLEAN) {
                // DER: only TRUE is written, and as 0xff.
                if (v.end - v.start != 1 || der[v.start] != 0xff) revert CertificateMalformed(v.start);
                critical = true;
                v = der.read(v.end, extension.end);
            }
            if (v.tag != Der.OCTET_STRING || v.end != extension.end) revert CertificateMalformed(v.start);
            bytes32 name = der.hashOf(oid.start, oid.end);
            if (name == BASIC_CONSTRAINTS) {
                if (seen & 1 != 0) revert CertificateMalformed(oid.start);
                seen |= 1;
                c.authority = _isAuthority(der, v);
            } else if (name == KEY_USAGE) {
                if (seen & 2 != 0) revert CertificateMalformed(oid.start);
                seen |= 2;
                mayCertify = _mayCertify(der, v);
            } else if (name == wanted && wanted != 0) {
                if (c.extensionEnd != 0) revert CertificateMalformed(oid.start);
                (c.extensionStart, c.extensionEnd) = (v.start, v.end);
            } else if (critical) {
                revert CertificateExtensionCritical(oid.start);
            }
        }
        if (c.authority && !mayCertify) revert CertificateKeyUsage(list.start);
    }

    function _isAuthority(bytes memory der, Der.Value memory octets) private pure returns (bool) {
        Der.Value memory v = der.expect(octets.start, octets.end, Der.SEQUENCE);
        if (v.end != octets.end) revert CertificateMalformed(v.end);
        if (v.start == v.end) return false;
        Der.Value memory flag = der.expect(v.start, v.end, Der.BOOLEAN);
        if (flag.end - flag.start != 1 || der[flag.start] != 0xff) revert CertificateMalformed(flag.start);
        return true;
    }

    /// keyCertSign is bit 5.
    function _mayCertify(bytes memory der, Der.Value memory octets) private pure returns (bool) {
        Der.Value memory v = der.expect(octets.start, octets.end, Der.BIT_STRING);
        if (v.end != octets.end || v.end - v.start < 2) revert CertificateMalformed(v.start);
        return uint8(der[v.start + 1]) & 0x04 != 0;
    }

    function _serials(bytes memory der, Der.Value memory entries) private pure returns (uint256[] memory serials) {
        uint256 count;
        for (uint256 p = entries.start; p < entries.end;) {
            p = der.expect(p, entries.end, Der.SEQUENCE).end;
            ++count;
        }
        if (count > MAXIMUM_REVOKED) revert CertificateMalformed(entries.start);
        serials = new uint256[](count);
        uint256 i;
        for (uint256 p = entries.start; p < entries.end;) {
            Der.Value memory entry = der.expect(p, entries.end, Der.SEQUENCE);
            p = entry.end;
            serials[i++] = der.unsigned(der.expect(entry.start, entry.end, Der.INTEGER));
        }
    }
}
