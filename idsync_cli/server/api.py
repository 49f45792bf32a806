"""What all routes share: who asks, what was sent, and having the engine answer it (section 10)."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from time import monotonic, time
from typing import Any, Final, NamedTuple, TypeVar

from starlette.requests import Request

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.service import Service
from idsync_cli.errors import Busy, Stopped, StoreFault
from idsync_cli.server.answers import Problem
from idsync_cli.server.bodies import read_body
from idsync_cli.server.credentials import Caller, Credentials, Sent
from idsync_cli.server.later import Rest
from idsync_cli.server.limits import RateLimits
from idsync_cli.server.live import LiveRequests
from idsync_cli.server.log import Log
from idsync_cli.server.record import Recorder
from idsync_cli.server.results import Results
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.erasing.entries import last_erasure

PREFIXES: Final = ("identity", "webevents", "tags", "nativeevents", "config")
"""What stands before a path where an SDK uses a domain of its own."""

RETRY_SECONDS: Final = "1"
SERVICE_UNAVAILABLE: Final = "SERVICE_UNAVAILABLE"
TOO_MANY_REQUESTS: Final = "TOO_MANY_REQUESTS"

ResultT = TypeVar("ResultT")


def _clock_ms() -> int:
    return int(time() * 1000)


class ServerSettings(NamedTuple):
    """How the server was asked to serve.

    `max_age` is how many seconds an SDK may keep an answer; `allowed_origins` are those of pages
    that may ask, where not all may.
    """

    max_age: int = 0
    allowed_origins: tuple[str, ...] = ()


class Api:
    """A service, the credentials that open it, and who is told of what."""

    def __init__(
        self,
        service: Service,
        organization: Organization,
        credentials: Credentials,
        settings: ServerSettings,
        log: Log,
        recorder: Recorder | None = None,
        now: Callable[[], int] = _clock_ms,
        live: LiveRequests | None = None,
    ) -> None:
        self.service: Final = service
        self.organization = organization
        self.credentials = credentials
        self.settings: Final = settings
        self.log: Final = log
        self.recorder: Final = recorder
        self.live: Final = live  # for those who look on, if anybody can
        self.now: Final = now  # milliseconds since 1970, UTC
        self.refused_events: Counter[tuple[str, str]] = Counter()  # by workspace and code
        self.rest: Final = Rest()
        self._limits = RateLimits(monotonic)
        self._results = Results()

    async def reload(self, organization: Organization, credentials: Credentials) -> None:
        """Let another configuration hold between two requests."""
        await self._results.of(self.service.reload(organization))
        self.organization, self.credentials = organization, credentials

    def check_rate(self, caller: Caller) -> None:
        """See whether a workspace has not had its share of this second.

        Raises:
            Problem: 429.
        """
        wait = self._limits.seconds_to_wait(caller.workspace, caller.access.rate)
        if wait:
            raise Problem(
                429,
                f"more than {caller.access.rate} requests per second; try again after {wait} s",
                TOO_MANY_REQUESTS,
                {"Retry-After": str(wait)},
            )

    async def answer(
        self,
        request: dict[str, Any],
        *,
        read_only: bool = False,
        explain: bool = False,
        spare_known: bool = False,
        from_app: bool = False,
    ) -> Answer:
        """Have the engine answer a request of section 8 or 9; what it does is recorded.

        What is refused for who asked is not: a replay, where nobody asks, would carry it out.

        Raises:
            Problem: 503; the store is busy or cannot be used.
        """
        asked = unavailable(
            lambda: self.service.submit(
                request,
                dry_run=read_only,
                explain=explain or self.live is not None,
                spare_known=spare_known,
                from_app=from_app,
            )
        )
        answer = await self._outcome_of(asked)
        if self.live is not None:
            self.live.add(answer)
        if self.recorder is not None and not read_only and not (spare_known and _is_spared(answer)):
            self.recorder.add(request, answer, from_app=from_app)
        return answer

    async def decide(self, request: dict[str, Any]) -> Answer:
        """What the engine would answer, explained: nothing is written, and nobody is told.

        Raises:
            Problem: 503; the store is busy or cannot be used.
        """
        return await self._outcome_of(
            unavailable(lambda: self.service.submit(request, dry_run=True, explain=True))
        )

    async def look(self, ask: Callable[[Transaction], ResultT]) -> ResultT:
        """Ask something of one state of the store.

        Raises:
            Problem: 503; the store is busy or cannot be used.
        """
        return await self._outcome_of(unavailable(lambda: self.service.look(ask)))

    async def do(self, task: Callable[[Engine, Store], ResultT]) -> ResultT:
        """Have something done with the store that is written.

        Raises:
            Problem: 503; the store is busy or cannot be used.
        """
        return await self._outcome_of(unavailable(lambda: self.service.do(task)))

    async def forget_the_erased(self) -> None:
        """Have live requests forgotten if somebody was erased meanwhile, by whatever process.

        The first time, it only takes note of the latest erasure. Of a store that cannot be asked,
        nothing new is known.
        """
        if self.live is not None:
            with suppress(Problem):
                self.live.erased_until(await self.look(_latest_erasure))

    async def _outcome_of(self, asked: Future[ResultT]) -> ResultT:
        try:
            return await self._results.of(asked)
        except (Busy, Stopped, StoreFault) as error:
            raise _unavailable("the store cannot be used at the moment; try again") from error


def _latest_erasure(transaction: Transaction) -> int:
    assert isinstance(transaction, SqliteTransaction)
    return last_erasure(transaction)


def _is_spared(answer: Answer) -> bool:
    """Whether a modify was refused because a known profile would lose an identifier by it."""
    refusal = answer.outcome
    return isinstance(refusal, Refusal) and refusal.code is ErrorCode.PROTECTED_IDENTITY


def unavailable(submit: Callable[[], Future[ResultT]]) -> Future[ResultT]:
    """Submit something to the service.

    Raises:
        Problem: 503; too much is waiting.
    """
    try:
        return submit()
    except (Busy, Stopped) as error:
        raise _unavailable(str(error)) from None


def _unavailable(message: str) -> Problem:
    return Problem(503, message, SERVICE_UNAVAILABLE, {"Retry-After": RETRY_SECONDS})


async def sent_with(request: Request, path_key: str | None = None) -> Sent:
    """What credentials are judged by: headers, the paths that a signature may be over, the body.

    Raises:
        Problem: the body cannot be read.
    """
    body = await read_body(request)
    return Sent(request.method, request.headers, signed_paths(request), body, path_key)


def signed_paths(request: Request) -> tuple[str, ...]:
    """The path that was asked for, and the one of the default address; of a GET with its query."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    asked = raw.partition(b"?")[0].decode("latin-1")
    first, _, rest = asked.removeprefix("/").partition("/")
    paths = [asked, f"/{rest}"] if first in PREFIXES and rest else [asked]
    query = request.scope.get("query_string", b"").decode("latin-1")
    if request.method == "GET" and query:
        paths = [f"{path}?{query}" for path in paths]
    return tuple(paths)


def is_asked(query: Mapping[str, str], name: str) -> bool:
    """Whether a member of the query is true."""
    return query.get(name, "").lower() == "true"
