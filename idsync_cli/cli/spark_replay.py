"""Replay files of requests on Spark, into a folder."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import Annotated

import typer

from idsync_cli.cli.environment import parse_seed, say, told_if_interrupted, write, write_json
from idsync_cli.cli.opening import load_configuration
from idsync_cli.cli.options import DEFAULT_CONFIG, Config, NoExtensions, Seed, present_store
from idsync_cli.errors import (
    FaultCode,
    Hint,
    IdsyncError,
    StoreFault,
    UsageFault,
    printable,
    quoted,
)

MAX_SHARE = 0.25
_SCRIPT = "spark_script.py"
_AGAIN = "nothing is finished, and the same command again begins anew"


def spark_replay(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Requests, one per line (.gz too)."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="The folder to write; it is new."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="DIR", help="Continue from a job's folder, or an export."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    no_extensions: NoExtensions = False,
    seed: Seed = None,
    window: Annotated[
        int | None,
        typer.Option("--window", metavar="LINES", help="Lines at once (default: by --max-share)."),
    ] = None,
    max_share: Annotated[
        float,
        typer.Option(
            "--max-share", metavar="F", help="The largest share of a window for one task."
        ),
    ] = MAX_SHARE,
    master: Annotated[
        str | None,
        typer.Option("--master", metavar="M", help="Where Spark runs (default: local[*])."),
    ] = None,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="Write lines of JSON instead of Parquet.")
    ] = False,
    show_script: Annotated[
        bool, typer.Option("--script", help="Print the path of the script for spark-submit.")
    ] = False,
) -> int:
    """Replay files on Apache Spark into a folder.

    The answers are those of a replay. Each window of lines is reported before it is resolved. A
    seed is needed unless --state is a job's folder. idsync load turns what jobs wrote into a store.

    Example: idsync spark-replay day.jsonl --output out/ --seed 42
    """
    if show_script:
        write(str(Path(__file__).absolute().with_name(_SCRIPT)))
        return 0
    if not files:
        raise UsageFault("there is no file to replay; name at least one")
    if output is None:
        raise UsageFault("there is no folder for the answers; name a new one with --output")
    organization = load_configuration(config, no_extensions=no_extensions).organization
    number = parse_seed(seed)
    from idsync_cli.spark.reading import check_files
    from idsync_cli.spark.replaying import check, replay_into
    from idsync_cli.spark.session import session
    from idsync_cli.spark.spark_faults import is_full, name_of_fault

    check(window, max_share)
    check_files(files)
    _check_output(output, config, files, state)
    try:
        with told_if_interrupted(lambda: _AGAIN):
            with _interrupts_as_elsewhere():
                spark = session(master, files)
            job = replay_into(
                spark,
                files,
                output,
                config=organization,
                seed=number,
                state=state,
                window=window,
                max_share=max_share,
                as_lines=as_lines,
                tell=lambda window: say(window.told()),
            )
    except IdsyncError:
        raise
    except Exception as error:
        name = name_of_fault(error)
        if name is None:
            raise
        if is_full(error):
            raise StoreFault(
                f"there is no room left for {quoted(output)}, or for the temporary files of Spark; "
                "nothing is finished",
                FaultCode.DISK_FULL,
                hint=Hint.MAKE_ROOM,
            ) from None
        raise StoreFault(
            f"Spark ended the job ({printable(name)}), and its own log says why; {_AGAIN}"
        ) from None
    for scope in job.other_logins:
        say(f"note: the login types of the scope {printable(scope)} have changed")
    write_json(job.report)
    return job.exit_status


@contextmanager
def _interrupts_as_elsewhere() -> Iterator[None]:
    """Keep PySpark from taking interrupts, and from printing what they interrupted."""
    logging.getLogger().addHandler(logging.NullHandler())
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGINT, before)


def _check_output(output: str, config: str, files: list[str], state: str | None) -> None:
    """See that a folder of this machine is not to take the place of what is anything else.

    Raises:
        UsageFault: it is.
    """
    from idsync_cli.files.outputs import Outputs
    from idsync_cli.spark.locations import is_elsewhere

    if is_elsewhere(output):
        return
    inputs = files if state is None else [*files, state]
    here = [each for each in inputs if not is_elsewhere(each)]
    outputs = Outputs(store=present_store(), configuration=config, inputs=here)
    outputs.check("--output", output)
    if state in here and Path(str(state)).resolve() in Path(output).resolve().parents:
        raise UsageFault(
            f"the folder {quoted(output)} is inside the state {quoted(str(state))}",
            FaultCode.FILE_IN_USE,
            hint=Hint.NAME_ANOTHER_OUTPUT,
        )
