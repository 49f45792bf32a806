"""An MPID that was given out before is given to nobody else, in whatever batch (section 7)."""

import json

import pytest

from idsync_cli.core.identity import derive_mpid
from tests.program import CONFIG, Program, program_in_a_fresh_folder  # noqa: F401 - the fixture

SEED, TAKEN, REQUESTS = 7, 40, 60


def free(seq: int) -> int:
    """The MPID of the profile made by a request, where nothing is taken."""
    return derive_mpid(SEED, seq, lambda _: False)


@pytest.mark.parametrize("size", ["1", "7", "1000"])
def test_a_batch_passes_over_an_mpid_that_came_by_an_import(idsync: Program, size: str) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync("init", "--seed", str(SEED), "--store", "shop.db")
    # The counter goes on from the highest number that came in, which is 1.
    taken = free(TAKEN)
    profile = {"mpid": str(taken), "created_seq": 1, "identities": {"email": ["x@example.com"]}}
    idsync.write("profiles.jsonl", json.dumps(profile) + "\n")
    assert idsync("import", "profiles.jsonl", "--store", "shop.db").status == 0
    requests = [
        {"type": "identify", "known_identities": {"email": f"{n}@example.com"}}
        for n in range(REQUESTS)
    ]
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    replay = ("replay", "day.jsonl", "--store", "shop.db", "--chunk-size", size, "--output", "-")
    mpids = {answer["seq"]: int(answer["mpid"]) for answer in idsync(*replay).lines()}
    second = derive_mpid(SEED, TAKEN, lambda mpid: mpid == taken)
    wanted = {seq: free(seq) for seq in range(2, REQUESTS + 2)} | {TAKEN: second}
    assert mpids == wanted
    assert second != taken
    assert idsync("doctor", "--store", "shop.db").status == 0
