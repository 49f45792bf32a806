"""What the tests of guard rails share: a configuration without and with them."""

from typing import Any

import pytest

from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

Json = dict[str, Any]

PLAIN = """\
scopes:
  shop:
    strategy: profile_conversion
    priority: [customer_id, email, push_token, ios_idfa, ios_idfv]
    identities: {customer_id: {login: true, unique: true}, push_token: {unique: true}}
"""
GUARDED = (
    PLAIN
    + """\
    extensions:
      normalize: {email: [trim, lowercase]}
      blocked: {"*": [placeholders], email: ["*@spam.example", test@example.com]}
      max_values: {email: 2, ios_idfv: {limit: 1, beyond: replace_oldest}}
      moving: [push_token]
"""
)
ZEROS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(name="guarded")
def program_with_guard_rails(idsync: Program) -> Program:
    idsync.write("idsync.yaml", GUARDED)
    idsync.make_store()
    return idsync


def identify(**identities: str) -> Json:
    return {"type": "identify", "known_identities": identities}


def told(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())
