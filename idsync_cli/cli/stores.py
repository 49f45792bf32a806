"""Make a store, and look into it."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from idsync_cli import store as stores
from idsync_cli import wire
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    OnceEach,
    Seed,
    StorePath,
)
from idsync_cli.cli.surroundings import (
    draw,
    existing_store,
    load_configuration,
    new_seed,
    open_store,
    parse_seed,
    say,
    write_json,
)
from idsync_cli.core.identity import parse_mpid
from idsync_cli.errors import UsageFault, printable, quoted

profile_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def init(
    config: Config = DEFAULT_CONFIG, store: StorePath = DEFAULT_STORE, seed: Seed = None
) -> int:
    """Make a configuration to begin with, and the store; what is there already stays.

    Example: idsync init
    """
    number = parse_seed(seed)
    made = _write_starter(config)
    organization = load_configuration(config).organization
    say(f"{'made' if made else 'kept'} the configuration {printable(config)}")
    found = open_store(store, organization, write=False)
    with found or stores.create(store, new_seed() if number is None else number) as opened:
        if number is not None and opened.seed != number:
            raise UsageFault(
                f"the store {printable(store)} was made with another seed; leave --seed out, "
                "or name a new store"
            )
    say(f"{'kept' if found else 'made'} the store {printable(store)}")
    if made:
        say("next: idsync identify --email a@example.com --explain")
    return 0


def _write_starter(config: str) -> bool:
    """Write the configuration that is there to begin with, unless there is one."""
    if not config:
        raise UsageFault("the path of the configuration is empty; name a file with --config")
    starter = files("idsync_cli").joinpath("starter.yaml").read_text(encoding="utf-8")
    try:
        with Path(config).open("x", encoding="utf-8") as file:
            file.write(starter)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(f"the configuration {quoted(config)} cannot be made: {cause}") from None
    return True


def export(
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    scope: Annotated[
        str | None, typer.Option("--scope", metavar="NAME", help="Only the profiles of one scope.")
    ] = None,
) -> int:
    """Write every profile as a line of JSON, in the order in which they were made.

    Example: idsync export > profiles.jsonl
    """
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as session:
        if scope is not None and scope not in {*organization.scopes, *session.scopes()}:
            raise UsageFault(f"unknown scope {quoted(scope)}")
        for name, profile in session.profiles():
            if scope in (None, name):
                rules = organization.scopes.get(name)
                write_json(wire.profile_json(profile, name, rules))
    return 0


@profile_app.command("show", cls=OnceEach)
def profile_show(
    mpid: Annotated[str, typer.Option("--mpid", metavar="MPID", help="The profile to show.")],
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Show one profile; the exit status is 1 if there is none with the MPID.

    Example: idsync profile show --mpid -5412
    """
    from idsync_cli import render

    number = parse_mpid(mpid)
    if number is None:
        raise UsageFault(f"--mpid {quoted(mpid)} is no MPID: give digits, perhaps behind a minus")
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as session:
        found = session.find(number)
    if found is None:
        say(f"idsync: no profile has the MPID {number}")
        return 1
    name, profile = found
    shown = wire.profile_json(profile, name, organization.scopes.get(name))
    if as_json:
        write_json(shown)
    else:
        draw(*render.profile_table(shown))
    return 0
