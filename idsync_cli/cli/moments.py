"""Times that options give."""

from idsync_cli.core.audiences.scalars import moment_of
from idsync_cli.errors import UsageFault, quoted


def moment_in(option: str, text: str) -> int:
    """Read the time that an option names, in milliseconds since 1970, UTC.

    Raises:
        UsageFault: it is none.
    """
    moment = moment_of(text)
    if moment is None:
        raise UsageFault(
            f"{option} {quoted(text)} is not a time; give one such as 2024-03-01 or "
            "2024-03-01T12:00:00Z, or milliseconds since 1970"
        )
    return moment
