"""Workers are killed and stand still longer than their lease, updates come twice: each has one effect, in order."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.accept import Acceptor, SqlStore
from bot.wakeups import Wakeups
from storage import queue
from storage.database import Database
from tests.chaos import effects
from tests.chaos.feed import Feed
from tests.chaos.processes import Victim, seconds, torment

LEASE = 1.5


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")  # one after the other: they need the processors for themselves
async def test_nothing_is_lost_doubled_or_swapped_while_workers_are_killed_and_stopped(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    effects.create_table(database)
    log = tmp_path / "workers.log"
    victims = [Victim("tests.chaos.lane_process", database_url, str(LEASE), log=log) for _ in range(3)]
    store = SqlStore(database, Wakeups(database), clock=lambda: datetime.now(UTC))

    async with Acceptor(store) as acceptor:
        feed = Feed(acceptor, chats=60, seed=7)
        with torment(victims, every=0.7, stop_for=LEASE + 1.0, seed=11):
            await feed.run(per_second=seconds("RATE", 150), seconds=seconds("LANES", 12))
        await _settled(database, feed, within=40)
    has_failed = any(victim.has_failed for victim in victims)
    for victim in victims:
        victim.close()
    result = effects.verdict(database, feed.accepted)
    dead = database.read_now(queue.dead_letters)
    kills, stops = sum(v.kills for v in victims), sum(v.stops for v in victims)
    counts = f"{kills} kills, {stops} stops, {feed.refusals} refused"
    print(f"{database_url.split(':')[0]}: {feed.total} updates, {counts}, {result}")
    database.close()

    assert result == {"lost": 0, "double": 0, "inversions": 0}, log.read_text()[-4000:]
    assert not dead and not has_failed
    assert kills and stops


async def _settled(database: Database, feed: Feed, *, within: float) -> None:
    deadline = time.monotonic() + within
    while effects.count(database) < feed.total and time.monotonic() < deadline:  # noqa: ASYNC110  others do the work
        await asyncio.sleep(0.2)
