"""A process that works lanes, to be killed: ``python -m tests.chaos.lane_process URL LEASE_SECONDS``."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import structlog

from bot.lanes import LaneSettings, LaneWorkers
from bot.wakeups import Wakeups
from storage import leases
from storage.database import Database
from tests.chaos.effects import CountingHandler
from tests.fakes import FakeChannel


async def main(url: str, lease: float) -> None:
    """Work until killed."""
    database = Database(url)
    wakeups = Wakeups(database)
    channel = FakeChannel()
    workers = LaneWorkers(
        database,
        {channel.key: channel},
        CountingHandler(),
        wakeups,
        clock=lambda: datetime.now(UTC),
        owner=leases.owner_of_this_process(),
        settings=LaneSettings(lease=timedelta(seconds=lease)),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wakeups.run())
        tasks.create_task(workers.run())


if __name__ == "__main__":
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
