"""The OpenDSR routes: requests of data subjects, over `idsync erase --dsr` (sections 9 and 10)."""

import io
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.erasure import requests as subject_requests
from idsync_cli.erasure.access import SubjectProfile
from idsync_cli.erasure.requests import SubjectRequestProgress
from idsync_cli.errors import UsageFault
from idsync_cli.file_faults import FileFault
from idsync_cli.files.subject_request import (
    SubjectRequest,
    SubjectRequestType,
    parse,
)
from idsync_cli.render.erasure import subject_files
from idsync_cli.server.answers import Json, Problem, json_response, refused
from idsync_cli.server.api import Api, sent_with
from idsync_cli.server.bodies import check_content_type
from idsync_cli.server.carrying_out import CarryingOut
from idsync_cli.server.credentials import Caller, Sent
from idsync_cli.store.api import Transaction

VERSION: Final = "3.0"

_SOURCE: Final = "the request"
_NO_REQUEST: Final = "there is no request with this id"
_NOT_FOUND: Final = "NOT_FOUND_ERROR"
_ONLY_RAW: Final = "raw"

ResultT = TypeVar("ResultT")


class SubjectRequestRoutes:
    """The handlers of the OpenDSR routes; `carrying_out` does what was accepted, when it is due."""

    def __init__(self, api: Api, carrying_out: CarryingOut) -> None:
        self._api: Final = api
        self._carrying_out: Final = carrying_out

    async def accept(self, request: Request) -> Response:
        """Take a request: it is found at once whom it means, and that alone is kept."""
        caller, sent = await self._judged(request)
        check_content_type(request)
        subject = _parsed(sent.body)
        asked = {
            "type": "erase",
            "workspace": caller.workspace,
            "mpid": None if subject.mpid is None else str(subject.mpid),
            "known_identities": dict(subject.identities) or None,
        }
        delay_ms, now = self._carrying_out.delay_ms, self._api.now
        try:
            row = await self._api.do(
                lambda engine, _store: subject_requests.accept(
                    engine, asked, subject, caller.workspace, delay_ms=delay_ms, now=now
                )
            )
        except subject_requests.UnderWay:
            raise Problem(409, "the same request is already in progress", "CONFLICT") from None
        except UsageFault as fault:
            raise Problem(400, fault.message) from None
        if isinstance(row, Refusal):
            code, message = refused(row)
            raise Problem(400, message, code)
        self._carrying_out.look()
        return json_response(
            {
                "controller_id": caller.workspace,
                "subject_request_id": row.subject_request_id,
                "received_time": wire.time_text(row.time_ms),
                "expected_completion_time": wire.time_text(row.due_ms),
                "encoded_request": "",  # it has identities, and none is given back
            },
            201,
        )

    async def status(self, request: Request) -> Response:
        """Show the state of a request."""
        caller, _ = await self._judged(request)
        found = await self._found(request, caller)
        return json_response(_status_json(request, found))

    async def statuses(self, request: Request) -> Response:
        """Show the state of a group's requests."""
        caller, _ = await self._judged(request)
        group_id = request.query_params.get("group_id")
        if not group_id:
            raise Problem(400, "the query names no group_id")
        found = await self._api.look(
            lambda transaction: subject_requests.progress_of_group(
                transaction, caller.workspace, group_id
            )
        )
        return json_response([_status_json(request, each) for each in found])

    async def cancel(self, request: Request) -> Response:
        """Cancel a pending request."""
        caller, _ = await self._judged(request)
        its_id = _id_in(request)
        try:
            row = await self._api.do(
                lambda engine, _store: subject_requests.cancel(engine, caller.workspace, its_id)
            )
        except subject_requests.NotPending:
            raise Problem(400, "only a request that is pending can be cancelled") from None
        if row is None:
            raise Problem(404, _NO_REQUEST, _NOT_FOUND)
        return json_response(
            {
                "controller_id": caller.workspace,
                "subject_request_id": row.subject_request_id,
                "received_time": wire.time_text(self._api.now()),
                "expected_completion_time": None,
            },
            202,
        )

    async def results(self, request: Request) -> Response:
        """Give all that is known of a profile, to whom asked for access or portability."""
        caller, _ = await self._judged(request)
        found = await self._found(request, caller)
        row = found.row
        if row.type == SubjectRequestType.ERASURE or found.status != subject_requests.COMPLETED:
            raise Problem(404, "the request has no results, or none yet", _NOT_FOUND)
        if not row.is_of_somebody:
            raise Problem(404, "the request matched no profile", _NOT_FOUND)
        organization = self._api.organization

        def ask(transaction: Transaction) -> SubjectProfile | None:
            return subject_requests.results_of(transaction, organization, row)

        is_over = subject_requests.is_over(row, self._api.now())
        subject = None if is_over else await self._api.look(ask)
        if subject is None:
            raise Problem(410, "the results no longer exist", "GONE")
        name = f'attachment; filename="{row.subject_request_id}.zip"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(_zipped(subject), 200, headers, "application/zip")

    async def discovery(self, request: Request) -> Response:
        """Tell which requests are understood."""
        await self._judged(request)
        return json_response(
            {
                "api_version": VERSION,
                "supported_identities": [
                    {"identity_type": name, "identity_format": _ONLY_RAW}
                    for name in [*TYPES_BY_NAME, "mpid"]
                ],
                "supported_subject_request_types": [each.value for each in SubjectRequestType],
                "processor_certificate": "",
            }
        )

    async def _judged(self, request: Request) -> tuple[Caller, Sent]:
        sent = await sent_with(request)
        caller = self._api.credentials.admin(sent)
        self._api.check_rate(caller)
        return caller, sent

    async def _found(self, request: Request, caller: Caller) -> SubjectRequestProgress:
        its_id = _id_in(request)
        found = await self._api.look(
            lambda transaction: subject_requests.progress_of(transaction, caller.workspace, its_id)
        )
        if found is None:
            raise Problem(404, _NO_REQUEST, _NOT_FOUND)
        return found


def _id_in(request: Request) -> str:
    return str(request.path_params["id"]).lower()


def _parsed(body: bytes) -> SubjectRequest:
    """The request in a body.

    Raises:
        Problem: 400, with all that is wrong with it.
    """
    try:
        return parse(body, _SOURCE, is_body=True)
    except FileFault as fault:
        said = [each if isinstance(each, str) else each.message for each in fault.found]
        raise Problem(400, "; ".join(said)) from None


def _status_json(request: Request, found: SubjectRequestProgress) -> Json:
    row, status = found
    has_results = row.type != SubjectRequestType.ERASURE and bool(row.is_of_somebody)
    is_there = has_results and status == subject_requests.COMPLETED
    url = f"{request.base_url}v3/requests/{row.subject_request_id}/results"
    is_cancelled = status == subject_requests.CANCELLED
    return {
        "controller_id": row.workspace,
        "subject_request_id": row.subject_request_id,
        "group_id": row.group_id,
        "request_status": status,
        "expected_completion_time": None if is_cancelled else wire.time_text(row.due_ms),
        "api_version": VERSION,
        "results_url": url if is_there else None,
        "extensions": None,
    }


def _zipped(subject: SubjectProfile) -> bytes:
    import zipfile  # which a server seldom needs, and its start never does

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in subject_files(subject):
            archive.writestr(name, "".join(f"{line}\n" for line in lines))
    return content.getvalue()
