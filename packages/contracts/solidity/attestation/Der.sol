// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Distinguished Encoding Rules, as little of X.690 as X.509 needs, and no more
/// @notice Definite lengths in their shortest form only. Every read is checked against the end of its parent.
library Der {
    uint8 internal constant BOOLEAN = 0x01;
    uint8 internal constant INTEGER = 0x02;
    uint8 internal constant BIT_STRING = 0x03;
    uint8 internal constant OCTET_STRING = 0x04;
    uint8 internal constant OBJECT_IDENTIFIER = 0x06;
    uint8 internal constant UTC_TIME = 0x17;
    uint8 internal constant GENERALIZED_TIME = 0x18;
    uint8 internal constant SEQUENCE = 0x30;

    error DerMalformed(uint256 offset);
    error DerUnexpected(uint256 offset, uint8 expected, uint8 found);

    /// @dev A value: its content is [start, end) of the same bytes; `end` is also where the next value begins.
    struct Value {
        uint8 tag;
        uint256 start;
        uint256 end;
    }

    /// @notice The value that begins at `offset` and must end by `limit`.
    function read(bytes memory der, uint256 offset, uint256 limit) internal pure returns (Value memory value) {
        if (limit > der.length || offset + 2 > limit) revert DerMalformed(offset);
        value.tag = uint8(der[offset]);
        // Tags above 30 would need more bytes; X.509 has none.
        if (value.tag & 0x1f == 0x1f) revert DerMalformed(offset);
        uint256 length = uint8(der[offset + 1]);
        uint256 start = offset + 2;
        if (length >= 0x80) {
            uint256 size = length & 0x7f;
            if (size == 0 || size > 3 || start + size > limit) revert DerMalformed(offset);
            length = 0;
            for (uint256 i; i < size; ++i) {
                length = length << 8 | uint8(der[start + i]);
            }
            start += size;
            // The shortest form: 128 and more, and no leading zero byte.
            if (length < 0x80 || length >> (8 * (size - 1)) == 0) revert DerMalformed(offset);
        }
        value.start = start;
        value.end = start + length;
        if (value.end > limit) revert DerMalformed(offset);
    }

    /// @notice The same, and its tag must be `tag`.
    function expect(bytes memory der, uint256 offset, uint256 limit, uint8 tag)
        internal
        pure
        returns (Value memory value)
    {
        value = read(der, offset, limit);
        if (value.tag != tag) revert DerUnexpected(offset, tag, value.tag);
    }

    /// @notice A non-negative INTEGER of at most 32 content bytes (33 with its sign byte), in its shortest form.
    function unsigned(bytes memory der, Value memory value) internal pure returns (uint256 number) {
        uint256 length = value.end - value.start;
        if (value.tag != INTEGER || length == 0 || length > 33) revert DerMalformed(value.start);
        uint8 first = uint8(der[value.start]);
        if (first >= 0x80 || (length == 33 && first != 0)) revert DerMalformed(value.start);
        if (first == 0 && length > 1 && uint8(der[value.start + 1]) < 0x80) revert DerMalformed(value.start);
        for (uint256 i = value.start; i < value.end; ++i) {
            number = number << 8 | uint8(der[i]);
        }
    }

    /// @notice keccak256 of [start, end).
    function hashOf(bytes memory der, uint256 start, uint256 end) internal pure returns (bytes32 hash) {
        if (end > der.length || start > end) revert DerMalformed(start);
        assembly ("memory-safe") {
            hash := keccak256(add(add(der, 0x20), start), sub(end, start))
        }
    }

    /// @notice SHA-256 of [start, end), by the precompile.
    function sha256Of(bytes memory der, uint256 start, uint256 end) internal view returns (bytes32 hash) {
        if (end > der.length || start > end) revert DerMalformed(start);
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 2, add(add(der, 0x20), start), sub(end, start), 0x00, 0x20)
            hash := mload(0x00)
        }
        if (!done) revert DerMalformed(start);
    }

    /// @notice The 32 bytes from `offset` on; zeros past the end are an error.
    function word(bytes memory der, uint256 offset) internal pure returns (bytes32 value) {
        if (offset + 32 > der.length) revert DerMalformed(offset);
        assembly ("memory-safe") {
            value := mload(add(add(der, 0x20), offset))
        }
    }

    /// @notice UTCTime or GeneralizedTime in the only forms of RFC 5280, as unix seconds.
    function time(bytes memory der, Value memory value) internal pure returns (uint64) {
        uint256 p = value.start;
        uint256 length = value.end - p;
        uint256 year;
        if (value.tag == UTC_TIME && length == 13) {
            year = _two(der, p);
            year += year < 50 ? 2000 : 1900;
            p += 2;
        } else if (value.tag == GENERALIZED_TIME && length == 15) {
            year = _two(der, p) * 100 + _two(der, p + 2);
            p += 4;
        } else {
            revert DerMalformed(p);
        }
        if (der[p + 10] != "Z") revert DerMalformed(p);
        return unixTime(
            year, _two(der, p), _two(der, p + 2), _two(der, p + 4), _two(der, p + 6), _two(der, p + 8)
        );
    }

    /// @notice Unix seconds of a date of the Gregorian calendar from 1970 on; reverts when there is no such moment.
    function unixTime(uint256 year, uint256 month, uint256 day, uint256 hour, uint256 minute, uint256 second)
        internal
        pure
        returns (uint64)
    {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (year < 1970 || month == 0 || month > 12 || day == 0 || hour > 23 || minute > 59 || second > 59) {
            revert DerMalformed(year);
        }
        uint256 longest = month == 2 ? (leap ? 29 : 28) : 30 + (month + month / 8) % 2;
        if (day > longest) revert DerMalformed(year);
        // Days from 1970 to the first of the month, counted in years that begin with March.
        uint256 y = month > 2 ? year : year - 1;
        uint256 m = month > 2 ? month - 3 : month + 9;
        uint256 dayNumber = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
        return uint64(((dayNumber * 24 + hour) * 60 + minute) * 60 + second);
    }

    function _two(bytes memory der, uint256 offset) private pure returns (uint256) {
        uint256 high = uint256(uint8(der[offset])) ^ 0x30;
        uint256 low = uint256(uint8(der[offset + 1])) ^ 0x30;
        if (high > 9 || low > 9) revert DerMalformed(offset);
        return high * 10 + low;
    }
}
