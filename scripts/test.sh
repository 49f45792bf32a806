#!/bin/sh
# Set everything up and run every check: lint, format, types, layers, tests, coverage of the core.
# The tests run on the sources. What compares with the reference model by the thousand runs on the
# compiled copy, and a share of it on the sources. What checks a change within seconds, and builds
# nothing, is scripts/check.sh.
#
#   sh scripts/test.sh         all but what needs Java
#   sh scripts/test.sh spark   what runs on Spark, alone; installs PySpark beside the environment
#
# All of them run, whatever fails first; the exit status is 0 only if none failed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev packages)
python=$venv/bin/python
cd "$root"
failed=
scratch=
building=

end() {
    [ -z "$building" ] || kill -- "-$building" 2>/dev/null || :
    [ -n "$failed" ] || [ -z "$scratch" ] || rm -rf -- "$scratch"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# idsync is compiled and installed beside the checks of the sources: it is one process, and takes
# about as long. It is a group of its own, that nothing of it stays when this script is ended.
"$python" -c 'import os, sys; os.setpgid(0, 0); os.execvp("sh", sys.argv[1:])' \
    sh "$root/scripts/setup.sh" dev >/dev/null &
building=$!

is_built() {
    wait "$building" && building=
}

# The files of the tests lie in memory where that has room: half of them would wait for the disk.
# What failing tests leave there, and what they say of it, stays.
if [ "$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print ($4 > 4000000) }')" = 1 ] &&
    scratch=$(mktemp -d /dev/shm/idsync-tests-XXXXXX 2>/dev/null); then
    export TMPDIR="$scratch"
fi

# Every process of the tests would compile what it imports, where none may leave that behind.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$venv/.pycache"

check() {
    name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || failed="$failed, $name"
}

tests() {
    "$python" -m pytest --numprocesses=auto --dist=worksteal \
        --override-ini=tmp_path_retention_policy=failed "$@"
}

# PySpark is large, and nothing else needs it: it has a folder of its own.
spark() {
    command -v java >/dev/null || {
        echo "There is no Java, which Spark needs: apt-get install openjdk-17-jre-headless" >&2
        return 1
    }
    packages=$venv/.spark
    if [ "$(cat "$packages/.stamp" 2>/dev/null)" != "$(cksum <requirements/spark.txt)" ]; then
        echo "Installing PySpark ..." >&2
        rm -rf "$packages"
        "$python" -m pip install -qq --no-compile --no-deps --target "$packages" \
            -r requirements/spark.txt >&2 || return 1
        cksum <requirements/spark.txt >"$packages/.stamp"
    fi
    PYTHONPATH="$root:$packages" "$python" -m pytest --durations=0 --durations-min=5 \
        tests/test_spark.py tests/test_spark_names.py tests/test_spark_faults.py
}

if [ "${1:-}" = spark ]; then
    check "idsync is built" is_built
    check "tests on Spark" spark
    [ -z "$failed" ] || exit 1
    exit 0
fi

check "ruff check" "$python" -m ruff check .
check "ruff format" "$python" -m ruff format --check .
check "mypy" "$python" -m mypy
check "layers" "$venv/bin/lint-imports" --no-logo
check "tests of the core" "$python" -m pytest tests/core --cov
check "idsync is built" is_built
outcome=$(sed -n 2p "$venv/.idsync/project" 2>/dev/null || :)
if [ "$outcome" = compiled ]; then
    installed=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    export IDSYNC_EXAMPLES=10
    check "tests" tests --ignore=tests/core -m "not many"
    unset IDSYNC_EXAMPLES
    check "tests, compiled" tests -p tests.compiled --override-ini="pythonpath='$installed' ." \
        tests/test_against_model.py::test_program_and_model_agree_about_random_worlds \
        tests/test_plain_lines.py tests/test_profile_cache.py tests/test_promises.py \
        tests/test_replay_ahead.py tests/test_scenarios.py tests/test_store_conformance.py \
        tests/test_store_stateful.py tests/test_decisions_kept.py tests/test_names_asked.py \
        tests/test_audience_sql.py tests/test_audience_members.py tests/test_store_counting.py \
        tests/test_store_inspection.py tests/test_store_links.py \
        tests/test_spark_tasks.py::test_tasks_and_windows_come_to_what_one_store_does
else
    check "tests" tests --ignore=tests/core
    printf '== tests, compiled: left out, for idsync is not compiled here\n'
    case $outcome in
        *"tells why"*) failed="$failed, compiling" ;; # it was tried, and has to succeed
    esac
fi

if [ -n "$failed" ]; then
    printf 'Failed: %s\n' "${failed#, }"
    exit 1
fi
printf 'Left out: the tests on Spark; sh scripts/test.sh spark runs them\n'
