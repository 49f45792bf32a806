"""A machine that has other work: one busy process for each processor, bound to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SPIN = """\
import os, sys
if sys.argv[1:]:
    os.sched_setaffinity(0, {int(sys.argv[1])})
print(flush=True)
while True:
    pass
"""


@contextmanager
def processors() -> Iterator[int]:
    """Keep every processor busy that this process may use; how many those are.

    Where the system binds no process to a processor (macOS) there are as many, and it places them.
    """
    if hasattr(os, "sched_getaffinity"):
        places = [[str(each)] for each in sorted(os.sched_getaffinity(0))]
    else:
        places = [[] for _ in range(os.cpu_count() or 1)]
    spinning: list[subprocess.Popen[bytes]] = []
    try:
        for place in places:
            command = [sys.executable, "-I", "-S", "-c", _SPIN, *place]
            spinning.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        for each in spinning:
            assert each.stdout is not None
            each.stdout.readline()  # it is where it belongs
        yield len(spinning)
    finally:
        for each in spinning:
            each.kill()
            each.communicate()
