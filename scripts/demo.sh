#!/bin/sh
# Set everything up, explain a request, and replay a day of requests with its summary.
#
#   sh scripts/demo.sh
#
# The requests are answered by the sources, as soon as what they need is there; the day by idsync
# as it is installed then. The store is made in a folder that is thrown away at the end.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh" run packages)
cd "$root"

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export IDSYNC_CONFIG=sample_config.yaml IDSYNC_STORE="$folder/idsync.db"

show() {
    printf '\n$ idsync %s\n' "$*"
}

idsync() {
    show "$@"
    "$venv/bin/python" -m idsync_cli "$@"
}

# A visitor opens the app, and signs up as a customer on the same iPhone. Somebody who does not
# sign in uses it next, and gives the same email: a customer is never the answer to that.
idsync init --seed 42
idsync identify --workspace shop-ios --idfv 9876
idsync login --workspace shop-ios --customer-id C-1 --email mia@example.com --idfv 9876 --explain
idsync identify --workspace shop-ios --email mia@example.com --idfv 9876 --explain

sh scripts/setup.sh >/dev/null

# The day has some lines that must be refused; 1 says that there were such, and nothing worse.
show replay fixtures/requests.jsonl
"$venv/bin/idsync" replay fixtures/requests.jsonl || [ $? -eq 1 ]
