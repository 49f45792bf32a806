"""The five requests, one at a time: identify, login, logout, search and modify."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import (
    draw,
    load_configuration,
    new_seed,
    now_ms,
    open_store,
    say,
    say_agreed,
    terminal_width,
    write_json,
    write_lines,
)
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    Pairs,
    Scope,
    StorePath,
    Workspace,
    takes_identities,
)
from idsync_cli.core.codes import ErrorCode, RequestKind, Status
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import FaultCode, StoreFault, UsageFault, quoted
from idsync_cli.store import sqlite as store
from idsync_cli.store.memory import MemoryStore

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
    dry_run: DryRun = False,
    explain: Explain = False,
    svg: Svg = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    request = _request(kind, scope, workspace, identities)
    request["previous_mpid"] = previous_mpid
    picture = _picture(svg, config, store, force=force)
    return _answer(
        request,
        config,
        store,
        dry_run=dry_run,
        explain=explain,
        as_json=as_json,
        keep_picture=picture,
    )


def _asks(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `_ask`, whatever its kind."""
    asked = inspect.signature(_ask)
    options = [each for each in asked.parameters.values() if each.name != "kind"]
    command.__signature__ = asked.replace(  # type: ignore[attr-defined]  # inspect reads it
        parameters=options
    )
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
    """Find or create the anonymous profile of a user who signs out.

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
    request = _request(RequestKind.MODIFY, scope, workspace, [*identities, *removed])
    request["mpid"] = mpid
    if change:
        if request["known_identities"]:
            raise UsageFault("--change cannot be combined with identity options or --remove")
        del request["known_identities"]
        request["identity_changes"] = [_split_change(each) for each in change]
    picture = _picture(svg, config, store, force=force)
    return _answer(
        request,
        config,
        store,
        dry_run=dry_run,
        explain=explain,
        as_json=as_json,
        keep_picture=picture,
    )


def _request(
    kind: RequestKind,
    scope: str | None,
    workspace: str | None,
    identities: Sequence[tuple[str, str | None]],
) -> wire.Json:
    """The request as a line of JSON would hold it, so that it is read as one.

    Raises:
        UsageFault: an identifier type is given twice, which JSON could not hold.
    """
    kinds = [TYPES_BY_NAME.get(name, name) for name, _ in identities]
    for name in kinds:
        if kinds.count(name) > 1:
            raise UsageFault(
                f"{quoted(name)} is given twice, possibly under two names; give it once"
            )
    return {
        "type": kind.value,
        "scope": scope,
        "workspace": workspace,
        "known_identities": dict(identities),
    }


def _split_change(text: str) -> wire.Json:
    r"""Read TYPE:OLD:NEW, in which `\:` is a colon and `\\` a backslash.

    Raises:
        UsageFault: it is not of that form; a backslash before anything else could mean two things.
    """
    parts = [""]
    rest = text
    while rest:
        if rest.startswith(("\\:", "\\\\")):
            parts[-1] += rest[1]
            rest = rest[2:]
        elif rest[0] == "\\":
            parts.append("")  # no escape that is known
            break
        elif rest[0] == ":":
            parts.append("")
            rest = rest[1:]
        else:
            parts[-1] += rest[0]
            rest = rest[1:]
    if len(parts) != 3 or rest or not (parts[1] or parts[2]):
        raise UsageFault(
            f"--change {quoted(text)} is not TYPE:OLD:NEW with an old value, a new one or both; "
            "write \\: for a colon in a value, \\\\ for a backslash"
        )
    kind, old, new = parts
    return {"identity_type": kind, "old_value": old or None, "new_value": new or None}


KeepPicture = Callable[[Answer, Decision], None]


def _picture(svg: str | None, config: str, store: str, *, force: bool) -> KeepPicture | None:
    """What keeps the explanation as a picture; whether it can be is seen before anything is done.

    Raises:
        UsageFault: the file must not be written, or cannot.
    """
    if svg is None:
        if force:
            raise UsageFault("--force lets --svg replace a file; give it with --svg, or leave it")
        return None
    from idsync_cli.files.outputs import Outputs, ensure_writable, open_output

    outputs = Outputs(store=store, configuration=config)
    outputs.check("--svg", svg, must_be_new=not force)
    ensure_writable("--svg", svg)

    def keep(answer: Answer, decision: Decision) -> None:
        from idsync_cli.render import answers as render
        from idsync_cli.render import picture

        pieces = render.explanation(answer, decision, picture.WIDTH)
        try:
            with open_output("--svg", svg, must_be_new=not force) as file:
                file.write(picture.svg(pieces, f"idsync {answer.kind}").encode())
        except OSError as error:
            raise StoreFault(
                f"the request was answered, but --svg {quoted(svg)} cannot be written: "
                f"{error.strerror}",
                FaultCode.OUTPUT_UNWRITABLE,
                path=svg,
            ) from None

    return keep


def _answer(
    request: wire.Json,
    config: str,
    path: str,
    *,
    dry_run: bool,
    explain: bool,
    as_json: bool,
    keep_picture: KeepPicture | None,
) -> int:
    organization = load_configuration(config).organization
    with_reasons = explain or keep_picture is not None
    answer = _resolve(request, organization, path, dry_run=dry_run, explain=with_reasons)
    if as_json:
        write_json(wire.answer_json(answer, explain=explain))
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        from idsync_cli.cli.hints import told

        if explain and outcome.tiers and not as_json:
            from idsync_cli.render import answers as render

            draw(*render.refused_explanation(outcome, terminal_width()))
        say(f"idsync: {outcome.code}: {told(outcome).message}")
        if outcome.code is ErrorCode.NO_IDENTITIES:
            command = f"idsync {request['type']}"
            say(f"try: {command} --email a@example.com, or {command} --help")
        return 1 if outcome.code is ErrorCode.MPID_NOT_FOUND else 2
    if not as_json:
        if dry_run:
            say("dry run: nothing was written to the store")
        from idsync_cli.render import answers as render

        if explain:
            draw(*render.explanation(answer, outcome, terminal_width()))
        else:
            more = "--explain shows all"
            write_lines(render.answer_lines(answer, outcome, how_to_see_all=more))
    if keep_picture is not None:
        keep_picture(answer, outcome)
    return 1 if outcome.status is Status.NOT_FOUND else 0


def _resolve(
    request: wire.Json, organization: Organization, path: str, *, dry_run: bool, explain: bool
) -> Answer:
    """Answer one request; a store that is not there is made only if the answer would change it."""
    read_only = dry_run or request["type"] == RequestKind.SEARCH
    opened = open_store(path, organization, write=not read_only)
    if opened is None:
        seed = new_seed()
        with MemoryStore(seed) as empty:
            answer = Engine(organization, empty, now=now_ms, explain=explain).one_shot(
                request, dry_run=True, near=True
            )
        changes = isinstance(answer.outcome, Decision) and answer.outcome.changes_the_store
        if dry_run or not changes:
            return answer
        opened = store.create(path, seed)
    with opened:
        engine = Engine(organization, opened, now=now_ms, explain=explain, on_aligned=say_agreed)
        return engine.one_shot(request, dry_run=dry_run, near=True)
