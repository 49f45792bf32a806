"""A tiny store for the tests of the core: a plain dictionary of profiles, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile


class Memory:
    """What is known about one scope: the core's `Knowledge`.

    `given_out` is shared by the scopes of one store. `sought` lists the identifiers looked up.
    """

    def __init__(self, *profiles: Profile, given_out: set[int] | None = None) -> None:
        self.profiles = {profile.mpid: profile for profile in profiles}
        self.given_out = set() if given_out is None else given_out
        self.given_out.update(self.profiles)
        self.sought: list[Identifier] = []

    def holders(self, identifier: Identifier) -> Sequence[Profile]:
        """Newest first, unlike the SQLite store: the rules may not lean on an order."""
        self.sought.append(identifier)
        found = [each for each in self.profiles.values() if identifier in each.identifiers]
        return sorted(found, key=lambda profile: -profile.created_seq)

    def profile(self, mpid: int) -> Profile | None:
        return self.profiles.get(mpid)

    def was_given_out(self, mpid: int) -> bool:
        return mpid in self.given_out

    def give(self, profile: Profile) -> None:
        self.profiles[profile.mpid] = profile
        self.given_out.add(profile.mpid)

    def apply(self, decision: Decision) -> None:
        """Do what was decided, by its changes alone."""
        if decision.created:
            new = decision.created
            self.give(Profile(new.mpid, new.created_seq, new.source_mpid, False, ()))
        for change in decision.changes:
            profile = self.profiles[change.mpid]
            identifiers = list(profile.identifiers)
            if change.op is Op.ADD:
                identifiers.append(change.identifier)
            else:
                identifiers.remove(change.identifier)
            self.profiles[change.mpid] = replace(profile, identifiers=tuple(identifiers))
        for mpid in decision.became_known:
            self.profiles[mpid] = replace(self.profiles[mpid], was_known=True)
