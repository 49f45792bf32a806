"""What a fault that ends a replay says of the work that was done before it, and how to go on."""

from idsync_cli.errors import FaultCode, Hint, IdsyncError, Kept, UsageFault

_SPARES_THE_STORE = {
    FaultCode.DISK_FULL,
    FaultCode.OUTPUT_UNWRITABLE,
    FaultCode.STORE_BUSY,
    FaultCode.STORE_UNWRITABLE,
    FaultCode.WRITER_ENDED,
}
"""Faults that leave what was committed before as it is, to be gone on from."""

_WAYS_ON = {
    FaultCode.FILE_UNREADABLE: Hint.MEND_FILE_AND_RESUME,
    FaultCode.REPLAYED_BEFORE: Hint.PASS_OVER_REPLAYED,
    FaultCode.FILE_CHANGED: Hint.RESTORE_FILE_AND_RESUME,
    FaultCode.REPLAYED_ELSEWHERE: Hint.RESUME_REPLAY,
}
"""How to go on where a file is at fault, and others before it, or a part of it, are done."""


def say_what_is_kept(fault: IdsyncError, *, is_kept: bool) -> None:
    """Let a fault say no more and no less than is known of all that was done so far.

    Whoever raised it knows of one transaction. If any were committed before (`is_kept`), those are
    whole, unless the fault is about the store's own content.
    """
    if not is_kept:
        if fault.code is FaultCode.OUTPUT_UNWRITABLE:
            fault.kept = Kept.NOTHING_CHANGED
    elif isinstance(fault, UsageFault):
        fault.kept = Kept.EARLIER_IS_WHOLE
        fault.hint = _WAYS_ON.get(fault.code, fault.hint)
    elif fault.code in _SPARES_THE_STORE:
        fault.kept = Kept.EARLIER_IS_WHOLE
        is_full = fault.hint is Hint.MAKE_ROOM
        fault.hint = Hint.MAKE_ROOM_AND_RESUME if is_full else Hint.RESUME
    elif fault.kept is Kept.NOTHING_CHANGED:
        is_elsewhere = fault.code is FaultCode.STORE_REPLACED
        fault.kept = Kept.ALL_IS_IN_OLD_FILE if is_elsewhere else None
