"""What a profile of a scenario comes to: calculated attributes and audiences (section 9)."""

from collections.abc import Mapping
from typing import Any

from idsync_cli.core.audiences.fold import Fold, Folded, Subject
from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.profile import Profile

NOTHING = Folded({}, {})


def folded(
    organization: Organization, scope: str, profile: Profile, data: ProfileData, now_ms: int
) -> Folded:
    """What a profile comes to under the rules of its scope, if they define anything."""
    rules = organization.scopes.get(scope)
    if rules is None or rules.definitions == NO_DEFINITIONS:
        return Folded(data.attributes, {})
    subject = Subject(data, profile.identifiers, rules.is_known(profile), now_ms)
    return Fold(rules.definitions).of(subject)


def attributes_asked_for(found: Folded, data: ProfileData, expected: Mapping[str, Any]) -> Any:
    """The attributes of a profile, but for calculated ones that nobody expects anything of."""
    return {
        name: value
        for name, value in found.attributes.items()
        if name in data.attributes or name in expected
    }


def message_resolved(message: str, labels: Mapping[str, int]) -> str:
    """A status message, which ends with an MPID, with that in place of `@name`."""
    for label in sorted(labels, key=len, reverse=True):  # one may end as another does
        if message.endswith(f" @{label}"):
            return f"{message.removesuffix(f'@{label}')}{labels[label]}"
    return message
