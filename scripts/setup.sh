#!/bin/sh
# Make the environment, and install idsync and the locked versions of what it needs into it.
#
#   sh scripts/setup.sh        what idsync needs to run
#   sh scripts/setup.sh dev    that, and what its checks need
#
# The environment is the folder .venv beside this project, or the one that IDSYNC_VENV names.
# Its path is printed when it is ready. Where all is in place nothing is done, and no network is
# needed; an environment that is out of date, or was left half made, is made anew.
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

# The package itself is used where it lies; only what pyproject.toml says of it is installed.
project=$(cksum <"$root/pyproject.toml")
if [ "$(cat "$stamps/project" 2>/dev/null)" != "$project" ]; then
    "$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation -e "$root" >&2
    printf '%s\n' "$project" >"$stamps/project"
fi
printf '%s\n' "$venv"
