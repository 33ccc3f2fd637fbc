// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Der} from "./Der.sol";

/// @title Reads the JSON that Intel signs: the fields in Intel's order, without spaces, and nothing else
/// @notice Not a JSON parser: the text is compared with what it must be, and values are read where they must stand. A text
/// that Intel would write otherwise is refused, never misread. All functions give the position after what they read.
library IntelJson {
    error JsonUnexpected(uint256 offset);

    /// @notice The text from `p` must be `literal`, at most 32 bytes long.
    function expect(bytes memory text, uint256 p, bytes memory literal) internal pure returns (uint256) {
        if (!has(text, p, literal)) revert JsonUnexpected(p);
        return p + literal.length;
    }

    /// @notice Whether the text from `p` is `literal`, at most 32 bytes long.
    function has(bytes memory text, uint256 p, bytes memory literal) internal pure returns (bool same) {
        uint256 length = literal.length;
        if (length > 32 || p + length > text.length) return false;
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, length))
            same := eq(shr(shift, mload(add(add(text, 0x20), p))), shr(shift, mload(add(literal, 0x20))))
        }
    }

    /// @notice A decimal number of at most nine digits, without leading zeros.
    function number(bytes memory text, uint256 p) internal pure returns (uint256 value, uint256 next) {
        next = p;
        while (next < text.length) {
            uint256 digit = uint256(uint8(text[next])) ^ 0x30;
            if (digit > 9) break;
            value = value * 10 + digit;
            ++next;
        }
        if (next == p || next - p > 9 || (text[p] == "0" && next - p > 1)) revert JsonUnexpected(p);
    }

    /// @notice A quoted text of printable ASCII without escapes: its hash.
    function quoted(bytes memory text, uint256 p) internal pure returns (bytes32 hash, uint256 next) {
        p = expect(text, p, '"');
        next = p;
        while (next < text.length && text[next] != '"') {
            uint8 character = uint8(text[next]);
            if (character < 0x20 || character > 0x7e || character == 0x5c) revert JsonUnexpected(next);
            ++next;
        }
        if (next >= text.length) revert JsonUnexpected(p);
        hash = Der.hashOf(text, p, next);
        ++next;
    }

    /// @notice A quoted number of `length` bytes in hexadecimal, either case, at most 32 bytes.
    function hexadecimal(bytes memory text, uint256 p, uint256 length)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        (value, next) = digits(text, expect(text, p, '"'), length);
        next = expect(text, next, '"');
    }

    /// @notice A quoted number of 48 bytes in hexadecimal: its first 16 and its last 32 bytes.
    function hexadecimal48(bytes memory text, uint256 p)
        internal
        pure
        returns (uint256 high, uint256 low, uint256 next)
    {
        (high, next) = digits(text, expect(text, p, '"'), 16);
        (low, next) = digits(text, next, 32);
        next = expect(text, next, '"');
    }

    /// @notice `length` bytes in hexadecimal, either case, without quotes.
    function digits(bytes memory text, uint256 p, uint256 length) internal pure returns (uint256 value, uint256 next) {
        next = p + 2 * length;
        if (next > text.length) revert JsonUnexpected(p);
        for (uint256 i = p; i < next; ++i) {
            uint8 c = uint8(text[i]);
            if (c >= 0x30 && c <= 0x39) c -= 0x30;
            else if (c >= 0x41 && c <= 0x46) c -= 0x37;
            else if (c >= 0x61 && c <= 0x66) c -= 0x57;
            else revert JsonUnexpected(i);
            value = value << 4 | c;
        }
    }

    /// @notice A quoted moment, "2025-01-21T11:14:05Z".
    function moment(bytes memory text, uint256 p) internal pure returns (uint64 time, uint256 next) {
        p = expect(text, p, '"');
        if (p + 21 > text.length) revert JsonUnexpected(p);
        if (
            text[p + 4] != "-" || text[p + 7] != "-" || text[p + 10] != "T" || text[p + 13] != ":"
                || text[p + 16] != ":"
        ) revert JsonUnexpected(p);
        time = Der.unixTime(
            _two(text, p) * 100 + _two(text, p + 2),
            _two(text, p + 5),
            _two(text, p + 8),
            _two(text, p + 11),
            _two(text, p + 14),
            _two(text, p + 17)
        );
        next = expect(text, p + 19, 'Z"');
    }

    /// @notice Skips `,"name":["...","..."]` when it is there.
    function skipStrings(bytes memory text, uint256 p, bytes memory head) internal pure returns (uint256) {
        if (!has(text, p, head)) return p;
        p += head.length;
        if (has(text, p, "]")) return p + 1;
        (, p) = quoted(text, p);
        while (!has(text, p, "]")) {
            p = expect(text, p, ",");
            (, p) = quoted(text, p);
        }
        return p + 1;
    }

    function _two(bytes memory text, uint256 p) private pure returns (uint256) {
        uint256 high = uint256(uint8(text[p])) ^ 0x30;
        uint256 low = uint256(uint8(text[p + 1])) ^ 0x30;
        if (high > 9 || low > 9) revert JsonUnexpected(p);
        return high * 10 + low;
    }
}
