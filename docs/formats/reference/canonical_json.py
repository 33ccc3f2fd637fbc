"""JSON as headers have it: parsed from UTF-8 within bounds, and written canonically (RFC 8785).

Python's own ``json`` is not used: it takes more than JSON (``NaN``), lets lone surrogates pass, and does not bound how
deep values are nested.
"""

import re
from decimal import Decimal

MAXIMUM_DEPTH = 128
MAXIMUM_INTEGER = 2**53 - 1

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_WRITTEN = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')


class JsonError(ValueError):
    """The bytes are not UTF-8, not JSON, nested too deep, or hold a lone surrogate."""


def parse(encoded: bytes) -> object:
    """Parses JSON.

    Numbers are IEEE doubles, as RFC 8785 has it: a whole one within +-(2^53 - 1) becomes an ``int``, any other a
    ``float``. Of members with the same name the last one counts.

    :raises JsonError: see there
    """
    try:
        text = encoded.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonError("not UTF-8") from None
    value, end = _value(text, _skip(text, 0), 0)
    if _skip(text, end) != len(text):
        raise JsonError("something follows the JSON value")
    return value


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()


def _value(text: str, at: int, depth: int) -> tuple[object, int]:
    first = text[at : at + 1]
    if first in ("{", "["):
        # Python's stack grows with the nesting, so the limit must hold before the descent.
        if depth == MAXIMUM_DEPTH:
            raise JsonError(f"nested more than {MAXIMUM_DEPTH} deep")
        return (_object if first == "{" else _array)(text, at + 1, depth + 1)
    if first == '"':
        return _string(text, at + 1)
    for word, meaning in _WORDS.items():
        if text.startswith(word, at):
            return meaning, at + len(word)
    number = _NUMBER.match(text, at)
    if number is None:
        raise JsonError(f"no JSON value at character {at}")
    # Through float, not int: reading a million digits as an integer takes quadratic time.
    double = float(number.group())
    whole = abs(double) <= MAXIMUM_INTEGER and double.is_integer()
    return int(double) if whole else double, number.end()


def _array(text: str, at: int, depth: int) -> tuple[list, int]:
    items: list[object] = []
    at = _skip(text, at)
    if text.startswith("]", at):
        return items, at + 1
    while True:
        item, at = _value(text, _skip(text, at), depth)
        items.append(item)
        at = _skip(text, at)
        if text.startswith("]", at):
            return items, at + 1
        at = _expect(text, at, ",")


def _object(text: str, at: int, depth: int) -> tuple[dict, int]:
    members: dict[str, object] = {}
    at = _skip(text, at)
    if text.startswith("}", at):
        return members, at + 1
    while True:
        name, at = _string(text, _expect(text, _skip(text, at), '"'))
        at = _expect(text, _skip(text, at), ":")
        members[name], at = _value(text, _skip(text, at), depth)
        at = _skip(text, at)
        if text.startswith("}", at):
            return members, at + 1
        at = _expect(text, at, ",")


def _expect(text: str, at: int, character: str) -> int:
    if not text.startswith(character, at):
        raise JsonError(f"no {character} at character {at}")
    return at + 1


def _string(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        plain = _PLAIN.match(text, at)
        parts.append(plain.group())
        at = plain.end()
        if text.startswith('"', at):
            return "".join(parts), at + 1
        at = _expect(text, at, "\\")
        if text.startswith("u", at):
            character, at = _unicode_escape(text, at + 1)
        else:
            character = _ESCAPES.get(text[at : at + 1])
            if character is None:
                raise JsonError(f"no escape at character {at}")
            at += 1
        parts.append(character)


def _unicode_escape(text: str, at: int) -> tuple[str, int]:
    unit = _code_unit(text, at)
    at += 4
    if 0xD800 <= unit <= 0xDBFF and text.startswith("\\u", at):
        low = _code_unit(text, at + 2)
        if 0xDC00 <= low <= 0xDFFF:
            return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), at + 6
    if 0xD800 <= unit <= 0xDFFF:
        raise JsonError(f"lone surrogate before character {at}")
    return chr(unit), at


def _code_unit(text: str, at: int) -> int:
    digits = _HEX4.match(text, at)
    if digits is None:
        raise JsonError(f"no four hexadecimal digits at character {at}")
    return int(digits.group(), 16)


def canonical(value: object) -> bytes:
    """Writes a value that :func:`parse` can give as canonical JSON.

    :raises JsonError: a number is not finite
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value: object, parts: list[str]) -> None:
    if value is None:
        parts.append("null")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, float):
        parts.append(_double(value))
    elif isinstance(value, str):
        parts.append(_quoted(value))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            parts.append("[" if index == 0 else ",")
            _write(item, parts)
        parts.append("]" if value else "[]")
    else:
        # Bytes of UTF-16 big-endian sort like its code units; Python's own order is that of code points.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        for index, name in enumerate(names):
            parts.append("{" if index == 0 else ",")
            parts.append(_quoted(name) + ":")
            _write(value[name], parts)
        parts.append("}" if value else "{}")


def _quoted(text: str) -> str:
    def escape(match: re.Match) -> str:
        character = match.group()
        return _WRITTEN.get(character) or f"\\u{ord(character):04x}"

    return '"' + _TO_ESCAPE.sub(escape, text) + '"'


def _double(value: float) -> str:
    """ECMAScript's Number::toString, which RFC 8785 asks for.

    No header with such a number is valid. It is written all the same because a header is compared with its canonical
    form first, and which of two codes a refusal gets hangs on that.
    """
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise JsonError("a number is not finite")
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= 21:
        body = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        body = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        fraction = "." + text[1:] if len(text) > 1 else ""
        body = f"{text[0]}{fraction}e{point - 1:+d}"
    return "-" + body if sign else body
