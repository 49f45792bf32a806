"""Why a profile is not the answer to a request, and what would make it so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer

from idsync_cli import wire
from idsync_cli.cli import hints
from idsync_cli.cli.environment import draw, parse_seed, say, terminal_width, write, write_json
from idsync_cli.cli.opening import existing_store, load_configuration
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
from idsync_cli.cli.progress import files_progress
from idsync_cli.cli.questions import most_rows, mpid_in, say_left_out, say_meant
from idsync_cli.cli.request_options import request_of
from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import parse_mpid
from idsync_cli.engine.labels import Labels
from idsync_cli.errors import UsageFault, nearest, quoted
from idsync_cli.files.request_file import open_requests
from idsync_cli.foresight.asking import Asking, ReplayedLines, replay_up_to
from idsync_cli.foresight.why_not import Asked, WhyNot, holders
from idsync_cli.foresight.why_not import why_not as ask
from idsync_cli.inspect.near import meant_by
from idsync_cli.store import sqlite as stores
from idsync_cli.store.api import Transaction

_LINE = "line:"
_KINDS = (RequestKind.IDENTIFY, RequestKind.LOGIN, RequestKind.LOGOUT, RequestKind.SEARCH)
"""What can be asked about."""


@takes_identities
def why_not(
    identities: Pairs,
    mpid: Annotated[
        str | None,
        typer.Argument(metavar="[MPID]", help="The profile; with --line also @label or line:M."),
    ] = None,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="With --line: requests; - for stdin.")
    ] = None,
    line: Annotated[
        int | None,
        typer.Option(
            "--line", metavar="N", min=1, help="Ask about line N, after the lines before it."
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            show_default=False,
            help="identify (default), login, logout or search.",
        ),
    ] = "identify",
    previous_mpid: Annotated[
        str | None,
        typer.Option("--previous-mpid", metavar="MPID", help="The user's MPID before the request."),
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="At most N profiles (default: 50, all with --json)."
        ),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option("--seed", metavar="N", help="With --line: seed for the MPIDs (default: 0)."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Say why a profile is not the answer, and what would help.

    Every change is tried out; nothing is written. Without an MPID, every holder is explained. The
    exit status is 1 if no change would make it the answer.

    Example: idsync why-not -5412 --email a@example.com --idfv 9876
    """
    if line is not None and file is None:
        if mpid is None or mpid.startswith(("@", _LINE)) or parse_mpid(mpid) is not None:
            raise UsageFault(
                f"--line {line} needs a file after the MPID, such as: idsync why-not line:1 "
                f"--line {line} requests.jsonl"
            )
        mpid, file = None, mpid
    organization = load_configuration(config, no_extensions=no_extensions).organization
    asking = Asking(organization, wire.Target(scope, workspace))
    if line is None:
        if file is not None:
            raise UsageFault(f"{quoted(file)} needs --line; say which of its lines to ask about")
        if seed is not None:
            raise UsageFault("--seed has no effect without --line; omit it")
        _check_kind(kind)
        number = None if mpid is None else mpid_in("MPID", mpid)
        request = request_of(RequestKind.IDENTIFY, scope, workspace, identities)
        request |= {"type": kind, "previous_mpid": previous_mpid}
        with existing_store(store, organization) as opened, opened.reading() as transaction:
            seq = transaction.last_seq + 1
            asked = _read(asking, request, seq, opened.seed, Labels())
            return _tell(asked, organization, number, transaction, limit, as_json=as_json)
    assert file is not None
    if identities or previous_mpid is not None or kind != "identify":
        raise UsageFault("--line names the request; omit the options that describe one")
    named = _named(mpid, line)
    with _replayed(line, file, parse_seed(seed) or 0, asking, named) as (replayed, opened):
        number = named.mpid_in(replayed)
        with opened.reading() as transaction:
            seq = transaction.last_seq + 1
            asked = _read(asking, replayed.request, seq, opened.seed, replayed.labels, line)
            return _tell(asked, organization, number, transaction, limit, as_json=as_json)


def _check_kind(kind: str) -> None:
    """See that a type is one; of one that is answered by its MPID more is said where it is read.

    Raises:
        UsageFault: it is none.
    """
    if kind not in [*RequestKind]:
        hint = nearest(kind, _KINDS) or f"; use one of {', '.join(_KINDS)}"
        raise UsageFault(f"{ErrorCode.INVALID_REQUEST}: unknown type {quoted(kind)}{hint}")


class _Named(NamedTuple):
    """How a profile is named: by its MPID, a label, or an earlier line; or not at all."""

    mpid: int | None = None
    label: str | None = None
    line: int | None = None

    def mpid_in(self, replayed: ReplayedLines) -> int | None:
        """The MPID that it comes to, once the lines before were replayed.

        Raises:
            UsageFault: it comes to none.
        """
        if self.label is not None:
            if self.label not in replayed.labels:
                raise UsageFault(
                    f"no line before it sets the label {quoted(self.label)}; name an MPID, or a "
                    "line, such as line:1"
                )
            return replayed.labels[self.label]
        if self.line is None:
            return self.mpid
        answer = replayed.answered
        if answer is None:
            raise UsageFault(f"line {self.line} is blank; name one with a request")
        if answer.mpid is None:
            raise UsageFault(
                f"line {self.line} was not answered with a profile ({answer.status}); name another"
            )
        return answer.mpid


def _named(text: str | None, line: int) -> _Named:
    """Read MPID, @label or line:M.

    Raises:
        UsageFault: it is none of them, or the line is not before the one that is asked about.
    """
    if text is None:
        return _Named()
    if text.startswith("@"):
        return _Named(label=text[1:])
    if not text.startswith(_LINE):
        return _Named(mpid=mpid_in("MPID", text))
    digits = text.removeprefix(_LINE)
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) < 20):
        raise UsageFault(f"MPID {quoted(text)} does not name a line; give one such as line:1")
    earlier = int(digits)
    if not 0 < earlier < line:
        raise UsageFault(
            f"MPID {quoted(text)} is not the answer to a line before line {line}; name an earlier "
            "one"
        )
    return _Named(line=earlier)


@contextmanager
def _replayed(
    line: int, name: str, seed: int, asking: Asking, named: _Named
) -> Iterator[tuple[ReplayedLines, stores.SqliteStore]]:
    """The lines before the one that is asked about, replayed into a store that is thrown away."""
    with open_requests(name) as source, stores.temporary(seed) as opened:
        with files_progress([name]) as advance:
            replayed = replay_up_to(line, name, source, opened, asking, named.line, advance)
        yield replayed, opened


def _read(
    asking: Asking,
    request: object,
    seq: int,
    seed: int,
    labels: Labels,
    line: int | None = None,
) -> Asked:
    """The request that is asked about.

    Raises:
        UsageFault: it cannot be read.
    """
    try:
        return asking.asked(request, seq, seed, labels, line)
    except Refusal as refusal:
        where = "" if line is None else f"line {line}: "
        told = f"{where}{refusal.code}: {hints.told(refusal).message}"
        if line is None and not (isinstance(request, dict) and request.get("known_identities")):
            told += "; for an example, run: idsync why-not --help"
        raise UsageFault(told) from None


def _tell(
    asked: Asked,
    organization: Organization,
    mpid: int | None,
    transaction: Transaction,
    limit: int | None,
    *,
    as_json: bool,
) -> int:
    """Tell of one profile, or of all that hold an identifier of the request."""
    if mpid is not None:
        found = transaction.find(mpid)
        if found is None:
            say(f"idsync: no profile has the MPID {mpid}")
            say_meant(meant_by(transaction, organization, mpid=mpid))
            return 1
        scope, profile = found
        if scope != asked.scope:
            say(
                f"idsync: the profile {mpid} is in scope {quoted(scope)}, and the request in "
                f"{quoted(asked.scope)}; a request is never answered with a profile of another "
                "scope"
            )
            return 1
        told = ask(asked, profile, transaction)
        _show(told, as_json=as_json)
        return told.exit_status
    views = holders(asked, transaction)
    if not views:
        say("idsync: no profile holds any identifier in the request")
        scopes = [asked.scope]
        say_meant(meant_by(transaction, organization, asked.request.identifiers, scopes))
        return 1
    shown = views[: most_rows(limit, as_json=as_json)]
    status = 1
    for index, view in enumerate(shown):
        found = transaction.find(view.mpid)
        assert found is not None
        told = ask(asked, found[1], transaction)
        if index and not as_json:
            write("")
        _show(told, as_json=as_json)
        status = min(status, told.exit_status)
    if not as_json:
        say_left_out(len(shown), len(views), "holders")
    return status


def _show(told: WhyNot, *, as_json: bool) -> None:
    from idsync_cli.render import why_not as render

    if as_json:
        write_json(render.why_not_json(told))
    else:
        draw(*render.why_not(told, terminal_width()))
