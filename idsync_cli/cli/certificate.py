"""The certificate of an erasure, written last of all (section 9)."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from idsync_cli.errors import FaultCode, StoreFault, quoted

if TYPE_CHECKING:
    from idsync_cli.erasure.erase import ErasureOutcome


def certificate_writer(
    option: str, path: str | None, config: str, store: str, inputs: list[str], *, force: bool
) -> "Callable[[ErasureOutcome], None]":
    """What writes the certificate, last of all; whether it can is seen before anything is done.

    Raises:
        UsageFault: the file must not be written, or cannot.
    """
    if path is None:
        return lambda _outcome: None
    from idsync_cli.files.outputs import Outputs, ensure_writable
    from idsync_cli.files.whole_file import whole_file
    from idsync_cli.render.erasure import certificate_json

    outputs = Outputs(store=store, configuration=config, inputs=inputs)
    outputs.check(option, path, must_be_new=not force)
    ensure_writable(option, path)

    def write(outcome: "ErasureOutcome") -> None:
        report, evidence = outcome.report, outcome.evidence
        assert report is not None
        assert evidence is not None
        content = json.dumps(certificate_json(report, evidence), indent=2) + "\n"
        try:
            with whole_file(path, must_be_new=not force) as file:
                file.write(content.encode())
        except OSError as error:
            raise StoreFault(
                f"the profile was erased, but {option} {quoted(path)} cannot be written: "
                f"{error.strerror}; the profile and what was erased are shown above",
                FaultCode.OUTPUT_UNWRITABLE,
                path=path,
            ) from None

    return write
