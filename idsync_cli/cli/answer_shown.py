"""What a request command shows of its answer: as JSON, in a line or two, or explained."""

from idsync_cli import wire
from idsync_cli.cli.environment import draw, say, terminal_width, write_json, write_lines
from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.one_shot import Reply

_WHO = "idsync whois TYPE=VALUE shows who"


def show(
    reply: Reply,
    *,
    explain: bool,
    as_json: bool,
    names_nobody: bool = False,
    mpid: str | None = None,
) -> None:
    """Show an answer; a refusal is told of on standard error as well.

    Where the command `names_nobody`, so is what it could have looked like; `mpid` is what it names.
    """
    answer = reply.answer
    if as_json:
        write_json(wire.answer_json(answer, explain=explain))
    if isinstance(answer.outcome, Refusal):
        _show_refusal(answer, answer.outcome, mpid, explain=explain and not as_json)
        if names_nobody:
            _show_example(answer, answer.outcome.code)
    elif not as_json:
        if reply.dry_run:
            say("dry run: nothing was written to the store")
        from idsync_cli.render import answers as render

        if explain:
            draw(*render.explanation(answer, answer.outcome, terminal_width()))
        else:
            is_erasure = answer.kind is RequestKind.ERASE  # which has no --explain
            told = render.answer_lines(
                answer,
                answer.outcome,
                how_to_see_all=_WHO if is_erasure else "--explain shows all",
                how_to_see_held="for all, run: idsync profile show --mpid {mpid} --limit {number}",
            )
            write_lines(told)


def _show_refusal(answer: Answer, refusal: Refusal, mpid: str | None, *, explain: bool) -> None:
    """The error first, on standard error; then what explains it, under a headline of its own."""
    from idsync_cli.cli.hints import told

    say(f"idsync: {refusal.code}: {told(refusal, mpid).message}")
    if explain and refusal.tiers:
        from idsync_cli.render import answers as render

        headline = render.refusal_headline(answer, refusal)
        draw(*headline, *render.refused_explanation(refusal, terminal_width()))


def _show_example(answer: Answer, code: ErrorCode) -> None:
    command = f"idsync {'track' if answer.kind is RequestKind.BATCH else answer.kind}"
    way_out = f"{command} --help"
    if code is ErrorCode.NO_IDENTITIES or answer.kind is RequestKind.ERASE:
        way_out = f"{command} --email a@example.com, or {way_out}"
    say(f"try: {way_out}")
