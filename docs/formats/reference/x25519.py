"""X25519 with the key checks of the specification."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIME = 2**255 - 19
# u coordinates of the points whose order divides 8, on the curve and on its twist: a shared secret with them is zero
# whatever the private key.
SMALL_ORDER = frozenset(
    (
        0,
        1,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        PRIME - 1,
    )
)


def acceptable(public_key: bytes) -> bool:
    """Whether a public key is reduced and not of small order."""
    u = int.from_bytes(public_key, "little")
    return len(public_key) == 32 and u < PRIME and u not in SMALL_ORDER


def public_key_of(private_key: bytes) -> bytes:
    """The public key of a 32-byte private key."""
    key = X25519PrivateKey.from_private_bytes(private_key).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def exchange(private_key: bytes, public_key: bytes) -> bytes:
    """The shared point's u coordinate. The public key must be :func:`acceptable`."""
    own = X25519PrivateKey.from_private_bytes(private_key)
    return own.exchange(X25519PublicKey.from_public_bytes(public_key))
