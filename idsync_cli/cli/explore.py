"""`idsync explore`: a page over a store, for a browser on this machine."""

import asyncio
import webbrowser
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli.cli.environment import now_ms, say, write
from idsync_cli.cli.opening import existing_store
from idsync_cli.cli.options import DEFAULT_CONFIG, DEFAULT_STORE, Config, NoExtensions, StorePath
from idsync_cli.cli.serving import (
    LOOPBACK,
    AllowWrites,
    beside,
    check_port,
    load_rules,
    make_explorer,
    needs_extra,
    opened,
    reload_rules,
    tell_of,
    url_of,
)
from idsync_cli.errors import printable

if TYPE_CHECKING:
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.server.credentials import Credentials


def explore(
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="The port; 0 picks a free one.")
    ] = 0,
    allow_writes: AllowWrites = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> int:
    """Look into a store in the browser.

    Open the address that is printed; nobody else knows it. The page shows requests and why they
    are answered as they are, profiles and their stories, audiences and the configuration. Nothing
    is written unless --allow-writes is given. Ctrl-C stops it.

    Example: idsync explore --open
    """
    check_port(port)
    try:
        from idsync_cli.server import run
        from idsync_cli.server.api import Api, ServerSettings
        from idsync_cli.server.cors import Cors
        from idsync_cli.server.log import Log
    except ModuleNotFoundError as error:
        raise needs_extra(error, "explore") from None
    from idsync_cli.engine.service import Service

    rules = load_rules(config, no_extensions=no_extensions)
    host = LOOPBACK[0]
    with run.listen(host, port) as listening:
        with existing_store(store, rules.organization):
            pass
        with Service(
            rules.organization,
            lambda: opened(store, write_it=allow_writes),
            lambda: opened(store, write_it=False),
            now=now_ms,
        ) as service:
            settings, log = ServerSettings(), Log(None, values=False)
            nobody = _credentials(rules.organization)
            api = Api(service, rules.organization, nobody, settings, log, None, now_ms)
            address = url_of(host, listening.getsockname()[1])
            made = make_explorer(api, rules, host, address, may_write=allow_writes)

            def tell() -> None:
                write(f"exploring the store {printable(store)} on this machine only")
                tell_of(made, host, is_secure=False)
                if open_it and not webbrowser.open(made.address):
                    say("note: no browser could be opened; open the address yourself")

            async def reload() -> None:
                load = partial(load_rules, config, no_extensions=no_extensions)
                await reload_rules(api, made, load, _credentials)

            own = Cors((address,))
            run.serve(made.app, listening, None, reload, tell, beside(api, _wait, 0), own)
    say("stopped")
    return 0


def _credentials(organization: "Organization") -> "Credentials":
    """Those of nobody: there is no API, and secrets need not be there."""
    from idsync_cli.server.credentials import Credentials

    return Credentials(organization._replace(access={}), {})


async def _wait() -> None:
    """Nothing runs beside the page."""
    await asyncio.Event().wait()
