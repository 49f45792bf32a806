#!/bin/sh
# Make the environment, and install idsync and the locked versions of what it needs into it.
#
#   sh scripts/setup.sh        what idsync needs to run
#   sh scripts/setup.sh dev    that, and what its checks need
#
# The environment is the folder .venv beside this project, or the one that IDSYNC_VENV names.
# Its path is printed when it is ready. Where all is in place nothing is done, and no network is
# needed; an environment that is out of date, or was left half made, is made anew.
#
# idsync is installed as a copy, part of which is compiled, and again when its sources changed.
# Without a C compiler, or with IDSYNC_PURE=1 in the environment, it is not compiled, and slower.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
set_name=${1:-run}
lock=$root/requirements/$set_name.txt
venv=${IDSYNC_VENV:-$root/.venv}
case $venv in
    /*) ;;
    *) venv=$PWD/$venv ;;
esac
stamps=$venv/.idsync  # says that the environment is ours, and what is in it

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# What an environment must have been made of to be right for a set of packages.
wanted_for() {
    python_version=$("$venv/bin/python" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null) ||
        python_version=none
    printf '%s\n' "$root" "$venv" "$python_version" "$(cksum <"$root/requirements/$1.txt")"
}

has() {
    [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$(wanted_for "$1")" ]
}

empty_the_environment() {
    find "$venv" -mindepth 1 -maxdepth 1 ! -name .idsync -exec rm -rf {} +
}

# Takes the first Python that is new enough and can make an environment: with a pip inside, or else
# filled by its own pip from outside. Sets `installer`, the Python whose pip it is.
make_the_environment() {
    too_old=yes
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        too_old=no
        empty_the_environment
        if complaint=$("$python" -m venv "$venv" 2>&1); then
            installer=$venv/bin/python
            return
        fi
        empty_the_environment
        if "$python" -m venv --without-pip "$venv" >/dev/null 2>&1 &&
            "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
            installer=$python
            return
        fi
    done
    empty_the_environment
    [ $too_old = no ] || fail "idsync needs Python 3.11 or later, and none was found:" \
        "install one, so that python3 or python3.11 starts it, and run this again."
    say "$complaint"
    fail "Python has no way to make an environment here. On Debian and Ubuntu this mends it:" \
        "apt-get install python3-venv"
}

[ -f "$lock" ] || fail "$set_name: no such set of packages; say run or dev."
if [ -e "$venv" ] && [ ! -e "$stamps" ] && [ -n "$(ls -A "$venv")" ]; then
    fail "$venv is in the way: idsync did not make it. Remove it," \
        "or name another folder in IDSYNC_VENV."
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_USER=0

if ! has "$set_name" && ! { [ "$set_name" = run ] && has dev; }; then
    mkdir -p "$stamps"
    rm -f "$stamps"/*
    say "Setting up $venv ..."
    make_the_environment
    "$installer" -m pip --python "$venv/bin/python" install -qq --require-hashes -r "$lock" >&2
    wanted_for "$set_name" >"$stamps/$set_name"
fi

# What a copy of idsync is made of: all of the package, and what says how it is built.
sources() {
    cd "$root"
    find idsync_cli pyproject.toml setup.py requirements/build.txt requirements/compile.txt \
        -type f ! -name '*.py[co]' ! -name '*.so' -exec cksum {} + | LC_ALL=C sort | cksum
}

has_a_compiler() {
    compiler=$("$venv/bin/python" -c 'import os, sysconfig
print(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")')
    command -v "${compiler%% *}" >/dev/null
}

# Whether a new copy would be the same as the one that is installed.
is_installed() {
    { read -r made_of && read -r outcome; } 2>/dev/null <"$stamps/project" || return 1
    [ "$made_of" = "$sources" ] || return 1
    case $outcome in
        compiled) [ "${IDSYNC_PURE:-}" != 1 ] ;;
        unasked) [ "${IDSYNC_PURE:-}" = 1 ] ;;
        no-compiler) [ "${IDSYNC_PURE:-}" = 1 ] || ! has_a_compiler ;;
        failed) [ -f "$stamps/log" ] ;;
    esac
}

# What only builds idsync stays in folders of its own, so that a changed source needs no network.
get_tools() {
    lock=$root/requirements/$1.txt
    tools=$venv/.tools/$1
    wanted=$(cksum <"$lock")
    if [ "$(cat "$tools/.stamp" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$tools"
        "$venv/bin/python" -m pip install -qq --no-compile --only-binary :all: \
            --require-hashes --target "$tools" -r "$lock" || return 1
        printf '%s\n' "$wanted" >"$tools/.stamp"
    fi
}

# Installs a copy that is built in a folder of its own: nothing is left among the sources.
install_the_project() {
    rm -f "$stamps/project" "$stamps/log"
    folder=$(mktemp -d)
    trap 'rm -rf -- "$folder"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir "$folder/copy"
    (cd "$root" && cp -R idsync_cli pyproject.toml setup.py README.md LICENSE "$folder/copy")
    find "$folder/copy" \( -name '*.py[co]' -o -name '*.so' \) -exec rm -f {} +

    get_tools build >&2
    if [ "${IDSYNC_PURE:-}" = 1 ]; then
        outcome=unasked
    elif ! has_a_compiler; then
        outcome=no-compiler
    else
        outcome=compiled
        say "Compiling idsync ..."
        get_tools compile >"$stamps/log" 2>&1 || outcome=failed
    fi
    if [ $outcome = compiled ] && ! { build --log "$stamps/log" && runs_compiled; } \
        >>"$stamps/log" 2>&1; then
        outcome=failed
    fi
    if [ $outcome != compiled ]; then
        export IDSYNC_PURE=1
        build >&2
    fi
    case $outcome in
        compiled) rm -f "$stamps/log" ;;
        no-compiler) say "idsync is not compiled, and runs slower: there is no C compiler." ;;
        failed)
            say "idsync is not compiled, and runs slower. $stamps/log tells why;" \
                "without that file it is tried again."
            ;;
    esac
    printf '%s\n' "$sources" "$outcome" >"$stamps/project"
}

build() {
    PYTHONPATH=$venv/.tools/build:$venv/.tools/compile "$venv/bin/python" -m pip install -qq \
        --force-reinstall --no-deps --no-build-isolation "$@" "$folder/copy"
}

runs_compiled() {
    "$venv/bin/python" -P -c 'import sys, idsync_cli.engine.engine
sys.exit(idsync_cli.engine.engine.__file__.endswith(".py"))'
}

sources=$(sources)
is_installed || install_the_project
printf '%s\n' "$venv"
