"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): HChaCha20 in Python, the rest (RFC 8439) from OpenSSL."""

import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
_MASK = 0xFFFFFFFF
_ROUNDS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """The subkey of a 32-byte key and the first 16 bytes of a nonce (section 2.2)."""
    state = [*_CONSTANTS, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]

    def mix(a: int, b: int, d: int, shift: int) -> None:
        state[a] = (state[a] + state[b]) & _MASK
        turned = state[d] ^ state[a]
        state[d] = (turned << shift | turned >> 32 - shift) & _MASK

    for _ in range(10):
        for a, b, c, d in _ROUNDS:
            mix(a, b, d, 16)
            mix(c, d, b, 12)
            mix(a, b, d, 8)
            mix(c, d, b, 7)
    return struct.pack("<8I", *state[:4], *state[12:])


class XChaCha20Poly1305:
    """The AEAD, with the face of the AEADs of ``cryptography``."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._prefix = b""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Opens ``ciphertext || tag`` under a 24-byte nonce.

        :raises cryptography.exceptions.InvalidTag: it does not open
        """
        # Chunks of a file share the nonce's first 16 bytes, and HChaCha20 in Python is slow.
        if nonce[:16] != self._prefix:
            self._prefix = nonce[:16]
            self._aead = ChaCha20Poly1305(hchacha20(self._key, self._prefix))
        return self._aead.decrypt(bytes(4) + nonce[16:], data, associated_data)
