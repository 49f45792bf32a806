"""Certificates: those that the user has, or one that is made for the occasion (section 10)."""

import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from idsync_cli.errors import Hint, UsageFault, quoted

AUTHORITY_SUFFIX: Final = ".ca.pem"
"""What the name of the certificate of our own authority ends in, behind that of the store."""

LIFE: Final = timedelta(days=397)
"""How long a certificate that is made is good, if the server runs so long."""

_DAY: Final = timedelta(days=1)  # clocks of devices differ
_EMULATOR: Final = "10.0.2.2"
"""What the Android emulator calls the machine that it runs on."""


def given(certificate: str, key: str) -> ssl.SSLContext:
    """A context from a certificate and its key.

    Raises:
        UsageFault: one cannot be read, or they do not belong together.
    """
    context = _context()
    for what, path in (("certificate", certificate), ("key", key)):
        try:
            with Path(path).open("rb"):
                pass
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or error
            raise UsageFault(f"the {what} {quoted(path)} cannot be read: {cause}") from None
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            fault = "the certificate does not belong to the key"
        else:
            fault = "they are not a certificate and a key in PEM format without a password"
        raise UsageFault(
            f"certificate {quoted(certificate)}, key {quoted(key)}: {fault}",
            hint=Hint.GIVE_CERTIFICATE_WITH_KEY,
        ) from None
    return context


def made(host: str) -> tuple[ssl.SSLContext, bytes]:
    """A context with a certificate for this machine, and the certificate of its authority, in PEM.

    Both private keys live in memory alone. iOS trusts no certificate that is good for longer than
    825 days, whoever signed it.
    """
    import trustme

    authority = trustme.CA(organization_name="idsync", organization_unit_name="this machine only")
    names = {"localhost", "127.0.0.1", "::1", _EMULATOR, socket.gethostname() or "localhost"}
    if host not in ("0.0.0.0", "::", ""):
        names.add(host)
    now = datetime.now(UTC)
    leaf = authority.issue_cert(*sorted(names), not_before=now - _DAY, not_after=now + LIFE)
    context = _context()
    _load(context, leaf.private_key_and_cert_chain_pem.bytes())
    return context, authority.cert_pem.bytes()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a key and its certificate, which Python takes from a file only."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("certificate")
        try:
            os.write(number, pem)
            context.load_cert_chain(f"/proc/self/fd/{number}")
        finally:
            os.close(number)
        return
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile() as file:  # only its owner may read it, and it is gone at once
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
