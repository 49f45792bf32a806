"""JSON of any layout, value by value: whatever the pieces are in which it is read."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from idsync_cli.errors import UsageFault
from idsync_cli.files import json_pieces
from idsync_cli.files.json_pieces import JsonPieces, Piece


def in_pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def value(rng: random.Random, depth: int = 0) -> Any:
    texts = ["", "a", '"', "\\", '\\"', "{", "]", "[{", "é", "😀", "\n", "a,b", ":", "x" * 90]
    kind = rng.randrange(7 if depth < 4 else 4)
    if kind < 2:
        return rng.choice(texts)
    if kind < 4:
        return rng.choice([None, True, False, 0, -5, 1e3, 2**70])
    if kind < 5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {f"{rng.choice(texts)}{n}": value(rng, depth + 1) for n in range(rng.randrange(4))}


def item(rng: random.Random) -> Any:
    return {"a": value(rng)} if rng.random() < 0.8 else [value(rng)]


def texts(found: list[Piece]) -> list[Any]:
    assert all(piece.ended and not piece.skipped for piece in found)
    return [json.loads(piece.text) for piece in found]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10**6])
@pytest.mark.parametrize("seed", range(6))
def test_values_come_one_by_one_whatever_their_layout(
    seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_pieces, "_KEPT", seed * 20)
    rng = random.Random(seed)
    wanted = [{"first": 1}, *(item(rng) for _ in range(12))]
    layouts = [
        json.dumps(wanted),
        json.dumps(wanted, indent=2),
        json.dumps(wanted, ensure_ascii=False, indent="\t").replace("\n", "\r\n"),
        "\n".join(json.dumps(each) for each in wanted),
        "\n".join(json.dumps(each, indent=1) for each in wanted),
        "".join(json.dumps(each) for each in wanted),
        " ,\n".join(json.dumps(each) for each in wanted) + ",",
        "[" + "\n".join(json.dumps(each) for each in wanted) + ",]",
    ]
    for text in layouts:
        assert texts(list(JsonPieces(in_pieces(text, size)).values())) == wanted
        again = list(JsonPieces(in_pieces("\n \t" + text, size)).values())
        assert texts(again) == wanted


@pytest.mark.parametrize("size", [1, 5, 10**6])
@pytest.mark.parametrize("seed", range(6))
def test_entries_of_a_har_come_one_by_one(
    seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_pieces, "_KEPT", seed * 20)
    rng = random.Random(seed)
    wanted = [{"n": number, "x": value(rng)} for number in range(9)]
    har = {
        "other": value(rng),
        "log": {
            **{f"m{number}": value(rng) for number in range(3)},
            "pages": [value(rng)],
            "entries": wanted,
            "later": 1,
        },
    }
    for text in (json.dumps(har), json.dumps(har, indent=2)):
        assert texts(list(JsonPieces(in_pieces(text, size)).entries())) == wanted


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"log"', '{"log": 5}', '{"log": {"entries": 5}}', '{"log": {}}', "[]"]
)
def test_what_is_no_har_has_no_entries(text: str) -> None:
    assert list(JsonPieces(in_pieces(text, 3)).entries()) == []


def test_lines_are_counted_and_what_is_no_value_is_told() -> None:
    text = '[\n{"a": 1}, nonsense\n\n{"b":\n2}\n] tail'
    assert list(JsonPieces(in_pieces(text, 4)).values()) == [
        Piece(2, '{"a": 1}', number=1),
        Piece(2, "", "nonsense", number=2),
        Piece(4, '{"b":\n2}', number=3),
        Piece(6, "", "tail", number=4),
    ]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b": "x', '{"a": 1}\n{"b": [', '{"a": 1}{"b": "\\'])
def test_a_value_in_which_the_file_ends_is_told(text: str) -> None:
    first, last = JsonPieces(in_pieces(text, 5)).values()
    assert (first.text, first.ended, last.ended) == ('{"a": 1}', True, False)


def test_a_value_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "LONGEST", 2**20)
    with pytest.raises(UsageFault, match="line 1 is longer than 1 MiB"):
        list(JsonPieces(in_pieces('{"a": [' + "1, [2], " * 10**6, 1000)).values())
    long = "{" + ", ".join(f'"m{n}": [{n}]' for n in range(10**5)) + ', "log": {"entries": [{}]}}'
    assert len(list(JsonPieces(in_pieces(long, 1000)).entries())) == 1
