"""HKDF-SHA-256 (RFC 5869)."""

import hmac


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 in full length."""
    return hmac.digest(key, data, "sha256")


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract. An empty salt is as good as 32 zero bytes: HMAC pads its key with zeros."""
    return hmac_sha256(salt, ikm)


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand."""
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac_sha256(prk, block + info + bytes([counter]))
        output += block
        counter += 1
    return output[:length]


def hkdf(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    """``HKDF(ikm, salt, info)`` of the specification: extract, then expand to 32 bytes."""
    return expand(extract(salt, ikm), info, 32)
