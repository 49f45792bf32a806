"""Digests of batches' ids: of an id that a store has seen, it keeps no more (section 9)."""

from hashlib import blake2b

_BYTES = 16
_WHAT_FOR = b"idsync batch ids"


def key_of(seed: int) -> bytes:
    """The key of a store's digests, so that nobody without its seed can try ids on them."""
    return blake2b(str(seed).encode("ascii"), digest_size=32, person=_WHAT_FOR).digest()


BatchId = tuple[str | None, str, str, bool]
"""The workspace of an id, if it names one, its scope, itself, and whether an app sent it."""


class Digests:
    """Makes what a store keeps of ids: 16 bytes of each.

    Names of workspaces and scopes are those of a configuration: what is begun for each is kept.
    """

    __slots__ = ("_begun", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._begun: dict[tuple[str | None, str, bool], blake2b] = {}

    def of(self, workspace: str | None, scope: str, batch_id: str, from_app: bool = False) -> bytes:
        """The digest of an id, which is unique in its workspace, or else in its scope.

        Ids that came under the credentials of an application are counted apart from all others.
        """
        begun = self._begun.get((workspace, scope, from_app))
        if begun is None:
            kind, name = ("scope", scope) if workspace is None else ("workspace", workspace)
            if from_app:
                kind = f"app {kind}"
            before = f"{kind} {len(name)} {name}".encode("utf-8", "surrogatepass")
            begun = blake2b(before, digest_size=_BYTES, key=self._key)
            self._begun[workspace, scope, from_app] = begun
        digest = begun.copy()
        digest.update(batch_id.encode("utf-8", "surrogatepass"))
        return digest.digest()
