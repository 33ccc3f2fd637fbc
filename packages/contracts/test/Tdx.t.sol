// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TdxAuthorities} from "../solidity/attestation/TdxAuthorities.sol";
import {TcbStatus, TdxCollateral} from "../solidity/attestation/TdxCollateral.sol";
import {TdxVerdict, TdxVerifier} from "../solidity/attestation/TdxVerifier.sol";
import {TdxWorld} from "./TdxWorld.sol";

/// Quotes of a platform that does not exist, and everything that can be wrong with them. Real ones are verified by
/// `npm run conformance -- contracts`.
contract TdxTest is TdxWorld {
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

    function test_nothingIsVerifiedAgainstMissingCollateral() external {
        bytes memory quote = good();
        bytes memory certificate = platformCertificate();
        refused(TdxAuthorities.AuthorityUnknown.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringAuthorities();
        refused(TdxCollateral.IdentityMissing.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringIdentity(identity("UpToDate"));
        refused(TdxCollateral.TcbInfoMissing.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        bringInfo(tcbInfo("UpToDate"));
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
        refused(TdxAuthorities.AuthorityWrongKind.selector);
        verifier.verifyQuote(quote, certificate, id(SIGNER));
        vm.warp(1_800_000_000);
        refused(TdxAuthorities.OutOfDate.selector);
        verifier.verifyQuote(quote, certificate, id(AUTHORITY));
    }
}
