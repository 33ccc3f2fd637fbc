// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The statement key in the canonical JSON of a key set
/// @notice A key set's canonical JSON has a fixed length and fixed places, so nothing has to be searched for: every byte
/// that is not a key or a digest must be exactly what the format says.
library KeySetText {
    bytes private constant HEAD = '{"config":"sha256:';
    bytes private constant MIDDLE = '","format":"sealpool/key-set","hpke":{"kem":"x25519","publicKey":"';
    bytes private constant BEFORE_KEY = '"},"statement":{"address":"0x';
    bytes private constant TAIL = '","scheme":"eip712-secp256k1"},"version":1}';
    uint256 private constant CONFIG_LENGTH = 64;
    uint256 private constant PUBLIC_KEY_LENGTH = 43;
    uint256 private constant ADDRESS_LENGTH = 40;

    error KeySetMalformed(uint256 offset);

    /// @notice The address of the statement key; reverts on any text that is not of the format.
    function statementKeyOf(bytes calldata text) internal pure returns (address) {
        uint256 place = _expect(text, 0, HEAD) + CONFIG_LENGTH;
        place = _expect(text, place, MIDDLE) + PUBLIC_KEY_LENGTH;
        place = _expect(text, place, BEFORE_KEY);
        uint256 key = _hex(text, place);
        place = _expect(text, place + ADDRESS_LENGTH, TAIL);
        if (place != text.length) revert KeySetMalformed(place);
        return address(uint160(key));
    }

    function _expect(bytes calldata text, uint256 place, bytes memory literal) private pure returns (uint256 end) {
        end = place + literal.length;
        if (text.length < end || keccak256(text[place:end]) != keccak256(literal)) revert KeySetMalformed(place);
    }

    function _hex(bytes calldata text, uint256 place) private pure returns (uint256 value) {
        if (text.length < place + ADDRESS_LENGTH) revert KeySetMalformed(place);
        for (uint256 i = place; i < place + ADDRESS_LENGTH; ++i) {
            uint8 character = uint8(text[i]);
            if (character >= 0x30 && character <= 0x39) value = value << 4 | (character - 0x30);
            else if (character >= 0x61 && character <= 0x66) value = value << 4 | (character - 0x57);
            else revert KeySetMalformed(i);
        }
    }
}
