"""Signatures: who has no key can neither forge a message nor change one, and an old one is worth nothing."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bus.errors import BusError, EnvelopeError

#: Characters that a key has at least, and keys that count at one time.
SHORTEST_KEY, MOST_KEYS = 32, 2

#: Seconds for which a signature is good, and by which the clock of its signer may be ahead.
MAX_AGE, MAX_AHEAD = 86_400, 300


class StaleError(BusError):
    """A message was signed by one of us, too long ago: whoever has sent it sends it again, if it is still owed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What follows a body.

    Attributes:
        time: When it was made, in seconds of the epoch.
        digest: HMAC-SHA256 over the kind of the message, its queue, the time and the body, as hexadecimal digits.
    """

    time: int
    digest: str


class Signer:
    """Signs with the first of its keys, and believes each of them; thread-safe. Without a key it does neither."""

    def __init__(self, keys: Sequence[str] = (), *, now: Callable[[], float] = time.time) -> None:
        """Take the keys.

        Raises:
            BusError: They are too many, or too short to be one.
        """
        if len(keys) > MOST_KEYS:
            raise BusError(
                f"there are {len(keys)} signing keys; give the new one, and the old one while messages have it"
            )
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise BusError(
                f"a signing key has fewer than {SHORTEST_KEY} characters; make one with: openssl rand -hex 32"
            )
        self._keys = [key.encode() for key in keys]
        self._now = now

    @property
    def signs(self) -> bool:
        """Whether it has a key."""
        return bool(self._keys)

    def sign(self, kind: str, queue: str, body: bytes) -> Signature | None:
        """Return the signature of a body; None without a key."""
        if not self._keys:
            return None
        now = int(self._now())
        return Signature(now, _digest(self._keys[0], kind, queue, now, body))

    def require(self, kind: str, queue: str, body: bytes, signature: Signature | None) -> None:
        """Refuse what nobody with a key has signed; takes everything without a key.

        Raises:
            EnvelopeError: The signature is missing, or of somebody else.
            StaleError: It is too old.
        """
        if not self._keys:
            return
        if signature is None:
            raise EnvelopeError("not signed, though this process has signing keys")
        expected = (_digest(key, kind, queue, signature.time, body) for key in self._keys)
        # Each is compared, so that how long it takes says nothing.
        if not any([hmac.compare_digest(each, signature.digest) for each in expected]):
            raise EnvelopeError("signed with a key that this process does not have, or changed on its way")
        if not -MAX_AHEAD <= self._now() - signature.time <= MAX_AGE:
            raise StaleError(f"signed {self._now() - signature.time:.0f} s ago; a signature is good for {MAX_AGE} s")


def _digest(key: bytes, kind: str, queue: str, seconds: int, body: bytes) -> str:
    # No kind, queue or number has a line's end in it, so no two messages have the same bytes.
    return hmac.new(key, f"{kind}\n{queue}\n{seconds}\n".encode() + body, hashlib.sha256).hexdigest()
