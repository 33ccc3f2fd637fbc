"""Command line of the reference reader; README.md says how to use it."""

import argparse
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# This folder lies in a source tree, where compiled modules would be litter.
sys.dont_write_bytecode = True

import canonical_json
from armor import decode_armor
from identity import Identity, parse_identity
from refusal import Refusal
from sealed_file import open_file, open_range
from vectors import run_folder

MAXIMUM_IDENTITY_BYTES = 65_536
# A text is decoded as a whole, since nothing of it counts before its last line was seen; so its size must be bounded.
MAXIMUM_TEXT_BYTES = 16_777_216
_NUMBERS = ("chainId", "epoch")
_TEXTS = ("pool", "policyDigest", "commitment", "mediaType")


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,19}):([0-9]{1,19})", text)
    if match is None:
        raise argparse.ArgumentTypeError("a range is two whole numbers, as in 0:100")
    return int(match.group(1)), int(match.group(2))


def _expectation(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    if name in _TEXTS:
        return name, value
    if name in _NUMBERS and re.fullmatch(r"[0-9]{1,19}", value):
        return name, int(value)
    raise argparse.ArgumentTypeError("an expectation is a member of the context and its value, as in epoch=1")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="read.py", description="Reads sealed files, version 1.")
    commands = parser.add_subparsers(dest="command", required=True)
    vectors = commands.add_parser("vectors", help="run test vectors")
    vectors.add_argument("folder", type=Path)
    opening = commands.add_parser("open", help="write a file's plaintext to standard output")
    opening.add_argument("file", help="the sealed file, or - for standard input")
    # A file and not the key itself: other users see arguments.
    opening.add_argument("--identity", required=True, metavar="FILE", help="JSON: type, kem, privateKey, keyId, address")
    opening.add_argument("--range", type=_range, metavar="A:B", help="bytes A up to, without, B of the plaintext")
    opening.add_argument("--expect", type=_expectation, action="append", default=[], metavar="MEMBER=VALUE")
    opening.add_argument("--armor", action="store_true", help="the file is in text form")
    return parser.parse_args()


def _read_identity(path: str) -> Identity:
    with open(path, "rb") as file:
        encoded = file.read(MAXIMUM_IDENTITY_BYTES + 1)
    if len(encoded) > MAXIMUM_IDENTITY_BYTES:
        raise Refusal("IDENTITY_INVALID", f"the identity's file has more than {MAXIMUM_IDENTITY_BYTES} bytes")
    try:
        return parse_identity(canonical_json.parse(encoded))
    except canonical_json.JsonError:
        # The parser's message could show where in the key something is wrong.
        raise Refusal("IDENTITY_INVALID", "the identity's file is not JSON") from None


def _unarmored(stream: BinaryIO) -> BinaryIO:
    text = stream.read(MAXIMUM_TEXT_BYTES + 1)
    if len(text) > MAXIMUM_TEXT_BYTES:
        raise Refusal("ARMOR_INVALID", f"this reader takes texts of at most {MAXIMUM_TEXT_BYTES} bytes")
    # Latin-1 takes any byte; characters outside ASCII are then refused like all others that do not belong there.
    return io.BytesIO(decode_armor(text.decode("latin-1")))


def _length(stream: BinaryIO) -> int | None:
    if isinstance(stream, io.BytesIO):
        return len(stream.getbuffer())
    status = os.fstat(stream.fileno())
    # Of standard input a part may have been read already; only a file that this process opened begins at its beginning.
    return status.st_size if stat.S_ISREG(status.st_mode) and stream is not sys.stdin.buffer else None


def _plaintext(stream: BinaryIO, arguments: argparse.Namespace) -> Iterator[bytes]:
    identity, expect = _read_identity(arguments.identity), dict(arguments.expect)
    if arguments.armor:
        stream = _unarmored(stream)
    length = _length(stream)
    if arguments.range is None:
        return open_file(stream, identity, expect, length)
    if length is None:
        raise Refusal("RANGE_INVALID", "a range needs a regular file, whose length is known")
    return open_range(stream, length, identity, *arguments.range, expect)


def _open(arguments: argparse.Namespace) -> None:
    with sys.stdin.buffer if arguments.file == "-" else open(arguments.file, "rb") as stream:
        for chunk in _plaintext(stream, arguments):
            sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def main() -> int:
    """Runs the command; gives 0, or 1 after a refusal or a vector that differs."""
    arguments = _arguments()
    try:
        if arguments.command == "open":
            _open(arguments)
            return 0
        tally = run_folder(arguments.folder)
        print("\n".join(tally.lines()))
        return 1 if tally.differences else 0
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
    except OSError as error:
        print(f"INPUT_OUTPUT_FAILED: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
