#!/bin/sh
# Check a change within seconds: lint, format, types, layers, and the quick part of the tests.
#
#   sh scripts/check.sh                        the quick part: rules, scenarios, some random worlds
#   sh scripts/check.sh tests/test_inspect.py  these tests instead; whatever pytest takes
#
# All of it is done on the sources: nothing is built or compiled, and processes that a test starts
# run the sources, too. What must pass before a change lands is scripts/test.sh. All checks are
# made, whatever fails first; the exit status is 0 only if none failed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev packages)
python=$venv/bin/python
cd "$root"
failed=

# What Python compiles stays in the environment, and is there the next time.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$venv/.pycache"

check() {
    name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || failed="$failed, $name"
}

[ $# -gt 0 ] || set -- \
    tests/core \
    tests/test_reference_model.py \
    tests/test_scenarios.py::test_a_scenario_is_as_expected \
    tests/test_scenarios.py::test_the_core_alone_over_a_dictionary_answers_the_same \
    tests/test_scenarios.py::test_a_replay_in_chunks_of_any_size_answers_the_same \
    tests/test_against_model.py::test_program_and_model_agree_about_random_worlds \
    tests/test_check_command.py \
    tests/test_config_command.py \
    tests/test_help.py \
    tests/test_packed_integers.py

check "ruff check" "$python" -m ruff check .
check "ruff format" "$python" -m ruff format --check .
check "mypy" "$python" -m mypy
check "layers" "$venv/bin/lint-imports" --no-logo
check "tests" env PYTHONPATH="$root" IDSYNC_WORLDS="${IDSYNC_WORLDS:-72}" \
    "$python" -m pytest -q --no-header "$@"

if [ -n "$failed" ]; then
    printf 'Failed: %s\n' "${failed#, }"
    exit 1
fi
