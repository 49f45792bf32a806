"""How a file that gzip packed is known: by its first bytes, whatever its name."""

GZIP = b"\x1f\x8b"
"""What a file that gzip packed begins with."""


def is_packed(beginning: bytes) -> bool:
    """Whether gzip packed what begins so."""
    return beginning.startswith(GZIP)
