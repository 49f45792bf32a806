#!/bin/sh
# Soak: random tests with new seeds for as long as asked, and what they did and found.
#
#   sh scripts/soak.sh                  20 minutes
#   sh scripts/soak.sh MINUTES          so many; what is begun by then is finished
#   sh scripts/soak.sh MINUTES --seed N with the seeds of an earlier soak, which prints its own
#   sh scripts/soak.sh --again TASK SEED    one finding again, as it says itself
#
# It goes on when something is found, lists it, and keeps its files under build/soak/. The exit
# status is 1 if anything was. How it goes is told on standard error; the counts go to standard
# output, with the same as JSON in the last line.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev)
cd "$root"
exec "$venv/bin/python" -m scripts.soak "$@"
