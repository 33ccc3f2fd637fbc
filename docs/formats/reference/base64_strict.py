"""base64url without padding, canonical text only (RFC 4648 section 5)."""

import base64
import re

_TEXT = re.compile(r"[A-Za-z0-9_-]*")


def decode(text: object) -> bytes | None:
    """The bytes, or nothing when the value is not text or not the one text of its bytes."""
    if not isinstance(text, str) or _TEXT.fullmatch(text) is None or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Python ignores the unused bits of the last character; writing the bytes again shows whether they were zero.
    return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text else None
