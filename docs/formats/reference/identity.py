"""Whoever opens a file: a private key and the stanza it belongs to (step 5 of the specification)."""

import hashlib
import re
from dataclasses import dataclass

import base64_strict
import canonical_json
from header import ADDRESS, KEY_ID, Header
from hpke import KEMS, HpkeError, open_single_shot
from refusal import Refusal

_PRIVATE_KEY = re.compile(r"[0-9a-f]{64}")


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
    """Takes an identity in the form that the test vectors have; without ``keyId`` the default one.

    :raises Refusal: ``IDENTITY_INVALID``
    """

    def refuse(what: str) -> Refusal:
        return Refusal("IDENTITY_INVALID", f"the identity has {what}")

    if not isinstance(value, dict):
        raise Refusal("IDENTITY_INVALID", "the identity is not a JSON object")

    def member(name: str, default: str | None = None) -> str:
        text = value.get(name, default)
        if not isinstance(text, str):
            raise refuse(f"no text as its {name}")
        return text

    kind, kem = member("type"), member("kem")
    if kind not in ("hpke", "wallet"):
        raise refuse("a type that this reader cannot open with: it knows hpke and wallet")
    if kem not in KEMS:
        raise refuse(f"another kem than {' or '.join(KEMS)}")
    if value.keys() - {"type", "kem", "keyId", "privateKey", "address"} or ("address" in value) != (kind == "wallet"):
        raise refuse("other members than type, kem, keyId, privateKey, and for a wallet address")
    if _PRIVATE_KEY.fullmatch(member("privateKey")) is None:
        raise refuse("no private key of 64 lower-case hexadecimal digits")
    private_key = bytes.fromhex(member("privateKey"))
    key_id = member("keyId") if "keyId" in value else key_id_of(kem, private_key)
    if KEY_ID.fullmatch(key_id) is None:
        raise refuse("a keyId that no stanza can have")
    if kind == "wallet" and ADDRESS.fullmatch(member("address")) is None:
        raise refuse("no address of 0x and 40 lower-case hexadecimal digits")
    return Identity(kind, kem, key_id, value.get("address"), private_key)


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
