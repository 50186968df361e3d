"""Redis in front of the inbox: updates are accepted while the database is away, and nothing is lost when Redis is."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.accept import SqlStore, as_message
from bot.channels.base import Update
from bot.wakeups import Topic, Wakeups
from storage import queue
from storage.database import Database
from storage.queue import storable

STREAM = "paht:ingress"
COPIED = "paht:ingress:copied"  # id of the newest entry that is in the inbox
UNREADABLE = "paht:ingress:unreadable"
BUDGET = timedelta(milliseconds=250)
LAST_RESORT = timedelta(seconds=1)  # with the database away, a slow Redis is better than none
OPEN_FOR = timedelta(seconds=1)
BATCH = 1000
PATIENCE = 5.0  # seconds for a call that nobody waits for
KEEP = 50_000  # updates remembered until the inbox has them; beyond that only Redis knows them

log = structlog.get_logger(__name__)


def connect(url: str) -> Redis:
    """A client that waits for a free connection instead of failing, and never tries again by itself."""
    # A fixed pool raises at once when many webhooks come together; a retry would use up the platform's patience.
    # With a socket timeout the client sends through asyncio.wait_for, which on Python 3.11 may swallow a cancellation:
    # callers bring their own asyncio.timeout.
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=16,
        timeout=2,
        socket_connect_timeout=0.25,
        socket_timeout=None,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)


class IngressStore:
    """Stores updates in the stream; straight into the database while Redis does not answer.

    What only the stream has is also remembered here. When Redis fails, that goes into the database first: so the order
    of a conversation holds, and even a Redis that forgets loses nothing as long as this process lives.
    """

    def __init__(self, redis: Redis, sql: SqlStore) -> None:
        self._redis, self._sql = redis, sql
        self._uncopied: deque[tuple[tuple[int, int], Update]] = deque(maxlen=KEEP)
        self._copied = (0, 0)
        self._closed_at = 0.0  # monotonic; the breaker is open before

    @property
    def is_open(self) -> bool:
        """Whether the breaker keeps us from asking Redis."""
        return time.monotonic() < self._closed_at

    async def store(self, updates: Sequence[Update]) -> None:
        """One round trip to Redis, or one commit; refused only when neither answers."""
        if not self.is_open and await self._try_redis(updates, BUDGET):
            return
        try:
            await self._store_in_database(updates)
        except Exception:
            if not await self._try_redis(updates, LAST_RESORT):
                raise

    async def _try_redis(self, updates: Sequence[Update], budget: timedelta) -> bool:
        try:
            async with asyncio.timeout(budget.total_seconds()):
                has_forgotten = await self._add(updates)
        except (RedisError, OSError, TimeoutError) as error:
            self._closed_at = time.monotonic() + OPEN_FOR.total_seconds()
            log.warning("ingress_by_database", error=type(error).__name__)
            return False
        self._closed_at = 0.0
        return not has_forgotten

    async def _add(self, updates: Sequence[Update]) -> bool:
        """Append; True when Redis no longer knows what it had copied before, so that it lost entries too."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for update in updates:
                pipe.xadd(STREAM, {"u": _pack(update)})
            pipe.get(COPIED)
            *ids, copied = await pipe.execute()
        self._uncopied.extend((_number(id_), update) for id_, update in zip(ids, updates, strict=True))
        before, self._copied = self._copied, _number(copied) if copied else (0, 0)
        while self._uncopied and self._uncopied[0][0] <= min(self._copied, before):
            self._uncopied.popleft()
        return self._copied < before

    async def _store_in_database(self, updates: Sequence[Update]) -> None:
        remembered = list(self._uncopied)
        await self._sql.store([*(update for _, update in remembered), *updates])
        for _ in remembered:  # the stream may still have them; the inbox knows them by then
            self._uncopied.popleft()


class IngressCopier:
    """Copies the stream into the inbox, in bulk and in order. Only the leader runs it."""

    def __init__(
        self, redis: Redis, database: Database, wakeups: Wakeups, *, clock: Callable[[], datetime], owner: str = ""
    ) -> None:
        self._redis, self._database, self._wakeups, self._clock = redis, database, wakeups, clock

    async def run(self) -> None:
        """Copy until cancelled; raises when Redis or the database fail, to be begun again."""
        last = "0"  # from the beginning: what a predecessor copied but did not delete is known to the inbox
        while True:
            async with asyncio.timeout(PATIENCE):
                answer: Any = await self._redis.xread({STREAM: last}, count=BATCH, block=1000)
                if not answer:
                    last = "0" if await self._redis.xlen(STREAM) else last
                    continue
            ((_, entries),) = answer
            await self._copy(entries)
            last = entries[-1][0]

    async def _copy(self, entries: Sequence[tuple[Any, dict[bytes, bytes]]]) -> None:
        messages = [as_message(update) for _, fields in entries if (update := _unpack(fields)) is not None]
        await self._database.write(lambda session: queue.accept(session, messages, now=self._clock()))
        self._wakeups.notify(Topic.LANES)
        async with asyncio.timeout(PATIENCE), self._redis.pipeline(transaction=True) as pipe:
            for id_, fields in entries:
                if _unpack(fields) is None:
                    log.error("ingress_entry_unreadable", id=str(id_))
                    pipe.rpush(UNREADABLE, *fields.values())
            pipe.xdel(STREAM, *(id_ for id_, _ in entries))
            pipe.set(COPIED, entries[-1][0])
            await pipe.execute()


def _pack(update: Update) -> bytes:
    # a lone surrogate can't be written as UTF-8
    return orjson.dumps(replace(update, external_id=storable(update.external_id), body=storable(update.body)))


def _unpack(fields: dict[bytes, bytes]) -> Update | None:
    try:
        data = orjson.loads(fields[b"u"])
        if data["sent_at"] is not None:
            data["sent_at"] = datetime.fromisoformat(data["sent_at"])
        return Update(**data)
    except (ValueError, KeyError, TypeError):
        return None


def _number(id_: bytes | str) -> tuple[int, int]:
    text = id_.decode() if isinstance(id_, bytes) else id_
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)
