"""How fast updates are stored: ``python -m tests.benchmarks.bench_accept [SECONDS]``."""

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import psycopg

from bot.accept import Acceptor, SqlStore
from bot.channels.base import Accept, Update
from bot.ingress import IngressCopier, IngressStore, connect
from bot.leadership import lead
from bot.wakeups import Wakeups
from storage.database import Database
from tests import servers
from tests.benchmarks.measuring import databases, percentile, run, show, utc_now

PARALLEL = 32
OFFERED = 2000
CHATS = 5000
BODY = '{"message":{"text":"Ổ gà to trước số 12 Lê Lợi, mưa là ngập, nhiều người ngã"}}' + " " * 400


def an_update(number: int) -> Update:
    """Numbered; of one of many chats."""
    return Update("bench", "main", str(number), str(number % CHATS), BODY, None)


async def closed_loop(accept: Accept, seconds: float, first: int = 0) -> tuple[float, list[float]]:
    """Updates a second and the time each took, with a fixed number under way."""
    took: list[float] = []
    numbers = iter(range(first, first + 100_000_000))
    ends = time.perf_counter() + seconds

    async def one() -> None:
        while (begun := time.perf_counter()) < ends:
            await accept([an_update(next(numbers))])
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(PARALLEL)))
    return len(took) / (time.perf_counter() - begun), took


async def open_loop(accept: Accept, seconds: float, *, per_second: float, first: int) -> list[float]:
    """The time each took, counted from when it should have left."""
    took: list[float] = []
    begun = time.perf_counter()

    async def one(number: int, due: float) -> None:
        await accept([an_update(number)])
        took.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as tasks:
        sent = 0
        while (now := time.perf_counter() - begun) < seconds:
            while sent < now * per_second:
                tasks.create_task(one(first + sent, begun + sent / per_second))
                sent += 1
            await asyncio.sleep(0.001)
    return took


@contextlib.asynccontextmanager
async def straight(database: Database) -> AsyncIterator[Accept]:
    """Group commit into the database."""
    store = SqlStore(database, Wakeups(database), clock=utc_now)
    async with Acceptor(store) as acceptor:
        yield acceptor


@contextlib.asynccontextmanager
async def behind_redis(database: Database) -> AsyncIterator[Accept]:
    """Redis in front, with its file written at every command; the copier runs beside."""
    with tempfile.TemporaryDirectory() as folder, servers.valkey(folder=Path(folder), is_durable=True) as server:
        redis = connect(server.connection_url)
        wakeups = Wakeups(database)
        copier = IngressCopier(redis, database, wakeups, clock=utc_now)
        copying = asyncio.create_task(lead(database, "ingress", "bench", copier.run, clock=utc_now))
        async with Acceptor(IngressStore(redis, SqlStore(database, wakeups, clock=utc_now))) as acceptor:
            yield acceptor
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)
        await redis.aclose()


@contextlib.asynccontextmanager
async def peer(database: Database) -> AsyncIterator[Accept]:
    """The usual way: one insert and one commit an update, on the bare driver."""
    store = _sqlite_peer(database) if database.path else _psycopg_peer(database)
    async with store as accept:
        yield accept


@contextlib.asynccontextmanager
async def _sqlite_peer(database: Database) -> AsyncIterator[Accept]:
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(1)
    connection = sqlite3.connect(str(database.path), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    sql = (
        "INSERT INTO inbox (channel, account, external_id, lane, body, received_at, tries, is_dead)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING"
    )

    async def accept(updates: Sequence[Update]) -> None:
        (one,) = updates
        row = (one.channel, one.account, one.external_id, one.chat, one.body, "2026-01-01 00:00:00.000000")
        await asyncio.get_running_loop().run_in_executor(executor, connection.execute, sql, row)

    yield accept
    executor.shutdown()
    connection.close()


@contextlib.asynccontextmanager
async def _psycopg_peer(database: Database) -> AsyncIterator[Accept]:
    connections: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
    for _ in range(8):
        connections.put_nowait(await psycopg.AsyncConnection.connect(database.url, autocommit=True))
    sql = (
        "INSERT INTO inbox (channel, account, external_id, lane, body, received_at, tries, is_dead)"
        " VALUES (%s, %s, %s, %s, %s, now(), 0, false) ON CONFLICT DO NOTHING"
    )

    async def accept(updates: Sequence[Update]) -> None:
        (one,) = updates
        connection = await connections.get()
        try:
            await connection.execute(sql, (one.channel, one.account, one.external_id, one.chat, one.body))
        finally:
            connections.put_nowait(connection)

    yield accept
    while not connections.empty():
        await connections.get_nowait().close()


async def main() -> None:
    """Measure each way in turn."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    ways: dict[str, Callable[[Database], contextlib.AbstractAsyncContextManager[Accept]]] = {
        "group commit": straight,
        "Redis in front": behind_redis,
        "peer: one commit an update": peer,
    }
    rows: list[list[object]] = []
    with databases() as kinds:
        for kind, make in kinds.items():
            for way, opened in ways.items():
                database = make()
                async with opened(database) as accept:
                    await closed_loop(accept, 0.5)
                    rate, took = await closed_loop(accept, seconds, 10_000_000)
                    row: list[object] = [f"{kind}, {way}", round(rate), percentile(took, 0.5), percentile(took, 0.99)]
                    if opened is not peer:
                        offered = await open_loop(accept, seconds, per_second=OFFERED, first=200_000_000)
                        row += [percentile(offered, 0.5), percentile(offered, 0.99)]
                    else:
                        row += ["", ""]
                rows.append(row)
                database.close()
    columns = [f"{PARALLEL} parallel", "updates/s", "p50 ms", "p99 ms", f"p50 at {OFFERED}/s", f"p99 at {OFFERED}/s"]
    show("Accepting updates", columns, rows)


if __name__ == "__main__":
    run(main)
