"""Opening sealed files, in the order of checks that the specification gives."""

import hmac
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import payload
from header import Header, read_header
from hkdf import hkdf, hmac_sha256
from identity import Identity, unwrap_file_key
from refusal import Refusal


@dataclass(frozen=True)
class Opened:
    """A file whose header is authentic and whose payload was not read yet."""

    header: Header
    file_key: bytes
    chunks: payload.ChunkOpener
    plaintext_length: int | None
    """Follows from the file's length; unknown for a stream."""


def _reader(stream: BinaryIO) -> Callable[[int], bytes]:
    """Reads until it has what was asked for: one read of a pipe may give less without being at the end."""

    def read(size: int) -> bytes:
        parts, missing = [], size
        while missing > 0:
            part = stream.read(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    return read


def open_header(stream: BinaryIO, identity: Identity, expect: dict | None = None, length: int | None = None) -> Opened:
    """Steps 1 to 6: everything up to the payload.

    :param stream: stands at the file's beginning, and afterwards at its payload
    :param expect: members of ``context`` with the values that they must have
    :param length: the whole file's length in bytes, where it is known
    :raises Refusal: the codes of these steps
    """
    header = read_header(_reader(stream))
    size = None
    if length is not None:
        size = payload.plaintext_length(length - header.payload_offset, header.chunk_size)
    for name, value in (expect or {}).items():
        if header.context.get(name) != value:
            raise Refusal("CONTEXT_MISMATCH", f"the file was sealed for another {name}")
    file_key = unwrap_file_key(header, identity)

    def derive(purpose: bytes) -> bytes:
        return hkdf(file_key, header.salt, b"sealpool/sealed-file/1/" + purpose + b"\0" + header.binding)

    if not hmac.compare_digest(hmac_sha256(derive(b"header"), header.covered), header.mac):
        raise Refusal("HEADER_REFUSED", "the header's MAC does not agree")
    return Opened(header, file_key, payload.ChunkOpener(header.suite, derive(b"payload")), size)


def open_file(
    stream: BinaryIO, identity: Identity, expect: dict | None = None, length: int | None = None
) -> Iterator[bytes]:
    """Gives the plaintext chunk by chunk, each one authentic at its place.

    It is complete only when the iteration ends without a refusal.
    """
    opened = open_header(stream, identity, expect, length)
    yield from payload.open_chunks(_reader(stream), opened.header.chunk_size, opened.chunks)


def open_bytes(sealed: bytes, identity: Identity, expect: dict | None = None) -> bytes:
    """The whole plaintext of a file in memory."""
    return b"".join(open_file(io.BytesIO(sealed), identity, expect, len(sealed)))


def open_range(
    stream: BinaryIO, length: int, identity: Identity, start: int, end: int, expect: dict | None = None
) -> Iterator[bytes]:
    """Gives the plaintext bytes from ``start`` up to, without, ``end``; only their chunks are read.

    They are authentic at their place. Whether the file still has its end is not known.

    :param stream: can seek
    :raises Refusal: ``RANGE_INVALID`` for bytes that the plaintext does not have
    """
    opened = open_header(stream, identity, expect, length)
    size, chunk_size = opened.plaintext_length, opened.header.chunk_size
    if not 0 <= start <= end <= size:
        raise Refusal("RANGE_INVALID", f"the range does not lie in the plaintext of {size} bytes")
    count, read = payload.chunk_count(size, chunk_size), _reader(stream)
    sealed_size = chunk_size + payload.TAG_BYTES
    first = start // chunk_size
    # An empty range lies in no chunk.
    for index in range(first, -(-end // chunk_size) if end > start else first):
        stream.seek(opened.header.payload_offset + index * sealed_size)
        plaintext = opened.chunks.open(index, index == count - 1, read(sealed_size))
        offset = index * chunk_size
        yield plaintext[max(0, start - offset) : end - offset]
