"""The commitment scheme of the specification's section of that name."""

import hashlib

from hkdf import hkdf, hmac_sha256

CHUNK_SIZE = 65_536
_LABEL = b"sealpool/commitment/1"


def _tree_hash(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash (RFC 6962 section 2.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    # The largest power of two that is smaller than the number of leaves.
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _tree_hash(leaves[:split]) + _tree_hash(leaves[split:])).digest()


def commit(plaintext: bytes, salt: bytes, chunk_size: int = CHUNK_SIZE) -> str:
    """The commitment to a plaintext under a 32-byte salt."""
    chunks = [plaintext[at : at + chunk_size] for at in range(0, len(plaintext), chunk_size)]
    leaves = [hmac_sha256(salt, _LABEL + i.to_bytes(8, "big")) + chunk for i, chunk in enumerate(chunks)]
    sizes = chunk_size.to_bytes(4, "big") + len(plaintext).to_bytes(8, "big")
    return "sha256:" + hashlib.sha256(_LABEL + sizes + _tree_hash(leaves)).hexdigest()


def derived_salt(file_key: bytes, file_salt: bytes) -> bytes:
    """The salt that a writer uses which is given no commitment."""
    return hkdf(file_key, file_salt, b"sealpool/sealed-file/1/commitment\0")
