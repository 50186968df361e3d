"""From an officer's commit in another process's connection to the platform: ``python -m … [SECONDS]``."""

import asyncio
import sys
import time
from collections.abc import Sequence

from sqlmodel import Session

from bot.channels.base import Accept, Capabilities, Sent
from bot.limits import Rates
from bot.outbox_worker import OutboxWorker
from bot.wakeups import Wakeups
from handlers.messages import Incoming, Photo, Reply
from storage import outbox
from storage.database import Database
from storage.models import Lane
from storage.outbox import Purpose, State
from tests.benchmarks.measuring import databases, percentile, run, show, utc_now

PER_SECOND = 20
FAST = Rates(overall=5000.0, per_chat=100.0, chat_burst=10.0, in_flight=64)


class TimingChannel:
    """Notes when each text is sent; a call takes as long as a near platform's."""

    name, account = "fake", "main"
    capabilities = Capabilities(has_edit=True)

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Note it."""
        self.sent[reply.text] = time.perf_counter()
        await asyncio.sleep(0.03)
        return Sent("1")

    def parse(self, body: str) -> Incoming | None:
        """Nothing comes in."""
        return None

    async def fetch(self, photo: Photo) -> bytes:
        """Nothing to fetch."""
        return b""

    async def run(self, accept: Accept) -> None:
        """Nothing comes in."""

    async def close(self) -> None:
        """Nothing is open."""


def queue_status(session: Session, number: int, state: State = State.QUEUED, purpose: str = "status_update") -> None:
    """As an officer's command does."""
    chat = f"{state}{number}"
    lane = Lane(key=f"fake:main:{chat}", channel="fake", account="main", chat=chat)
    session.add(lane)
    session.flush()
    outbox.enqueue(
        session,
        lane,
        Reply(f"{purpose} {state} {number}").to_json(),
        key=f"{purpose}:{state}:{number}",
        now=utc_now(),
        purpose=Purpose(purpose),
    )


async def measure(database: Database, officer: Database, queued: int, seconds: float, *, due: bool) -> list[float]:
    """Latency of statuses while ``queued`` others are in the table: due (reminders), or held for silent citizens."""

    def fill(session: Session) -> None:
        for number in range(queued):
            queue_status(session, number, State.SENT, "reminder" if due else "status_update")
        if not due:
            session.connection().exec_driver_sql("UPDATE outbox SET state = 'waiting'")

    database.write_now(fill)
    channel, wakeups = TimingChannel(), Wakeups(database)

    async def no_media(photo: str) -> bytes:
        return b""

    worker = OutboxWorker(
        database, {"fake:main": channel}, wakeups, no_media, clock=utc_now, owner="bench", rates={"fake": FAST}
    )
    tasks = [asyncio.create_task(wakeups.run()), asyncio.create_task(worker.run())]
    await asyncio.sleep(0.7)
    committed: dict[str, float] = {}
    for number in range(int(seconds * PER_SECOND)):
        await officer.write(lambda session, number=number: queue_status(session, number))  # type: ignore[misc]
        committed[f"status_update {State.QUEUED} {number}"] = time.perf_counter()
        await asyncio.sleep(1 / PER_SECOND)
    while len(committed.keys() & channel.sent.keys()) < len(committed):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [max(channel.sent[text] - at, 0.0) for text, at in committed.items()]


async def main() -> None:
    """Measure both databases, empty and full."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    rows: list[list[object]] = []
    with databases() as kinds:
        for kind, make in kinds.items():
            for queued, due in ((0, False), (1_000, False), (10_000, False), (1_000, True), (10_000, True)):
                database = make()
                officer = Database(database.url)
                took = await measure(database, officer, queued, seconds, due=due)
                what = "idle" if not queued else f"{queued} {'reminders due' if due else 'held'}"
                rows.append([f"{kind}, {what}", *(percentile(took, share) for share in (0.5, 0.95, 0.99))])
                officer.close()
                database.close()
    show("Status committed → sent", ["", "p50 ms", "p95 ms", "p99 ms"], rows)


if __name__ == "__main__":
    run(main)
