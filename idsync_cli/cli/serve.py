"""`idsync serve`: the HTTP API over a store (section 10)."""

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli.cli.environment import new_seed, now_ms, parse_seed, say, write
from idsync_cli.cli.opening import check_seed, open_store
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    Config,
    NoExtensions,
    Seed,
    StorePath,
)
from idsync_cli.cli.server_files import keep_recording, outputs_of, recorder_for, tls_context
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
    report_bug,
    tell_of,
    url_of,
)
from idsync_cli.errors import UsageFault, printable, quoted

if TYPE_CHECKING:
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.server.credentials import Credentials

_LONGEST_DELAY = 366 * 24 * 60 * 60


def serve(
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="The port; 0 picks a free one.")
    ] = 8080,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve https with a certificate created for this run.")
    ] = False,
    tls_cert: Annotated[
        str | None,
        typer.Option("--tls-cert", metavar="FILE", help="Serve https with this certificate."),
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option("--tls-key", metavar="FILE", help="The key of --tls-cert.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print a line for each request.")] = False,
    log_values: Annotated[
        bool, typer.Option("--log-values", help="Also print the requests: personal data.")
    ] = False,
    record: Annotated[
        str | None,
        typer.Option(
            "--record", metavar="FILE", help="Append requests and their answers to a file."
        ),
    ] = None,
    max_age: Annotated[
        int,
        typer.Option("--max-age", metavar="S", help="Seconds for which SDKs may cache an answer."),
    ] = 0,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin", metavar="URL", help="Accept only pages of this origin; repeatable."
        ),
    ] = None,
    dsr_delay: Annotated[
        int,
        typer.Option(
            "--dsr-delay", metavar="S", help="Seconds that a data subject request is pending."
        ),
    ] = 0,
    seed: Seed = None,
    explorer: Annotated[
        bool, typer.Option("--explorer", help="Serve the page on any --host.")
    ] = False,
    no_explorer: Annotated[bool, typer.Option("--no-explorer", help="Serve no page.")] = False,
    allow_writes: AllowWrites = False,
) -> int:
    """Answer the mParticle SDKs over HTTP.

    Point an application at the first address that is printed, and a browser on this machine at the
    second, which shows the store. SIGHUP reloads the configuration; Ctrl-C finishes the accepted
    requests and stops.

    Example: idsync serve --log
    """
    _check_numbers(port, max_age, dsr_delay)
    has_explorer = _has_explorer(host, always=explorer, never=no_explorer, may_write=allow_writes)
    number = parse_seed(seed)
    try:
        from idsync_cli.server import app, run
        from idsync_cli.server.api import Api, ServerSettings
        from idsync_cli.server.carrying_out import CarryingOut
        from idsync_cli.server.cors import Cors, check_origin
        from idsync_cli.server.later import FIRST_SECONDS
        from idsync_cli.server.live import LiveRequests
        from idsync_cli.server.log import Log
    except ModuleNotFoundError as error:
        raise needs_extra(error, "serve") from None
    from idsync_cli.engine.service import Service

    allowed_origins = tuple(check_origin("--allow-origin", each) for each in allow_origin or ())
    rules = load_rules(config, no_extensions=no_extensions)
    organization = rules.organization
    credentials = _credentials(organization)
    outputs = outputs_of(record, config, store, tls_cert, tls_key, tls=tls)
    context = tls_context(host, store, outputs, tls=tls, certificate=tls_cert, key=tls_key)
    recorder = recorder_for(record)
    listening = run.listen(host, port)
    with listening:
        _ensure_store(store, organization, number)
        keep_recording(store, record)
        say_line = say if log or log_values else None
        with Service(
            organization,
            lambda: opened(store, write_it=True),
            lambda: opened(store, write_it=False),
            now=now_ms,
        ) as service:
            live = LiveRequests(now_ms) if has_explorer else None
            on_refused = None if live is None else live.refused
            api = Api(
                service,
                organization,
                credentials,
                ServerSettings(max_age, allowed_origins),
                Log(say_line, values=log_values, on_refused=on_refused),
                recorder,
                now_ms,
                live,
            )
            carrying_out = CarryingOut(api, dsr_delay * 1000, report_bug)
            is_secure = context is not None
            address = url_of(host, listening.getsockname()[1], is_secure=is_secure)
            _warn(credentials, host)
            served = app.make_app(api, report_bug, carrying_out)
            made = None
            if has_explorer:
                made = make_explorer(
                    api, rules, host, address, may_write=allow_writes, behind=served
                )

            def tell() -> None:
                write(f"serving the store {printable(store)} at {address}")
                tell_of(made, host, is_secure=is_secure)

            async def reload() -> None:
                load = partial(load_rules, config, no_extensions=no_extensions)
                await reload_rules(api, made, load, _credentials)

            run.serve(
                served if made is None else made.app,
                listening,
                context,
                reload,
                tell,
                beside(api, carrying_out.run, FIRST_SECONDS),
                Cors(allowed_origins),
            )
    if recorder is not None:
        recorder.close()
    say("stopped; every request that was accepted has been answered")
    return 0


def _has_explorer(host: str, *, always: bool, never: bool, may_write: bool) -> bool:
    """Whether the explorer is served: on the loopback address, unless told otherwise."""
    if always and never:
        raise UsageFault("--explorer and --no-explorer cannot be combined; choose one")
    has_it = always or (host in LOOPBACK and not never)
    if may_write and not has_it:
        raise UsageFault("--allow-writes is for the explorer, which is not served; add --explorer")
    return has_it


def _check_numbers(port: int, max_age: int, dsr_delay: int) -> None:
    check_port(port)
    if max_age < 0:
        raise UsageFault(f"--max-age {max_age} is negative; give a number of seconds")
    if not 0 <= dsr_delay <= _LONGEST_DELAY:
        raise UsageFault(
            f"--dsr-delay {dsr_delay} is not a number of seconds from 0 to {_LONGEST_DELAY}"
        )


def _credentials(organization: "Organization") -> "Credentials":
    from idsync_cli.server.credentials import Credentials

    return Credentials(organization, os.environ)


def _warn(credentials: "Credentials", host: str) -> None:
    if not credentials.any:
        say(
            "note: no workspace has an api_key, so no SDK can send requests; "
            "to add one, see: idsync help workspaces"
        )
    if host not in LOOPBACK and credentials.open_keys:
        names = ", ".join(map(quoted, credentials.open_keys))
        say(
            f"note: whoever can reach {printable(host)} can send requests with only the key of "
            f"{names} "
            "(key_only)"
        )


def _ensure_store(path: str, organization: "Organization", seed: int | None) -> None:
    from idsync_cli.store import sqlite as stores

    found = open_store(path, organization, write=True)
    if found is None:
        found = stores.create(path, new_seed() if seed is None else seed)
        say(f"created the store {printable(path)}")
    with found:
        check_seed(found, path, seed)
