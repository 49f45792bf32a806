"""What a replay came to, for machines."""

from idsync_cli import wire
from idsync_cli.core.codes import Rule
from idsync_cli.core.identity import IdentityType
from idsync_cli.replay.summary import Summary


def summary_json(summary: Summary) -> wire.Json:
    """What a replay came to."""
    kinds: dict[str, dict[str, int]] = {}
    for kind, status, number in summary.kinds:
        kinds.setdefault(str(kind or "none"), {})[status.value] = number
    return {
        "requests": summary.requests,
        "types": kinds,
        "deciders": [
            {"decided_by": _decided_by_json(decider), "requests": number}
            for decider, number in summary.decided_by.items()
        ],
        "profiles_created": summary.created,
        "profiles_orphaned": summary.orphaned,
        "notes": dict(summary.notes),
        "refused": summary.refused,
        "stopped": summary.stopped,
        "dry_run": summary.dry_run,
        "errors": dict(summary.errors),
        "first_refused": [
            {"file": file, **wire.answer_json(answer, explain=False)}
            for file, answer in summary.first_refused
        ],
    }


def _decided_by_json(decider: str) -> wire.Json:
    """What decided: a type, or else a rule."""
    if decider in set(IdentityType):
        return wire.decided_by_json(Rule.IDENTIFIER, decider)
    return wire.decided_by_json(decider, None)
