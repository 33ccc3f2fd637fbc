// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Proofs of equal discrete logarithms on secp256k1, checked through `ecrecover`
/// @notice The proofs that members of a threshold committee give with their partial decryptions
/// (docs/formats/threshold.md). `ecrecover(h, v, r, s)` answers the address of `(s*P - h*G) / r`, where `P` has the
/// x-coordinate `r`: that is a multiple of any point, plus a multiple of the generator, for 3,000 gas.
library DiscreteLogProof {
    /// @notice Order of the group.
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @notice Prime of the field.
    uint256 internal constant PRIME = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 private constant GENERATOR_X = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;

    /// @notice A point by its compressed form: prefix 2 or 3, and the x-coordinate.
    struct CompressedPoint {
        uint8 prefix;
        uint256 x;
    }

    /// @notice A point by both coordinates.
    struct Point {
        uint256 x;
        uint256 y;
    }

    /// @notice That the secret behind `key = secret * G` makes `image = secret * base`.
    struct Claim {
        CompressedPoint key;
        CompressedPoint base;
        CompressedPoint image;
        bytes context;
    }

    /// @notice Challenge and response, as they travel in a partial decryption.
    struct Proof {
        uint256 challenge;
        uint256 response;
    }

    /// @notice What the caller computes so that the chain needs no curve arithmetic; nothing in it is trusted.
    struct Witness {
        /// @notice response * G - challenge * key
        Point first;
        /// @notice response * base - challenge * image
        Point second;
        /// @notice response * base
        Point scaledBase;
        /// @notice challenge * image
        Point scaledImage;
        /// @notice Inverse of scaledBase.x - scaledImage.x in the field.
        uint256 inverse;
    }

    /// @notice Whether a proof holds.
    /// @param claim What is proven.
    /// @param proof Challenge and response.
    /// @param witness See {Witness}.
    /// @return True only when the proof holds; malformed values answer false.
    function verify(Claim memory claim, Proof memory proof, Witness memory witness) internal pure returns (bool) {
        uint256 challenge = proof.challenge;
        uint256 response = proof.response;
        if (challenge == 0 || response == 0 || challenge >= ORDER || response >= ORDER) return false;
        if (!_isCombination(claim.key, challenge, response, witness.first)) return false;
        if (!_isMultiple(claim.base, response, witness.scaledBase)) return false;
        if (!_isMultiple(claim.image, challenge, witness.scaledImage)) return false;
        if (!_isDifference(witness)) return false;
        bytes32 statement = sha256(
            bytes.concat(
                _framed("sealpool/threshold/1/statement"),
                _framed(claim.context),
                _framedPoint(CompressedPoint(2, GENERATOR_X)),
                _framedPoint(claim.key),
                _framedPoint(claim.base),
                _framedPoint(claim.image)
            )
        );
        bytes32 expected = sha256(
            bytes.concat(
                _framed("sealpool/threshold/1/challenge"),
                _framed(bytes.concat(statement)),
                _framedPoint(_compressed(witness.first)),
                _framedPoint(_compressed(witness.second))
            )
        );
        return uint256(expected) % ORDER == challenge;
    }

    /// @dev Whether `sum` is response * G - challenge * key.
    function _isCombination(CompressedPoint memory key, uint256 challenge, uint256 response, Point memory sum)
        private
        pure
        returns (bool)
    {
        if (!_isUsable(key)) return false;
        uint256 minusHash = mulmod(response, key.x, ORDER);
        uint256 minusS = mulmod(challenge, key.x, ORDER);
        return _isRecovered(bytes32(ORDER - minusHash), key, ORDER - minusS, sum);
    }

    /// @dev Whether `product` is scalar * point.
    function _isMultiple(CompressedPoint memory point, uint256 scalar, Point memory product)
        private
        pure
        returns (bool)
    {
        return _isUsable(point) && _isRecovered(0, point, mulmod(scalar, point.x, ORDER), product);
    }

    function _isRecovered(bytes32 hash, CompressedPoint memory point, uint256 s, Point memory expected)
        private
        pure
        returns (bool)
    {
        if (expected.x >= PRIME || expected.y >= PRIME) return false;
        address recovered = ecrecover(hash, point.prefix + 25, bytes32(point.x), bytes32(s));
        return recovered != address(0)
            && recovered == address(uint160(uint256(keccak256(abi.encode(expected.x, expected.y)))));
    }

    /// @dev Whether witness.second is scaledBase - scaledImage, by the chord through scaledBase and -scaledImage.
    function _isDifference(Witness memory witness) private pure returns (bool) {
        Point memory left = witness.scaledBase;
        Point memory right = witness.scaledImage;
        uint256 run = addmod(left.x, PRIME - right.x, PRIME);
        if (mulmod(run, witness.inverse, PRIME) != 1) return false;
        uint256 slope = mulmod(addmod(left.y, right.y, PRIME), witness.inverse, PRIME);
        uint256 x = addmod(mulmod(slope, slope, PRIME), PRIME - addmod(left.x, right.x, PRIME), PRIME);
        uint256 y = addmod(mulmod(slope, addmod(left.x, PRIME - x, PRIME), PRIME), PRIME - left.y, PRIME);
        return x == witness.second.x && y == witness.second.y;
    }

    /// @dev `ecrecover` takes x-coordinates below the order only; the others are as good as never met.
    function _isUsable(CompressedPoint memory point) private pure returns (bool) {
        return (point.prefix == 2 || point.prefix == 3) && point.x != 0 && point.x < ORDER;
    }

    function _compressed(Point memory point) private pure returns (CompressedPoint memory) {
        return CompressedPoint(point.y & 1 == 0 ? 2 : 3, point.x);
    }

    function _framedPoint(CompressedPoint memory point) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(33), point.prefix, point.x);
    }

    function _framed(bytes memory part) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(part.length), part);
    }
}
