"""Where nothing is found: that nobody is there, and what is there that may have been meant."""

from collections.abc import Iterator

from idsync_cli.errors import quoted
from idsync_cli.inspect.near import Meant


def nobody_has(mpid: int) -> str:
    """That no profile has an MPID."""
    return f"no profile has the MPID {mpid}"


def meant_sentences(meant: Meant) -> Iterator[str]:
    """What is there that may have been meant, a sentence each."""
    for each in meant.variants:
        differs = " and ".join(each.differs_in)
        yield (
            f"nobody holds {each.asked.type} {quoted(each.asked.value)}, but "
            f"{quoted(each.held)} is held, which differs only in {differs}"
        )
    for mpid in meant.mpids:
        yield (
            f"there is a profile {mpid}, which differs only in digits that JavaScript loses; "
            "pass MPIDs as text"
        )
