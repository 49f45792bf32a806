"""Sends batches as a server does, with mParticle's Python library.

A good one, a wrong one, both together, and one under a wrong secret:

    python python_server.py HOST KEY SECRET
"""

import json
import sys
from typing import Any

import mparticle  # type: ignore[import-not-found]
from mparticle.rest import ApiException  # type: ignore[import-not-found]


def main() -> None:
    host, key, secret = sys.argv[1:]
    api, stranger = api_of(host, key, secret), api_of(host, key, "wrong")
    told = {
        "one": status(api.upload_events_with_http_info, batch("c-3003", "from Python")),
        "wrong": status(api.upload_events_with_http_info, wrong()),
        "bulk": status(
            api.bulk_upload_events_with_http_info, [wrong(), batch("c-3004", "from Python")]
        ),
        "stranger": status(stranger.upload_events_with_http_info, batch("c-3005", "no")),
    }
    print(json.dumps(told))  # noqa: T201


def api_of(host: str, key: str, secret: str) -> Any:
    configuration = mparticle.Configuration()
    configuration.host = host
    configuration.api_key = key
    configuration.api_secret = secret
    return mparticle.EventsApi(configuration)


def batch(customer: str, name: str) -> Any:
    made = mparticle.Batch()
    made.environment = "development"
    made.user_identities = mparticle.UserIdentities(customerid=customer)
    made.user_attributes = {"city": "Bern", "tags": ["a", "b"]}
    made.events = [mparticle.AppEvent(name, "navigation")]
    return made


def wrong() -> Any:
    made = batch("c-3003", "wrong")
    made.user_attributes = {"city": {"is": "no value"}}
    return made


def status(send: Any, body: Any) -> int:
    try:
        _, code, _ = send(body)
    except ApiException as error:
        return int(error.status)
    return int(code)


main()
