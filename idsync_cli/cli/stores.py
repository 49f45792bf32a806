"""Create a configuration and a store."""

import os
from importlib.resources import files
from pathlib import Path

from idsync_cli.cli.environment import new_seed, parse_seed, say
from idsync_cli.cli.opening import check_seed, load_configuration, open_store, say_upgraded
from idsync_cli.cli.options import DEFAULT_CONFIG, DEFAULT_STORE, Config, Seed, StorePath
from idsync_cli.errors import IdsyncError, UsageFault, printable, quoted
from idsync_cli.files.outputs import Outputs
from idsync_cli.files.whole_file import whole_file
from idsync_cli.store import sqlite as stores


def init(
    config: Config = DEFAULT_CONFIG, store: StorePath = DEFAULT_STORE, seed: Seed = None
) -> int:
    """Create a starter configuration and the store.

    Existing files are kept unchanged, except that a store of an earlier version is upgraded; the
    original is kept beside it. MPIDs follow from the seed, so choose one only for tests.

    Example: idsync init
    """
    number = parse_seed(seed)
    if config:
        Outputs(store=store).check("--config", config)
    store_is_there = _is_a_store(store, number)
    made = _write_starter(config)
    try:
        organization = load_configuration(config).organization
        if store_is_there:
            existing = open_store(store, organization, write=False)
            assert existing is not None
            existing.close()
        else:
            stores.create(store, new_seed() if number is None else number).close()
    except IdsyncError:
        if made:
            Path(os.path.realpath(config)).unlink()
        raise
    say(f"{'created' if made else 'kept'} the configuration {printable(config)}")
    say(f"{'kept' if store_is_there else 'created'} the store {printable(store)}")
    if made:
        say("next: idsync identify --email a@example.com --explain")
    return 0


def _is_a_store(path: str, seed: int | None) -> bool:
    """Whether there is a store already; it must be one, created with the seed if one is given."""
    try:
        found = stores.open_store(path, write=False)
    except stores.OldStore:
        found = stores.open_store(path, write=True)
    if found is None:
        return False
    with found:
        say_upgraded(found, path)
        check_seed(found, path, seed)
    return True


def _write_starter(config: str) -> bool:
    """Write the configuration that is there to begin with, unless there is one."""
    if not config:
        raise UsageFault("the path of the configuration is empty; name a file with --config")
    starter = files("idsync_cli").joinpath("starter.yaml").read_bytes()
    try:
        if Path(config).exists():
            return False
        with whole_file(config, must_be_new=True) as file:
            file.write(starter)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(f"the configuration {quoted(config)} cannot be created: {cause}") from None
    return True
