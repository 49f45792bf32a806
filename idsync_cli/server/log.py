"""One line a request, for whoever watches: no value of an identifier unless that is asked for."""

import json
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Final

from idsync_cli.core.decision import Answer, Refusal

Say = Callable[[str], None]
Refused = Callable[[str, int, str], None]
"""Is called with the kind of a request, the status of HTTP and a code."""


class _Request:
    """A request that is on: since when, and whether it has a line."""

    def __init__(self) -> None:
        self.began = perf_counter()
        self.has_line = False


class Log:
    """Tells of requests in lines: kind, status, deciding tier and milliseconds (section 10).

    `on_refused` is told of requests that were refused before anything was decided.
    """

    def __init__(self, say: Say | None, *, values: bool, on_refused: Refused | None = None) -> None:
        self._on_refused: Final = on_refused
        self._say: Final = say
        self._values: Final = values
        self._request: ContextVar[_Request] = ContextVar("request")

    def begin(self) -> None:
        """A request begins; what is told until it ends is told of it."""
        if self._say is not None:
            self._request.set(_Request())

    def end(self, kind: str, status: int) -> None:
        """A request has ended: tell of it, unless that was done."""
        if self._say is not None and not self._request.get().has_line:
            self._tell([kind, str(status)])

    def answered(
        self, kind: str, status: int, answer: Answer, request: dict[str, Any] | None = None
    ) -> None:
        """Tell of what was decided by `answer`; of several in one request, one by one."""
        if self._say is None:
            return
        words = [kind, str(status), answer.status.value, decided(answer)]
        self._tell(words, request if self._values else None)

    def refused(self, kind: str, status: int, code: str, *, was_asked: bool = False) -> None:
        """Tell of a request that was refused: its code, never a value.

        It was refused before anything was decided, unless the engine was asked.
        """
        if self._on_refused is not None and not was_asked:
            self._on_refused(kind, status, code)
        if self._say is not None:
            self._tell([kind, str(status), code])

    def _tell(self, words: list[str], request: dict[str, Any] | None = None) -> None:
        """Say a line, with the time since the request began, or since the line before."""
        assert self._say is not None
        on, now = self._request.get(), perf_counter()
        words.append(f"{(now - on.began) * 1000:.1f} ms")
        on.began, on.has_line = now, True
        if request is not None:
            words.append(json.dumps(request))
        self._say("  ".join(words))


def decided(answer: Answer) -> str:
    """What decided an answer: the tier with its type, the rule, or the code of the refusal."""
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        return outcome.code.value
    by = outcome.decided_by
    if by.identity_type is not None:
        return f"tier {by.rank}, {by.identity_type.value}"
    return by.rule.value
