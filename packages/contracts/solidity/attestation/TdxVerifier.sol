// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuoteVerifier} from "../node/NodeRegistry.sol";
import {Der} from "./Der.sol";
import {Identity, Level, Module, Snapshot, TcbStatus, TdxCollateral} from "./TdxCollateral.sol";
import {Certificate, X509} from "./X509.sol";

/// @notice What a valid quote says.
struct TdxVerdict {
    TcbStatus status;
    bytes8 platform;
    /// @dev SHA-256 of MRTD and RTMR0 to RTMR3.
    bytes32 measurement;
    /// @dev The two halves of the report data.
    bytes32 reportData;
    bytes32 reportDataRest;
    bytes8 tdAttributes;
}

/// @title Verifies Intel TDX quotes on chain, against collateral that is on chain already
/// @notice Quote versions 4 and 5 with TD reports 1.0 and 1.5, ECDSA P-256. Everything that Intel's library checks is
/// checked: the quote's signature, the quoting enclave's report and identity, the platform's certificate with its chain,
/// dates and revocation, the TDX module, and the TCB level. Three signatures are verified for each quote; the chain above
/// the platform's certificate was verified when it came.
contract TdxVerifier is IQuoteVerifier {
    using Der for bytes;

    uint256 private constant HEADER = 48;
    uint256 private constant TD_REPORT = 584;
    uint256 private constant TD_REPORT_15 = 648;
    uint256 private constant QE_REPORT = 384;
    bytes16 private constant INTEL_QE_VENDOR = 0x939a7233f79c4ca9940a0db3957f0607;
    /// @dev 1.2.840.113741.1.13.1
    bytes32 private constant SGX_EXTENSION = keccak256(hex"2a864886f84d010d01");
    uint8 private constant SGX_ARC_LENGTH = 9;

    /// @notice Where everything comes from that a quote is checked against.
    TdxCollateral public immutable collateral;
    /// @notice Which statuses {verify} accepts: bit n for status n.
    uint256 public immutable acceptedStatuses;

    struct Layout {
        uint256 version;
        uint256 body;
        uint256 signedEnd;
        bool second;
    }

    struct Platform {
        bytes8 id;
        uint256 components;
        uint16 pceSvn;
    }

    error QuoteMalformed(uint256 offset);
    error QuoteUnsupported(uint256 version, uint256 keyType, uint256 tee);
    error QuoteOfOtherVendor(bytes16 vendor);
    error QuoteSignatureInvalid(bytes32 keyX, bytes32 keyY);
    error EnclaveReportSignatureInvalid(uint256 serial);
    error AttestationKeyUnbound(bytes32 given, bytes32 expected);
    error EnclaveIdentityOther(uint256 field);
    error ModuleOther(uint256 field);
    error PlatformCertificateMalformed(uint256 offset);
    error CertificateIssuerOther(bytes32 given, bytes32 expected);
    error CertificateIsAuthority(uint256 serial);
    error CertificateSignatureInvalid(uint256 serial);
    error CertificateOutOfDate(uint64 from, uint64 until, uint256 time);
    error StatusNotAccepted(TcbStatus status);
    error DebugEnabled(bytes8 tdAttributes);

    constructor(TdxCollateral collateral_, uint256 acceptedStatuses_) {
        collateral = collateral_;
        acceptedStatuses = acceptedStatuses_;
    }

    /// @inheritdoc IQuoteVerifier
    /// @param evidence abi.encode(bytes quote, bytes platformCertificate, bytes32 authority); see {verifyQuote}.
    function verify(bytes calldata evidence)
        external
        view
        returns (bytes32 measurement, bytes32 reportData, bytes32 reportDataRest)
    {
        (bytes memory quote, bytes memory certificate, bytes32 authority) =
            abi.decode(evidence, (bytes, bytes, bytes32));
        TdxVerdict memory verdict = _verify(quote, certificate, authority);
        if (acceptedStatuses & (1 << uint256(verdict.status)) == 0) revert StatusNotAccepted(verdict.status);
        // The first byte holds the debug bits: the host could read such a TD.
        if (verdict.tdAttributes[0] != 0) revert DebugEnabled(verdict.tdAttributes);
        return (verdict.measurement, verdict.reportData, verdict.reportDataRest);
    }

    /// @notice Verifies a quote and says everything about it; reverts on one that is not valid. A status is told, not judged.
    /// @param quote The raw quote up to its certification data, which is unsigned and comes as the next argument.
    /// @param certificate The platform's certificate (PCK), DER.
    /// @param authority Who signed it: identifier of a certifying authority that is on chain.
    function verifyQuote(bytes calldata quote, bytes calldata certificate, bytes32 authority)
        external
        view
        returns (TdxVerdict memory)
    {
        return _verify(quote, certificate, authority);
    }

    function _verify(bytes memory quote, bytes memory certificate, bytes32 authorityId)
        private
        view
        returns (TdxVerdict memory verdict)
    {
        Layout memory parts = _layout(quote);
        Certificate memory pck = X509.parse(certificate, SGX_EXTENSION);
        Platform memory platform;
        _readExtension(certificate, pck, platform);
        uint256 svn = uint256(uint128(bytes16(quote.word(parts.body))));
        Snapshot memory known =
            collateral.snapshot(authorityId, pck.serial, platform.id, (svn >> 112) & 0xff);
        _checkCertificate(pck, known);
        uint256 report = _checkSignatures(quote, parts, pck);
        TcbStatus enclave = _checkEnclave(quote, report, known.identity);
        _checkModule(quote, parts.body, known.module);
        verdict.platform = platform.id;
        verdict.status = _evaluate(known.levels, known.module, platform, svn, enclave);
        if (parts.second && verdict.status != TcbStatus.NotSupported) {
            uint256 second = uint256(uint128(bytes16(quote.word(parts.body + 584))));
            Module memory module = known.module;
            if ((second ^ svn) >> 112 & 0xff != 0) {
                module = collateral.snapshot(authorityId, pck.serial, platform.id, (second >> 112) & 0xff).module;
            }
            verdict.status = _relaunch(verdict.status, _evaluate(known.levels, module, platform, second, enclave));
        }
        uint256 body = parts.body;
        verdict.tdAttributes = bytes8(quote.word(body + 120));
        verdict.reportData = quote.word(body + 520);
        verdict.reportDataRest = quote.word(body + 552);
        bytes memory registers = new bytes(240);
        // MRTD is followed by four fields of owners and configuration; RTMR0 to RTMR3 stand together.
        assembly ("memory-safe") {
            let from := add(add(quote, 0x20), body)
            mcopy(add(registers, 0x20), add(from, 136), 48)
            mcopy(add(registers, 0x50), add(from, 328), 192)
        }
        verdict.measurement = sha256(registers);
    }

    function _layout(bytes memory quote) private pure returns (Layout memory parts) {
        if (quote.length < HEADER + 6 + TD_REPORT) revert QuoteMalformed(quote.length);
        parts.version = _u16(quote, 0);
        uint256 tee = uint256(uint32(bytes4(quote.word(4))));
        if ((parts.version != 4 && parts.version != 5) || _u16(quote, 2) != 2 || tee != 0x81000000) {
            revert QuoteUnsupported(parts.version, _u16(quote, 2), tee);
        }
        bytes16 vendor = bytes16(quote.word(12));
        if (vendor != INTEL_QE_VENDOR) revert QuoteOfOtherVendor(vendor);
        parts.body = HEADER;
        parts.signedEnd = HEADER + TD_REPORT;
        if (parts.version == 5) {
            uint256 kind = _u16(quote, HEADER);
            uint256 size = _u32(quote, HEADER + 2);
            parts.body = HEADER + 6;
            parts.second = kind == 3;
            if (!(kind == 2 && size == TD_REPORT) && !(kind == 3 && size == TD_REPORT_15)) {
                revert QuoteMalformed(HEADER);
            }
            parts.signedEnd = parts.body + size;
        }
    }

    /// Signature data: length, quote signature, attestation key, then certification data of type 6 with the quoting
    /// enclave's report, its signature and its authentication data.
    function _checkSignatures(bytes memory quote, Layout memory parts, Certificate memory pck)
        private
        view
        returns (uint256 report)
    {
        uint256 p = parts.signedEnd + 4;
        if (quote.length < p + 64 + 64 + 6 + QE_REPORT + 64 + 2) revert QuoteMalformed(p);
        bytes32 x = quote.word(p + 64);
        bytes32 y = quote.word(p + 96);
        if (!X509.verify(quote.sha256Of(0, parts.signedEnd), quote.word(p), quote.word(p + 32), x, y)) {
            revert QuoteSignatureInvalid(x, y);
        }
        uint256 key = p + 64;
        p += 128;
        if (_u16(quote, p) != 6) revert QuoteMalformed(p);
        report = p + 6;
        p = report + QE_REPORT;
        if (
            !X509.verify(quote.sha256Of(report, p), quote.word(p), quote.word(p + 32), pck.x, pck.y)
        ) revert EnclaveReportSignatureInvalid(pck.serial);
        uint256 length = _u16(quote, p + 64);
        p += 66;
        if (quote.length != p + length) revert QuoteMalformed(p);
        bytes memory bound = new bytes(64 + length);
        assembly ("memory-safe") {
            mcopy(add(bound, 0x20), add(add(quote, 0x20), key), 64)
            mcopy(add(bound, 0x60), add(add(quote, 0x20), p), length)
        }
        if (quote.word(report + 320) != sha256(bound) || quote.word(report + 352) != 0) {
            revert AttestationKeyUnbound(quote.word(report + 320), sha256(bound));
        }
    }

    function _checkCertificate(Certificate memory pck, Snapshot memory known) private view {
        if (pck.issuer != known.authority.subject) revert CertificateIssuerOther(pck.issuer, known.authority.subject);
        if (pck.authority) revert CertificateIsAuthority(pck.serial);
        if (!X509.verify(pck.signedHash, pck.r, pck.s, known.authority.x, known.authority.y)) {
            revert CertificateSignatureInvalid(pck.serial);
        }
        if (block.timestamp < pck.notBefore || block.timestamp > pck.notAfter) {
            revert CertificateOutOfDate(pck.notBefore, pck.notAfter, block.timestamp);
        }
    }

    function _checkEnclave(bytes memory quote, uint256 report, Identity memory identity)
        private
        pure
        returns (TcbStatus)
    {
        uint32 misc = uint32(bytes4(quote.word(report + 16)));
        if (misc & identity.miscSelectMask != identity.miscSelect) revert EnclaveIdentityOther(0);
        uint128 attributes = uint128(bytes16(quote.word(report + 48)));
        if (attributes & identity.attributesMask != identity.attributes) revert EnclaveIdentityOther(1);
        if (quote.word(report + 128) != identity.signer) revert EnclaveIdentityOther(2);
        if (_u16(quote, report + 256) != identity.productId) revert EnclaveIdentityOther(3);
        return _isvStatus(identity.levels, identity.count, _u16(quote, report + 258));
    }

    /// The module must be Intel's, and not one with attributes set, which a debug module has.
    function _checkModule(bytes memory quote, uint256 body, Module memory module) private pure {
        if (module.signer == 0) revert ModuleOther(0);
        if (quote.hashOf(body + 64, body + 112) != module.signer) revert ModuleOther(1);
        uint64 attributes = uint64(bytes8(quote.word(body + 112)));
        if (attributes & module.attributesMask != module.attributes) revert ModuleOther(2);
        if (attributes != 0) revert ModuleOther(3);
    }

    function _evaluate(
        Level[] memory levels,
        Module memory described,
        Platform memory platform,
        uint256 svn,
        TcbStatus enclave
    ) private pure returns (TcbStatus) {
        TcbStatus module = TcbStatus.UpToDate;
        if ((svn >> 112) & 0xff != 0) {
            module = _isvStatus(described.levels, described.count, (svn >> 120) & 0xff);
            // Components 0 and 1 belong to the module's own identity then.
            svn |= uint256(0xffff) << 112;
        }
        TcbStatus level = _match(levels, platform, platform.components << 128 | svn);
        if (level == TcbStatus.None || enclave == TcbStatus.None || module == TcbStatus.None) {
            return TcbStatus.NotSupported;
        }
        return _converge(level, enclave, module);
    }

    /// The status of the highest level that the platform reaches, whatever the order in the document.
    function _match(Level[] memory levels, Platform memory platform, uint256 has)
        private
        pure
        returns (TcbStatus found)
    {
        uint256 best;
        uint16 bestPce;
        for (uint256 i; i < levels.length; ++i) {
            Level memory level = levels[i];
            uint256 needs = uint256(level.components);
            if (platform.pceSvn < level.pceSvn || !_reaches(has, needs)) continue;
            if (found != TcbStatus.None && (needs < best || (needs == best && level.pceSvn <= bestPce))) continue;
            (best, bestPce, found) = (needs, level.pceSvn, level.status);
        }
    }

    /// Whether each of 32 bytes is at least the other's: even and odd bytes in lanes of 16 bits, which no borrow leaves.
    function _reaches(uint256 has, uint256 needs) private pure returns (bool) {
        uint256 low = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        uint256 carry = 0x0100010001000100010001000100010001000100010001000100010001000100;
        uint256 even = ((has & low) | carry) - (needs & low);
        uint256 odd = (((has >> 8) & low) | carry) - ((needs >> 8) & low);
        return even & odd & carry == carry;
    }

    function _isvStatus(uint256 levels, uint256 count, uint256 svn) private pure returns (TcbStatus) {
        for (uint256 i; i < count; ++i) {
            uint256 level = levels >> (24 * i);
            if (svn >= (level >> 8) & 0xffff) return TcbStatus(level & 0xff);
        }
        return TcbStatus.None;
    }

    /// As Intel's library: of the parts only OutOfDate and Revoked count.
    function _converge(TcbStatus level, TcbStatus enclave, TcbStatus module) private pure returns (TcbStatus) {
        if (level == TcbStatus.Revoked || enclave == TcbStatus.Revoked || module == TcbStatus.Revoked) {
            return TcbStatus.Revoked;
        }
        if (enclave != TcbStatus.OutOfDate && module != TcbStatus.OutOfDate) return level;
        if (level == TcbStatus.UpToDate || level == TcbStatus.SWHardeningNeeded) return TcbStatus.OutOfDate;
        if (level == TcbStatus.ConfigurationNeeded || level == TcbStatus.ConfigurationAndSWHardeningNeeded) {
            return TcbStatus.OutOfDateConfigurationNeeded;
        }
        return level;
    }

    /// TDX 1.5: whether a relaunch alone would mend the status.
    function _relaunch(TcbStatus launch, TcbStatus current) private pure returns (TcbStatus) {
        if (current == TcbStatus.NotSupported) return current;
        bool behind = launch == TcbStatus.OutOfDate || launch == TcbStatus.OutOfDateConfigurationNeeded;
        if (!behind || uint8(current) > uint8(TcbStatus.ConfigurationAndSWHardeningNeeded)) return launch;
        bool configuration = launch == TcbStatus.OutOfDateConfigurationNeeded
            || current == TcbStatus.ConfigurationNeeded || current == TcbStatus.ConfigurationAndSWHardeningNeeded;
        return configuration ? TcbStatus.RelaunchAdvisedConfigurationNeeded : TcbStatus.RelaunchAdvised;
    }

    /// The SGX extension: pairs of an object identifier, which continues the extension's own by one arc, and a value.
    function _readExtension(bytes memory der, Certificate memory pck, Platform memory platform) private pure {
        if (pck.extensionEnd == 0) revert PlatformCertificateMalformed(0);
        Der.Value memory list = der.expect(pck.extensionStart, pck.extensionEnd, Der.SEQUENCE);
        uint256 seen;
        uint64 id;
        for (uint256 p = list.start; p < list.end;) {
            uint256 arc;
            Der.Value memory value;
            (arc, value, p) = _attribute(der, p, list.end, 0);
            if (seen & (1 << arc) != 0) revert PlatformCertificateMalformed(p);
            seen |= 1 << arc;
            if (arc == 2) {
                _readTcb(der, value, platform);
            } else if (arc == 3) {
                if (value.tag != Der.OCTET_STRING || value.end - value.start != 2) {
                    revert PlatformCertificateMalformed(p);
                }
                id |= uint64(uint16(bytes2(der.word(value.start))));
            } else if (arc == 4) {
                if (value.tag != Der.OCTET_STRING || value.end - value.start != 6) {
                    revert PlatformCertificateMalformed(p);
                }
                id |= uint64(uint48(bytes6(der.word(value.start)))) << 16;
            }
        }
        if (seen & 0x1c != 0x1c) revert PlatformCertificateMalformed(list.start);
        platform.id = bytes8(id);
    }

    function _readTcb(bytes memory der, Der.Value memory list, Platform memory platform) private pure {
        if (list.tag != Der.SEQUENCE) revert PlatformCertificateMalformed(list.start);
        uint256 seen;
        for (uint256 p = list.start; p < list.end;) {
            uint256 arc;
            Der.Value memory value;
            (arc, value, p) = _attribute(der, p, list.end, 2);
            if (seen & (1 << arc) != 0) revert PlatformCertificateMalformed(p);
            seen |= 1 << arc;
            if (arc >= 1 && arc <= 16) {
                uint256 svn = der.unsigned(value);
                if (svn > 255) revert PlatformCertificateMalformed(p);
                platform.components |= svn << (8 * (16 - arc));
            } else if (arc == 17) {
                uint256 svn = der.unsigned(value);
                if (svn > type(uint16).max) revert PlatformCertificateMalformed(p);
                platform.pceSvn = uint16(svn);
            }
        }
        // Arcs 1 to 17 must all be there.
        if (seen & 0x3fffe != 0x3fffe) revert PlatformCertificateMalformed(list.start);
    }

    /// A pair; `parent` is the arc below the extension's own identifier, zero for none.
    function _attribute(bytes memory der, uint256 p, uint256 limit, uint256 parent)
        private
        pure
        returns (uint256 arc, Der.Value memory value, uint256 next)
    {
        Der.Value memory pair = der.expect(p, limit, Der.SEQUENCE);
        Der.Value memory oid = der.expect(pair.start, pair.end, Der.OBJECT_IDENTIFIER);
        value = der.read(oid.end, pair.end);
        next = pair.end;
        uint256 length = SGX_ARC_LENGTH + (parent == 0 ? 1 : 2);
        if (
            value.end != pair.end || oid.end - oid.start != length
                || der.hashOf(oid.start, oid.start + SGX_ARC_LENGTH) != SGX_EXTENSION
                || (parent != 0 && uint8(der[oid.start + SGX_ARC_LENGTH]) != parent)
        ) revert PlatformCertificateMalformed(p);
        arc = uint8(der[oid.end - 1]);
        if (arc == 0 || arc >= 0x80) revert PlatformCertificateMalformed(p);
    }

    function _u16(bytes memory data, uint256 offset) private pure returns (uint256) {
        return uint256(uint8(data[offset])) | uint256(uint8(data[offset + 1])) << 8;
    }

    function _u32(bytes memory data, uint256 offset) private pure returns (uint256) {
        return _u16(data, offset) | _u16(data, offset + 2) << 16;
    }
}
