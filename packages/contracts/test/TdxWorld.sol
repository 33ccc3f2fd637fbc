// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TcbStatus, TdxCollateral} from "../solidity/attestation/TdxCollateral.sol";
import {TdxVerifier} from "../solidity/attestation/TdxVerifier.sol";
import {TdxWriter} from "./TdxWriter.sol";

/// Collateral on chain of a platform that does not exist.
abstract contract TdxWorld is TdxWriter {
    bytes16 internal constant SVN = 0x04010303030303030303030303030303;
    TdxCollateral internal collateral;
    TdxVerifier internal verifier;

    function setUp() public {
        vm.warp(1_785_000_000);
        collateral = new TdxCollateral(rootCertificate());
        verifier = new TdxVerifier(collateral, 1 << uint256(TcbStatus.UpToDate));
    }

    function bring() internal {
        bringAuthorities();
        bringInfo(tcbInfo("UpToDate"));
        bringIdentity(identity("UpToDate"));
    }

    function bringAuthorities() internal {
        collateral.addRevocationList(listOf(ROOT, "Root", ""), collateral.root());
        collateral.addAuthority(authorityCertificate());
        collateral.addAuthority(signerCertificate());
        collateral.addRevocationList(listOf(AUTHORITY, "Authority", tlv(0x30, revokedSerial(99))), id(AUTHORITY));
    }

    function bringInfo(bytes memory text) internal {
        collateral.addTcbInfo(text, signature(SIGNER, text), id(SIGNER));
    }

    function bringIdentity(bytes memory text) internal {
        collateral.addIdentity(text, signature(SIGNER, text), id(SIGNER));
    }

    function good() internal pure returns (bytes memory) {
        return quoteOf(signedPart(4, SVN, 0), enclaveReport(4, "auth"));
    }
}
