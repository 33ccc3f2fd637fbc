"""The header: framing, canonical form, and every rule about its members (steps 1 and 2 of the specification)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import base64_strict
import canonical_json
from hpke import KEMS
from refusal import Refusal

MAGIC = b"SEALPOOL"
PREFIX_BYTES = 13
MAC_BYTES = 32
MAXIMUM_HEADER_BYTES = 4_194_304
MAXIMUM_RECIPIENTS = 10_000
MAXIMUM_MARKS = 131_072
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_MARK = re.compile(rb"[\[{,]")
SUITES = ("aes-256-gcm", "xchacha20-poly1305")

# fullmatch is always used with these: Python's $ also matches before a line feed at the end.
ADDRESS = re.compile(r"0x[0-9a-f]{40}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9][\w!#$&^.+-]{0,126}/[A-Za-z0-9][\w!#$&^.+-]{0,126}(;[\x20-\x7e]{1,120})?", re.ASCII
)
KEY_ID = re.compile(r"[!-~]{1,128}")
NAME = re.compile(r"[a-z0-9][a-z0-9./-]{0,63}")

Rule = Callable[[object], bool]


@dataclass(frozen=True)
class Header:
    """A header that keeps every rule. It is authentic only once its MAC was checked."""

    covered: bytes
    """Bytes 0 to 13 + n: what the MAC covers."""
    mac: bytes
    value: dict

    @property
    def chunk_size(self) -> int:
        """Plaintext bytes per chunk."""
        return self.value["chunkSize"]

    @property
    def suite(self) -> str:
        """The payload's AEAD."""
        return self.value["suite"]

    @property
    def salt(self) -> bytes:
        """32 bytes."""
        return base64_strict.decode(self.value["salt"])

    @property
    def context(self) -> dict:
        """What the file is for."""
        return self.value["context"]

    @property
    def payload_offset(self) -> int:
        """Where the payload begins in the file."""
        return len(self.covered) + MAC_BYTES

    @cached_property
    def binding(self) -> bytes:
        """The digest of the header without its recipients."""
        core = {name: member for name, member in self.value.items() if name != "recipients"}
        return hashlib.sha256(canonical_json.canonical(core)).digest()


def read_header(read: Callable[[int], bytes]) -> Header:
    """Reads a file up to its payload.

    :param read: gives as many bytes as asked for, fewer only at the end of the file
    :raises Refusal: ``NOT_SEALED_FILE``, ``TRUNCATED``, ``VERSION_UNSUPPORTED``, ``HEADER_TOO_LARGE``; as
        :func:`parse_header`
    """
    prefix = read(PREFIX_BYTES)
    if prefix[:8] != MAGIC[: len(prefix)]:
        raise Refusal("NOT_SEALED_FILE", "the file does not begin like a sealed file")
    if len(prefix) < PREFIX_BYTES:
        raise Refusal("TRUNCATED", "the file ends before its header")
    if prefix[8] != 1:
        raise Refusal("VERSION_UNSUPPORTED", f"the file has version {prefix[8]}; this reader knows version 1")
    size = int.from_bytes(prefix[9:], "big")
    if size > MAXIMUM_HEADER_BYTES:
        raise Refusal("HEADER_TOO_LARGE", f"a header of {size} bytes is declared; {MAXIMUM_HEADER_BYTES} are allowed")
    rest = read(size + MAC_BYTES)
    if len(rest) < size + MAC_BYTES:
        raise Refusal("TRUNCATED", "the file ends inside its header")
    encoded, mac = rest[:size], rest[size:]
    return Header(prefix + encoded, mac, parse_header(encoded))


def parse_header(encoded: bytes) -> dict:
    """Parses and checks a header's JSON.

    :raises Refusal: ``HEADER_INVALID``, ``HEADER_NOT_CANONICAL``, ``RECIPIENT_UNSUPPORTED``
    """
    # Before any value is made: anybody can send two million empty arrays.
    if len(encoded) > MAXIMUM_MARKS and len(_MARK.findall(_STRING.sub(b"", encoded))) > MAXIMUM_MARKS:
        raise _invalid("more values than a header of 10,000 recipients has")
    try:
        value = canonical_json.parse(encoded)
        same = canonical_json.canonical(value) == encoded
    except canonical_json.JsonError as error:
        raise Refusal("HEADER_INVALID", f"header: {error}") from None
    if not same:
        raise Refusal("HEADER_NOT_CANONICAL", "the header is not the canonical form of its own value")
    if _has_fraction(value):
        raise _invalid("a number that is not whole or too large")
    _check_members(value, _CORE_RULES, "header")
    _check_members(value["context"], CONTEXT_RULES, "context")
    _check_recipients(value["recipients"])
    return value


def _invalid(what: str) -> Refusal:
    return Refusal("HEADER_INVALID", f"header: {what}")


def _has_fraction(value: object) -> bool:
    # The parser gives a float for exactly the numbers that no header may hold.
    if isinstance(value, list):
        return any(map(_has_fraction, value))
    if isinstance(value, dict):
        return any(map(_has_fraction, value.values()))
    return isinstance(value, float)


def _whole(least: int, most: int) -> Rule:
    # To Python true is 1, to JSON it is not.
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(pattern: re.Pattern) -> Rule:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _bytes(least: int, most: int) -> Rule:
    def rule(value: object) -> bool:
        data = base64_strict.decode(value)
        return data is not None and least <= len(data) <= most

    return rule


def _one_of(*texts: str) -> Rule:
    return lambda value: isinstance(value, str) and value in texts


_CORE_RULES: dict[str, Rule] = {
    "suite": _one_of(*SUITES),
    "chunkSize": _whole(64, 4_194_304),
    "salt": _bytes(32, 32),
    "context": lambda value: isinstance(value, dict),
    "recipients": lambda value: isinstance(value, list) and 1 <= len(value) <= MAXIMUM_RECIPIENTS,
}
CONTEXT_RULES: dict[str, Rule] = {
    "chainId": _whole(1, canonical_json.MAXIMUM_INTEGER),
    "pool": _text(ADDRESS),
    "policyDigest": _text(DIGEST),
    "epoch": _whole(0, 2**32 - 1),
    "commitment": _text(DIGEST),
    "mediaType": _text(MEDIA_TYPE),
}


def _stanza_rules(stanza: dict) -> dict[str, Rule] | None:
    """The rules of a stanza's type, or nothing for a stanza that this version does not know."""
    kind = stanza["type"]
    if kind == "threshold":
        return {"type": bool, "scheme": _text(NAME), "keyId": _text(KEY_ID), "envelope": _bytes(1, 65_536)}
    name = stanza.get("kem")
    # A kem that is missing or no text is a fault in a known stanza; only a kem with another name makes it unknown.
    if kind not in ("hpke", "wallet") or (isinstance(name, str) and name not in KEMS):
        return None
    size = KEMS[name].encapsulated_bytes if isinstance(name, str) else 0
    rules: dict[str, Rule] = {
        "type": bool,
        "kem": _one_of(*KEMS),
        "keyId": _text(KEY_ID),
        "enc": _bytes(size, size),
        "wrapped": _bytes(48, 48),
    }
    return rules if kind == "hpke" else {**rules, "address": _text(ADDRESS)}


def _check_recipients(stanzas: list) -> None:
    names: set[tuple[str, str]] = set()
    for index, stanza in enumerate(stanzas):
        place = f"recipients[{index}]"
        if not isinstance(stanza, dict) or not _text(NAME)(stanza.get("type")):
            raise _invalid(f"{place} has no valid type")
        rules = _stanza_rules(stanza)
        if rules is None:
            critical = stanza.get("critical", False)
            if not isinstance(critical, bool):
                raise _invalid(f"{place}.critical is neither true nor false")
            if critical:
                raise Refusal("RECIPIENT_UNSUPPORTED", f"{place} is critical and of a kind this reader does not know")
            continue
        _check_members(stanza, rules, place)
        name = (stanza["type"], stanza["keyId"])
        if name in names:
            raise _invalid(f"{place} has the type and key id of an earlier stanza")
        names.add(name)


def _check_members(value: object, rules: dict[str, Rule], place: str) -> None:
    if not isinstance(value, dict) or value.keys() != rules.keys():
        raise _invalid(f"{place} does not have exactly the members {', '.join(sorted(rules))}")
    for name, rule in rules.items():
        if not rule(value[name]):
            raise _invalid(f"{place}.{name} has no allowed value")
