"""Workspaces with keys: what is read, what is refused, and that no error shows a secret."""

import re
from pathlib import Path

import pytest

from idsync_cli.core.config.access import Access, Secrets
from idsync_cli.file_faults import FileFault
from idsync_cli.files.config_file import load
from idsync_cli.files.hidden_secrets import without_secrets
from tests.program import Program

BEGIN = """\
scopes:
  consumers: {strategy: profile_conversion, priority: [email]}
accounts:
  main:
    workspaces:
"""


def loaded(tmp_path: Path, workspaces: str) -> dict[str, Access]:
    path = tmp_path / "idsync.yaml"
    path.write_text(BEGIN + workspaces)
    return dict(load(path).organization.access)


def test_a_workspace_may_be_a_name_or_a_mapping(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """\
      plain: consumers
      scope-alone: {scope: consumers}
      web: {scope: consumers, api_key: k1, api_secret: [s1, s2], key_only: true, rate: 50}
      ops:
        scope: consumers
        admin_key: k2
        admin_secret_env: OPS_SECRET
        audiences: true
        modify_takes: true
""",
    )
    assert found == {
        "web": Access("k1", Secrets(("s1", "s2")), key_only=True, rate=50),
        "ops": Access(
            admin_key="k2",
            admin_secrets=Secrets(variable="OPS_SECRET"),
            audiences=True,
            modify_takes=True,
        ),
    }
    assert "s1" not in repr(found["web"])


@pytest.mark.parametrize(
    ("workspaces", "message"),
    [
        ("      web: {api_key: k}\n", "names no scope"),
        ("      web: {scope: consumer}\n", "did you mean 'consumers'"),
        ("      web: {scope: consumers, api_keys: k}\n", "did you mean 'api_key'"),
        ("      web: {scope: consumers, api_key: 'a b'}\n", "'a b'"),
        ("      web: {scope: consumers, api_key: a/b}\n", "'a/b'"),
        ("      web: {scope: consumers, api_key: ''}\n", "api_key is ''"),
        ("      web: {scope: consumers, api_key: k, api_secret: ''}\n", "api_secret is empty"),
        ("      web: {scope: consumers, api_key: k, api_secret: }\n", "api_secret is empty"),
        ("      web: {scope: consumers, api_key: k, api_secret: null}\n", "api_secret is empty"),
        ("      web: {scope: consumers, api_key: k, api_secret: [~]}\n", "api_secret is empty"),
        ("      web: {scope: consumers, api_key: k, api_secret_env: ~}\n", "must name an"),
        ("      web: {scope: consumers, api_key: k, api_secret: []}\n", "lists 0 secrets"),
        ("      web: {scope: consumers, api_key: k, api_secret: [a, b, c]}\n", "lists 3 secrets"),
        ("      web: {scope: consumers, api_key: k, api_secret: true}\n", "is not text"),
        ("      web: {scope: consumers, api_secret: s}\n", "has no key; add api_key"),
        ("      web: {scope: consumers, admin_key: k}\n", "has no secret"),
        (
            "      web: {scope: consumers, api_key: k, api_secret: s, api_secret_env: S}\n",
            "not both",
        ),
        ("      web: {scope: consumers, api_key: k, api_secret_env: [S]}\n", "must name an"),
        ("      web: {scope: consumers, rate: 0}\n", "rate is '0'"),
        ("      web: {scope: consumers, rate: fast}\n", "rate is 'fast'"),
        ("      web: {scope: consumers, key_only: yes}\n", "must be true or false"),
        ("      web: {scope: consumers, key_only: true}\n", "add api_key, or remove key_only"),
        ("      web: {scope: consumers, key_only: true, api_key: }\n", "add api_key, or remove"),
        (
            "      a: {scope: consumers, api_key: k}\n      b: {scope: consumers, api_key: k}\n",
            "the api_key of the workspace 'b' is also the api_key of the workspace 'a'",
        ),
        (
            "      a: {scope: consumers, api_key: k, admin_key: k, admin_secret: s}\n",
            "the admin_key of the workspace 'a' is also the api_key of the workspace 'a'",
        ),
    ],
)
def test_a_fault_has_its_place(tmp_path: Path, workspaces: str, message: str) -> None:
    with pytest.raises(FileFault) as refused:
        loaded(tmp_path, workspaces)
    [fault] = refused.value.faults
    assert message in fault
    assert re.search(r"idsync\.yaml:\d+:\d+: ", fault)


@pytest.mark.parametrize(
    "written",
    [
        "web: {api_secret: tRuth, rate: x}",
        "web: {api_secret: 'tRuth', rate: x}",
        'web: {"admin_secret" : ["tRuth", tRuth], rate: x}',
        "web: {rate: x, api_secret: tRuth}",
        "web:\n  api_secret: tRuth, tRuth\n  rate: x",
        "web:\n  api_secret:\n  - tRuth\n  - tRuth\n  rate: x",
        "web:\n  api_secret:\n    - tRuth\n\n    - tRuth\n  rate: x",
        "web:\n  api_secret: >\n    tRuth\n    tRuth\n  rate: x",
        'web:\n  api_secret: "tRu\n    tRuth',
        "web:\n  api_secret: [tRuth,\n    tRuth",
        "web:\n  rate: x\n  api_secret: tRuth",
        "web:\n  rate: x\n  api_secret: tRuth\n    tRuth",
        "web: {api_secrt: tRuth, rate: x}",
        "web: {api-sceret: tRuth, rate: x}",
        "web: {rate: x, 'secret': tRuth}",
        "web: {rate: x, apisecret: tRuth",
        "web:\n  Api_Secret: tRuth\n  rate: x",
    ],
)
def test_what_is_shown_of_a_text_has_no_secret(written: str) -> None:
    shown = without_secrets(written)
    assert "tRu" not in shown
    assert [len(line) for line in shown.split("\n")] == [len(line) for line in written.split("\n")]
    assert ("rate: x" in shown) is ("rate: x" in written)


def test_the_name_of_a_variable_is_shown() -> None:
    assert without_secrets("api_secret_env: SHOP") == "api_secret_env: SHOP"


@pytest.mark.parametrize(
    "command", [("config", "show"), ("config", "lint"), ("config", "show", "--json")]
)
def test_no_command_shows_a_secret(tmp_path: Path, command: tuple[str, ...]) -> None:
    program = Program(tmp_path)
    for more in ("", ", rate: x", ", rate: x, \t"):
        program.write(
            "idsync.yaml",
            f"{BEGIN}      web: {{scope: consumers, api_key: k, api_secret: tRuth{more}}}\n",
        )
        outcome = program(*command)
        assert "tRuth" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    "written",
    [
        "{scope: consumers, api_key: k, api_secrt: tRuth}",
        "{scope: consumers, api_key: k, secret: tRuth}",
        "{scope: consumers, api_key: k, code: tRuth, rate: x}",
        "{scope: consumers, rate: x, code: [tRuth, 'tRuth'], word: {a: tRuth, b: [tRuth]}}",
        "{scope: consumers, ? code\n    : tRuth, rate: x}",
        "\n        scope: consumers\n        Api_Secret: tRuth\n        rate: x",
        "\n        scope: consumers\n        code: |\n          tRuth\n        rate: x",
        "\n        scope: consumers\n        code: &a !!str tRuth\n        rate: *a",
    ],
)
def test_the_value_of_an_unknown_key_may_be_a_secret(tmp_path: Path, written: str) -> None:
    with pytest.raises(FileFault) as refused:
        loaded(tmp_path, f"      web: {written}\n")
    shown = [repr(fault) for fault in refused.value.found]
    assert "tRuth" not in str(shown)
    assert "unknown key" in str(shown) or "alias" in str(shown)
