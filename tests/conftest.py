"""For all tests: how interrupts reach them, and what is looked through for garbage."""

import gc
import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what runs in the background, and so would tests start what they interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and so does nohup


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of tests are a heap through which every collection would go: a tenth of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)  # more would keep gigabytes of garbage
