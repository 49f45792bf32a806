"""The strategies as the table of section 6 has them, and the settings of identifier types."""

from itertools import product

import pytest

from idsync_cli.core.codes import OnLogout, OnNewKnownUser
from idsync_cli.core.config.strategy import (
    DEFAULT_PRIORITY,
    LOGIN_AND_UNIQUE,
    NO_SETTINGS,
    PRESETS,
    Settings,
)
from idsync_cli.core.identity import IdentityType

# The star: and immutable.
TABLE = """
default           | customer_id       | fixed*| keep   | create           | yes | no  | no  | yes
profile_conversion|                   |       | keep   | create           | yes | no  | no  | yes
profile_link      | customer_id email |       | create | create           | yes | no  | yes | yes
profile_isolation | customer_id email |       | create | return_anonymous | yes | yes | no  | no
best_match        |                   | fixed | keep   |                  | no  | no  | no  | no
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines(), ids=lambda row: row.split("|")[0])
def test_a_preset_is_its_row_of_section_6(row: str) -> None:
    name, types, fixed, known, logout, *flags = (cell.strip() for cell in row.split("|"))
    preset = PRESETS[name]
    strategy = preset.strategy
    assert strategy.name == name
    settings = Settings(login=True, unique=True, immutable=fixed.endswith("*"))
    assert dict(preset.settings) == dict.fromkeys(types.split(), settings)
    assert preset.fixed is fixed.startswith("fixed")
    assert strategy.on_new_known_user is OnNewKnownUser(known)
    assert strategy.on_logout is (OnLogout(logout) if logout else None)
    found = [strategy.logins, strategy.login_needs_login_id, strategy.links, strategy.aliasing]
    assert found == [flag == "yes" for flag in flags]


def test_there_are_five_presets_in_the_order_of_section_6() -> None:
    assert [*PRESETS] == [row.split("|")[0].strip() for row in TABLE.strip().splitlines()]


def test_default_without_a_priority_takes_that_of_section_6() -> None:
    assert " ".join(DEFAULT_PRIORITY) == (
        "customer_id email ios_idfa ios_idfv android_aaid android_uuid amp_id "
        "device_application_stamp"
    )
    assert DEFAULT_PRIORITY[0] is IdentityType.CUSTOMER_ID


def test_settings_are_off_unless_set_and_named_in_one_order() -> None:
    assert Settings() == NO_SETTINGS
    assert Settings(login=True, unique=True) == LOGIN_AND_UNIQUE
    for flags in product((False, True), repeat=3):
        names = zip(("login", "unique", "immutable"), flags, strict=True)
        assert Settings(*flags).names() == tuple(name for name, on in names if on)
