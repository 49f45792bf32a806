#!/bin/sh
# Set everything up and run every check: lint, format, types, layers, tests, coverage of the core.
#
#   sh scripts/test.sh
#
# All of them run, whatever fails first; the exit status is 0 only if none failed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev)
python=$venv/bin/python
cd "$root"
failed=

check() {
    name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || failed="$failed, $name"
}

check "ruff check" "$python" -m ruff check .
check "ruff format" "$python" -m ruff format --check .
check "mypy" "$python" -m mypy
check "layers" "$venv/bin/lint-imports" --no-logo
check "tests" "$python" -m pytest --numprocesses=auto --dist=worksteal --cov

if [ -n "$failed" ]; then
    printf 'Failed: %s\n' "${failed#, }"
    exit 1
fi
