"""Erase a profile, or carry out another request of a data subject."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli.certificate import certificate_writer
from idsync_cli.cli.environment import now_ms, say, write_json, write_lines
from idsync_cli.cli.opening import load_configuration, open_store, say_agreed, unfinished_erasure
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    Force,
    NoExtensions,
    Pairs,
    Scope,
    StorePath,
    Workspace,
    takes_identities,
)
from idsync_cli.cli.request_options import request_of
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import parse_mpid
from idsync_cli.errors import UsageFault, quoted

if TYPE_CHECKING:
    from idsync_cli.engine.engine import Engine
    from idsync_cli.erasure.erase import ErasureOutcome
    from idsync_cli.files.subject_request import SubjectRequest
    from idsync_cli.inspect.near import Meant
    from idsync_cli.store.api import Store

_CERTIFICATE, _RESULTS = "--certificate", "--output"


@takes_identities
def erase(
    identities: Pairs,
    mpid: Annotated[
        str | None, typer.Option("--mpid", metavar="MPID", help="The profile to erase.")
    ] = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            _CERTIFICATE, metavar="FILE", help="Write a certificate of it, which contains no value."
        ),
    ] = None,
    dsr: Annotated[
        str | None,
        typer.Option(
            "--dsr", metavar="FILE", help="Carry out an OpenDSR request (version 3) instead."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(_RESULTS, metavar="DIR", help="The folder for the data of an access request."),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option("--request-id", metavar="ID", help="An ID to keep with the erasure."),
    ] = None,
    force: Force = False,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be erased, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Erase a profile, and every byte that only it held.

    Name it by its MPID, or by identities that fit no other profile. The exit status is 1 if there
    is no such profile. It is 3 while another program reads the store: after that, the next command
    that writes to the store finishes the erasure.

    Example: idsync erase --customer-id ABC123 --certificate erased.json
    """
    subject = None
    if dsr is not None:
        if identities or mpid is not None or request_id is not None:
            raise UsageFault(
                "--dsr names the profile itself; omit --mpid, --request-id and identity options"
            )
        subject = _subject_of(dsr)
    is_access = subject is not None and subject.type.value != "erasure"
    _check_options(certificate, output, dry_run=dry_run, is_access=is_access, force=force)
    organization = load_configuration(config, no_extensions=no_extensions).organization
    request = _request(scope, workspace, mpid, request_id, identities, subject)
    inputs = [] if dsr is None else [dsr]
    if subject is not None and is_access:
        assert output is not None
        _check_folder(output, store, config, inputs)
        return _access(
            request, subject, output, organization, store, dry_run=dry_run, as_json=as_json
        )
    write_certificate = certificate_writer(
        _CERTIFICATE, certificate, config, store, inputs, force=force
    )
    with ExitStack() as opened:
        outcome, meant = _erase(request, subject, organization, store, opened, dry_run=dry_run)
    names_nobody = request["mpid"] is None and request["known_identities"] is None
    _tell(outcome, as_json=as_json, names_nobody=names_nobody)
    if meant is not None:
        from idsync_cli.cli.questions import say_meant

        say_meant(meant)
    if outcome.is_unfinished:
        fault = unfinished_erasure(store)
        if certificate is not None:
            fault.message += f"; {_CERTIFICATE} {quoted(certificate)} was not written"
        raise fault
    if outcome.evidence is not None:
        write_certificate(outcome)
    return outcome.exit_status


def _check_options(
    certificate: str | None, output: str | None, *, dry_run: bool, is_access: bool, force: bool
) -> None:
    if is_access and output is None:
        raise UsageFault(f"an access request needs {_RESULTS} DIR, a folder for the data")
    if output is not None and not is_access:
        raise UsageFault(f"{_RESULTS} is for an access or portability request in --dsr; omit it")
    if certificate is not None and (dry_run or is_access):
        raise UsageFault(f"{_CERTIFICATE} is written only after an erasure; omit it")
    if force and certificate is None:
        raise UsageFault(f"--force lets {_CERTIFICATE} replace a file; give both, or omit --force")


def _check_folder(folder: str, store: str, config: str, inputs: list[str]) -> None:
    """See whether the data of an access request may be put into a folder.

    Raises:
        UsageFault: it may not.
    """
    from idsync_cli.files.outputs import Outputs
    from idsync_cli.files.result_folder import check_folder

    Outputs(store=store, configuration=config, inputs=inputs).check(_RESULTS, folder)
    check_folder(_RESULTS, folder)


def _subject_of(path: str) -> "SubjectRequest":
    from idsync_cli.files.subject_request import read

    return read(path)


def _request(
    scope: str | None,
    workspace: str | None,
    mpid: str | None,
    request_id: str | None,
    identities: Pairs,
    subject: "SubjectRequest | None",
) -> wire.Json:
    """The request as a line of JSON would hold it, so that it is read as one."""
    request = request_of(RequestKind.ERASE, scope, workspace, identities)
    request |= {"mpid": mpid, "request_id": request_id}
    if subject is not None:
        request |= {"mpid": subject.mpid, "request_id": subject.id}
        request["known_identities"] = dict(subject.identities)
    if not request["known_identities"]:
        request["known_identities"] = None
    return request


def _erase(
    request: wire.Json,
    subject: "SubjectRequest | None",
    organization: Organization,
    path: str,
    opened: ExitStack,
    *,
    dry_run: bool,
) -> "tuple[ErasureOutcome, Meant | None]":
    """Answer the request; where there is no store there is nobody, and none is made.

    Where nobody has the MPID, with whoever may be meant.
    """
    from idsync_cli.erasure.erase import ErasureOutcome, erase

    found = open_store(path, organization, write=not dry_run)
    if found is None:
        return ErasureOutcome(_of_nobody(request, organization, path), dry_run=dry_run), None
    storage = opened.enter_context(found)
    engine = _engine(organization, storage)
    outcome = erase(engine, storage, request, subject=subject, dry_run=dry_run, now=now_ms)
    mpid = parse_mpid(request["mpid"])
    if outcome.exit_status != 1 or mpid is None:
        return outcome, None
    from idsync_cli.inspect.near import meant_by

    with storage.reading() as transaction:
        return outcome, meant_by(transaction, organization, mpid=mpid)


def _engine(organization: Organization, storage: "Store") -> "Engine":
    from idsync_cli.engine.engine import Engine

    return Engine(organization, storage, now=now_ms, on_aligned=say_agreed)


def _of_nobody(request: wire.Json, organization: Organization, path: str) -> Answer:
    from idsync_cli.one_shot import reply_to

    def engine_over(storage: "Store") -> "Engine":
        return _engine(organization, storage)

    reply = reply_to(request, None, path, engine_over=engine_over, new_seed=lambda: 0, dry_run=True)
    return reply.answer


def _tell(outcome: "ErasureOutcome", *, as_json: bool, names_nobody: bool) -> None:
    """Show the answer; what is wrong with the request goes to standard error."""
    from idsync_cli.cli.answer_shown import show
    from idsync_cli.render import erasure as render

    if outcome.report is None:
        show(outcome.reply, explain=False, as_json=as_json, names_nobody=names_nobody)
    elif as_json:
        write_json(render.outcome_json(outcome))
    else:
        show(outcome.reply, explain=False, as_json=False)
        if outcome.evidence is not None:
            write_lines([render.evidence_line(outcome.evidence)])


def _access(
    request: wire.Json,
    subject: "SubjectRequest",
    folder: str,
    organization: Organization,
    store: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Give all that is known of a profile, as files in a new folder."""
    from idsync_cli.cli.answer_shown import show
    from idsync_cli.erasure.access import AccessOutcome, access
    from idsync_cli.files.result_folder import write_folder
    from idsync_cli.render import erasure as render

    found = open_store(store, organization, write=not dry_run)
    if found is None:
        outcome = AccessOutcome(_of_nobody(request, organization, store), None)
    else:
        with found:
            engine = _engine(organization, found)
            outcome = access(
                engine, organization, request, subject, folder, dry_run=dry_run, now=now_ms
            )
    if outcome.subject is None:
        show(outcome.reply, explain=False, as_json=as_json)
        return outcome.exit_status
    if dry_run:
        say("dry run: nothing was written")
    else:
        write_folder(_RESULTS, folder, render.subject_files(outcome.subject))
    if as_json:
        write_json(render.access_json(outcome, subject, folder))
    else:
        write_lines(render.access_lines(outcome, folder))
    return outcome.exit_status
