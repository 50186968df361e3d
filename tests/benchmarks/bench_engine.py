"""How fast lanes are worked, without any business in them: ``python -m tests.benchmarks.bench_engine [SECONDS]``."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import orjson
from sqlmodel import Session

from bot.accept import Acceptor, SqlStore, as_message
from bot.channels.base import Update
from bot.lanes import LaneWorkers
from bot.turns import Arrived
from bot.wakeups import Wakeups
from storage import queue
from storage.database import Database
from storage.models import Lane
from tests.benchmarks.measuring import databases, percentile, run, show, utc_now
from tests.fakes import FakeChannel

BACKLOG = 20_000
SPAM = 100_000
CHATS = 2_000
OFFERED = 500


class TimingHandler:
    """Notes when each message is performed."""

    def __init__(self) -> None:
        self.performed: dict[int, float] = {}

    async def prepare(self, batch: Sequence[Arrived]) -> Sequence[None]:
        return [None] * len(batch)

    def prime(self, session: Session, lanes: Sequence[Lane]) -> None:
        """Nothing to look up."""

    def perform(self, session: Session, lane: Lane, messages: Sequence[tuple[Arrived, None]]) -> None:
        now = time.perf_counter()
        for arrived, _ in messages:
            self.performed[int(arrived.incoming.external_id)] = now


def an_update(number: int, chat: str) -> Update:
    body = orjson.dumps({"chat": chat, "id": str(number), "text": "x" * 200}).decode()
    return Update("fake", "main", str(number), chat, body, None)


@contextlib.asynccontextmanager
async def working(database: Database, handler: TimingHandler) -> AsyncIterator[Acceptor]:
    """One process's worth of acceptor and workers."""
    wakeups, channel = Wakeups(database), FakeChannel()
    workers = LaneWorkers(database, {channel.key: channel}, handler, wakeups, clock=utc_now, owner="bench")
    tasks = [asyncio.create_task(wakeups.run()), asyncio.create_task(workers.run())]
    async with Acceptor(SqlStore(database, wakeups, clock=utc_now)) as acceptor:
        yield acceptor
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def store(database: Database, updates: Sequence[Update]) -> None:
    """Into the inbox, in bulk."""
    for start in range(0, len(updates), 1000):
        messages = [as_message(update) for update in updates[start : start + 1000]]
        database.write_now(lambda session, messages=messages: queue.accept(session, messages, now=utc_now()))  # type: ignore[misc]


async def drain(database: Database) -> float:
    """Messages a second with a backlog."""
    store(database, [an_update(number, str(number % CHATS)) for number in range(BACKLOG)])
    handler = TimingHandler()
    begun = time.perf_counter()
    async with working(database, handler):
        while len(handler.performed) < BACKLOG:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return BACKLOG / (time.perf_counter() - begun)


async def latency(database: Database, seconds: float) -> list[float]:
    """From leaving the platform to done, at a steady pace."""
    handler = TimingHandler()
    left: dict[int, float] = {}
    async with working(database, handler) as acceptor, asyncio.TaskGroup() as tasks:
        begun = time.perf_counter()
        while (now := time.perf_counter() - begun) < seconds:
            while len(left) < now * OFFERED:
                number = len(left)
                left[number] = begun + number / OFFERED
                tasks.create_task(acceptor([an_update(number, str(number % CHATS))]))
            await asyncio.sleep(0.001)
        while len(handler.performed) < len(left):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return [handler.performed[number] - at for number, at in left.items()]


def claims_beside_a_spammer(database: Database) -> float:
    """Messages claimed and finished a second, with one chat's huge backlog at the head."""
    store(database, [an_update(number, "spammer") for number in range(SPAM)])
    store(database, [an_update(SPAM + number, str(number % CHATS)) for number in range(BACKLOG // 2)])
    done, begun, lease = 0, time.perf_counter(), timedelta(seconds=30)

    def work(session: Session, token: str) -> int:
        claimed = queue.claim(session, token, ["fake:main"], now=utc_now(), lease=lease)
        held = queue.hold(session, token, [lane.key for lane in claimed])
        ids = [message.id for lane in claimed for message in lane.messages]
        queue.finish(session, ids, now=utc_now())
        for lane in claimed:
            queue.release(held[lane.key], lane, now=utc_now())
        return len(ids)

    while time.perf_counter() - begun < 3:
        done += database.write_now(lambda session, token=f"bench#{done}": work(session, token))  # type: ignore[misc]
    return done / (time.perf_counter() - begun)


async def main() -> None:
    """Measure both databases."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    rows: list[list[object]] = []
    with databases() as kinds:
        for kind, make in kinds.items():
            row: list[object] = [kind]
            database = make()
            row.append(round(await drain(database)))
            database.close()
            database = make()
            took = await latency(database, seconds)
            row += [percentile(took, 0.5), percentile(took, 0.99)]
            database.close()
            database = make()
            row.append(round(await asyncio.to_thread(claims_beside_a_spammer, database)))
            database.close()
            rows.append(row)
    show(
        f"Working lanes: {BACKLOG} messages of {CHATS} chats; {OFFERED} offered a second; {SPAM} of one spammer",
        ["", "messages/s", "p50 ms", "p99 ms", "one worker beside a spammer, /s"],
        rows,
    )


if __name__ == "__main__":
    run(main)
