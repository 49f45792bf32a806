"""For all tests: what was collected is looked through for garbage once, and no more."""

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of tests are a heap through which every collection would go: a tenth of all."""
    gc.collect()
    gc.freeze()
