"""The text form of sealed files."""

import base64
import io
import re

from refusal import Refusal

BEGIN = "-----BEGIN SEALPOOL FILE-----"
END = "-----END SEALPOOL FILE-----"
# The specification says "white space"; blank, tab and line ends are what is taken here.
_WHITE_SPACE = " \t\r\n"
_LINE = re.compile(r"(?:[A-Za-z0-9+/=]{4}){1,16}")


def decode_armor(text: str) -> bytes:
    """The bytes of a text.

    :raises Refusal: ``ARMOR_INVALID``
    """
    rest = io.StringIO(text.strip(_WHITE_SPACE), newline="\n")
    if _next_line(rest) != BEGIN:
        raise Refusal("ARMOR_INVALID", "the text does not begin as it must")
    parts: list[str] = []
    # Line by line, so that a text of many short lines is refused at its second one and costs no memory.
    while (line := _next_line(rest)) != END:
        if _LINE.fullmatch(line) is None or (parts and len(parts[-1]) != 64):
            raise Refusal("ARMOR_INVALID", "a line has another form or length than it must have, or there is no end")
        parts.append(line)
    if not parts or rest.read(1) != "":
        raise Refusal("ARMOR_INVALID", "the text holds nothing, or goes on after its end")
    body = "".join(parts)
    # Python passes over unused bits and over padding inside the text; writing the bytes again shows both.
    try:
        data = base64.b64decode(body)
    except ValueError:
        data = b""
    if base64.b64encode(data).decode() != body:
        raise Refusal("ARMOR_INVALID", "padding is wrong or misplaced, or unused bits are not zero")
    return data


def _next_line(rest: io.StringIO) -> str:
    return rest.readline().removesuffix("\n").removesuffix("\r")
