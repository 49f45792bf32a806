"""MPIDs as requests name them, and as another system has recorded them."""

from typing import Final

from idsync_cli.core.identity import mpid_rule, parse_mpid
from idsync_cli.wire.members import invalid_request, is_text, wrong

_OR_A_LABEL: Final = ", or @ and a label"


def is_no_mpid(previous: object) -> bool:
    """Whether an MPID is what SDKs send where they have none."""
    if isinstance(previous, str):
        return previous in ("", "0")
    return isinstance(previous, int) and not isinstance(previous, bool) and previous == 0


def mpid_or_label(name: str, value: object) -> int | str:
    """An MPID, or the label that stands for one.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if isinstance(value, str) and value.startswith("@"):
        return value[1:]
    mpid = parse_mpid(value)
    if mpid is None:
        rule = mpid_rule(value)
        also = _OR_A_LABEL if rule.startswith(":") else ""
        raise invalid_request(wrong(name, value, f"an MPID{rule}{also}"), (name,))
    return mpid


def mpid_or_label_if_any(name: str, value: object) -> int | str | None:
    """The same, or None for what SDKs send where they have no MPID."""
    return None if is_no_mpid(value) else mpid_or_label(name, value)


def recorded_mpid(response: object) -> int | None:
    """The MPID that another system has answered with, if it has (section 12).

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if not isinstance(response, dict):
        raise invalid_request(wrong("response", response, "an object"), ("response",))
    mpid, error = response.get("mpid"), response.get("error")
    if mpid is not None and parse_mpid(mpid) is None:
        raise invalid_request(
            wrong("the mpid of a response", mpid, f"null or an MPID{mpid_rule(mpid)}"),
            ("response", "mpid"),
        )
    if error is not None and not is_text(error):
        raise invalid_request(
            wrong("the error of a response", error, "text"), ("response", "error")
        )
    if "mpid" not in response and error is None:
        raise invalid_request(
            "the response has neither an mpid nor an error; give one of them", ("response",)
        )
    return None if mpid is None else parse_mpid(mpid)
