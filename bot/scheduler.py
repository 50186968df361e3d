"""What is done again and again: each job once across all processes, each reminder once for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.outages import is_outage
from bot.wakeups import Topic, Wakeups
from storage import leases, queue
from storage.database import Database

LEASE = timedelta(seconds=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Work due ``every`` so often, from start to start; a failed run is due again at the next slot."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


class Scheduler:
    """Runs jobs, each under a lease that outlives the run until the next slot."""

    def __init__(self, database: Database, jobs: Sequence[Job], *, clock: Callable[[], datetime], owner: str) -> None:
        self._database, self._jobs, self._clock, self._owner = database, jobs, clock, owner

    async def run(self) -> None:
        """Run jobs when they are due, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                tasks.create_task(self._repeat(job), name=f"job:{job.name}")

    async def _repeat(self, job: Job) -> None:
        # a slot is looked for a little more often than it comes, so that a dead neighbour's is not missed for long
        pause = min(job.every.total_seconds() / 4, 30.0)
        while True:
            try:
                await self._run_if_due(job)
            except Exception as error:
                log.error("job_failed", job=job.name, error=type(error).__name__, exc_info=not is_outage(error))
            await asyncio.sleep(pause)

    async def _run_if_due(self, job: Job) -> None:
        begun = self._clock()
        if not await self._acquire(job):
            return
        keeping = asyncio.create_task(self._keep(job))
        try:
            await job.run()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            name, until = self._lease(job), begun + job.every
            await self._database.write(lambda session: leases.close_until(session, name, self._owner, until))

    async def _keep(self, job: Job) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            await self._acquire(job)

    async def _acquire(self, job: Job) -> bool:
        return await self._database.write(
            lambda session: leases.acquire(session, self._lease(job), self._owner, now=self._clock(), ttl=LEASE)
        )

    @staticmethod
    def _lease(job: Job) -> str:
        return f"job:{job.name}"


def forgetting(database: Database, *, clock: Callable[[], datetime], keep: timedelta = timedelta(days=7)) -> Job:
    """Deletes the platforms' payloads once they are done and can't come again."""

    async def run() -> None:
        while await database.write(partial(queue.forget_done, before=clock() - keep)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # the others' turn

    return Job("forgetting", timedelta(hours=1), run)


def reminders(database: Database, wakeups: Wakeups, *, clock: Callable[[], datetime]) -> Job:
    """Tells conversations whose ``remind_at`` has come, by a message in their own lane."""

    async def run() -> None:
        now = clock()
        if await database.read(lambda session: queue.has_due_reminders(session, now=now)):
            await database.write(partial(queue.insert_ticks, now=now))
            wakeups.notify(Topic.LANES)

    return Job("reminders", timedelta(seconds=5), run)
