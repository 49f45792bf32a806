"""Look for everything that can be wrong with a store."""

from idsync_cli.cli.environment import draw, write_json
from idsync_cli.cli.opening import load_configuration
from idsync_cli.cli.options import DEFAULT_CONFIG, DEFAULT_STORE, AsJson, Config, StorePath
from idsync_cli.inspect.doctor import examine


def doctor(
    config: Config = DEFAULT_CONFIG, store: StorePath = DEFAULT_STORE, as_json: AsJson = False
) -> int:
    """Check the whole store and report what is wrong.

    Checks every page, checksum and reference, the history against the profiles, the rules of every
    scope, and the permissions of the files. Nothing is written, others can keep using the store,
    and a damaged store that other commands refuse can be examined.

    The exit status is 1 if anything is wrong, and 3 if nothing can be read.

    Example: idsync doctor
    """
    organization = load_configuration(config).organization
    found = examine(store, organization)
    from idsync_cli.render.doctor import lines, report_json

    if as_json:
        write_json(report_json(found))
    else:
        from idsync_cli.render.theme import text

        draw(*(text(*line) for line in lines(found)))
    return found.exit_status
