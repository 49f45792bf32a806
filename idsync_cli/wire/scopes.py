"""Which scope a request is for (section 3)."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal
from idsync_cli.errors import nearest, quoted
from idsync_cli.wire.members import invalid_request


class Target(NamedTuple):
    """The scope or workspace that the command line names, for requests that name neither."""

    scope: str | None = None
    workspace: str | None = None


def scope_of(
    scope: str | None, workspace: str | None, organization: Organization, target: Target
) -> str:
    """The scope that a request is for; the target stands in where it names none (section 3).

    Raises:
        Refusal: INVALID_REQUEST, UNKNOWN_SCOPE or UNKNOWN_WORKSPACE.
    """
    if scope is None and workspace is None:
        scope, workspace = target.scope, target.workspace
    if scope is None and workspace is None:
        if len(organization.scopes) > 1:
            raise invalid_request(
                "no scope; name a scope or a workspace; the scopes are: "
                + _listed(organization.scopes),
                WHOLE_REQUEST,
            )
        return next(iter(organization.scopes))
    if scope is not None and scope not in organization.scopes:
        hint = nearest(scope, organization.scopes)
        hint = hint or f"; the scopes are: {_listed(organization.scopes)}"
        message = f"unknown scope {quoted(scope)}{hint}"
        raise Refusal(ErrorCode.UNKNOWN_SCOPE, message, word=("scope",))
    if workspace is None:
        return str(scope)
    served = organization.workspaces.get(workspace)
    if served is None:
        hint = nearest(workspace, organization.workspaces)
        hint = hint or f"; the workspaces are: {_listed(organization.workspaces)}"
        raise Refusal(
            ErrorCode.UNKNOWN_WORKSPACE,
            f"unknown workspace {quoted(workspace)}{hint}",
            word=("workspace",),
        )
    if scope is not None and scope != served:
        raise invalid_request(
            f"the workspace {quoted(workspace)} belongs to the scope {quoted(served)}, "
            f"not to {quoted(scope)}; name one of them",
            ("scope",),
        )
    return served


def _listed(names: Iterable[str]) -> str:
    from idsync_cli.visible import visible

    return ", ".join(map(visible, names)) or "(none)"
