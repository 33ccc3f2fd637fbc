// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Der} from "../solidity/attestation/Der.sol";
import {IntelJson} from "../solidity/attestation/IntelJson.sol";
import {RevocationList, X509} from "../solidity/attestation/X509.sol";
import {TdxWriter} from "./TdxWriter.sol";

/// The parsers by themselves, where a whole certificate or quote would not reach.
contract ParsersTest is TdxWriter {
    function sha(uint256 length) external view returns (bytes32) {
        return Der.sha256Of(new bytes(length), 0, length);
    }

    /// Whatever the gas, the hash is right or there is none: a precompile that ran out of gas leaves no old memory behind.
    function test_aHashThatRanOutOfGasIsNoHash() external {
        bytes32 right = sha256(new bytes(131_072));
        uint256 named;
        // Long enough that the part of the gas which a call leaves behind is enough to say what happened.
        for (uint256 gas_ = 60_000; gas_ < 140_000; gas_ += 250) {
            try this.sha{gas: gas_}(131_072) returns (bytes32 hash) {
                vm.assertEq(hash, right);
            } catch (bytes memory reason) {
                if (bytes4(reason) == Der.DerMalformed.selector) ++named;
                else vm.assertEq(reason.length, 0);
            }
        }
        vm.assertTrue(named != 0);
        vm.assertEq(this.sha(131_072), right);
    }

    function digits(bytes memory text) external pure returns (uint256 value) {
        (value,) = IntelJson.digits(text, 0, text.length / 2);
    }

    function testFuzz_hexadecimalIsReadInEitherCase(uint128 number, bool upper) external view {
        bytes memory text = new bytes(32);
        for (uint256 i; i < 32; ++i) {
            uint8 nibble = uint8(uint256(number) >> (4 * (31 - i)) & 0xf);
            text[i] = bytes1(nibble < 10 ? 0x30 + nibble : (upper ? 0x37 : 0x57) + nibble);
        }
        vm.assertEq(this.digits(text), number);
    }

    function testFuzz_nothingElseIsHexadecimal(uint8 character) external {
        bool digit = character >= 0x30 && character <= 0x39;
        bool letter = (character | 0x20) >= 0x61 && (character | 0x20) <= 0x66;
        bytes memory text = abi.encodePacked("0", character);
        if (!digit && !letter) vm.expectRevert(abi.encodeWithSelector(IntelJson.JsonUnexpected.selector, 1));
        this.digits(text);
    }

    function parseList(bytes memory der) external view returns (RevocationList memory) {
        return X509.parseList(der);
    }

    function shortList(bytes memory rest) private view returns (bytes memory) {
        bytes memory tbs = tlv(
            0x30,
            bytes.concat(
                hex"020101", ECDSA, name("Root"), hex"170d3236303630313030303030305a170d3236313233313030303030305a", rest
            )
        );
        return signedBy(ROOT, tbs);
    }

    /// A list may end before its revoked certificates and before its extensions; nothing may follow them.
    function test_revocationListsEndWhereTheyMay() external {
        vm.assertEq(this.parseList(shortList("")).serials.length, 0);
        vm.assertEq(this.parseList(shortList(tlv(0x30, revokedSerial(7)))).serials[0], 7);
        bytes memory list = shortList(hex"0500");
        refused(X509.CertificateMalformed.selector);
        this.parseList(list);
        list = shortList(bytes.concat(tlv(0x30, revokedSerial(7)), hex"0500"));
        refused(X509.CertificateMalformed.selector);
        this.parseList(list);
        list = shortList(bytes.concat(tlv(0xa0, tlv(0x30, "")), hex"0500"));
        refused(X509.CertificateMalformed.selector);
        this.parseList(list);
    }

    function test_aListHasAsManyCertificatesAsTheContractKeeps() external {
        // Only the serial number of an entry is read: the shortest entries there can be.
        bytes memory entries = hex"3003020107";
        for (uint256 i; i < 12; ++i) entries = bytes.concat(entries, entries);
        vm.assertEq(this.parseList(shortList(tlv(0x30, entries))).serials.length, X509.MAXIMUM_REVOKED);
        entries = bytes.concat(entries, hex"3003020107");
        bytes memory list = shortList(tlv(0x30, entries));
        refused(X509.CertificateMalformed.selector);
        this.parseList(list);
    }

    /// A signature is two integers and nothing after them.
    function test_aSignatureHasTwoParts() external {
        bytes memory tbs = tlv(0x30, hex"020101");
        bytes memory pair = tlv(0x30, hex"020101020101020101");
        bytes memory der = tlv(0x30, bytes.concat(tbs, ECDSA, tlv(0x03, bytes.concat(hex"00", pair))));
        refused(X509.CertificateMalformed.selector);
        this.parseList(der);
    }
}
