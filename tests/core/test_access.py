"""Section 10: the keys of a workspace."""

from idsync_cli.core.config.access import NO_ACCESS, NO_SECRETS, Access, Secrets


def test_no_secret_is_seen_in_what_is_written_of_a_value() -> None:
    access = Access("key", Secrets(("hush",)), admin_secrets=Secrets(variable="HUSH"))
    assert "hush" not in repr(access).lower()


def test_secrets_are_there_written_or_named() -> None:
    assert not NO_SECRETS
    assert not NO_ACCESS.api_secrets
    assert Secrets(("hush",))
    assert Secrets(variable="HUSH")
