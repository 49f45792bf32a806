"""Bearer tokens of the Profile API: opaque, in memory, as good as their pair (section 10)."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from idsync_cli.server.credentials import Caller, Credentials

LIFE_SECONDS: Final = 8 * 60 * 60
"""How long a token opens anything."""

MOST_OF_A_PAIR: Final = 1000
"""How many tokens a pair has at once; one more ends the oldest."""

_BYTES: Final = 32


class _Token(NamedTuple):
    """The pair that a token stands for, and when it ends."""

    key: str
    secret: str
    ends: float


class Tokens:
    """Tokens that were given out; `clock` gives seconds, which only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._of_pairs: Final[dict[tuple[str, str], OrderedDict[str, _Token]]] = {}

    def issue(self, credentials: Credentials, key: str, secret: str) -> tuple[Caller, str]:
        """Give a token to whoever has the pair of administration of a workspace.

        Raises:
            Refused: 401; 404 where no workspace has such a pair.
        """
        caller = credentials.admin_pair(key, secret)
        self._forget_ended()
        its_tokens = self._of_pairs.setdefault((key, secret), OrderedDict())
        token = secrets.token_urlsafe(_BYTES)
        its_tokens[token] = _Token(key, secret, self._clock() + LIFE_SECONDS)
        if len(its_tokens) > MOST_OF_A_PAIR:
            its_tokens.popitem(last=False)
        return caller, token

    def judge(self, credentials: Credentials, header: str | None) -> Caller:
        """Judge a request for which a token is needed; one whose pair is no longer right is none.

        Raises:
            Refused: 401; 404 where no workspace has a pair of administration.
        """
        scheme, _, sent = (header or "").partition(" ")
        found = None if scheme.lower() != "bearer" else self._found(sent.strip())
        if found is None or found.ends <= self._clock():
            return credentials.admin_pair("", "")  # which nobody has
        return credentials.admin_pair(found.key, found.secret)

    def _found(self, sent: str) -> _Token | None:
        """The token that was sent; how long it takes says nothing, for tokens are random."""
        return next(
            (each[sent] for each in self._of_pairs.values() if sent in each),
            None,
        )

    def _forget_ended(self) -> None:
        now = self._clock()
        for pair, its_tokens in list(self._of_pairs.items()):
            while its_tokens and next(iter(its_tokens.values())).ends <= now:
                its_tokens.popitem(last=False)
            if not its_tokens:
                del self._of_pairs[pair]
