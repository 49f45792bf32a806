#!/bin/sh
# Make the environment, and install idsync and the locked versions of what it needs into it.
#
#   sh scripts/setup.sh                what idsync needs to run
#   sh scripts/setup.sh serve          that, and what idsync serve needs
#   sh scripts/setup.sh dev            all that, and what its checks need
#   sh scripts/setup.sh dev packages   the packages alone (so for run): idsync itself as it was
#
# The environment is the folder .venv beside this project, or the one that IDSYNC_VENV names.
# Its path is printed when it is ready. Where all is in place nothing is done, and no network is
# needed; an environment that is out of date, or was left half made, is made anew.
#
# idsync is installed as a copy, part of which is compiled, and again when its sources changed.
# Without a C compiler, or with IDSYNC_PURE=1 in the environment, it is not compiled, and slower.
# Without npm, or what it reaches, pages show graphs without the library that lays them out.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
packages=${1:-run}
venv=${IDSYNC_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
stamps=$venv/.idsync  # says that the environment is ours, and what is in it
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_USER=0

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Whether the environment was made, to its end, of a set of packages.
has() {
    [ "$(cat "$stamps/$1" 2>/dev/null)" = "$(made_of "$1")" ]
}

made_of() {
    printf '%s\n' "$root" "$venv" "$(cksum <"requirements/$1.txt")"
    "$venv/bin/python" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null || echo none
}

# With the first Python that is new enough and can; what one that cannot says is shown.
make_the_environment() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        find "$venv" -mindepth 1 -maxdepth 1 ! -name .idsync -exec rm -rf {} +
        "$python" -m venv "$venv" >&2 && return
    done
    fail "No Python could make an environment. idsync needs Python 3.11 or later, which python3" \
        "or python3.11 starts; on Debian and Ubuntu also: apt-get install python3-venv"
}

# What only builds idsync has folders of its own: no start of idsync looks into them, and a changed
# source needs no network.
get_tools() {
    lock=requirements/$1.txt
    tools=$venv/.tools/$1
    [ "$(cat "$tools/.stamp" 2>/dev/null)" = "$(cksum <"$lock")" ] && return
    rm -rf "$tools"
    "$venv/bin/python" -m pip install -qq --no-compile --only-binary :all: --require-hashes \
        --target "$tools" -r "$lock" && cksum <"$lock" >"$tools/.stamp"
}

# Installs what is built of a copy: nothing is left among the sources.
build() {
    PYTHONPATH=$venv/.tools/build:$venv/.tools/compile "$venv/bin/python" -m pip install -qq \
        --force-reinstall --no-deps --no-build-isolation "$@" "$venv/.copy"
}

build_compiled() {
    say "Compiling idsync ..."
    { get_tools compile && build --log "$stamps/log" && "$venv/bin/python" -P -c '
import sys, idsync_cli.engine.engine as engine
sys.exit(engine.__file__.endswith(".py"))'; } >>"$stamps/log" 2>&1
}

cd "$root"
[ -f "requirements/$packages.txt" ] || fail "$packages: no such set of packages; say run or dev."
if [ -e "$venv" ] && [ ! -e "$stamps" ] && [ -n "$(ls -A "$venv")" ]; then
    fail "$venv is in the way: idsync did not make it. Remove it," \
        "or name another folder in IDSYNC_VENV."
fi
if ! has "$packages" && ! { has dev && { [ "$packages" = run ] || [ "$packages" = serve ]; }; }; then
    mkdir -p "$stamps"
    rm -f "$stamps"/*
    say "Setting up $venv ..."
    make_the_environment
    "$venv/bin/python" -m pip install -qq --require-hashes -r "requirements/$packages.txt" >&2
    made_of "$packages" >"$stamps/$packages"
fi
compiler=$("$venv/bin/python" -c 'import os, shutil, sysconfig
print(shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]))')
wanted="${IDSYNC_PURE:-}:$compiler:$(command -v npm || :):$(find idsync_cli pyproject.toml setup.py get_dagre.py \
    requirements/build.txt requirements/compile.txt -type f ! -name '*.py[co]' ! -name '*.so' \
    ! -name 'dagre.*' -exec cksum {} + |
    LC_ALL=C sort | cksum)"
if [ "${2:-}" != packages ] && [ "$(sed 1q "$stamps/project" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$stamps/project" "$stamps/log" "$venv/.copy"
    mkdir "$venv/.copy"
    cp -R idsync_cli pyproject.toml setup.py get_dagre.py README.md LICENSE "$venv/.copy"
    "$venv/bin/python" "$venv/.copy/get_dagre.py" || : # which says why it could not
    get_tools build >&2
    outcome=compiled
    if [ "${IDSYNC_PURE:-}" = 1 ]; then
        outcome=unasked
    elif [ "$compiler" = None ]; then
        outcome="there is no C compiler"
    elif ! build_compiled; then
        outcome="$stamps/log tells why; without $stamps/project it is tried again"
    fi
    case $outcome in
        compiled) rm "$stamps/log" ;;
        unasked) build >&2 ;;
        *) say "idsync is not compiled, and runs slower: $outcome." && IDSYNC_PURE=1 build >&2 ;;
    esac
    rm -rf "$venv/.copy"
    printf '%s\n' "$wanted" "$outcome" >"$stamps/project"
fi
printf '%s\n' "$venv"
