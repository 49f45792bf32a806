"""One line a request, for whoever watches: no value of an identifier unless that is asked for."""

import json
from collections.abc import Callable
from typing import Any, Final

from idsync_cli.core.decision import Answer, Refusal

Say = Callable[[str], None]


class Log:
    """Tells of requests in lines: kind, status, deciding tier and milliseconds (section 10)."""

    def __init__(self, say: Say | None, *, values: bool) -> None:
        self._say: Final = say
        self._values: Final = values

    def answered(
        self, kind: str, status: int, seconds: float, answer: Answer | None, request: Any = None
    ) -> None:
        """Tell of a request that was answered; `answer` is what decided it, if anything did."""
        if self._say is None:
            return
        words = [kind, str(status)]
        if answer is not None:
            words += [answer.status.value, decided(answer)]
        words.append(f"{seconds * 1000:.1f} ms")
        if self._values and request is not None:
            words.append(json.dumps(request))
        self._say("  ".join(words))

    def refused(self, kind: str, status: int, code: str) -> None:
        """Tell of a request that was refused before it was decided: its code, never a value."""
        if self._say is not None:
            self._say(f"{kind}  {status}  {code}")


def decided(answer: Answer) -> str:
    """What decided an answer: the tier with its type, the rule, or the code of the refusal."""
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        return outcome.code.value
    by = outcome.decided_by
    if by.identity_type is not None:
        return f"tier {by.rank}, {by.identity_type.value}"
    return by.rule.value
