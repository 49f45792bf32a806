#!/bin/sh
# Fuzz the readers of requests, profiles, configurations and scenarios, guided by what is reached.
#
#   sh scripts/fuzz.sh                              60 seconds for each of the four, two at a time
#   sh scripts/fuzz.sh SECONDS                      so many for each
#   sh scripts/fuzz.sh SECONDS --target NAME        one: requests, profiles, configuration, scenarios
#
# What must hold of every input stands in tests/input_properties.py. What is found is made small
# and put into fixtures/fuzz/, where the tests try it from then on; what reached anything new stays
# in build/fuzz/corpus for the next time. The exit status is 1 if anything was found.
# The fuzzer, atheris, is not for every Python and system; this says so where it is not.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
IDSYNC_VENV=${IDSYNC_FUZZ_VENV:-$root/build/fuzz/environment}
PIP_ONLY_BINARY=:all:  # without a ready build it would try to make one, and fail strangely
IDSYNC_PURE=1  # the fuzzer reads the sources, and sees nothing of what is compiled
export IDSYNC_VENV PIP_ONLY_BINARY IDSYNC_PURE
mkdir -p "$(dirname -- "$IDSYNC_VENV")"
if ! venv=$(sh "$root/scripts/setup.sh" fuzz); then
    printf '%s\n' \
        "The fuzzer could not be set up. If the lines above name atheris, there is no build of it" \
        "for this Python or system: it has some for CPython 3.11 to 3.13 on Linux. Without it," \
        "IDSYNC_INPUTS=100000 python -m pytest tests/test_fuzz.py tries changed fixtures." >&2
    exit 2
fi
cd "$root"
exec "$venv/bin/python" -m scripts.fuzz "$@"
