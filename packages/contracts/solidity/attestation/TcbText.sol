// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IntelJson} from "./IntelJson.sol";

/// @notice Intel's words for how current a platform is, and what a verification can end with besides.
enum TcbStatus {
    None,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
    NotSupported,
    RelaunchAdvised,
    RelaunchAdvisedConfigurationNeeded
}

/// @notice A TDX module, or the quoting enclave: SVNs with their statuses, three bytes each, the highest first.
struct Module {
    bytes32 signer;
    uint64 attributes;
    uint64 attributesMask;
    uint8 count;
    uint256 levels;
}

/// @title How Intel writes TCB levels, modules and statuses, read in its order of fields and no other
/// @notice Keeps nothing.
abstract contract TcbText {
    uint256 private constant MAXIMUM_LEVELS = 10;

    error TooManyLevels(uint256 count);
    error StatusUnknown(uint256 offset);
    error LevelsNotDescending(uint256 offset);

    function _readModule(bytes memory text, uint256 p, bytes memory head)
        internal
        pure
        returns (Module memory module, uint256 next)
    {
        uint256 high;
        uint256 low;
        p = IntelJson.expect(text, p, head);
        (high, low, p) = IntelJson.hexadecimal48(text, p);
        module.signer = keccak256(abi.encodePacked(uint128(high), uint256(low)));
        (high, p) = _hex(text, p, ',"attributes":', 8);
        module.attributes = uint64(high);
        (high, p) = _hex(text, p, ',"attributesMask":', 8);
        module.attributesMask = uint64(high);
        next = p;
    }

    function _readIsvLevels(bytes memory text, uint256 p)
        internal
        pure
        returns (uint256 levels, uint8 count, uint256 next)
    {
        p = IntelJson.expect(text, p, ',"tcbLevels":[');
        uint256 last = type(uint256).max;
        while (true) {
            uint256 svn;
            TcbStatus status;
            if (count == MAXIMUM_LEVELS) revert TooManyLevels(count);
            (svn, p) = _number(text, p, '{"tcb":{"isvsvn":');
            if (svn > type(uint16).max || svn >= last) revert LevelsNotDescending(p);
            last = svn;
            (status, p) = _readStatus(text, IntelJson.expect(text, p, "}"));
            levels |= (svn << 8 | uint256(status)) << (24 * count);
            ++count;
            if (IntelJson.has(text, p, "]")) return (levels, count, p + 1);
            p = IntelJson.expect(text, p, ",");
        }
    }

    function _readComponents(bytes memory text, uint256 p) internal pure returns (uint256 components, uint256) {
        for (uint256 i; i < 16; ++i) {
            uint256 svn;
            (svn, p) = _number(text, p, '{"svn":');
            if (svn > 255) revert IntelJson.JsonUnexpected(p);
            components = components << 8 | svn;
            if (IntelJson.has(text, p, ',"category":')) (, p) = IntelJson.quoted(text, p + 12);
            if (IntelJson.has(text, p, ',"type":')) (, p) = IntelJson.quoted(text, p + 8);
            p = IntelJson.expect(text, p, i == 15 ? bytes("}]") : bytes("},"));
        }
        return (components, p);
    }

    function _readStatus(bytes memory text, uint256 p) internal pure returns (TcbStatus status, uint256) {
        p = IntelJson.expect(text, p, ',"tcbDate":');
        (, p) = IntelJson.moment(text, p);
        p = IntelJson.expect(text, p, ',"tcbStatus":');
        bytes32 name;
        uint256 start = p;
        (name, p) = IntelJson.quoted(text, p);
        if (name == keccak256("UpToDate")) status = TcbStatus.UpToDate;
        else if (name == keccak256("SWHardeningNeeded")) status = TcbStatus.SWHardeningNeeded;
        else if (name == keccak256("ConfigurationNeeded")) status = TcbStatus.ConfigurationNeeded;
        else if (name == keccak256("ConfigurationAndSWHardeningNeeded")) {
            status = TcbStatus.ConfigurationAndSWHardeningNeeded;
        } else if (name == keccak256("OutOfDate")) status = TcbStatus.OutOfDate;
        else if (name == keccak256("OutOfDateConfigurationNeeded")) status = TcbStatus.OutOfDateConfigurationNeeded;
        else if (name == keccak256("Revoked")) status = TcbStatus.Revoked;
        else revert StatusUnknown(start);
        p = IntelJson.skipStrings(text, p, ',"advisoryIDs":[');
        return (status, IntelJson.expect(text, p, "}"));
    }

    function _number(bytes memory text, uint256 p, bytes memory head) internal pure returns (uint256, uint256) {
        return IntelJson.number(text, IntelJson.expect(text, p, head));
    }

    function _hex(bytes memory text, uint256 p, bytes memory head, uint256 length)
        internal
        pure
        returns (uint256, uint256)
    {
        return IntelJson.hexadecimal(text, IntelJson.expect(text, p, head), length);
    }
}
