"""The recipient's side of HPKE (RFC 9180): base mode, single shot, HKDF-SHA256, AES-256-GCM, two KEMs."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import hkdf
import x25519
import xwing

_VERSION = b"HPKE-v1"
_DHKEM = b"KEM\x00\x20"


class HpkeError(ValueError):
    """The encapsulated key is not acceptable, or the ciphertext does not open."""


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hkdf.extract(salt, _VERSION + suite + label + ikm)


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf.expand(prk, length.to_bytes(2, "big") + _VERSION + suite + label + info, length)


def derive_x25519_private_key(material: bytes) -> bytes:
    """The private key of DeriveKeyPair of DHKEM(X25519, HKDF-SHA256) (section 7.1.3)."""
    return _labeled_expand(_DHKEM, _labeled_extract(_DHKEM, b"", b"dkp_prk", material), b"sk", b"", 32)


def _decapsulate_x25519(private_key: bytes, encapsulated: bytes) -> bytes:
    """Decap of DHKEM (section 4.1)."""
    shared_point = x25519.exchange(private_key, encapsulated)
    context = encapsulated + x25519.public_key_of(private_key)
    secret = _labeled_extract(_DHKEM, b"", b"eae_prk", shared_point)
    return _labeled_expand(_DHKEM, secret, b"shared_secret", context, 32)


@dataclass(frozen=True)
class Kem:
    """A key encapsulation mechanism as this reader needs it."""

    identifier: int
    encapsulated_bytes: int
    acceptable: Callable[[bytes], bool]
    decapsulate: Callable[[bytes, bytes], bytes]
    public_key_of: Callable[[bytes], bytes]


KEMS = {
    "x25519": Kem(0x0020, 32, x25519.acceptable, _decapsulate_x25519, x25519.public_key_of),
    "xwing": Kem(0x647A, xwing.ENCAPSULATED_BYTES, xwing.acceptable, xwing.decapsulate, xwing.public_key_of),
}


def open_single_shot(
    kem: Kem, private_key: bytes, encapsulated: bytes, info: bytes, aad: bytes, ciphertext: bytes
) -> bytes:
    """SetupBaseR and Open of the first message (sections 5.1 and 6.1).

    :raises HpkeError: see there
    """
    if not kem.acceptable(encapsulated):
        raise HpkeError("the encapsulated key is not acceptable")
    shared_secret = kem.decapsulate(private_key, encapsulated)
    # KEM, then HKDF-SHA256 and AES-256-GCM.
    suite = b"HPKE" + kem.identifier.to_bytes(2, "big") + b"\x00\x01\x00\x02"
    base_mode = b"\x00"
    context = base_mode + _labeled_extract(suite, b"", b"psk_id_hash", b"")
    context += _labeled_extract(suite, b"", b"info_hash", info)
    secret = _labeled_extract(suite, shared_secret, b"secret", b"")
    key = _labeled_expand(suite, secret, b"key", context, 32)
    # The nonce of message 0 is the base nonce itself.
    nonce = _labeled_expand(suite, secret, b"base_nonce", context, 12)
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise HpkeError("the ciphertext does not open") from None
