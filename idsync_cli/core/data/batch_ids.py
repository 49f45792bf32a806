"""Digests of batches' ids: of an id that a store has seen, it keeps no more (section 9)."""

from hashlib import blake2b

from idsync_cli.core.data.values import BatchId

_BYTES = 16
_WHAT_FOR = b"idsync batch ids"


def key_of(seed: int) -> bytes:
    """The key of a store's digests, so that nobody without its seed can try ids on them."""
    return blake2b(str(seed).encode("ascii"), digest_size=32, person=_WHAT_FOR).digest()


def digest_of(batch_id: BatchId, key: bytes) -> bytes:
    """What a store keeps of the id of a batch: 16 bytes."""
    workspace = batch_id.workspace
    kind, name = ("scope", batch_id.scope) if workspace is None else ("workspace", workspace)
    if batch_id.from_app:
        kind = f"app {kind}"
    text = f"{kind} {len(name)} {name}{batch_id.id}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES, key=key).digest()
