"""Run a command and say how long it took and how much memory it had at its peak.

    python launch.py OUTPUT COMMAND...

A process of its own, for what a child reports as its peak is at least what its parent had when it
was started: this parent is small, whatever the benchmark itself has in memory by then.
"""

import json
import os
import sys
import time

output, *command = sys.argv[1:]
opened = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
actions = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, opened, 0o600),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
started = time.perf_counter()
child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
json.dump([seconds, peak, os.waitstatus_to_exitcode(status)], sys.stdout)
