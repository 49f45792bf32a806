"""The identity strategies, as rows of one table (section 6)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from idsync_cli.core.codes import OnLogout, OnNewKnownUser
from idsync_cli.core.identity import IdentityType


class Settings(NamedTuple):
    """What an identifier type is trusted with in a scope (section 1)."""

    login: bool = False
    unique: bool = False
    immutable: bool = False

    def names(self) -> tuple[str, ...]:
        """The settings that are on, in the order login, unique, immutable."""
        pairs = (("login", self.login), ("unique", self.unique), ("immutable", self.immutable))
        return tuple(name for name, on in pairs if on)


NO_SETTINGS = Settings()
LOGIN_AND_UNIQUE = Settings(login=True, unique=True)
IMMUTABLE = Settings(login=True, unique=True, immutable=True)


class Strategy(NamedTuple):
    """How a scope answers new known users, logins and logouts (section 6).

    `name` is the preset's, or `custom`. Without logins, `on_logout` has no meaning and is None.
    """

    name: str
    on_new_known_user: OnNewKnownUser
    on_logout: OnLogout | None
    logins: bool
    login_needs_login_id: bool
    links: bool
    aliasing: bool


class Preset(NamedTuple):
    """A named strategy and the settings that come with it.

    With `fixed`, a configuration may not set identifier types itself.
    """

    strategy: Strategy
    settings: Mapping[IdentityType, Settings] = MappingProxyType({})
    fixed: bool = False


_KEEP, _CREATE = OnNewKnownUser.KEEP, OnNewKnownUser.CREATE
_FIXED_CUSTOMER = MappingProxyType({IdentityType.CUSTOMER_ID: IMMUTABLE})
_CUSTOMER_AND_EMAIL = MappingProxyType(
    dict.fromkeys((IdentityType.CUSTOMER_ID, IdentityType.EMAIL), LOGIN_AND_UNIQUE)
)

# fmt: off
_STRATEGIES = (
    # name, on_new_known_user, on_logout, logins, login_needs_login_id, links, aliasing
    Strategy("default", _KEEP, OnLogout.CREATE, True, False, False, True),
    Strategy("profile_conversion", _KEEP, OnLogout.CREATE, True, False, False, True),
    Strategy("profile_link", _CREATE, OnLogout.CREATE, True, False, True, True),
    Strategy("profile_isolation", _CREATE, OnLogout.RETURN_ANONYMOUS, True, True, False, False),
    Strategy("best_match", _KEEP, None, False, False, False, False),
)
# fmt: on
_SETTINGS = {
    "default": _FIXED_CUSTOMER,
    "profile_link": _CUSTOMER_AND_EMAIL,
    "profile_isolation": _CUSTOMER_AND_EMAIL,
}
_FIXED = ("default", "best_match")

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        each.name: Preset(each, _SETTINGS.get(each.name, {}), fixed=each.name in _FIXED)
        for each in _STRATEGIES
    }
)
"""The named strategies."""

DEFAULT_PRIORITY = (
    IdentityType.CUSTOMER_ID,
    IdentityType.EMAIL,
    IdentityType.IOS_IDFA,
    IdentityType.IOS_IDFV,
    IdentityType.ANDROID_AAID,
    IdentityType.ANDROID_UUID,
    IdentityType.AMP_ID,
    IdentityType.DEVICE_APPLICATION_STAMP,
)
"""The priority of a `default` scope that names none."""
