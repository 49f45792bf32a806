"""Keeping the explanation of an answer as a picture, for `--svg`."""

from collections.abc import Callable

from idsync_cli.core.decision import Answer, Decision
from idsync_cli.errors import FaultCode, StoreFault, quoted
from idsync_cli.files.outputs import Outputs, ensure_writable, open_output


def keeping_a_picture(
    svg: str, config: str, store: str, *, force: bool
) -> Callable[[Answer, Decision], None]:
    """What keeps a picture; whether it can be kept is seen before anything is done.

    Raises:
        UsageFault: the file must not be written, or cannot.
    """
    outputs = Outputs(store=store, configuration=config)
    outputs.check("--svg", svg, must_be_new=not force)
    ensure_writable("--svg", svg)

    def keep(answer: Answer, decision: Decision) -> None:
        from idsync_cli.render import answers as render
        from idsync_cli.render import picture

        pieces = render.explanation(answer, decision, picture.WIDTH)
        try:
            with open_output("--svg", svg, must_be_new=not force) as file:
                file.write(picture.svg(pieces, f"idsync {answer.kind}").encode())
        except OSError as error:
            raise StoreFault(
                f"the request was answered, but --svg {quoted(svg)} cannot be written: "
                f"{error.strerror}",
                FaultCode.OUTPUT_UNWRITABLE,
                path=svg,
            ) from None

    return keep
