// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Der} from "../solidity/attestation/Der.sol";
import {IntelJson} from "../solidity/attestation/IntelJson.sol";
import {TcbText} from "../solidity/attestation/TcbText.sol";
import {TdxAuthorities} from "../solidity/attestation/TdxAuthorities.sol";
import {TdxCollateral} from "../solidity/attestation/TdxCollateral.sol";
import {TdxVerifier} from "../solidity/attestation/TdxVerifier.sol";
import {Certificate, RevocationList, X509} from "../solidity/attestation/X509.sol";
import {TdxWorld} from "./TdxWorld.sol";

/// What is read of certificates, lists and Intel's texts: everything that can be wrong with them.
contract TdxParsersTest is TdxWorld {
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
        refusedInfo(tcbInfo("Fine"), TcbText.StatusUnknown.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"TDX_01"', '"TDX_00"'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"svn":5', '"svn":999'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":65536'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":011'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"pcesvn":11', '"pcesvn":x'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"isvsvn":2', '"isvsvn":9'), TcbText.LevelsNotDescending.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-13-13'), Der.DerMalformed.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-02-30'), Der.DerMalformed.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024/03-13'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), '"2024-03-13', '"2024-0x-13'), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "00806F05", "00806G05"), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "Early Micro", "Early\\Micro"), IntelJson.JsonUnexpected.selector);
        refusedInfo(replaced(tcbInfo("UpToDate"), "2026-06-01", "2026-12-01"), TdxAuthorities.OutOfDate.selector);
        bytes memory same = module(',{"id":"TDX_01",');
        refusedInfo(
            replaced(tcbInfo("UpToDate"), ']}],"tcbLevels":[', bytes.concat("]}", same, ',"tcbLevels":[', isvLevel("1", "UpToDate"), ']}],"tcbLevels":[')),
            IntelJson.JsonUnexpected.selector
        );
        bytes memory many = isvLevel("99", "UpToDate");
        for (uint256 i = 98; i > 88; --i) {
            many = bytes.concat(many, ",", isvLevel(bytes.concat("8", bytes1(uint8(0x30 + (i - 89)))), "UpToDate"));
        }
        refusedInfo(replaced(tcbInfo("UpToDate"), isvLevel("4", "UpToDate"), many), TcbText.TooManyLevels.selector);
        bytes memory text = tcbInfo("UpToDate");
        bytes memory proof = signature(ATTESTER, text);
        refused(TdxAuthorities.SignatureInvalid.selector);
        collateral.addTcbInfo(text, proof, id(SIGNER));
        refused(TdxAuthorities.SignatureInvalid.selector);
        collateral.addTcbInfo(text, hex"00", id(SIGNER));
        refused(TdxAuthorities.AuthorityUnknown.selector);
        collateral.addTcbInfo(text, proof, id(ATTESTER));
        refused(TdxAuthorities.AuthorityWrongKind.selector);
        collateral.addTcbInfo(text, proof, id(AUTHORITY));
        bringInfo(text);
        refusedInfo(text, TdxAuthorities.NotNewer.selector);
        refusedInfo(
            replaced(replaced(text, "2026-06-01", "2026-06-02"), ":17", ":16"), TdxAuthorities.NotNewer.selector
        );
        bringInfo(replaced(replaced(text, "2026-06-01", "2026-06-02"), ',"advisoryIDs":["INTEL-SA-1","INTEL-SA-2"]', ',"advisoryIDs":[]'));
        bytes memory i_ = identity("UpToDate");
        bringIdentity(i_);
        refusedIdentity(i_, TdxAuthorities.NotNewer.selector);
        refusedIdentity(replaced(replaced(i_, "2026-06-01", "2026-06-02"), ":17", ":16"), TdxAuthorities.NotNewer.selector);
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
            signedBy(AUTHORITY, tbsOf(99, "Authority", "P", FROM_TO, PLATFORM, tail)), TdxAuthorities.IsRevoked.selector
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
        refused(TdxAuthorities.IssuerOther.selector);
        new TdxCollateral(bad);
        bad = signedBy(ROOT, tbsOf(1, "Root", "Root", FROM_TO, ROOT, extensions(false, "")));
        refused(TdxAuthorities.AuthorityWrongKind.selector);
        new TdxCollateral(bad);
        bad = signedBy(SIGNER, tbsOf(1, "Root", "Root", FROM_TO, ROOT, extensions(true, "")));
        refused(TdxAuthorities.SignatureInvalid.selector);
        new TdxCollateral(bad);
        bad = authorityCertificate();
        refused(TdxAuthorities.ListMissing.selector);
        collateral.addAuthority(bad);
        bytes32 root = collateral.root();
        bytes memory list = listOf(SIGNER, "Root", "");
        refused(TdxAuthorities.SignatureInvalid.selector);
        collateral.addRevocationList(list, root);
        list = listOf(ROOT, "Other", "");
        refused(TdxAuthorities.IssuerOther.selector);
        collateral.addRevocationList(list, root);
        list = listOf(ROOT, "Root", tlv(0x30, revokedSerial(2)));
        collateral.addRevocationList(list, root);
        refused(TdxAuthorities.NotNewer.selector);
        collateral.addRevocationList(list, root);
        refused(TdxAuthorities.IsRevoked.selector);
        collateral.addAuthority(bad);
        bad = signedBy(ROOT, tbsOf(5, "Other", "Authority", FROM_TO, AUTHORITY, extensions(true, "")));
        refused(TdxAuthorities.IssuerOther.selector);
        collateral.addAuthority(bad);
        bad = signedBy(SIGNER, tbsOf(5, "Root", "Authority", FROM_TO, AUTHORITY, extensions(true, "")));
        refused(TdxAuthorities.SignatureInvalid.selector);
        collateral.addAuthority(bad);
        bytes memory past = hex"301e170d3139303130313030303030305a170d3230303130313030303030305a";
        bad = signedBy(ROOT, tbsOf(5, "Root", "Authority", past, AUTHORITY, extensions(true, "")));
        refused(TdxAuthorities.OutOfDate.selector);
        collateral.addAuthority(bad);
        vm.warp(1_800_000_000);
        bad = signerCertificate();
        refused(TdxAuthorities.OutOfDate.selector);
        collateral.addAuthority(bad);
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
