"""Random stories through the real command line, with kills, restores and changed rules.

IDSYNC_STORIES says how many, and IDSYNC_STORY_STEPS how long each is. A story that goes wrong is
made small, and told as the steps that `tests.random_scenarios.tell` repeats it with.
"""

import os
from collections import Counter

import pytest

from tests.random_scenarios import STEPS, random_steps, smallest, tell

STORIES = int(os.environ.get("IDSYNC_STORIES", "6"))
LENGTH = int(os.environ.get("IDSYNC_STORY_STEPS", "16"))
BATCHES = 3


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_program_does_in_every_story_what_the_model_says(batch: int) -> None:
    for number in range(batch, STORIES, BATCHES):
        steps = random_steps(f"story {number}", LENGTH)
        found = tell(number, steps)
        if found:
            small = smallest(number, steps)
            pytest.fail(f"tell({number}, {small}): {tell(number, small) or found}")


def test_everything_happens_in_stories() -> None:
    happened: Counter[str] = Counter()
    for number in range(200):
        happened.update(name for name, _ in random_steps(f"story {number}", LENGTH))
    assert set(happened) == set(STEPS)
