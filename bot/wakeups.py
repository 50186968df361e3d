"""Who waits for work learns of it: in this process at once, from other processes within milliseconds."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from storage.database import Database

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANNEL = "paht:wake"
_SQLITE_POLL = 0.01
_SHORTEST, _LONGEST = 0.02, 0.25

log = structlog.get_logger(__name__)


class Topic(StrEnum):
    """What there may be to do."""

    LANES = "lanes"  # messages of citizens
    OUTBOX = "outbox"  # something to say


class Waiter:
    """One consumer's view of a topic: ``mark`` before looking for work, ``wait`` when there was none."""

    def __init__(self, wakeups: "Wakeups", topic: Topic) -> None:
        self._wakeups, self._topic = wakeups, topic
        self._seen = 0
        self._pause = _SHORTEST

    def mark(self) -> None:
        """What happens from now on ends the next wait, even if it happens before the wait begins."""
        self._seen = self._wakeups.generation(self._topic)

    def found(self) -> None:
        """There was work: look again soon, more of it tends to follow."""
        self._pause = _SHORTEST

    async def wait(self, longest: timedelta = timedelta(seconds=0.5)) -> None:
        """Until woken, or for at most ``longest``; shorter where other processes can only be noticed by looking."""
        seconds = longest.total_seconds()
        if self._wakeups.is_deaf:
            seconds = min(seconds, self._pause)
            self._pause = min(self._pause * 2, _LONGEST)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wakeups.changed(self._topic, since=self._seen)


class Wakeups:
    """``notify`` wakes every waiter of a topic; ``run`` brings in what other processes do.

    SQLite: the file's data version, every 10 ms. Redis: its pub/sub, with a slow look besides. Only PostgreSQL: each
    waiter looks every 20 to 250 ms.
    """

    def __init__(self, database: Database, redis: "Redis | None" = None) -> None:
        self._database, self._redis = database, redis
        self._generation = dict.fromkeys(Topic, 0)
        self._events = {topic: asyncio.Event() for topic in Topic}
        self._to_publish: set[Topic] = set()
        self._has_news = asyncio.Event()
        self._hears_others = False

    @property
    def is_deaf(self) -> bool:
        """Whether other processes' work is noticed only by looking."""
        return not self._hears_others

    def waiter(self, topic: Topic) -> Waiter:
        """For one consumer; each needs its own."""
        return Waiter(self, topic)

    def generation(self, topic: Topic) -> int:
        """Grows with every notification."""
        return self._generation[topic]

    def notify(self, topic: Topic) -> None:
        """There is work, everywhere. Call it after the commit."""
        self.notify_here(topic)
        if self._redis is not None:
            self._to_publish.add(topic)
            self._has_news.set()

    def notify_here(self, topic: Topic) -> None:
        """There is work, of which only this process needs to know."""
        self._generation[topic] += 1
        event, self._events[topic] = self._events[topic], asyncio.Event()
        event.set()

    async def changed(self, topic: Topic, *, since: int) -> None:
        """Return once the generation is past ``since``."""
        while self._generation[topic] <= since:
            await self._events[topic].wait()

    async def run(self) -> None:
        """Listen to other processes until cancelled."""
        if self._database.path is not None:
            await self._watch_file(str(self._database.path))
        elif self._redis is not None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._publish(self._redis))
                tasks.create_task(self._subscribe(self._redis))

    async def _watch_file(self, path: str) -> None:
        # a connection of its own: the version changes only with commits of others. 3 µs, takes no lock.
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            version = None
            self._hears_others = True
            try:
                while True:
                    (now,) = connection.execute("PRAGMA data_version").fetchone()
                    if now != version:
                        version = now
                        self._wake_all()
                    await asyncio.sleep(_SQLITE_POLL)
            finally:
                self._hears_others = False

    async def _publish(self, redis: "Redis") -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            topics, self._to_publish = self._to_publish, set()
            try:
                async with asyncio.timeout(1):
                    for topic in topics:
                        await redis.publish(CHANNEL, topic.value)
            except Exception as error:
                log.warning("wakeup_not_published", error=type(error).__name__)
            await asyncio.sleep(0.002)  # a burst of commits becomes one message

    async def _subscribe(self, redis: "Redis") -> None:
        while True:
            try:
                async for topic in _topics(redis):
                    self._hears_others = True
                    self.notify_here(topic) if topic else self._wake_all()
            except Exception as error:
                log.warning("wakeups_by_polling", error=type(error).__name__)
            self._hears_others = False
            await asyncio.sleep(1)

    def _wake_all(self) -> None:
        for topic in Topic:
            self.notify_here(topic)


async def _topics(redis: "Redis") -> AsyncIterator[Topic | None]:
    """Topics published; None when something may have been missed, and now and then for those who don't publish."""
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(CHANNEL)
        yield None
        while True:
            message = await pubsub.get_message(timeout=_LONGEST)
            if message is None:
                yield None
                continue
            name = message["data"]
            with contextlib.suppress(ValueError):
                yield Topic(name.decode() if isinstance(name, bytes) else name)
