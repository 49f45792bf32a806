"""Erasures and other requests of data subjects: for people, as JSON, and as files."""

from collections.abc import Iterator

from idsync_cli import wire
from idsync_cli.core.data.values import Event
from idsync_cli.core.erasure import ErasureReport
from idsync_cli.erasure.access import AccessOutcome, SubjectProfile
from idsync_cli.erasure.erase import ErasureOutcome
from idsync_cli.errors import number_of, printable
from idsync_cli.files.subject_request import SubjectRequest
from idsync_cli.render.theme import Line, Look
from idsync_cli.store.file_values import Evidence

PROFILE_FILE = "profile.jsonl"
BATCHES_FILE = "batches.jsonl"
EMPTY_FILE = "empty.txt"


def outcome_json(outcome: ErasureOutcome) -> wire.Json:
    """The answer of an erase with what shows that it is done; null where it is not."""
    answer = wire.answer_json(outcome.answer, explain=False)
    if outcome.report is None:
        return answer
    evidence = outcome.evidence
    return answer | {"shown_by": None if evidence is None else _evidence_json(evidence)}


def certificate_json(report: ErasureReport, evidence: Evidence) -> wire.Json:
    """The certificate of an erasure: nothing that anybody could be recognized by but the MPID."""
    erasure = report.erasure
    return {
        "mpid": str(erasure.mpid),
        "request_id": erasure.request_id,
        "seq": erasure.seq,
        "time": wire.time_text(erasure.time_ms),
        "counts": report.counts._asdict(),
        "shown_by": _evidence_json(evidence),
    }


def _evidence_json(evidence: Evidence) -> wire.Json:
    return evidence._asdict()


def evidence_line(evidence: Evidence) -> Line:
    """What shows that an erasure is done."""
    pages = number_of(evidence.pages, "page")
    free = number_of(evidence.free_pages, "free page")
    log = number_of(evidence.log_bytes, "byte")
    shown = f"{pages} rewritten, {free}, {log} in the log"
    return [("done", Look.OK), f": no byte of it is left in the store's files ({shown})"]


def access_json(outcome: AccessOutcome, request: SubjectRequest, folder: str) -> wire.Json:
    """What an access or portability request came to."""
    subject = outcome.subject
    assert subject is not None
    return {
        "subject_request_id": request.id,
        "subject_request_type": request.type.value,
        "mpid": str(subject.profile.profile.mpid),
        "scope": subject.profile.scope,
        "folder": folder,
        "files": [name for name, _ in subject_files(subject)],
    }


def access_lines(outcome: AccessOutcome, folder: str) -> list[Line]:
    """The same for people."""
    subject = outcome.subject
    assert subject is not None
    mpid = (str(subject.profile.profile.mpid), Look.MPID)
    names = ", ".join(name for name, _ in subject_files(subject))
    return [["profile ", mpid, f": {names} in {printable(folder)}"]]


def subject_files(subject: SubjectProfile) -> Iterator[tuple[str, Iterator[str]]]:
    """The files that a subject gets, each with its lines."""
    if subject.is_empty:
        yield EMPTY_FILE, iter(["the store has no data of this profile"])
        return
    yield PROFILE_FILE, iter([wire.encode(_profile_json(subject))])
    if subject.data.events:
        yield BATCHES_FILE, (_batch_line(seq, events) for seq, events in subject.batches())


def _profile_json(subject: SubjectProfile) -> wire.Json:
    data = subject.data
    return {
        **wire.profile_json(subject.profile),
        "first_seen_ms": data.first_seen_ms,
        "last_stored_ms": data.last_stored_ms,
        "user_attributes": dict(data.attributes),
        "devices": [
            {
                "identity_type": each.identifier and each.identifier.type.value,
                "value": each.identifier and each.identifier.value,
                **each.info,
            }
            for each in data.devices
        ],
        "consent_state": data.consent_state,
        "is_opted_out": data.is_opted_out,
        "attribution": data.attribution,
        "status_messages": list(data.status_messages),
    }


def _batch_line(seq: int, events: list[Event]) -> str:
    """A batch: its events stay the JSON text that they are, on one line."""
    texts = ", ".join(each.text for each in events).replace("\n", " ").replace("\r", " ")
    return f'{{"seq": {seq}, "events": [{texts}]}}'
