#!/bin/sh
# Set everything up, and measure how fast idsync is.
#
#   sh benchmarks/run.sh                           every goal, at the sizes that the goals name
#   sh benchmarks/run.sh --only 1,2 --sizes medium --rounds 5
#   sh benchmarks/run.sh --help                    every option
#
# BENCHMARK_PYTHON names the Python of an environment that is there already; nothing is set up then.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
python=${BENCHMARK_PYTHON:-$(sh "$root/scripts/setup.sh" serve)/bin/python}
cd "$root"
# Of idsync the installed copy is measured, which is compiled where that can be done: this folder
# comes last where Python looks for modules.
exec "$python" -P -c 'import runpy, sys
sys.path.append(sys.argv.pop(1))
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)' "$root" "$@"
