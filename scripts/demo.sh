#!/bin/sh
# Set everything up, explain a request, and replay a day of requests with its summary.
#
#   sh scripts/demo.sh
#
# The store is made in a folder that is thrown away at the end.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$(sh "$root/scripts/setup.sh")
cd "$root"

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export IDSYNC_CONFIG=sample_config.yaml IDSYNC_STORE="$folder/idsync.db"

idsync() {
    printf '\n$ idsync %s\n' "$*"
    "$venv/bin/idsync" "$@"
}

# A visitor opens the app, and signs up as a customer on the same iPhone. Somebody who does not
# sign in uses it next, and gives the same email: a customer is never the answer to that.
idsync init --seed 42
idsync identify --workspace shop-ios --idfv 9876
idsync login --workspace shop-ios --customer-id C-1 --email mia@example.com --idfv 9876 --explain
idsync identify --workspace shop-ios --email mia@example.com --idfv 9876 --explain

# The day has some lines that must be refused; 1 says that there were such, and nothing worse.
idsync replay fixtures/requests.jsonl || [ $? -eq 1 ]
