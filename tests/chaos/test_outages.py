"""First Redis is killed, then PostgreSQL: updates are accepted all the while, each has one effect, in order."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.accept import Acceptor, SqlStore
from bot.ingress import IngressCopier, IngressStore, connect
from bot.lanes import LaneWorkers
from bot.leadership import lead
from bot.wakeups import Wakeups
from storage.database import Database
from tests import servers
from tests.chaos import effects
from tests.chaos.feed import Feed
from tests.chaos.processes import seconds
from tests.fakes import FakeChannel


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[servers.Postgres]:
    """A server that this module may stop, with all its safeguards on."""
    with servers.postgres(is_durable=True) as server:
        yield server


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")  # one after the other: they need the processors for themselves
async def test_every_accepted_update_has_one_effect_in_order_while_redis_and_then_the_database_are_away(
    own_postgres: servers.Postgres, tmp_path: Path
) -> None:
    away = seconds("OUTAGE", 2.5)
    database = Database(own_postgres.create_database())
    effects.create_table(database)
    folder = tmp_path / "valkey"
    with contextlib.ExitStack() as stack:
        valkey = stack.enter_context(servers.valkey(folder=folder, is_durable=True))
        redis = connect(valkey.connection_url)
        wakeups = Wakeups(database, redis)
        channel = FakeChannel()
        channels = {channel.key: channel}
        workers = LaneWorkers(database, channels, effects.CountingHandler(), wakeups, clock=utc_now, owner="worker")
        copier = IngressCopier(redis, database, wakeups, clock=utc_now)
        store = IngressStore(redis, SqlStore(database, wakeups, clock=utc_now))
        background: list[Callable[[], Awaitable[None]]] = [
            wakeups.run,
            workers.run,
            lambda: lead(database, "ingress", "worker", copier.run, clock=utc_now),
        ]
        patient = Acceptor(store, budget=timedelta(seconds=5))  # asked is which way is open, not how fast we are
        async with asyncio.TaskGroup() as tasks, patient as acceptor:
            started = [tasks.create_task(_run(work)) for work in background]
            feed = Feed(acceptor, chats=50, seed=3)
            pace = seconds("RATE", 200)
            feeding = tasks.create_task(feed.run(per_second=pace, seconds=4 * away))
            await asyncio.sleep(away / 2)
            port = valkey.port
            await asyncio.to_thread(valkey.terminate)
            await asyncio.sleep(away)
            stack.enter_context(await asyncio.to_thread(_again, port, folder))
            await asyncio.sleep(max(away / 2, 1.2))  # the breaker has to notice
            await asyncio.to_thread(own_postgres.stop)
            await asyncio.sleep(away)
            await asyncio.to_thread(own_postgres.start)
            await feeding
            deadline = time.monotonic() + 30
            while await _count(database) < feed.total and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            for task in started:
                task.cancel()
        await redis.aclose()
    result = effects.verdict(database, feed.accepted)
    print(f"{feed.total} updates, away {away:g} s each, {feed.refusals} refused, {result}")
    database.close()

    assert result == {"lost": 0, "double": 0, "inversions": 0}
    assert feed.refusals == 0
    assert feed.total > 2 * away * pace


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _again(port: int, folder: Path) -> contextlib.AbstractContextManager[object]:
    return servers.valkey(port=port, folder=folder, is_durable=True)


async def _count(database: Database) -> int:
    with contextlib.suppress(Exception):  # it may still be starting
        return await asyncio.to_thread(effects.count, database)
    return 0
