"""Who may speak for a workspace over HTTP: its keys, and what they open (section 10)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that go with one key: written down, or named as variables of the environment.

    Several are right at once, so that they can be changed without a pause. What is written of a
    value of this class shows none of them.
    """

    written: tuple[str, ...] = ()
    variable: str | None = None

    def __repr__(self) -> str:
        return "Secrets(…)"

    def __bool__(self) -> bool:
        return bool(self.written) or self.variable is not None


NO_SECRETS: Final = Secrets()


@dataclass(frozen=True, slots=True)
class Access:
    """The keys of one workspace.

    `api_key` is what applications carry, `admin_key` what people and servers have that manage it;
    None where there is none. `key_only` lets the bare API key do, as browsers send it. `rate` is
    how many requests a second are answered; None sets no limit. `audiences` opens the audiences to
    the bare key, and `modify_takes` lets an application's modify take identifiers from known
    profiles.
    """

    api_key: str | None = None
    api_secrets: Secrets = NO_SECRETS
    key_only: bool = False
    admin_key: str | None = None
    admin_secrets: Secrets = NO_SECRETS
    rate: int | None = None
    audiences: bool = False
    modify_takes: bool = False


NO_ACCESS: Final = Access()
