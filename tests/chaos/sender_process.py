"""A process that sends, to be killed: ``python -m tests.chaos.sender_process URL PORT``."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import structlog

from bot.limits import Rates
from bot.outbox_worker import OutboxWorker
from bot.wakeups import Wakeups
from storage import leases
from storage.database import Database
from tests.chaos.platform import SocketChannel


async def main(url: str, port: int) -> None:
    """Send until killed."""
    database = Database(url)
    wakeups = Wakeups(database)
    sender = OutboxWorker(
        database,
        {"fake:main": SocketChannel(port)},
        wakeups,
        _no_media,
        clock=lambda: datetime.now(UTC),
        owner=leases.owner_of_this_process(),
        rates={"fake": Rates(overall=200.0, per_chat=20.0, chat_burst=5.0)},
        lease=timedelta(seconds=2),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wakeups.run())
        tasks.create_task(sender.run())


async def _no_media(photo: str) -> bytes:
    return photo.encode()


if __name__ == "__main__":
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
