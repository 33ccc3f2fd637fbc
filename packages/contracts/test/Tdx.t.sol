// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Der} from "../solidity/attestation/Der.sol";
import {IntelJson} from "../solidity/attestation/IntelJson.sol";
import {TcbStatus, TdxCollateral} from "../solidity/attestation/TdxCollateral.sol";
import {TdxVerdict, TdxVerifier} from "../solidity/attestation/TdxVerifier.sol";
import {Certificate, RevocationList, X509} from "../solidity/attestation/X509.sol";
import {TdxWriter} from "./TdxWriter.sol";

/// Quotes of a platform that does not exist, and everything that can be wrong with them. Real ones are verified by
/// `npm run conformance -- contracts`.
contract TdxTest is TdxWriter {
    bytes16 private constant SVN = 0x04010303030303030303030303030303;
    TdxCollateral private collateral;
    TdxVerifier private verifier;

    function setUp() public {
        vm.warp(1_785_000_000);
        collateral = new TdxCollateral(rootCertificate());
        verifier = new TdxVerifier(collateral, 1 << uint256(TcbStatus.UpToDate));
    }

    function bring() private {
        bringAuthorities();
        bringInfo(tcbInfo("UpToDate"));
        bringIdentity(identity("UpToDate"));
    }

    function bringAuthorities() private {
        collateral.addRevocationList(listOf(ROOT, "Root", ""), collateral.root());
        collateral.addAuthority(authorityCertificate());
        collateral.addAuthority(signerCertificate());
        collateral.addRevocationList(listOf(AUTHORITY, "Authority", tlv(0x30, revokedSerial(99))), id(AUTHORITY));
    }

    function bringInfo(bytes memory text) private {
        collateral.addTcbInfo(text, signature(SIGNER, text), id(SIGNER));
    }

    function bringIdentity(bytes memory text) private {
        collateral.addIdentity(text, signature(SIGNER, text), id(SIGNER));
    }

    function good() private pure returns (bytes memory) {
        return quoteOf(signedPart(4, SVN, 0), enclaveReport(4, "auth"));
    }

    function verdictOf(bytes memory quote) private view returns (TdxVerdict memory) {
        return verifier.verifyQuote(quote, platformCertificate(), id(AUTHORITY));
    }

    function status(bytes memory quote, TcbStatus expected) private view {
        vm.assertEq(uint256(verdictOf(quote).status), uint256(expected));
    }

    function test_aGoodQuoteIsVerified() external {
        bring();
        bytes memory quote = good();
        TdxVerdict memory verdict = verdictOf(quote);
        vm.assertEq(uint256(verdict.status), uint256(TcbStatus.UpToDate));
        vm.assertEq(verdict.reportData, bytes32("report data"));
        vm.assertEq(uint256(uint64(verdict.platform)), 0x00806f0500000000);
        bytes memory registers = new bytes(240);
        put(registers, 0, "measured");
        vm.assertEq(verdict.measurement, sha256(registers));
        (bytes32 measurement, bytes32 reportData, bytes32 rest) = verifier.verify(abi.encode(quote, platformCertificate(), id(AUTHORITY)));
        vm.assertEq(measurement, verdict.measurement);
        vm.assertEq(reportData, verdict.reportData);
        vm.assertEq(rest, verdict.reportDataRest);
        vm.assertEq(collateral.getAuthority(id(AUTHORITY)).subject, keccak256(contentOf(name("Authority"))));
        vm.assertEq(collateral.getRevocationList(collateral.root()).until, 1_798_675_200);
        vm.assertEq(collateral.getTcbInfo(bytes8(uint64(0x00806f0500000000))).count, 3);
        vm.assertEq(collateral.getIdentity().productId, 2);
        vm.assertTrue(collateral.revoked(id(AUTHORITY), 99));
    }

    function contentOf(bytes memory value) private pure returns (bytes memory content) {
        content = new bytes(value.length - 2);
        for (uint256 i; i < content.length; ++i) content[i] = value[i + 2];
    }

    /// Any changed byte of a quote or certificate refuses it, apart from the two lengths that nothing signs and no one reads.
    function test_anyChangedByteRefusesTheQuote() external {
        bring();
        bytes memory quote = good();
        bytes memory certificate = platformCertificate();
        bytes32 authority = id(AUTHORITY);
        for (uint256 i; i < quote.length; ++i) {
            if ((i >= 632 && i < 636) || (i >= 766 && i < 770)) continue;
            quote[i] ^= 0x01;
            vm.assertFalse(accepts(quote, certificate, authority));
            quote[i] ^= 0x01;
        }
        for (uint256 i; i < certificate.length; ++i) {
            certificate[i] ^= 0x01;
            vm.assertFalse(accepts(quote, certificate, authority));
            certificate[i] ^= 0x01;
        }
        vm.assertTrue(accepts(quote, certificate, authority));
    }

    /// What the call put into memory is given back: thousands of calls would not fit.
    function accepts(bytes memory quote, bytes memory certificate, bytes32 authority) private view returns (bool ok) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        try verifier.verifyQuote(quote, certificate, authority) returns (TdxVerdict memory) {
            ok = true;
        } catch {}
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    function parse(bytes memory der) external view returns (Certificate memory) {
        return X509.parse(der, keccak256(hex"2a864886f84d010d01"));
    }

    function parseList(bytes memory der) external view returns (RevocationList memory) {
        return X509.parseList(der);
    }

    /// Parsers are total: every byte replaced by several values, every length cut, gives a value or an error. What still
    /// parses and is not the same says something else, and then its signature is another's.
    function test_parsersAreTotal() external {
        bytes memory certificate = platformCertificate();
        bytes memory list = listOf(ROOT, "Root", tlv(0x30, bytes.concat(revokedSerial(7), revokedSerial(300))));
        vm.assertEq(this.parseList(list).serials.length, 2);
        bytes5 values = 0x00ff80307f;
        for (uint256 k; k < 5; ++k) {
            for (uint256 i; i < certificate.length; ++i) {
                bytes memory changed = bytes.concat(certificate);
                if (changed[i] == values[k]) continue;
                changed[i] = values[k];
                try this.parse(changed) returns (Certificate memory c) {
                    vm.assertFalse(
                        X509.verify(c.signedHash, c.r, c.s, bytes32(0), bytes32(0)) // never under no key
                    );
                } catch {}
            }
            for (uint256 i; i < list.length; ++i) {
                bytes memory changed = bytes.concat(list);
                changed[i] = values[k];
                try this.parseList(changed) {} catch {}
            }
        }
        for (uint256 end; end < certificate.length; ++end) {
            bytes memory cut = new bytes(end);
            for (uint256 i; i < end; ++i) cut[i] = certificate[i];
            vm.expectRevert();
            this.parse(cut);
        }
        for (uint256 end; end < list.length; ++end) {
            bytes memory cut = new bytes(end);
            for (uint256 i; i < end; ++i) cut[i] = list[i];
            vm.expectRevert();
            this.parseList(cut);
        }
    }

    /// The JSON reader: every byte replaced and signed anew. A text that still passes differs in a value, never in shape.
    function test_theJsonReaderTakesNothingElse() external {
        bringAuthorities();
        bytes memory text = identity("UpToDate");
        uint256 accepted;
        for (uint256 i; i < text.length; ++i) {
            for (uint256 k; k < 3; ++k) {
                bytes memory changed = bytes.concat(text);
                changed[i] = k == 0 ? bytes1(0x22) : k == 1 ? bytes1(0x78) : bytes1(0x07);
                if (changed[i] == text[i]) continue;
                bytes memory proof = signature(SIGNER, changed);
                try collateral.addIdentity(changed, proof, id(SIGNER)) {
                    ++accepted;
                } catch {}
                if (accepted != 0) break;
            }
            if (accepted != 0) break;
        }
        // The first text that passed changed nothing but an advisory's name.
        vm.assertLe(accepted, 1);
    }

    function test_textsAreRefusedByName() external {
        bringAuthorities();
        refusedInfo(bytes.concat(tcbInfo("UpToDate"), " "), IntelJson.JsonUnexpected.selector);
        refusedInfo(tcbInfo("Fine"), TdxCollateral.StatusUnknown.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"TDX_01"', '"TDX_00"'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"svn":5', '"svn":999'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":65536'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":011'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":x'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"isvsvn":2', '"isvsvn":9'), TdxCollateral.LevelsNotDescending.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-13-13'), Der.DerMalformed.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-02-30'), Der.DerMalformed.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024/03-13'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-0x-13'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "00806F05", "00806G05"), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "Early Micro", "Early\\Micro"), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "2026-06-01", "2026-12-01"), TdxCollateral.OutOfDate.selector);
        bytes memory same = module(',{"id":"TDX_01",');
        refusedInfo(
            replaced(tcbInfo("UpToDate"), ']}],"tcbLevels":[', bytes.concat("]}", same, ',"tcbLevels":[', isvLevel("1", "UpToDate"), ']}],"tcbLevels":[')),
            IntelJson.JsonUnexpected.selector
        );
        bytes memory many = isvLevel("99", "UpToDate");
        for (uint256 i = 98; i > 88; --i) {
            many = bytes.concat(many, ",", isvLevel(bytes.concat("8", bytes1(uint8(0x30 + (i - 89)))), "UpToDate"));
        }
        refusedInfo(replaced(tcbInfo("UpToDate"), isvLevel("4", "UpToDate"), many), TdxCollateral.TooManyLevels.selector);
        bytes memory text = tcbInfo("UpToDate");
        bytes memory proof = signature(ATTESTER, text);
        refused(TdxCollateral.SignatureInvalid.selector);
        collateral.addTcbInfo(text, proof, id(SIGNER));
        refused(TdxCollateral.SignatureInvalid.selector);
        collateral.addTcbInfo(text, hex"00", id(SIGNER));
        refused(TdxCollateral.AuthorityUnknown.selector);
        collateral.addTcbInfo(text, proof, id(ATTESTER));
        refused(TdxCollateral.AuthorityWrongKind.selector);
        collateral.addTcbInfo(text, proof, id(AUTHORITY));
        bringInfo(text);
        refusedInfo(text, TdxCollateral.NotNewer.selector);
        refusedInfo(
            replaced(replaced(text, "2026-06-01", "2026-06-02"), ":17", ":16"), TdxCollateral.NotNewer.selector
        );
        bringInfo(replaced(replaced(text, "2026-06-01", "2026-06-02"), ',"advisoryIDs":["INTEL-SA-1","INTEL-SA-2"]', ',"advisoryIDs":[]'));
        bytes memory i_ = identity("UpToDate");
        bringIdentity(i_);
        refusedIdentity(i_, TdxCollateral.NotNewer.selector);
        refusedIdentity(replaced(replaced(i_, "2026-06-01", "2026-06-02"), ":17", ":16"), TdxCollateral.NotNewer.selector);
        refusedIdentity(bytes.concat(i_, " "), IntelJson.JsonUnexpected.selector);
        refusedIdentity(replaced(i_, '"]}]}', '"]}]'), IntelJson.JsonUnexpected.selector);
        refusedIdentity(replaced(i_, '"isvprodid":2', '"isvprodid":1234567890'), IntelJson.JsonUnexpected.selector);
    }

    function refusedInfo(bytes memory text, bytes4 selector) private {
        bytes memory proof = signature(SIGNER, text);
        refused(selector);
        collateral.addTcbInfo(text, proof, id(SIGNER));
    }

    function refusedIdentity(bytes memory text, bytes4 selector) private {
        bytes memory proof = signature(SIGNER, text);
        refused(selector);
        collateral.addIdentity(text, proof, id(SIGNER));
    }

    /// The text with the first occurrence replaced.
    function test_statusesConvergeAsIntelsDo() external {
        bring();
        status(quoteOf(signedPart(4, 0x03010303030303030303030303030303, 0), enclaveReport(4, "auth")), TcbStatus.OutOfDate);
        status(quoteOf(signedPart(4, 0x01010303030303030303030303030303, 0), enclaveReport(4, "auth")), TcbStatus.NotSupported);
        status(quoteOf(signedPart(4, SVN, 0), enclaveReport(3, "auth")), TcbStatus.OutOfDate);
        status(quoteOf(signedPart(4, SVN, 0), enclaveReport(1, "auth")), TcbStatus.NotSupported);
        status(quoteOf(signedPart(4, 0x04010202020202020202020202020202, 0), enclaveReport(4, "auth")), TcbStatus.OutOfDate);
        status(quoteOf(signedPart(4, 0x04010101010101010101010101010101, 0), enclaveReport(4, "auth")), TcbStatus.ConfigurationNeeded);
        status(
            quoteOf(signedPart(4, 0x04010101010101010101010101010101, 0), enclaveReport(3, "auth")),
            TcbStatus.OutOfDateConfigurationNeeded
        );
        status(quoteOf(signedPart(4, 0x04010100000000000000000000000000, 0), enclaveReport(4, "auth")), TcbStatus.NotSupported);
        status(quoteOf(signedPart(4, 0x03000303030303030303030303030303, 0), enclaveReport(4, "auth")), TcbStatus.NotSupported);
        // TDX 1.0 and 1.5 in quotes of version 5; 1.5 tells whether a relaunch would mend it.
        status(quoteOf(signedPart(5, SVN, 0), enclaveReport(4, "auth")), TcbStatus.UpToDate);
        status(quoteOf(signedPart(5, SVN, SVN), enclaveReport(4, "auth")), TcbStatus.UpToDate);
        bytes16 old = 0x03010303030303030303030303030303;
        status(quoteOf(signedPart(5, old, SVN), enclaveReport(4, "auth")), TcbStatus.RelaunchAdvised);
        status(quoteOf(signedPart(5, old, old), enclaveReport(4, "auth")), TcbStatus.OutOfDate);
        status(
            quoteOf(signedPart(5, old, 0x04010101010101010101010101010101), enclaveReport(4, "auth")),
            TcbStatus.RelaunchAdvisedConfigurationNeeded
        );
        status(quoteOf(signedPart(5, old, 0x01010303030303030303030303030303), enclaveReport(4, "auth")), TcbStatus.NotSupported);
        status(quoteOf(signedPart(5, SVN, 0x01000303030303030303030303030303), enclaveReport(4, "auth")), TcbStatus.NotSupported);
    }

    function test_aRevokedLevelOrEnclaveIsRevoked() external {
        bringAuthorities();
        bringInfo(tcbInfo("Revoked"));
        bringIdentity(identity("UpToDate"));
        bytes memory quote = good();
        status(quote, TcbStatus.Revoked);
        bytes memory evidence = abi.encode(quote, platformCertificate(), id(AUTHORITY));
        refused(TdxVerifier.StatusNotAccepted.selector);
        verifier.verify(evidence);
        string[4] memory names =
            ["SWHardeningNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded", "OutOfDate"];
        TcbStatus[4] memory expected = [
            TcbStatus.SWHardeningNeeded,
            TcbStatus.ConfigurationAndSWHardeningNeeded,
            TcbStatus.OutOfDateConfigurationNeeded,
            TcbStatus.OutOfDate
        ];
        for (uint256 i; i < 4; ++i) {
            bytes memory day = bytes.concat("2026-06-1", bytes1(uint8(0x30 + i)));
            bringInfo(replaced(tcbInfo(bytes(names[i])), "2026-06-01", day));
            status(quote, expected[i]);
        }
        status(quoteOf(signedPart(4, SVN, 0), enclaveReport(3, "auth")), TcbStatus.OutOfDate);
        bringIdentity(replaced(identity("Revoked"), "2026-06-01", "2026-06-02"));
        status(quote, TcbStatus.Revoked);
    }

    function refusedQuote(bytes memory quote, bytes4 selector) private {
        bytes memory certificate = platformCertificate();
        refused(selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }

    function changedPart(uint256 offset, bytes memory value) private pure returns (bytes memory) {
        bytes memory signed = signedPart(4, SVN, 0);
        put(signed, offset, value);
        return quoteOf(signed, enclaveReport(4, "auth"));
    }

    function changedReport(uint256 offset, bytes memory value) private pure returns (bytes memory) {
        bytes memory report = enclaveReport(4, "auth");
        put(report, offset, value);
        return quoteOf(signedPart(4, SVN, 0), report);
    }

    function test_quotesAreRefusedByName() external {
        bring();
        refusedQuote(hex"0400", TdxVerifier.QuoteMalformed.selector);
        refusedQuote(changedPart(0, hex"03"), TdxVerifier.QuoteUnsupported.selector);
        refusedQuote(changedPart(2, hex"03"), TdxVerifier.QuoteUnsupported.selector);
        refusedQuote(changedPart(4, hex"00"), TdxVerifier.QuoteUnsupported.selector);
        refusedQuote(changedPart(12, hex"00"), TdxVerifier.QuoteOfOtherVendor.selector);
        refusedQuote(changedPart(0, hex"05"), TdxVerifier.QuoteMalformed.selector);
        refusedQuote(signedPart(4, SVN, 0), TdxVerifier.QuoteMalformed.selector);
        refusedQuote(bytes.concat(good(), hex"00"), TdxVerifier.QuoteMalformed.selector);
        bytes memory other = good();
        other[764] = 0x05;
        refusedQuote(other, TdxVerifier.QuoteMalformed.selector);
        refusedQuote(changedPart(48 + 64, hex"01"), TdxVerifier.ModuleOther.selector);
        refusedQuote(changedPart(48 + 112, hex"01"), TdxVerifier.ModuleOther.selector);
        refusedQuote(changedPart(48 + 1, hex"07"), TdxVerifier.ModuleOther.selector);
        refusedQuote(changedReport(16, hex"01"), TdxVerifier.EnclaveIdentityOther.selector);
        refusedQuote(changedReport(48, hex"10"), TdxVerifier.EnclaveIdentityOther.selector);
        refusedQuote(changedReport(128, hex"00"), TdxVerifier.EnclaveIdentityOther.selector);
        refusedQuote(changedReport(256, hex"01"), TdxVerifier.EnclaveIdentityOther.selector);
        refusedQuote(changedReport(320, hex"00"), TdxVerifier.AttestationKeyUnbound.selector);
        refusedQuote(changedReport(383, hex"01"), TdxVerifier.AttestationKeyUnbound.selector);
        bytes memory debug = changedPart(48 + 120, hex"01");
        bytes memory evidence = abi.encode(debug, platformCertificate(), id(AUTHORITY));
        refused(TdxVerifier.DebugEnabled.selector);
        verifier.verify(evidence);
        other = good();
        other[640] ^= 0x01;
        refusedQuote(other, TdxVerifier.QuoteSignatureInvalid.selector);
        other = good();
        other[1160] ^= 0x01;
        refusedQuote(other, TdxVerifier.EnclaveReportSignatureInvalid.selector);
    }

    /// A quote may be cut anywhere: it is refused by name, not read past its end.
    function test_aCutQuoteIsRefused() external {
        bring();
        bytes memory whole = good();
        for (uint256 length = 600; length < whole.length; length += 37) {
            bytes memory cut = new bytes(length);
            for (uint256 i; i < length; ++i) cut[i] = whole[i];
            refusedQuote(cut, TdxVerifier.QuoteMalformed.selector);
        }
    }

    function withoutMask(bytes memory text) private pure returns (bytes memory) {
        bytes memory mask = '"attributesMask":"FFFFFFFFFFFFFFFF"';
        bytes memory none = '"attributesMask":"0000000000000000"';
        return replaced(replaced(text, mask, none), mask, none);
    }

    /// A module with attributes is a debug module, even where the TCB info's mask would let it through.
    function test_aModuleWithAttributesIsRefusedWhateverTheMask() external {
        bringAuthorities();
        bringInfo(withoutMask(tcbInfo("UpToDate")));
        bringIdentity(identity("UpToDate"));
        bytes memory quote = changedPart(48 + 112, hex"01");
        bytes memory certificate = platformCertificate();
        vm.expectRevert(abi.encodeWithSelector(TdxVerifier.ModuleOther.selector, 3));
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }

    /// The TCB info of platforms without later modules names none, or an empty list of them.
    function test_theTcbInfoMayNameNoLaterModules() external {
        bringAuthorities();
        bytes memory text = tcbInfo("UpToDate");
        bytes memory modules = bytes.concat(
            module('{"id":"TDX_01",'), ',"tcbLevels":[', isvLevel("4", "UpToDate"), ",", isvLevel("2", "OutOfDate"), "]}"
        );
        bringInfo(replaced(text, modules, ""));
        bringIdentity(identity("UpToDate"));
        // A quote of a later module finds nothing to be measured against.
        bytes memory quote = good();
        bytes memory certificate = platformCertificate();
        vm.expectRevert(abi.encodeWithSelector(TdxVerifier.ModuleOther.selector, 0));
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bytes memory list = bytes.concat(',"tdxModuleIdentities":[', modules, "]");
        bringInfo(replaced(replaced(text, list, ""), "2026-06-01", "2026-06-02"));
        vm.expectRevert(abi.encodeWithSelector(TdxVerifier.ModuleOther.selector, 0));
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }

    function refusedCertificate(bytes memory certificate, bytes4 selector) private {
        bytes memory quote = good();
        refused(selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }

    function withExtension(bytes memory sgx) private pure returns (bytes memory) {
        return signedBy(AUTHORITY, platformTbs(sgx));
    }

    function test_platformCertificatesAreRefusedByName() external {
        bring();
        bytes memory more = extension(hex"2a864886f84d010d01", false, sgxExtension(5));
        bytes memory tail = extensions(false, more);
        refusedCertificate(
            signedBy(AUTHORITY, tbsOf(4, "Other", "P", FROM_TO, PLATFORM, tail)), TdxVerifier.CertificateIssuerOther.selector
        );
        refusedCertificate(
            signedBy(AUTHORITY, tbsOf(4, "Authority", "P", FROM_TO, PLATFORM, extensions(true, more))),
            TdxVerifier.CertificateIsAuthority.selector
        );
        refusedCertificate(
            signedBy(ATTESTER, tbsOf(4, "Authority", "P", FROM_TO, PLATFORM, tail)),
            TdxVerifier.CertificateSignatureInvalid.selector
        );
        bytes memory past = hex"301e170d3139303130313030303030305a170d3230303130313030303030305a";
        refusedCertificate(
            signedBy(AUTHORITY, tbsOf(4, "Authority", "P", past, PLATFORM, tail)),
            TdxVerifier.CertificateOutOfDate.selector
        );
        refusedCertificate(
            signedBy(AUTHORITY, tbsOf(99, "Authority", "P", FROM_TO, PLATFORM, tail)), TdxCollateral.IsRevoked.selector
        );
        bytes4 malformed = TdxVerifier.PlatformCertificateMalformed.selector;
        refusedCertificate(signedBy(AUTHORITY, tbsOf(4, "Authority", "P", FROM_TO, PLATFORM, extensions(false, ""))), malformed);
        bytes memory sgx = sgxExtension(5);
        refusedCertificate(withExtension(tlv(0x30, attribute(4, tlv(0x04, hex"00806f050000")))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(4, tlv(0x04, hex"00806f0500")))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(3, tlv(0x04, hex"00")))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(2, tlv(0x04, hex"00")))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(2, tlv(0x30, tcbAttribute(1, 1))))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(2, tlv(0x30, tcbAttribute(1, 256))))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(2, tlv(0x30, tcbAttribute(17, 65_536))))), malformed);
        refusedCertificate(
            withExtension(tlv(0x30, attribute(2, tlv(0x30, bytes.concat(tcbAttribute(1, 1), tcbAttribute(1, 1)))))), malformed
        );
        bytes memory twice = attribute(5, hex"0a0100");
        refusedCertificate(withExtension(tlv(0x30, bytes.concat(twice, twice))), malformed);
        refusedCertificate(withExtension(tlv(0x30, attribute(0, hex"0a0100"))), malformed);
        refusedCertificate(withExtension(tlv(0x30, tcbAttribute(1, 1))), malformed);
        vm.assertTrue(sgx.length != 0);
        bytes memory elsewhere = bytes.concat(sgx);
        // FMSPC of a platform whose info is not here.
        for (uint256 i; i + 3 < elsewhere.length; ++i) {
            if (elsewhere[i] == 0x80 && elsewhere[i + 1] == 0x6f) elsewhere[i] = 0x81;
        }
        refusedCertificate(withExtension(elsewhere), TdxCollateral.TcbInfoMissing.selector);
    }

    function test_certificatesAndListsAreRefusedByName() external {
        bytes memory bad = signedBy(ROOT, tbsOf(1, "Root", "Other", FROM_TO, ROOT, extensions(true, "")));
        refused(TdxCollateral.IssuerOther.selector);
        new TdxCollateral(bad);
        bad = signedBy(ROOT, tbsOf(1, "Root", "Root", FROM_TO, ROOT, extensions(false, "")));
        refused(TdxCollateral.AuthorityWrongKind.selector);
        new TdxCollateral(bad);
        bad = signedBy(SIGNER, tbsOf(1, "Root", "Root", FROM_TO, ROOT, extensions(true, "")));
        refused(TdxCollateral.SignatureInvalid.selector);
        new TdxCollateral(bad);
        bad = authorityCertificate();
        refused(TdxCollateral.ListMissing.selector);
        collateral.addAuthority(bad);
        bytes32 root = collateral.root();
        bytes memory list = listOf(SIGNER, "Root", "");
        refused(TdxCollateral.SignatureInvalid.selector);
        collateral.addRevocationList(list, root);
        list = listOf(ROOT, "Other", "");
        refused(TdxCollateral.IssuerOther.selector);
        collateral.addRevocationList(list, root);
        list = listOf(ROOT, "Root", tlv(0x30, revokedSerial(2)));
        collateral.addRevocationList(list, root);
        refused(TdxCollateral.NotNewer.selector);
        collateral.addRevocationList(list, root);
        refused(TdxCollateral.IsRevoked.selector);
        collateral.addAuthority(bad);
        bad = signedBy(ROOT, tbsOf(5, "Other", "Authority", FROM_TO, AUTHORITY, extensions(true, "")));
        refused(TdxCollateral.IssuerOther.selector);
        collateral.addAuthority(bad);
        bad = signedBy(SIGNER, tbsOf(5, "Root", "Authority", FROM_TO, AUTHORITY, extensions(true, "")));
        refused(TdxCollateral.SignatureInvalid.selector);
        collateral.addAuthority(bad);
        bytes memory past = hex"301e170d3139303130313030303030305a170d3230303130313030303030305a";
        bad = signedBy(ROOT, tbsOf(5, "Root", "Authority", past, AUTHORITY, extensions(true, "")));
        refused(TdxCollateral.OutOfDate.selector);
        collateral.addAuthority(bad);
        vm.warp(1_800_000_000);
        bad = signerCertificate();
        refused(TdxCollateral.OutOfDate.selector);
        collateral.addAuthority(bad);
    }

    function test_nothingIsVerifiedAgainstMissingCollateral() external {
        bytes memory quote = good();
        bytes memory certificate = platformCertificate();
        refused(TdxCollateral.AuthorityUnknown.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringAuthorities();
        refused(TdxCollateral.IdentityMissing.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringIdentity(identity("UpToDate"));
        refused(TdxCollateral.TcbInfoMissing.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringInfo(tcbInfo("UpToDate"));
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        refused(TdxCollateral.AuthorityWrongKind.selector);
        verifier.verifyQuote(quote, certificate, id(SIGNER));
        vm.warp(1_800_000_000);
        refused(TdxCollateral.OutOfDate.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }

    function refusedParse(bytes memory tbs, bytes4 selector) private {
        bytes memory der = signedBy(ROOT, tbs);
        refused(selector);
        this.parse(der);
    }

    function test_extensionsAreReadStrictly() external {
        bytes memory basic = extension(hex"551d13", true, hex"3000");
        bytes memory usage = extension(hex"551d0f", true, hex"030206c0");
        refusedParse(tbs_(basic, basic), X509.CertificateMalformed.selector);
        refusedParse(tbs_(usage, usage), X509.CertificateMalformed.selector);
        refusedParse(tbs_(extension(hex"551d99", true, hex"3000"), ""), X509.CertificateExtensionCritical.selector);
        refusedParse(tbs_(extension(hex"551d13", true, hex"30030101ff"), ""), X509.CertificateKeyUsage.selector);
        refusedParse(tbs_(extension(hex"551d13", true, hex"3003010101"), ""), X509.CertificateMalformed.selector);
        refusedParse(tbs_(extension(hex"551d13", true, hex"30000500"), ""), X509.CertificateMalformed.selector);
        refusedParse(tbs_(extension(hex"551d0f", true, hex"030106"), ""), X509.CertificateMalformed.selector);
        refusedParse(tbs_(tlv(0x30, hex"0603551d130101010404003000"), ""), X509.CertificateMalformed.selector);
        refusedParse(tbs_(tlv(0x30, hex"0603551d130500"), ""), X509.CertificateMalformed.selector);
        bytes memory sgx = extension(hex"2a864886f84d010d01", false, hex"3000");
        refusedParse(tbs_(sgx, sgx), X509.CertificateMalformed.selector);
        vm.assertFalse(this.parse(signedBy(ROOT, tbs_(extension(hex"551d99", false, hex"3000"), ""))).authority);
    }

    function tbs_(bytes memory a, bytes memory b) private pure returns (bytes memory) {
        return tbsOf(1, "A", "B", FROM_TO, ROOT, tlv(0xa3, tlv(0x30, bytes.concat(a, b))));
    }

    function derTime(bytes memory value) external pure returns (uint64) {
        return Der.time(value, Der.read(value, 0, value.length));
    }

    function derUnsigned(bytes memory value) external pure returns (uint256) {
        return Der.unsigned(value, Der.read(value, 0, value.length));
    }

    function refusedDer(bytes memory value) private {
        refused(Der.DerMalformed.selector);
        this.derUnsigned(value);
    }

    function test_derIsReadInItsShortestFormOnly() external {
        vm.assertEq(this.derUnsigned(hex"020100"), 0);
        vm.assertEq(this.derUnsigned(hex"02020080"), 128);
        refusedDer(hex"0200");
        refusedDer(hex"020180");
        refusedDer(hex"02020001");
        refusedDer(hex"02810101");
        refusedDer(hex"0280");
        refusedDer(hex"02840000000101");
        refusedDer(hex"0282000101");
        refusedDer(hex"020201");
        refusedDer(hex"1f0100");
        refusedDer(hex"040100");
        refusedDer(hex"02");
        refusedDer(bytes.concat(hex"0222", new bytes(34)));
        refusedDer(bytes.concat(hex"022101", new bytes(32)));
        vm.assertEq(this.derTime(hex"170d3730303130313030303030305a"), 0);
        vm.assertEq(this.derTime(hex"180f32303439313233313233353935395a"), 2_524_607_999);
        vm.assertEq(this.derTime(hex"170d3030303232393030303030305a"), 951_782_400);
        refused(Der.DerMalformed.selector);
        this.derTime(hex"170d3030303233303030303030305a");
        refused(Der.DerMalformed.selector);
        this.derTime(hex"170d30303032323930303030303058");
        refused(Der.DerMalformed.selector);
        this.derTime(hex"170c30303032323930303030305a");
        refused(Der.DerMalformed.selector);
        this.derTime(hex"170d7878303232393030303030305a");
        refused(Der.DerMalformed.selector);
        this.derTime(hex"180f31393639313233313233353935395a");
    }

    function bounds(uint256 which) external view {
        bytes memory short = hex"0102";
        if (which == 0) Der.hashOf(short, 0, 3);
        if (which == 1) Der.sha256Of(short, 1, 3);
        if (which == 2) Der.word(short, 0);
        if (which == 3) Der.read(short, 0, 3);
        if (which == 4) IntelJson.quoted('"abc', 0);
        if (which == 5) IntelJson.digits("00", 0, 2);
        if (which == 6) IntelJson.moment('"2026', 0);
    }

    function test_nothingIsReadPastTheEnd() external {
        for (uint256 which; which < 7; ++which) {
            vm.expectRevert();
            this.bounds(which);
        }
    }

    /// ECDSA knows no low s: both values verify; and the precompile and the Solidity code agree.
    function testFuzz_bothVerifiersAgree(uint256 key, bytes32 hash, bool flip) external view {
        key = bound(key, 1, 1e60);
        (bytes32 r, bytes32 s) = vm.signP256(key, hash);
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        bytes32 given = flip ? bytes32(P256.N - uint256(s)) : s;
        vm.assertTrue(X509.verify(hash, r, given, bytes32(x), bytes32(y)));
        bytes32 low = uint256(s) > P256.N / 2 ? bytes32(P256.N - uint256(s)) : s;
        vm.assertTrue(P256.verifySolidity(hash, r, low, bytes32(x), bytes32(y)));
        vm.assertFalse(X509.verify(keccak256(abi.encode(hash)), r, s, bytes32(x), bytes32(y)));
    }
}
