"""The five requests, one at a time: identify, login, logout, search and modify."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.answer_shown import show
from idsync_cli.cli.environment import new_seed, now_ms
from idsync_cli.cli.opening import load_configuration, open_store, say_agreed
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    NoExtensions,
    Pairs,
    Scope,
    StorePath,
    Workspace,
    takes_identities,
)
from idsync_cli.cli.request_options import request_of, split_change
from idsync_cli.core.codes import FileKind, RequestKind
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import FaultCode, StoreFault, UsageFault, quoted
from idsync_cli.one_shot import reply_to
from idsync_cli.store.api import Store

if TYPE_CHECKING:
    from idsync_cli.inspect.near import Meant
    from idsync_cli.store.sqlite import SqliteStore

_WHOM = ("known_identities", "user_identities", "identity_changes", "mpid", "source_mpid")
"""The members of a request that say whom it is about."""

PreviousMpid = Annotated[
    str | None,
    typer.Option("--previous-mpid", metavar="MPID", help="This user's MPID before this request."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the whole answer, but write nothing.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Explain the answer tier by tier, in a table.")
]
Svg = Annotated[
    str | None,
    typer.Option(
        "--svg",
        metavar="FILE",
        help="Also save the explanation as an SVG picture.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Let --svg replace an existing file.")]


def _ask(
    kind: RequestKind,
    identities: Pairs,
    previous_mpid: PreviousMpid = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    dry_run: DryRun = False,
    explain: Explain = False,
    svg: Svg = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    request = request_of(kind, scope, workspace, identities)
    request["previous_mpid"] = previous_mpid
    return answer_and_show(
        request,
        config,
        store,
        no_extensions=no_extensions,
        dry_run=dry_run,
        explain=explain,
        as_json=as_json,
        keep_picture=picture_in(svg, config, store, force=force, dry_run=dry_run),
    )


def _asks(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `_ask`, whatever its kind."""
    asked = inspect.signature(_ask)
    options = [each for each in asked.parameters.values() if each.name != "kind"]
    told: Any = command  # which may have one, as inspect has it
    told.__signature__ = asked.replace(parameters=options)
    return takes_identities(command)


@_asks
def identify(**options: Any) -> int:
    """Find or create a user's profile at the start of a session.

    Example: idsync identify --email a@example.com --idfv 9876 --explain
    """
    return _ask(RequestKind.IDENTIFY, **options)


@_asks
def login(**options: Any) -> int:
    """Find or create the profile of a user who signs in.

    Example: idsync login --customer-id ABC123 --email a@example.com --idfv 9876
    """
    return _ask(RequestKind.LOGIN, **options)


@_asks
def logout(**options: Any) -> int:
    """Find or create an anonymous profile when a user signs out.

    Login IDs are ignored: the answer is always anonymous.

    Example: idsync logout --idfv 9876
    """
    return _ask(RequestKind.LOGOUT, **options)


@_asks
def search(**options: Any) -> int:
    """Find a user's profile without changing anything.

    The exit status is 1 if none is found.

    Example: idsync search --email a@example.com --json
    """
    return _ask(RequestKind.SEARCH, **options)


@takes_identities
def modify(
    identities: Pairs,
    mpid: Annotated[str, typer.Option("--mpid", metavar="MPID", help="The profile to change.")],
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove",
            metavar="TYPE",
            help="Remove all values of a type; repeatable.",
            autocompletion=completion.types,
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="TYPE:OLD:NEW",
            help="Replace OLD with NEW; TYPE::NEW adds, TYPE:OLD: removes. Write \\: for a "
            "colon, \\\\ for a backslash; repeatable.",
            autocompletion=completion.types_with_change,
        ),
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    dry_run: DryRun = False,
    explain: Explain = False,
    svg: Svg = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Change the identifiers of the profile with a given MPID.

    With identity options, each type then holds exactly the given value.

    Example: idsync modify --mpid -5412 --change email:a@x.org:b@x.org
    """
    removed = [(name, None) for name in remove or ()]
    request = request_of(RequestKind.MODIFY, scope, workspace, [*identities, *removed])
    request["mpid"] = mpid
    if change:
        if request["known_identities"]:
            raise UsageFault("--change cannot be combined with identity options or --remove")
        del request["known_identities"]
        request["identity_changes"] = [split_change(each) for each in change]
    return answer_and_show(
        request,
        config,
        store,
        no_extensions=no_extensions,
        dry_run=dry_run,
        explain=explain,
        as_json=as_json,
        keep_picture=picture_in(svg, config, store, force=force, dry_run=dry_run),
    )


KeepPicture = Callable[[Answer, Decision], None]


def picture_in(
    svg: str | None, config: str, store: str, *, force: bool, dry_run: bool
) -> KeepPicture | None:
    """What keeps the explanation as a picture; whether it can be is seen before anything is done.

    Raises:
        UsageFault: the file must not be written, or cannot.
    """
    if svg is None:
        if force:
            raise UsageFault("--force has no effect without --svg; omit it, or give both")
        return None
    from idsync_cli.files.outputs import Outputs, ensure_writable, file_exists

    outputs = Outputs(store=store, configuration=config)
    outputs.check("--svg", svg, must_be_new=not force)
    ensure_writable("--svg", svg)

    def keep(answer: Answer, decision: Decision) -> None:
        from idsync_cli.files.whole_file import whole_file
        from idsync_cli.render import answers as render
        from idsync_cli.render import picture

        pieces = render.explanation(answer, decision, picture.WIDTH)
        if not dry_run:
            from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

            keep_path(store, FileKind.OUTPUT, svg)
        try:
            with whole_file(svg, must_be_new=not force) as file:
                file.write(picture.svg(pieces, f"idsync {answer.kind}").encode())
        except FileExistsError:
            raise file_exists("--svg", svg) from None
        except OSError as error:
            raise StoreFault(
                f"the request was answered, but --svg {quoted(svg)} cannot be written: "
                f"{error.strerror}",
                FaultCode.OUTPUT_UNWRITABLE,
                path=svg,
            ) from None

    return keep


def answer_and_show(
    request: wire.Json,
    config: str,
    path: str,
    *,
    no_extensions: bool = False,
    dry_run: bool,
    explain: bool,
    as_json: bool,
    keep_picture: KeepPicture | None,
) -> int:
    """Answer a request, show the answer, and give the exit status."""
    organization = load_configuration(config, no_extensions=no_extensions).organization
    with_reasons = explain or keep_picture is not None

    def engine_over(store: Store) -> Engine:
        return Engine(organization, store, now=now_ms, explain=with_reasons, on_aligned=say_agreed)

    meant: list[Meant] = []

    def look_again(answer: Answer, opened: "SqliteStore") -> None:
        with opened.reading() as transaction:
            if answer.scope in transaction.scopes():  # else nobody is there
                from idsync_cli.inspect.near import meant_by_request

                meant.append(meant_by_request(request, answer, organization, transaction))

    read_only = dry_run or request["type"] == RequestKind.SEARCH
    reply = reply_to(
        request,
        open_store(path, organization, write=not read_only),
        path,
        engine_over=engine_over,
        new_seed=new_seed,
        dry_run=dry_run,
        on_nothing_found=look_again,
    )
    names_nobody = not any(request.get(member) for member in _WHOM)
    mpid = request.get("mpid")
    show(reply, explain=explain, as_json=as_json, names_nobody=names_nobody, mpid=mpid)
    for each in meant:
        from idsync_cli.cli.questions import say_meant

        say_meant(each)
    outcome = reply.answer.outcome
    if keep_picture is not None and isinstance(outcome, Decision):
        keep_picture(reply.answer, outcome)
    return reply.exit_status
