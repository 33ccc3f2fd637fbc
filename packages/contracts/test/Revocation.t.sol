// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TdxAuthorities} from "../solidity/attestation/TdxAuthorities.sol";
import {Currency} from "../solidity/attestation/TdxAuthorities.sol";
import {TcbStatus, TdxCollateral} from "../solidity/attestation/TdxCollateral.sol";
import {TdxVerifier} from "../solidity/attestation/TdxVerifier.sol";
import {TdxWriter} from "./TdxWriter.sol";

/// What Intel's root takes back after it was brought: the root's newest list is asked whenever something is used.
contract RevocationTest is TdxWriter {
    bytes16 private constant SVN = 0x04010303030303030303030303030303;
    uint256 private constant AUTHORITY_SERIAL = 2;
    uint256 private constant SIGNER_SERIAL = 3;
    uint256 private constant SECOND_SIGNER = 0x5162;
    TdxCollateral private collateral;
    TdxVerifier private verifier;
    bytes private evidence;

    function setUp() public {
        vm.warp(1_785_000_000);
        collateral = new TdxCollateral(rootCertificate());
        verifier = new TdxVerifier(collateral, 1 << uint256(TcbStatus.UpToDate));
        collateral.addRevocationList(listOf(ROOT, "Root", ""), collateral.root());
        collateral.addAuthority(authorityCertificate());
        collateral.addAuthority(signerCertificate());
        collateral.addRevocationList(listOf(AUTHORITY, "Authority", ""), id(AUTHORITY));
        bring(SIGNER);
        bytes memory quote = quoteOf(signedPart(4, SVN, 0), enclaveReport(4, "auth"));
        evidence = abi.encode(quote, platformCertificate(), id(AUTHORITY));
        verify();
        vm.warp(1_786_000_000);
    }

    function bring(uint256 signer) private {
        bytes memory text = tcbInfo("UpToDate");
        collateral.addTcbInfo(text, signature(signer, text), id(signer));
        text = identity("UpToDate");
        collateral.addIdentity(text, signature(signer, text), id(signer));
    }

    function verify() private view {
        verifier.verify(evidence);
    }

    function expectRevoked(uint256 serial) private {
        vm.expectRevert(abi.encodeWithSelector(TdxAuthorities.IsRevoked.selector, collateral.root(), serial));
    }

    /// A newer list of the root names a serial.
    function revoke(uint256 serial) private {
        bytes memory tbs = tlv(
            0x30,
            bytes.concat(
                hex"020101",
                ECDSA,
                name("Root"),
                hex"170d3236303631353030303030305a170d3236313233313030303030305a",
                tlv(0x30, revokedSerial(serial)),
                tlv(0xa0, tlv(0x30, extension(hex"551d14", false, hex"020102")))
            )
        );
        bytes memory list = signedBy(ROOT, tbs);
        bytes32 root = collateral.root();
        collateral.addRevocationList(list, root);
    }

    function test_aPlatformOfAnAuthorityThatWasRevokedSinceIsRefused() external {
        revoke(AUTHORITY_SERIAL);
        expectRevoked(AUTHORITY_SERIAL);
        verify();
        bytes memory list = listOf(AUTHORITY, "Authority", "");
        bytes32 issuer = id(AUTHORITY);
        expectRevoked(AUTHORITY_SERIAL);
        collateral.addRevocationList(list, issuer);
    }

    function test_aSignerThatWasRevokedSinceBringsNothing() external {
        revoke(SIGNER_SERIAL);
        bytes memory text = tcbInfo("UpToDate");
        bytes memory signed = signature(SIGNER, text);
        expectRevoked(SIGNER_SERIAL);
        collateral.addTcbInfo(text, signed, id(SIGNER));
        text = identity("UpToDate");
        signed = signature(SIGNER, text);
        expectRevoked(SIGNER_SERIAL);
        collateral.addIdentity(text, signed, id(SIGNER));
    }

    function test_whatARevokedSignerBroughtCountsNoMore() external {
        revoke(SIGNER_SERIAL);
        expectRevoked(SIGNER_SERIAL);
        verify();
    }

    /// What a revoked signer left behind, with whatever date, is replaced by what a signer in force says.
    function test_anotherSignerReplacesWhatARevokedOneBrought() external {
        collateral.addAuthority(
            signedBy(
                ROOT,
                tbsOf(9, "Root", "Signer", FROM_TO, SECOND_SIGNER, extensions(false, ""))
            )
        );
        revoke(SIGNER_SERIAL);
        bytes memory text = identity("UpToDate");
        collateral.addIdentity(text, signature(SECOND_SIGNER, text), id(SECOND_SIGNER));
        // The TCB info is still the revoked signer's.
        expectRevoked(SIGNER_SERIAL);
        verify();
        text = tcbInfo("UpToDate");
        collateral.addTcbInfo(text, signature(SECOND_SIGNER, text), id(SECOND_SIGNER));
        verify();
        vm.assertEq(collateral.getIdentity().signedBy, id(SECOND_SIGNER));
        bytes memory signed = signature(SECOND_SIGNER, text);
        refused(TdxAuthorities.NotNewer.selector);
        collateral.addTcbInfo(text, signed, id(SECOND_SIGNER));
    }

    /// All else is in date: the list itself must be.
    function test_nothingIsBroughtWithoutACurrentListOfTheRoot() external {
        bytes memory text = replaced(replaced(tcbInfo("UpToDate"), "2026-06-01", "2026-06-02"), "2026-12-31", "2027-12-31");
        bytes memory signed = signature(SIGNER, text);
        Currency memory list = collateral.getRevocationList(collateral.root());
        vm.warp(list.until + 1);
        vm.expectRevert(
            abi.encodeWithSelector(TdxAuthorities.OutOfDate.selector, list.from, list.until, list.until + 1)
        );
        collateral.addTcbInfo(text, signed, id(SIGNER));
        vm.warp(list.until);
        collateral.addTcbInfo(text, signed, id(SIGNER));
    }
}
