// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TestBase} from "./Vm.sol";

/// @title A platform that does not exist: certificates, lists, collateral and quotes in the layout of real ones
/// @notice Written from the specifications, apart from the code under test.
abstract contract TdxWriter is TestBase {
    uint256 internal constant ROOT = 0x1001;
    uint256 internal constant AUTHORITY = 0x1002;
    uint256 internal constant SIGNER = 0x1003;
    uint256 internal constant PLATFORM = 0x1004;
    uint256 internal constant ATTESTER = 0x1005;
    bytes internal constant ECDSA = hex"300a06082a8648ce3d040302";
    bytes internal constant FROM_TO = hex"301e170d3236303130313030303030305a170d3336303130313030303030305a";

    function length(uint256 n) internal pure returns (bytes memory) {
        if (n < 0x80) return abi.encodePacked(uint8(n));
        if (n < 0x100) return abi.encodePacked(uint8(0x81), uint8(n));
        return abi.encodePacked(uint8(0x82), uint16(n));
    }

    function tlv(uint8 tag, bytes memory content) internal pure returns (bytes memory) {
        return bytes.concat(bytes1(tag), length(content.length), content);
    }

    function integer(uint256 value) internal pure returns (bytes memory) {
        bytes memory all = abi.encodePacked(uint8(0), value);
        uint256 start;
        while (start < 32 && all[start] == 0 && uint8(all[start + 1]) < 0x80) ++start;
        bytes memory content = new bytes(33 - start);
        for (uint256 i; i < content.length; ++i) content[i] = all[start + i];
        return tlv(0x02, content);
    }

    function name(string memory common) internal pure returns (bytes memory) {
        return tlv(0x30, tlv(0x31, tlv(0x30, bytes.concat(hex"0603550403", tlv(0x0c, bytes(common))))));
    }

    function publicKey(uint256 key) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return abi.encodePacked(x, y);
    }

    function signature(uint256 key, bytes memory data) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, sha256(data));
        return abi.encodePacked(r, s);
    }

    function signedBy(uint256 key, bytes memory tbs) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, sha256(tbs));
        bytes memory pair = tlv(0x30, bytes.concat(integer(uint256(r)), integer(uint256(s))));
        return tlv(0x30, bytes.concat(tbs, ECDSA, tlv(0x03, bytes.concat(hex"00", pair))));
    }

    function extension(bytes memory oid, bool critical, bytes memory value) internal pure returns (bytes memory) {
        return tlv(
            0x30, bytes.concat(tlv(0x06, oid), critical ? bytes(hex"0101ff") : bytes(""), tlv(0x04, value))
        );
    }

    function extensions(bool authority, bytes memory more) internal pure returns (bytes memory) {
        bytes memory basic = extension(hex"551d13", true, authority ? bytes(hex"30030101ff") : bytes(hex"3000"));
        bytes memory usage = extension(hex"551d0f", true, authority ? bytes(hex"03020106") : bytes(hex"030206c0"));
        return tlv(0xa3, tlv(0x30, bytes.concat(basic, usage, more)));
    }

    function tbsOf(
        uint256 serial,
        string memory issuer,
        string memory subject,
        bytes memory validity,
        uint256 key,
        bytes memory tail
    ) internal pure returns (bytes memory) {
        bytes memory spki = tlv(
            0x30,
            bytes.concat(
                hex"301306072a8648ce3d020106082a8648ce3d030107", tlv(0x03, bytes.concat(hex"0004", publicKey(key)))
            )
        );
        return tlv(
            0x30,
            bytes.concat(
                hex"a003020102", integer(serial), ECDSA, name(issuer), validity, name(subject), bytes.concat(spki, tail)
            )
        );
    }

    function attribute(uint8 arc, bytes memory value) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(tlv(0x06, abi.encodePacked(hex"2a864886f84d010d01", arc)), value));
    }

    function tcbAttribute(uint8 arc, uint256 svn) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(tlv(0x06, abi.encodePacked(hex"2a864886f84d010d0102", arc)), integer(svn)));
    }

    function sgxExtension(uint256 svn) internal pure returns (bytes memory) {
        bytes memory tcb;
        for (uint8 arc = 1; arc <= 16; ++arc) tcb = bytes.concat(tcb, tcbAttribute(arc, svn));
        tcb = bytes.concat(tcb, tcbAttribute(17, 11), tlv(0x30, bytes.concat(tlv(0x06, hex"2a864886f84d010d010212"), tlv(0x04, new bytes(16)))));
        return tlv(
            0x30,
            bytes.concat(
                attribute(1, tlv(0x04, new bytes(16))),
                attribute(2, tlv(0x30, tcb)),
                attribute(3, tlv(0x04, hex"0000")),
                attribute(4, tlv(0x04, hex"00806f050000")),
                attribute(5, hex"0a0100")
            )
        );
    }

    function rootCertificate() internal pure returns (bytes memory) {
        return signedBy(ROOT, tbsOf(1, "Root", "Root", FROM_TO, ROOT, extensions(true, "")));
    }

    function authorityCertificate() internal pure returns (bytes memory) {
        return signedBy(ROOT, tbsOf(2, "Root", "Authority", FROM_TO, AUTHORITY, extensions(true, "")));
    }

    function signerCertificate() internal pure returns (bytes memory) {
        return signedBy(ROOT, tbsOf(3, "Root", "Signer", FROM_TO, SIGNER, extensions(false, "")));
    }

    function platformTbs(bytes memory sgx) internal pure returns (bytes memory) {
        bytes memory more = extension(hex"2a864886f84d010d01", false, sgx);
        return tbsOf(4, "Authority", "Platform", FROM_TO, PLATFORM, extensions(false, more));
    }

    function platformCertificate() internal pure returns (bytes memory) {
        return signedBy(AUTHORITY, platformTbs(sgxExtension(5)));
    }

    function listOf(uint256 key, string memory issuer, bytes memory revoked) internal pure returns (bytes memory) {
        bytes memory tbs = tlv(
            0x30,
            bytes.concat(
                hex"020101",
                ECDSA,
                name(issuer),
                hex"170d3236303630313030303030305a170d3236313233313030303030305a",
                revoked,
                tlv(0xa0, tlv(0x30, extension(hex"551d14", false, hex"020101")))
            )
        );
        return signedBy(key, tbs);
    }

    function revokedSerial(uint256 serial) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(integer(serial), hex"170d3236303530313030303030305a"));
    }

    function id(uint256 key) internal pure returns (bytes32) {
        return keccak256(publicKey(key));
    }

    function dates() internal pure returns (bytes memory) {
        return ',"issueDate":"2026-06-01T00:00:00Z","nextUpdate":"2026-12-31T00:00:00Z"';
    }

    function zeros(uint256 count) internal pure returns (bytes memory text) {
        text = new bytes(count);
        for (uint256 i; i < count; ++i) text[i] = "0";
    }

    function module(bytes memory head) internal pure returns (bytes memory) {
        return bytes.concat(
            head, '"mrsigner":"', zeros(96), '","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"'
        );
    }

    function components(bytes1 svn) internal pure returns (bytes memory text) {
        text = "[";
        for (uint256 i; i < 16; ++i) {
            text = bytes.concat(
                text,
                '{"svn":',
                svn,
                i == 0 ? bytes(',"category":"BIOS","type":"Early Microcode Update"') : bytes(""),
                i == 15 ? bytes("}]") : bytes("},")
            );
        }
    }

    function level(bytes1 sgx, bytes1 tdx, bytes memory status) internal pure returns (bytes memory) {
        return bytes.concat(
            '{"tcb":{"sgxtcbcomponents":',
            components(sgx),
            ',"pcesvn":11,"tdxtcbcomponents":',
            components(tdx),
            '},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"',
            status,
            '"}'
        );
    }

    function isvLevel(bytes memory svn, bytes memory status) internal pure returns (bytes memory) {
        return bytes.concat(
            '{"tcb":{"isvsvn":', svn, '},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"', status,
            '","advisoryIDs":["INTEL-SA-1","INTEL-SA-2"]}'
        );
    }

    function tcbInfo(bytes memory highest) internal pure returns (bytes memory) {
        return bytes.concat(
            bytes.concat(
                '{"id":"TDX","version":3',
                dates(),
                ',"fmspc":"00806F050000","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":17,"tdxModule":{',
                module(""),
                '},"tdxModuleIdentities":[',
                module('{"id":"TDX_01",'),
                ',"tcbLevels":[',
                isvLevel("4", "UpToDate")
            ),
            bytes.concat(
                ",",
                isvLevel("2", "OutOfDate"),
                ']}],"tcbLevels":[',
                level("5", "3", highest),
                ",",
                level("4", "2", "OutOfDate"),
                ",",
                level("3", "1", "ConfigurationNeeded")
            ),
            "]}"
        );
    }

    function identity(bytes memory status) internal pure returns (bytes memory) {
        return bytes.concat(
            '{"id":"TD_QE","version":2',
            dates(),
            ',"tcbEvaluationDataNumber":17,"miscselect":"00000000","miscselectMask":"FFFFFFFF",',
            '"attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000",',
            '"mrsigner":"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5","isvprodid":2,"tcbLevels":[',
            isvLevel("4", status),
            ",",
            isvLevel("2", "OutOfDate"),
            "]}"
        );
    }

    function put(bytes memory into, uint256 offset, bytes memory value) internal pure {
        for (uint256 i; i < value.length; ++i) into[offset + i] = value[i];
    }

    /// Header and TD report; `svn` is TEE_TCB_SVN.
    function signedPart(uint8 version, bytes16 svn, bytes16 second) internal pure returns (bytes memory quote) {
        bool fifteen = second != 0;
        uint256 body = version == 5 ? 54 : 48;
        quote = new bytes(body + (fifteen ? 648 : 584));
        put(quote, 0, abi.encodePacked(version, hex"000200", hex"81000000", hex"00000000", hex"939a7233f79c4ca9940a0db3957f0607"));
        if (version == 5) put(quote, 48, fifteen ? bytes(hex"030088020000") : bytes(hex"020048020000"));
        put(quote, body, abi.encodePacked(svn));
        put(quote, body + 136, "measured");
        put(quote, body + 520, "report data");
        if (fifteen) put(quote, body + 584, abi.encodePacked(second));
    }

    function enclaveReport(uint256 svn, bytes memory authentication) internal pure returns (bytes memory report) {
        report = new bytes(384);
        put(report, 48, hex"11");
        put(report, 128, hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5");
        put(report, 256, abi.encodePacked(uint8(2), uint8(0), uint8(svn), uint8(0)));
        put(report, 320, abi.encodePacked(sha256(bytes.concat(publicKey(ATTESTER), authentication))));
    }

    function quoteOf(bytes memory signed, bytes memory report) internal pure returns (bytes memory) {
        return bytes.concat(
            bytes.concat(signed, hex"00000000", signature(ATTESTER, signed), publicKey(ATTESTER)),
            hex"060000000000",
            report,
            signature(PLATFORM, report),
            hex"0400",
            "auth"
        );
    }

    /// The first place of `what` in a text, written otherwise.
    function replaced(bytes memory text, bytes memory what, bytes memory by) internal pure returns (bytes memory) {
        for (uint256 i; i + what.length <= text.length; ++i) {
            bool same = true;
            for (uint256 k; k < what.length && same; ++k) same = text[i + k] == what[k];
            if (!same) continue;
            bytes memory head = new bytes(i);
            for (uint256 k; k < i; ++k) head[k] = text[k];
            bytes memory tail = new bytes(text.length - i - what.length);
            for (uint256 k; k < tail.length; ++k) tail[k] = text[i + what.length + k];
            return bytes.concat(head, by, tail);
        }
        revert("nothing to replace");
    }
}
