"""Runs the test vectors of the specification."""

import base64
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import commitment
import recipient_keys
from armor import decode_armor
from identity import key_id_of, parse_identity
from refusal import Refusal
from sealed_file import open_bytes, open_file, open_header, open_range

# A stream's length is not known: step 3 falls out, and a file that fails there fails at any later step.
_AFTER_STEP_3 = ("CONTEXT_MISMATCH", "NO_MATCHING_IDENTITY", "WRAP_REFUSED", "HEADER_REFUSED", "CHUNK_REFUSED")
FORMAT = ("sealpool/sealed-file-vectors", 1)


class Tally:
    """Counts by kind which vectors agree, and keeps what differed."""

    def __init__(self) -> None:
        self.agree: Counter[str] = Counter()
        self.differ: Counter[str] = Counter()
        self.differences: list[str] = []

    def compare(self, kind: str, name: str, wanted: tuple, attempt: Callable[[], object]) -> None:
        """Runs ``attempt``; its value or the code of its refusal must be one of ``wanted``."""
        try:
            outcome = attempt()
        except Refusal as refusal:
            outcome = refusal.code
        if outcome in wanted:
            self.agree[kind] += 1
        else:
            self.differ[kind] += 1
            found = outcome if isinstance(outcome, str) else "another value"
            self.differences.append(f"{kind}: {name}: {found}")

    def lines(self) -> list[str]:
        """One line for each kind, after the differences."""
        kinds = {**self.agree, **self.differ}
        return self.differences + [f"{kind}: {self.agree[kind]} agree, {self.differ[kind]} differ" for kind in kinds]


def run_folder(folder: Path) -> Tally:
    """Runs every file of vectors in a folder.

    :raises Refusal: ``VECTORS_INVALID`` when there is none, or one does not have the form that the specification gives
    """
    tally, files = Tally(), 0
    try:
        for path in sorted(folder.glob("*.json")):
            vectors = json.loads(path.read_bytes())
            # Vectors of other formats may come to lie in this folder.
            if (vectors.get("format"), vectors.get("version")) == FORMAT:
                _run(vectors, tally)
                files += 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal("VECTORS_INVALID", f"the vectors do not have their form: {error!r}") from None
    if files == 0:
        raise Refusal("VECTORS_INVALID", f"there are no vectors of sealed files in {folder}")
    return tally


def _run(vectors: dict, tally: Tally) -> None:
    for name, identity in vectors["identities"].items():
        derived = {member: value for member, value in identity.items() if member != "keyId"}
        tally.compare("identities", name, (identity["keyId"],), lambda: parse_identity(derived).key_id)
    identities = {name: parse_identity(identity) for name, identity in vectors["identities"].items()}
    for vector in vectors["positive"]:
        _run_positive(vector, identities, tally)
    for vector in vectors["negative"]:
        sealed, expect, code = _file_of(vector), vector.get("expect"), vector["error"]
        identity = identities[vector["identity"]]
        tally.compare("negative", vector["name"], (code,), lambda: open_bytes(sealed, identity, expect))
        codes = (code, *_AFTER_STEP_3) if code == "TRUNCATED" else (code,)
        tally.compare(
            "negative, streamed",
            vector["name"],
            codes,
            lambda: b"".join(open_file(io.BytesIO(sealed), identity, expect)),
        )
    derived = vectors.get("derived", {"pool": [], "wallet": []})
    for vector in derived["pool"]:
        scope = {member: vector[member] for member in ("chainId", "epoch", "policyDigest", "pool")}
        private_key = recipient_keys.pool_private_key(vector["kem"], bytes.fromhex(vector["root"]), scope)
        wanted, kem = (vector["keyId"],), vector["kem"]
        tally.compare("derived keys", f"pool, {kem}", wanted, lambda: key_id_of(kem, private_key))
    for vector in derived["wallet"]:
        signature, address = bytes.fromhex(vector["signature"]), bytes.fromhex(vector["address"][2:])
        private_key = recipient_keys.wallet_private_key(vector["kem"], signature, address)
        wanted, kem = (vector["keyId"],), vector["kem"]
        tally.compare("derived keys", f"wallet, {kem}", wanted, lambda: key_id_of(kem, private_key))
    for vector in vectors["armor"]["positive"]:
        wanted = (base64.b64decode(vector["sealed"]),)
        tally.compare("text", vector["name"], wanted, lambda: decode_armor(vector["text"]))
    for vector in vectors["armor"]["negative"]:
        tally.compare("text, refused", vector["name"], (vector["error"],), lambda: decode_armor(vector["text"]))


def _file_of(vector: dict) -> bytes:
    sealed, repeated = base64.b64decode(vector["sealed"]), vector.get("repeated")
    if repeated is None:
        return sealed
    offset = repeated["offset"]
    return sealed[:offset] + base64.b64decode(repeated["bytes"]) * repeated["times"] + sealed[offset:]


def _run_positive(vector: dict, identities: dict, tally: Tally) -> None:
    name, context, salt = vector["name"], vector["context"], bytes.fromhex(vector["commitmentSalt"])
    sealed, plaintext = base64.b64decode(vector["sealed"]), base64.b64decode(vector["plaintext"])
    for who, identity in identities.items():
        title = f"{name}, to {who}"
        if who not in vector["opens"]:
            wanted = ("NO_MATCHING_IDENTITY",)
            tally.compare("positive, to others", title, wanted, lambda: open_bytes(sealed, identity))
            continue
        tally.compare("positive", title, (plaintext,), lambda: open_bytes(sealed, identity, context))
        tally.compare(
            "positive, streamed",
            title,
            (plaintext,),
            lambda: b"".join(open_file(io.BytesIO(sealed), identity, context)),
        )
        opened = open_header(io.BytesIO(sealed), identity)
        tally.compare("positive, whole context", title, (context,), lambda: opened.header.context)
        tally.compare(
            "derived commitment salts",
            title,
            (salt,),
            lambda: commitment.derived_salt(opened.file_key, opened.header.salt),
        )
        for start, end in _ranges(len(plaintext), opened.header.chunk_size):
            tally.compare(
                "ranges",
                f"{title}, {start} to {end}",
                (plaintext[start:end],),
                lambda: b"".join(open_range(io.BytesIO(sealed), len(sealed), identity, start, end)),
            )
    tally.compare("commitments", name, (context["commitment"],), lambda: commitment.commit(plaintext, salt))


def _ranges(size: int, chunk_size: int) -> set[tuple[int, int]]:
    """Whole, empty, across the edge of every chunk, and each chunk alone."""
    edges = range(0, size, chunk_size)
    across = {(max(0, edge - 1), min(size, edge + 1)) for edge in edges}
    return {(0, size), (0, 0), (size, size)} | across | {(edge, min(size, edge + chunk_size)) for edge in edges}
