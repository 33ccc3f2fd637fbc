"""X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 together. Not constant time, see ``mlkem768``."""

import hashlib

import mlkem768
import x25519

ENCAPSULATED_BYTES = mlkem768.CIPHERTEXT_BYTES + 32
_LABEL = b"\\.//^\\"


def _expand(seed: bytes) -> tuple[bytes, bytes, bytes]:
    material = hashlib.shake_256(seed).digest(96)
    encapsulation_key, decapsulation_key = mlkem768.generate(material[:32], material[32:64])
    return encapsulation_key, decapsulation_key, material[64:]


def public_key_of(seed: bytes) -> bytes:
    """The 1,216-byte public key of a 32-byte seed."""
    encapsulation_key, _, x25519_private = _expand(seed)
    return encapsulation_key + x25519.public_key_of(x25519_private)


def acceptable(encapsulated: bytes) -> bool:
    """Whether an encapsulated key has the right length and an acceptable X25519 part."""
    return len(encapsulated) == ENCAPSULATED_BYTES and x25519.acceptable(encapsulated[-32:])


def decapsulate(seed: bytes, encapsulated: bytes) -> bytes:
    """The 32-byte shared secret. ``encapsulated`` must be :func:`acceptable`."""
    _, decapsulation_key, x25519_private = _expand(seed)
    post_quantum = mlkem768.decapsulate(decapsulation_key, encapsulated[:-32])
    classical = x25519.exchange(x25519_private, encapsulated[-32:])
    own = x25519.public_key_of(x25519_private)
    return hashlib.sha3_256(post_quantum + classical + encapsulated[-32:] + own + _LABEL).digest()
