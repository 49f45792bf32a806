"""One line a request, for whoever watches: no value of an identifier unless that is asked for."""

import json
from collections.abc import Callable
from typing import Any, Final

from idsync_cli.core.decision import Answer, Refusal

Say = Callable[[str], None]
Refused = Callable[[str, int, str], None]
"""Is called with the kind of a request, the status of HTTP and a code."""


class Log:
    """Tells of requests in lines: kind, status, deciding tier and milliseconds (section 10).

    `on_refused` is told of requests that were refused before anything was decided.
    """

    def __init__(self, say: Say | None, *, values: bool, on_refused: Refused | None = None) -> None:
        self._on_refused: Final = on_refused
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

    def refused(self, kind: str, status: int, code: str, *, was_asked: bool = False) -> None:
        """Tell of a request that was refused: its code, never a value.

        It was refused before anything was decided, unless the engine was asked.
        """
        if self._on_refused is not None and not was_asked:
            self._on_refused(kind, status, code)
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
