"""Ids made before the row is written: many rows then go to the database together, in the order of their making."""

import secrets
import threading
import time

_EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
_RANDOM_BITS = 22  # two processes in the same millisecond rarely meet, and a meeting is only tried again

_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """A 63-bit number, larger than any this process made before: milliseconds since 2025, then chance."""
    global _last
    fresh = (time.time_ns() // 1_000_000 - _EPOCH_MS) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS - 1)
    with _lock:
        _last = max(_last + 1, fresh)
        return _last
