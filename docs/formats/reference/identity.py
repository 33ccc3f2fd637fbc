"""Whoever opens a file: a private key and the stanza it belongs to (step 5 of the specification)."""

import hashlib
import re
from dataclasses import dataclass

import base64_strict
import canonical_json
import recipient_keys
from header import ADDRESS, CONTEXT_RULES, KEY_ID, Header
from hpke import KEMS, HpkeError, open_single_shot
from refusal import Refusal

_HEX32 = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{130}")


@dataclass(frozen=True)
class Identity:
    """An HPKE or wallet identity."""

    kind: str
    kem: str
    key_id: str
    address: str | None
    private_key: bytes


def key_id_of(kem: str, private_key: bytes) -> str:
    """The key id that a stanza has by default."""
    return "sha256:" + hashlib.sha256(KEMS[kem].public_key_of(private_key)).hexdigest()


def parse_identity(value: object) -> Identity:
    """Takes an identity in the form of the test vectors; without ``keyId`` it has the default one.

    In place of ``privateKey`` stand, for a pool's key, ``root`` (32 bytes, hexadecimal) and ``scope`` (``chainId``,
    ``epoch``, ``policyDigest``, ``pool``), or, for a wallet's, ``signature`` (r, s and one more byte, hexadecimal).

    :raises Refusal: ``IDENTITY_INVALID``
    """
    if not isinstance(value, dict):
        raise _invalid("is not a JSON object")
    kind, kem = value.get("type"), value.get("kem")
    if kind not in ("hpke", "wallet"):
        raise _invalid("has a type that this reader cannot open with: it knows hpke and wallet")
    if not isinstance(kem, str) or kem not in KEMS:
        raise _invalid(f"has another kem than {' or '.join(KEMS)}")
    address = value.get("address")
    if kind == "wallet":
        _text(value, "address", ADDRESS)
    given = value.keys() - {"type", "kem", "keyId"} - ({"address"} if kind == "wallet" else set())
    if given == {"privateKey"}:
        private_key = bytes.fromhex(_text(value, "privateKey", _HEX32))
    elif given == {"root", "scope"} and kind == "hpke":
        root = bytes.fromhex(_text(value, "root", _HEX32))
        private_key = recipient_keys.pool_private_key(kem, root, _scope(value["scope"]))
    elif given == {"signature"} and kind == "wallet":
        signature = bytes.fromhex(_text(value, "signature", _SIGNATURE))
        private_key = recipient_keys.wallet_private_key(kem, signature, bytes.fromhex(address[2:]))
    else:
        raise _invalid("has not exactly the members of one of the forms that README.md names")
    key_id = _text(value, "keyId", KEY_ID) if "keyId" in value else key_id_of(kem, private_key)
    return Identity(kind, kem, key_id, address, private_key)


def _invalid(what: str) -> Refusal:
    return Refusal("IDENTITY_INVALID", f"the identity {what}")


def _text(value: dict, name: str, pattern: re.Pattern) -> str:
    text = value.get(name)
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise _invalid(f"has no valid {name}")
    return text


def _scope(value: object) -> dict:
    # The members are those of a header's context, and so are their rules.
    names = ("chainId", "epoch", "policyDigest", "pool")
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _invalid("has a scope that does not have exactly the members " + ", ".join(names))
    if not all(CONTEXT_RULES[name](value[name]) for name in names):
        raise _invalid("has a scope with a value that no context can have")
    return value


def _bears(stanza: dict, identity: Identity) -> bool:
    # Only stanzas of wallets have an address; for all others both sides are None.
    return (
        stanza["type"] == identity.kind
        and stanza.get("kem") == identity.kem
        and stanza.get("keyId") == identity.key_id
        and stanza.get("address") == identity.address
    )


def unwrap_file_key(header: Header, identity: Identity) -> bytes:
    """Finds the identity's stanza and opens its wrap.

    :returns: the 32-byte file key
    :raises Refusal: ``NO_MATCHING_IDENTITY``, ``WRAP_REFUSED``
    """
    stanza = next((s for s in header.value["recipients"] if _bears(s, identity)), None)
    if stanza is None:
        raise Refusal("NO_MATCHING_IDENTITY", "no stanza is for this identity")
    label = {name: member for name, member in stanza.items() if name not in ("enc", "wrapped")}
    try:
        # 32 bytes come out: the header's rules let through only wraps of 48, and the tag has 16.
        return open_single_shot(
            KEMS[identity.kem],
            identity.private_key,
            base64_strict.decode(stanza["enc"]),
            b"sealpool/sealed-file/1/wrap\0" + header.binding,
            canonical_json.canonical(label),
            base64_strict.decode(stanza["wrapped"]),
        )
    except HpkeError as error:
        raise Refusal("WRAP_REFUSED", str(error)) from None
