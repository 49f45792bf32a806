"""Run a command and say how long it took, how much memory it had, and how much processor time.

    python launch.py OUTPUT COMMAND...

A process of its own, for what a child reports as its peak is at least what its parent had when it
was started: this parent is small, whatever the benchmark itself has in memory by then. The peaks of
processes that the command itself starts are added, where the system tells them (Linux).
"""

import json
import os
import sys
import threading
import time

LOOK_AGAIN_SECONDS = 0.05
LARGEST = 2**16

output, *command = sys.argv[1:]
opened = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
actions = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, opened, 0o600),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
started = time.perf_counter()
child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
peaks: dict[str, int] = {}
ended = threading.Event()


def read(name: str) -> str:
    """What a file of the system's tells; without pathlib, which would make this process larger."""
    file = os.open(name, os.O_RDONLY)
    try:
        return os.read(file, LARGEST).decode()
    finally:
        os.close(file)


def watch() -> None:
    """Keep the peaks, in bytes, of the processes that the command starts."""
    while not ended.wait(LOOK_AGAIN_SECONDS):
        try:
            for number in read(f"/proc/{child}/task/{child}/children").split():
                fields = dict(
                    line.split(":", 1) for line in read(f"/proc/{number}/status").splitlines()
                )
                peaks[number] = int(fields["VmHWM"].split()[0]) * 1024
        except (OSError, KeyError):
            continue  # it has ended meanwhile, or the system does not tell


watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
ended.set()
watcher.join()
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) + sum(peaks.values())
worked = usage.ru_utime + usage.ru_stime
json.dump([seconds, peak, worked, os.waitstatus_to_exitcode(status)], sys.stdout)
