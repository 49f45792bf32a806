"""Who sends a request: the keys and secrets of all workspaces, and what each pair opens.

Every secret is compared in constant time, and a key that nobody has costs as much as one that is
there. What a client gets wrong it learns by a status alone: 401, or 403 (section 10).
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from starlette.datastructures import Headers

from idsync_cli.core.config.access import NO_ACCESS, Access, Secrets
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.server.signature import is_in_time, is_signed

_NOBODY: Final = "no workspace", NO_ACCESS
_OF_CREDENTIALS: Final = frozenset((b"x-mp-key", b"authorization", b"x-mp-signature", b"date"))
_STAND_IN: Final = ("a secret that is never right",)


class Means(StrEnum):
    """By what a request showed whom it comes from."""

    BARE_KEY = "bare key"
    SIGNATURE = "signature"
    BASIC = "basic"
    ADMIN = "admin"


class Caller(NamedTuple):
    """Who sends a request: the workspace that the key belongs to, and by what that was shown."""

    workspace: str
    access: Access
    means: Means

    @property
    def is_app(self) -> bool:
        """Whether it is an application on somebody's device, which must be trusted little."""
        return self.means in (Means.BARE_KEY, Means.SIGNATURE)


class Refused(Exception):
    """Missing or wrong credentials: the HTTP status that says so."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status: Final = status


class Sent(NamedTuple):
    """What a request carries that credentials are judged by.

    `path_key` is the key in its path, `paths` what a signature may be over, `body` the body as it
    was before it was compressed.
    """

    method: str
    headers: Headers
    paths: tuple[str, ...]
    body: bytes
    path_key: str | None = None


class Credentials:
    """The keys of all workspaces, with their secrets.

    Raises:
        UsageFault: the environment lacks a secret that the configuration names.
    """

    def __init__(self, organization: Organization, environment: Mapping[str, str]) -> None:
        self._api: dict[str, tuple[str, Access]] = {}
        self._admin: dict[str, tuple[str, Access]] = {}
        self._secrets: dict[str, tuple[str, ...]] = {}
        for workspace, access in organization.access.items():
            if access.api_key is not None:
                self._api[access.api_key] = workspace, access
                self._secrets[access.api_key] = _read(access.api_secrets, workspace, environment)
            if access.admin_key is not None:
                self._admin[access.admin_key] = workspace, access
                self._secrets[access.admin_key] = _read(
                    access.admin_secrets, workspace, environment
                )

    @property
    def any(self) -> bool:
        """Whether any workspace has an API key."""
        return bool(self._api)

    @property
    def has_admin(self) -> bool:
        """Whether any workspace has a pair of administration."""
        return bool(self._admin)

    @property
    def open_keys(self) -> tuple[str, ...]:
        """The workspaces whose bare key is enough."""
        return tuple(workspace for workspace, access in self._api.values() if access.key_only)

    def app_or_basic(self, sent: Sent) -> Caller:
        """Judge a request for which an application's credentials do, or a server's.

        Raises:
            Refused: 401.
        """
        if "authorization" in sent.headers:
            return self.basic(sent, wrong=401)
        return self.app(sent)

    def app(self, sent: Sent) -> Caller:
        """Judge a request for which an application's credentials are needed.

        Raises:
            Refused: 401.
        """
        key = _one_key(sent)
        if "authorization" in sent.headers:
            self.basic(sent, wrong=401)
        workspace, access = self._api.get(key or "", _NOBODY)
        signature = sent.headers.get("x-mp-signature")
        if signature is not None:
            self._check_signature(sent, key or "", signature)
            return Caller(workspace, access, Means.SIGNATURE)
        if access is NO_ACCESS or not access.key_only:
            raise Refused(401)
        return Caller(workspace, access, Means.BARE_KEY)

    def bare_key(self, sent: Sent) -> Caller:
        """Judge a request for which the key in its path must be enough; what else came is judged.

        Raises:
            Refused: 401.
        """
        caller = self.app(sent)
        if not caller.access.key_only:
            raise Refused(401)
        return caller._replace(means=Means.BARE_KEY)

    def basic(self, sent: Sent, *, wrong: int) -> Caller:
        """Judge a request for which a key and its secret are needed, as servers send them.

        `wrong` is the status where they are sent and wrong, or contradict what else came.

        Raises:
            Refused: 401 where they are missing.
        """
        workspace, access = self._pair(sent, self._api, wrong)
        self._check_others(sent, access, wrong)
        return Caller(workspace, access, Means.BASIC)

    def check_admin(self) -> None:
        """See that what is for administration is there at all.

        Raises:
            Refused: 404; no workspace has a pair of administration.
        """
        if not self.has_admin:
            raise Refused(404)

    def admin(self, sent: Sent) -> Caller:
        """Judge a request for which the pair of administration is needed.

        Raises:
            Refused: 401; 404 where no workspace has such a pair.
        """
        self.check_admin()
        workspace, access = self._pair(sent, self._admin, 401)
        self._check_others(sent, access, 401)
        return Caller(workspace, access, Means.ADMIN)

    def admin_pair(self, key: str, secret: str) -> Caller:
        """Judge a key and a secret that stand in a body.

        Raises:
            Refused: 401; 404 where no workspace has such a pair.
        """
        self.check_admin()
        workspace, access = self._admin.get(key, _NOBODY)
        if not self._is_secret(key if access is not NO_ACCESS else "", secret):
            raise Refused(401)
        return Caller(workspace, access, Means.ADMIN)

    def _pair(
        self, sent: Sent, pairs: Mapping[str, tuple[str, Access]], wrong: int
    ) -> tuple[str, Access]:
        header = sent.headers.get("authorization")
        if header is None:
            raise Refused(401)
        key, secret = _basic_of(header)
        workspace, access = pairs.get(key, _NOBODY)
        if not self._is_secret(key if access is not NO_ACCESS else "", secret):
            raise Refused(wrong)
        return workspace, access

    def _check_others(self, sent: Sent, access: Access, wrong: int) -> None:
        """See that what came beside a pair is right, and is of the same workspace."""
        key = _one_key(sent, wrong)
        if key is not None and key != access.api_key:
            raise Refused(wrong)
        signature = sent.headers.get("x-mp-signature")
        if signature is not None:
            self._check_signature(sent, access.api_key or "", signature, wrong)

    def _is_secret(self, key: str, secret: str) -> bool:
        right = False
        found = self._secrets.get(key, ())
        for each in found or _STAND_IN:
            right = hmac.compare_digest(each.encode(), secret.encode("utf-8", "replace")) or right
        return right and bool(found)

    def _check_signature(self, sent: Sent, key: str, signature: str, wrong: int = 401) -> None:
        date = sent.headers.get("date", "")
        found = self._secrets.get(key, ()) if key in self._api else ()
        secrets = found or _STAND_IN
        right = is_signed(signature, secrets, sent.method, date, sent.paths, sent.body)
        if not (right and found and is_in_time(date, datetime.now(UTC))):
            raise Refused(wrong)


def _one_key(sent: Sent, wrong: int = 401) -> str | None:
    """The key of a request, in its path or its header; both must be one.

    Raises:
        Refused: they are two, or a header of credentials came twice and contradicts itself.
    """
    header = sent.headers.get("x-mp-key")
    came: dict[bytes, bytes] = {}
    for name, value in sent.headers.raw:
        if name in _OF_CREDENTIALS and came.setdefault(name, value) != value:
            raise Refused(wrong)
    if sent.path_key is None:
        return header
    if header is not None and header != sent.path_key:
        raise Refused(wrong)
    return sent.path_key


def _basic_of(header: str) -> tuple[str, str]:
    """The two halves of Basic credentials; empty ones where they are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        key, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        return "", ""
    return (key, secret) if colon else ("", "")


def _read(secrets: Secrets, workspace: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    if secrets.variable is None:
        return secrets.written
    secret = environment.get(secrets.variable)
    if not secret:
        what = "is not set" if secret is None else "is empty"
        raise UsageFault(
            f"the environment variable {quoted(secrets.variable)}, which should hold a secret of "
            f"the workspace {quoted(workspace)}, {what}; set it before the server starts"
        )
    return (secret,)
