"""Digests of batches' ids: of an id that a store has seen, it keeps no more (section 9)."""

from hashlib import blake2b

_BYTES = 16
_WHAT_FOR = b"idsync batch ids"


def key_of(seed: int) -> bytes:
    """The key of a store's digests, so that nobody without its seed can try ids on them."""
    return blake2b(str(seed).encode("ascii"), digest_size=32, person=_WHAT_FOR).digest()


class Digests:
    """Makes what a store keeps of ids: 16 bytes of each."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = blake2b(digest_size=_BYTES, key=key)

    def of(self, workspace: str | None, scope: str, batch_id: str) -> bytes:
        """The digest of an id, which is unique in its workspace, or else in its scope."""
        kind, name = ("scope", scope) if workspace is None else ("workspace", workspace)
        digest = self._begun.copy()
        digest.update(f"{kind} {len(name)} {name}{batch_id}".encode("utf-8", "surrogatepass"))
        return digest.digest()
