"""How fast a platform lets a bot speak: token buckets, one for the account and one a chat."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second; ``chat_burst`` may go to one chat at once before ``per_chat`` counts."""

    overall: float = 30.0
    per_chat: float = 1.0
    chat_burst: float = 2.0
    in_flight: int = 32  # calls at the same time


class Bucket:
    """Fills at ``rate`` a second up to ``size``."""

    __slots__ = ("_at", "_full", "_rate", "_size")

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate, self._size = rate, size
        self._full, self._at = size, now

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 = now."""
        self._full = min(self._full + (now - self._at) * self._rate, self._size)
        self._at = now
        return max((1.0 - self._full) / self._rate, 0.0)

    def take(self) -> None:
        """Use one token, after ``wait`` said 0."""
        self._full -= 1.0

    @property
    def is_full(self) -> bool:
        """Nothing is remembered of it that a new bucket would not say."""
        return self._full >= self._size


class Limiter:
    """The buckets of one account. One sender has them all, so no limiter shared by processes is needed."""

    def __init__(self, rates: Rates, monotonic: Callable[[], float]) -> None:
        self._rates, self._monotonic = rates, monotonic
        self._overall = Bucket(rates.overall, max(rates.overall, 1.0), monotonic())
        self._chats: dict[str, Bucket] = {}
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Nobody speaks for a while."""
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    def try_take(self, chat: str) -> float:
        """0 and the tokens are taken, or the seconds to wait."""
        now = self._monotonic()
        bucket = self._chats.get(chat)
        if bucket is None:
            bucket = self._chats[chat] = Bucket(self._rates.per_chat, self._rates.chat_burst, now)
        wait = max(self._paused_until - now, self._overall.wait(now), bucket.wait(now))
        if wait > 0:
            return wait
        self._overall.take()
        bucket.take()
        return 0.0

    def wait_for_any(self) -> float:
        """Seconds until the account as a whole may speak."""
        now = self._monotonic()
        return max(self._paused_until - now, self._overall.wait(now), 0.0)

    def forget_idle(self) -> None:
        """Drop the buckets of chats that have been silent long enough."""
        now = self._monotonic()
        for chat in [chat for chat, bucket in self._chats.items() if bucket.wait(now) == 0 and bucket.is_full]:
            del self._chats[chat]
