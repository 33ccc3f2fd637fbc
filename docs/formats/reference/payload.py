"""The payload: chunks in the STREAM construction (steps 3 and 7 of the specification)."""

from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from refusal import Refusal
from xchacha import XChaCha20Poly1305

TAG_BYTES = 16
MAXIMUM_CHUNKS = 2**40
_SUITES = {"aes-256-gcm": (AESGCM, 11), "xchacha20-poly1305": (XChaCha20Poly1305, 23)}


class ChunkOpener:
    """Opens chunks under one payload key."""

    def __init__(self, suite: str, payload_key: bytes) -> None:
        aead, self._counter_bytes = _SUITES[suite]
        self._aead = aead(payload_key)

    def open(self, index: int, last: bool, sealed: bytes) -> bytes:
        """The plaintext of one chunk.

        :raises Refusal: ``CHUNK_REFUSED``; ``TRUNCATED`` when it is shorter than a tag
        """
        if len(sealed) < TAG_BYTES:
            raise Refusal("TRUNCATED", f"the file ends inside the tag of chunk {index}")
        if index >= MAXIMUM_CHUNKS:
            raise Refusal("CHUNK_REFUSED", "the payload has more than 2^40 chunks")
        nonce = index.to_bytes(self._counter_bytes, "big") + bytes([last])
        try:
            plaintext = self._aead.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise Refusal("CHUNK_REFUSED", f"chunk {index} does not open at its place") from None
        if plaintext == b"" and index > 0:
            raise Refusal("CHUNK_REFUSED", f"chunk {index} is empty")
        return plaintext


def chunk_count(size: int, chunk_size: int) -> int:
    """How many chunks of ``chunk_size`` bytes hold ``size`` bytes; an empty plaintext has one."""
    return max(1, -(-size // chunk_size))


def plaintext_length(payload_bytes: int, chunk_size: int) -> int:
    """The plaintext's length, from the payload's.

    :raises Refusal: ``TRUNCATED`` when no plaintext has such a payload
    """
    count = chunk_count(payload_bytes, chunk_size + TAG_BYTES)
    length = payload_bytes - TAG_BYTES * count
    if length < 0 or chunk_count(length, chunk_size) != count or count > MAXIMUM_CHUNKS:
        raise Refusal("TRUNCATED", f"no plaintext has a payload of {payload_bytes} bytes")
    return length


def open_chunks(read: Callable[[int], bytes], chunk_size: int, opener: ChunkOpener) -> Iterator[bytes]:
    """Opens a payload from its beginning to the end of the file.

    One byte is read ahead: a chunk is the last exactly if nothing follows it.

    :param read: gives as many bytes as asked for, fewer only at the end of the file
    """
    sealed_size = chunk_size + TAG_BYTES
    index, ahead, last = 0, b"", False
    while not last:
        data = ahead + read(sealed_size + 1 - len(ahead))
        last = len(data) <= sealed_size
        yield opener.open(index, last, data[:sealed_size])
        ahead = data[sealed_size:]
        index += 1
