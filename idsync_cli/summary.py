"""What a replay came to, counted as its answers come."""

from collections import Counter
from dataclasses import dataclass, field

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.decision import Answer, Refusal

REFUSED_SHOWN = 20
"""How many refused lines a summary lists."""


@dataclass(slots=True)
class Summary:
    """What a replay came to, counted as its answers come."""

    requests: int = 0
    kinds: Counter[tuple[RequestKind | None, Status]] = field(default_factory=Counter)
    decided_by: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    created: int = 0
    orphaned: int = 0
    refused: list[tuple[str, Answer]] = field(default_factory=list)
    stopped: bool = False
    dry_run: bool = False

    @property
    def refused_count(self) -> int:
        """How many lines were refused; `refused` holds the first of them."""
        return sum(self.errors.values())

    def count(self, answer: Answer, file: str) -> None:
        """Take an answer to a line of a file into account."""
        self.requests += 1
        self.kinds[answer.kind, answer.status] += 1
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            self.errors[outcome.code.value] += 1
            if len(self.refused) < REFUSED_SHOWN:
                self.refused.append((file, answer))
            return
        rule, _, identity_type = outcome.decided_by
        self.decided_by[identity_type or rule] += 1
        for note in outcome.notes:
            self.notes[note.code] += 1
        self.created += outcome.created is not None
        self.orphaned += len(outcome.orphaned)

    def as_json(self) -> wire.Json:
        """The summary for machines."""
        kinds: dict[str, dict[str, int]] = {}
        counted = self.kinds.items()
        named = ((kind or "none", status.value, number) for (kind, status), number in counted)
        for kind, status, number in sorted(named):
            kinds.setdefault(str(kind), {})[status] = number
        return {
            "requests": self.requests,
            "kinds": kinds,
            "decided_by": dict(self.decided_by.most_common()),
            "profiles_created": self.created,
            "profiles_orphaned": self.orphaned,
            "notes": dict(self.notes.most_common()),
            "refused": self.refused_count,
            "stopped": self.stopped,
            "dry_run": self.dry_run,
            "errors": dict(self.errors.most_common()),
            "first_refused": [
                {"file": file, **wire.answer_json(answer, explain=False)}
                for file, answer in self.refused
            ],
        }
