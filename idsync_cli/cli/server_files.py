"""The files of a server: certificates that it reads, and what it records (section 10)."""

from typing import TYPE_CHECKING

from idsync_cli.cli.environment import say
from idsync_cli.errors import UsageFault, printable, quoted

if TYPE_CHECKING:
    import ssl

    from idsync_cli.files.outputs import Outputs
    from idsync_cli.server.record import Recorder


def outputs_of(
    record: str | None,
    config: str,
    store: str,
    certificate: str | None,
    key: str | None,
    *,
    tls: bool,
) -> "Outputs | None":
    """The files of the call, of which the recording is one; None if it writes none.

    Raises:
        UsageFault: it must not be written.
    """
    if record is None and not tls:
        return None
    from idsync_cli.files.outputs import Outputs

    inputs = [each for each in (certificate, key) if each is not None]
    outputs = Outputs(store=store, configuration=config, inputs=inputs)
    if record is not None:
        outputs.check("--record", record)
    return outputs


def tls_context(
    host: str,
    store: str,
    outputs: "Outputs | None",
    *,
    tls: bool,
    certificate: str | None,
    key: str | None,
) -> "ssl.SSLContext | None":
    """What https is served with, if it is; the certificate of our own authority is written.

    Raises:
        UsageFault: the options do not fit, or a file cannot be read or written.
    """
    if (certificate is None) != (key is None):
        raise UsageFault("--tls-cert and --tls-key belong together; give both")
    if certificate is not None and key is not None:
        if tls:
            raise UsageFault("give --tls, or --tls-cert with --tls-key, not both")
        from idsync_cli.server.tls import given

        return given(certificate, key)
    if not tls or outputs is None:
        return None
    from idsync_cli.files.whole_file import whole_file
    from idsync_cli.server.tls import AUTHORITY_SUFFIX, made

    path = store + AUTHORITY_SUFFIX
    outputs.check("the file of the authority", path)
    context, authority = made(host)
    try:
        with whole_file(path) as file:
            file.write(authority)
    except OSError as error:
        raise UsageFault(f"{quoted(path)} cannot be written: {error.strerror}") from None
    say(f"wrote {printable(path)}: make the device or browser trust this authority for this run")
    return context


def recorder_for(record: str | None) -> "Recorder | None":
    """What records requests, if a file for them was named.

    Raises:
        UsageFault: it cannot be written.
    """
    if record is None:
        return None
    from idsync_cli.server.record import Recorder

    try:
        return Recorder(record)
    except OSError as error:
        raise UsageFault(f"--record {quoted(record)} cannot be written: {error.strerror}") from None


def keep_recording(store: str, record: str | None) -> None:
    """Keep the path of the file that requests are recorded in, for an erasure to name it."""
    if record is None:
        return
    from idsync_cli.core.codes import FileKind
    from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

    keep_path(store, FileKind.RECORDING, record)
