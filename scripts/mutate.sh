#!/bin/sh
# Mutation testing: change the core in a thousand small ways, and see which no check notices.
#
#   sh scripts/mutate.sh            every mutant, then those that lived; some minutes
#   sh scripts/mutate.sh run NAME   one of them, or those of a pattern such as 'idsync_cli.core.resolve.matcher*'
#   sh scripts/mutate.sh show NAME  what one of them changes
#
# The mutants lie in mutants/, and stay there for the next run. What is tried, and with which
# tests, stands in pyproject.toml under tool.mutmut. It tries the bodies of functions: not the
# tables of a module, and nothing that is called while a module is imported.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev)
cd "$root"
PATH=$venv/bin:$PATH  # mutmut calls mypy by its name
CI=true               # Hypothesis then tries the same examples every time
export PATH CI

mutmut() {
    "$venv/bin/python" scripts/mutate.py "$@"
}

if [ $# -gt 0 ]; then
    mutmut "$@"
    exit
fi
rm -rf mutants
mutmut run
printf '\nLived, or ran out of time:\n'
mutmut results | grep -v 'caught by type check' | while IFS=': ' read -r mutant outcome; do
    printf '\n%s: %s\n' "$mutant" "$outcome"
    mutmut show "$mutant" | sed -n '/^[-+][^-+]/p'
done
