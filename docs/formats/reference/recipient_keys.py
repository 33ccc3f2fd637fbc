"""Private keys that are derived: a node's pool keys and a wallet's key ("Keys of recipients" in the specification)."""

import hashlib

import canonical_json
from hkdf import hkdf
from hpke import derive_x25519_private_key

# The order of secp256k1's group: (r, s) and (r, order - s) are the two valid signatures of a message.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PURPOSES = {"x25519": "sealpool/pool-key", "xwing": "sealpool/pool-key/xwing"}


def derive_private_key(kem: str, material: bytes) -> bytes:
    """The private key that DeriveKeyPair gives for 32 bytes of material."""
    return derive_x25519_private_key(material) if kem == "x25519" else hashlib.shake_256(material).digest(32)


def pool_private_key(kem: str, root: bytes, scope: dict) -> bytes:
    """A pool's private key from a node's root.

    :param scope: ``chainId``, ``epoch``, ``policyDigest``, ``pool``
    """
    info = canonical_json.canonical({**scope, "purpose": _PURPOSES[kem]})
    return derive_private_key(kem, hkdf(root, b"sealpool/key-tree/1", info))


def wallet_private_key(kem: str, signature: bytes, address: bytes) -> bytes:
    """A wallet's private key from its signature of the typed data.

    :param signature: r and s, 32 bytes each, then anything
    :param address: 20 bytes
    """
    s = int.from_bytes(signature[32:64], "big")
    lower = min(s, (_ORDER - s) % _ORDER)
    material = hkdf(signature[:32] + lower.to_bytes(32, "big"), b"sealpool/wallet-key/1", address)
    return derive_private_key(kem, material)
