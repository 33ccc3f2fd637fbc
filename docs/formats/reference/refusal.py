"""The one error of this reader."""


class Refusal(Exception):
    """A file, text, identity or request that is refused, with a stable code.

    Codes in the specification's table are the specification's. ``IDENTITY_INVALID``, ``RANGE_INVALID`` and
    ``VECTORS_INVALID`` are this reader's own: they say that what was asked for makes no sense, not that the file is bad.
    No message holds a key or plaintext.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
