"""A SQLite store, which may grow, has a query of its own for every question of the contract."""

import pytest

from idsync_cli.store.counting import Counting
from idsync_cli.store.inspection import Inspection
from idsync_cli.store.links import Links
from idsync_cli.store.sqlite.inspect.counting import SqliteCounting
from idsync_cli.store.sqlite.inspect.inspection import SqliteInspection
from idsync_cli.store.sqlite.inspect.links import SqliteLinks


@pytest.mark.parametrize(
    ("defined", "by_queries"),
    [(Inspection, SqliteInspection), (Counting, SqliteCounting), (Links, SqliteLinks)],
)
def test_every_question_has_a_query(defined: type, by_queries: type) -> None:
    questions = {name for name in vars(defined) if not name.startswith("_")}
    assert questions
    assert questions <= {*vars(by_queries)}
