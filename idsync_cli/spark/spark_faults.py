"""What Spark itself, or what it runs on, ends with."""

from typing import Final

_OF_A_FULL_DISK: Final = ("No space left on device", "File too large", "Disk quota exceeded")


def is_full(error: BaseException) -> bool:
    """Whether Spark ended for want of room on a disk."""
    cause: object = error
    while cause is not None:
        told = f"{cause} {getattr(cause, '_stackTrace', '')}"
        if any(each in told for each in _OF_A_FULL_DISK):
            return True
        cause = getattr(cause, "_cause", None)
    return False


def name_of_fault(error: Exception) -> str | None:
    """What Spark calls an error that it, or what it runs on, ended with; None for any other.

    Its message may have values of identifiers in it.
    """
    if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
        return None
    condition = getattr(error, "getCondition", None)
    name = condition() if condition is not None else None
    return str(name or type(error).__name__)
