"""The text form of sealed files."""

import base64
import re

from refusal import Refusal

BEGIN = "-----BEGIN SEALPOOL FILE-----"
END = "-----END SEALPOOL FILE-----"
# The specification says "white space"; blank, tab and line ends are what is taken here.
_WHITE_SPACE = " \t\r\n"
_LINE = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def decode_armor(text: str) -> bytes:
    """The bytes of a text.

    :raises Refusal: ``ARMOR_INVALID``
    """
    lines = [line.removesuffix("\r") for line in text.strip(_WHITE_SPACE).split("\n")]
    if len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:
        raise Refusal("ARMOR_INVALID", "the text does not begin and end as it must, or holds nothing")
    *full, last = lines[1:-1]
    if any(len(line) != 64 for line in full) or not 4 <= len(last) <= 64 or len(last) % 4 != 0:
        raise Refusal("ARMOR_INVALID", "a line has a length that it must not have")
    body = "".join(lines[1:-1])
    # With the lengths checked, padding before the last line is the only misplaced one that this pattern must exclude.
    if _LINE.fullmatch(body) is None:
        raise Refusal("ARMOR_INVALID", "a line holds other characters than base64, or padding at a wrong place")
    data = base64.b64decode(body)
    # Python ignores unused bits; writing the bytes again shows whether they were zero.
    if base64.b64encode(data).decode() != body:
        raise Refusal("ARMOR_INVALID", "unused bits are not zero")
    return data
