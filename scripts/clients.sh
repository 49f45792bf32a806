#!/bin/sh
# Let published clients of mParticle talk to idsync serve, and visit idsync's own pages: tests/clients.
#
#   sh scripts/clients.sh   any arguments of pytest may follow
#
# Needs node, npm and Chromium; what is missing is told, and its tests are skipped. The clients are
# installed beside the environment's own packages, and nowhere else.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" dev)
clients=$venv/.clients
cd "$root/tests/clients"
wanted=$(cat package.json requirements.txt | cksum)
if [ "$(cat "$clients/.stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$clients"
    mkdir -p "$clients"
    cp package.json "$clients"
    "$venv/bin/python" -m pip install -qq --no-compile --target "$clients/python" -r requirements.txt >&2 ||
        echo "The Python clients cannot be installed here" >&2
    if command -v npm >/dev/null; then
        npm install --prefix "$clients" --no-audit --no-fund --no-package-lock --silent >&2 &&
            echo "$wanted" >"$clients/.stamp" ||
            echo "The npm packages of mParticle cannot be installed here" >&2
    fi
fi
cd "$root"
"$venv/bin/python" get_dagre.py || : # which says why it could not
IDSYNC_CLIENTS=$clients PYTHONPATH=$root exec "$venv/bin/python" -m pytest -q tests/clients "$@"
