"""Who may speak for a workspace over HTTP: its keys, and what they open (section 10)."""

from typing import Final

from idsync_cli.core.value import Value


class Secrets(Value):
    """The secrets that go with one key: written down, or named as variables of the environment.

    Several are right at once, so that they can be changed without a pause. What is written of a
    value of this class shows none of them.
    """

    __match_args__ = ("written", "variable")
    __slots__ = __match_args__

    def __init__(self, written: tuple[str, ...] = (), variable: str | None = None) -> None:
        self.written: Final = written
        self.variable: Final = variable

    def __repr__(self) -> str:
        return "Secrets(…)"

    def __bool__(self) -> bool:
        return bool(self.written) or self.variable is not None


NO_SECRETS: Final = Secrets()


class Access(Value):
    """The keys of one workspace.

    `api_key` is what applications carry, `admin_key` what people and servers have that manage it;
    None where there is none. `key_only` lets the bare API key do, as browsers send it. `rate` is
    how many requests a second are answered; None sets no limit. `audiences` opens the audiences to
    the bare key, and `modify_takes` lets an application's modify take identifiers from known
    profiles.
    """

    __match_args__ = (
        "api_key", "api_secrets", "key_only", "admin_key", "admin_secrets", "rate", "audiences",
        "modify_takes",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        api_key: str | None = None,
        api_secrets: Secrets = NO_SECRETS,
        key_only: bool = False,
        admin_key: str | None = None,
        admin_secrets: Secrets = NO_SECRETS,
        rate: int | None = None,
        audiences: bool = False,
        modify_takes: bool = False,
    ) -> None:
        self.api_key: Final = api_key
        self.api_secrets: Final = api_secrets
        self.key_only: Final = key_only
        self.admin_key: Final = admin_key
        self.admin_secrets: Final = admin_secrets
        self.rate: Final = rate
        self.audiences: Final = audiences
        self.modify_takes: Final = modify_takes


NO_ACCESS: Final = Access()
