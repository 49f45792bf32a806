"""What the commands share that serve HTTP: the store, the explorer, and what is said."""

import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from idsync_cli.cli.environment import say, write
from idsync_cli.cli.opening import load_configuration
from idsync_cli.errors import IdsyncError, StoreFault, UsageFault, printable

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from idsync_cli.core.config.rules import Organization
    from idsync_cli.server.api import Api
    from idsync_cli.server.credentials import Credentials
    from idsync_cli.server.explorer.app import Explorer
    from idsync_cli.server.explorer.front import Front
    from idsync_cli.server.explorer.shown_rules import CurrentRules, ShownRules
    from idsync_cli.store.sqlite import SqliteStore

LOOPBACK = ("127.0.0.1", "::1", "localhost")

HIGHEST_PORT = 65_535

AllowWrites = Annotated[
    bool,
    typer.Option("--allow-writes", help="Let the explorer carry out requests."),
]


def needs_extra(error: ModuleNotFoundError, command: str) -> UsageFault:
    """That what serves HTTP is not installed."""
    return UsageFault(
        f"idsync {command} needs the package {error.name}; "
        "install it with: pip install 'idsync[serve]'"
    )


def check_port(port: int) -> None:
    """See that a number is a port.

    Raises:
        UsageFault: it is none.
    """
    if not 0 <= port <= HIGHEST_PORT:
        raise UsageFault(f"--port {port} is not a port; give 0 to {HIGHEST_PORT}")


def opened(path: str, *, write_it: bool) -> "SqliteStore":
    """The store at a path, opened once more.

    Raises:
        StoreFault: it is gone, or cannot be used.
    """
    from idsync_cli.store import sqlite as stores

    found = stores.open_store(path, write=write_it)
    if found is None:
        raise StoreFault(f"the store {printable(path)} is gone")
    return found


def load_rules(config: str, *, no_extensions: bool) -> "ShownRules":
    """The configuration, what lint says of it, and its text with an x for each letter of a secret.

    Raises:
        FileFault: it is not there, or every fault of it.
    """
    from idsync_cli.files.hidden_secrets import without_secrets
    from idsync_cli.server.explorer.shown_rules import ShownRules

    loaded = load_configuration(config, no_extensions=no_extensions)
    text = Path(config).read_text(encoding="utf-8-sig", errors="replace")
    # Asterisks are YAML themselves, and what the page shows is to be read again.
    hidden = without_secrets(text)
    shown = "".join("x" if a != b else a for a, b in zip(text, hidden, strict=True))
    return ShownRules(loaded.organization, loaded.warnings, shown)


class MadeExplorer(NamedTuple):
    """An explorer, what it serves, and the address to print."""

    app: "Front"
    rules: "CurrentRules"
    address: str


def make_explorer(
    api: "Api",
    rules: "ShownRules",
    host: str,
    address: str,
    *,
    may_write: bool,
    behind: "ASGIApp | None" = None,
) -> MadeExplorer:
    """An explorer with a new token, which is told in the address and nowhere else.

    The part of an address behind # never leaves the browser.
    """
    from secrets import token_urlsafe

    from idsync_cli.server.explorer.front import Front
    from idsync_cli.server.explorer.guard import Guard
    from idsync_cli.server.explorer.shown_rules import CurrentRules

    token, current = token_urlsafe(32), CurrentRules(rules)

    def explorer() -> "Explorer":
        from idsync_cli.server.explorer.app import Explorer
        from idsync_cli.server.explorer.routes import ExplorerRoutes

        is_served = behind is not None
        routes = ExplorerRoutes(api, current, may_write=may_write, is_served=is_served)
        return Explorer(routes, Guard(token, host))

    front = Front(api.rest.later(explorer), report_bug, behind)
    return MadeExplorer(front, current, f"{address}/#token={token}")


def url_of(host: str, port: int, *, is_secure: bool = False) -> str:
    """The address of a server."""
    named = f"[{host}]" if ":" in host else host
    return f"{'https' if is_secure else 'http'}://{named}:{port}"


def tell_of(made: MadeExplorer | None, host: str, *, is_secure: bool) -> None:
    """Print the address of an explorer, if there is one; whoever sees it can use it."""
    if made is None:
        return
    write(f"explore it at {made.address}")
    if host not in LOOPBACK and not is_secure:
        say(
            f"note: anyone who can listen in on the way to {printable(host)} can read the token "
            "and everything the explorer shows; use --tls"
        )


def beside(
    api: "Api", run: Callable[[], Awaitable[None]], rest_after: float
) -> Callable[[], Awaitable[None]]:
    """What runs beside a server; when it ends, those who listen to live requests are let go.

    In `rest_after` seconds the rest of the server is made, so that nobody waits for it later, and
    a fault in it shows.
    """
    import asyncio

    async def make_the_rest() -> None:
        await asyncio.sleep(rest_after)
        await api.rest.make(report_bug)

    async def run_and_let_go() -> None:
        making = asyncio.ensure_future(make_the_rest())
        try:
            await run()
        finally:
            making.cancel()
            if api.live is not None:
                api.live.end()

    return run_and_let_go


async def reload_rules(
    api: "Api",
    made: MadeExplorer | None,
    load: "Callable[[], ShownRules]",
    credentials_of: "Callable[[Organization], Credentials]",
) -> None:
    """Reload the configuration; a wrong one is reported, and the old one stays in force."""
    from idsync_cli.cli.complaints import complain

    try:
        rules = load()
        await api.reload(rules.organization, credentials_of(rules.organization))
    except IdsyncError as error:
        complain(error, prefix="idsync: ")
        say("note: the configuration was not reloaded; the old one is still in force")
    else:
        if made is not None:
            made.rules.shown = rules
        say("note: the configuration was reloaded")


def report_bug(error: Exception) -> None:
    """Tell where it happened, and neither values nor messages, which may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(each.filename).name}:{each.lineno}" for each in frames[-6:])
    say(f"idsync: a bug in idsync ({type(error).__name__}) at {places}; the server keeps running")
    sys.stderr.flush()
