"""The text form of sealed files."""

import base64
import re

from refusal import Refusal

# The specification says "white space"; blank, tab and line ends are what is taken here.
_WHITE_SPACE = " \t\r\n"
# Possessive (*+): a text of many millions of lines must not leave as many places to come back to. The full lines may
# have taken the last one with them, hence the last line is optional, and the lookahead sees that there is a line.
_TEXT = re.compile(
    r"-----BEGIN SEALPOOL FILE-----\r?\n(?!-)"
    r"((?:[A-Za-z0-9+/=]{64}\r?\n)*+(?:(?:[A-Za-z0-9+/=]{4}){1,15}\r?\n)?)"
    r"-----END SEALPOOL FILE-----"
)


def decode_armor(text: str) -> bytes:
    """The bytes of a text.

    :raises Refusal: ``ARMOR_INVALID``
    """
    match = _TEXT.fullmatch(text.strip(_WHITE_SPACE))
    if match is None:
        raise Refusal("ARMOR_INVALID", "the text has other lines than it must have, or lines of another length")
    body = match.group(1).replace("\r", "").replace("\n", "")
    # Python passes over unused bits and over padding inside the text; writing the bytes again shows both.
    try:
        data = base64.b64decode(body)
    except ValueError:
        data = b""
    if base64.b64encode(data).decode() != body:
        raise Refusal("ARMOR_INVALID", "padding is wrong or misplaced, or unused bits are not zero")
    return data
