"""Work the inbox: conversation by conversation, in order, many conversations in one transaction."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlmodel import Session

from bot.channels.base import Channel
from bot.outages import is_outage
from bot.turns import LaneHandler, Turns, Work
from bot.wakeups import Topic, Wakeups
from storage import leases, queue
from storage.database import Database
from storage.queue import ClaimedLane

log = structlog.get_logger(__name__)


SQLITE_TRANSACTION = timedelta(seconds=0.05)
POSTGRES_TRANSACTION = timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """How lanes are worked. ``transaction`` is how long one may last; None = as the database bears it."""

    parallel: int = 2
    lease: timedelta = timedelta(seconds=30)
    transaction: timedelta | None = None
    photo_lanes: int = 16
    poll: timedelta = timedelta(seconds=0.5)


class LaneWorkers:
    """Claims lanes, lets the handler work on them, and lets go of them. Several processes may do so side by side."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        handler: LaneHandler[Any],
        wakeups: Wakeups,
        *,
        clock: Callable[[], datetime],
        owner: str,
        settings: LaneSettings | None = None,
    ) -> None:
        """``channels`` by ``"channel:account"``; ``owner`` from ``storage.leases``."""
        self._database, self._channels, self._wakeups = database, channels, wakeups
        self._clock, self._owner = clock, owner
        self._settings = settings or LaneSettings()
        # on SQLite whoever accepts updates waits behind it, on PostgreSQL only who writes to the same chats
        bearable = SQLITE_TRANSACTION if database.is_sqlite else POSTGRES_TRANSACTION
        self._turns = Turns(channels, handler, clock=clock, transaction=self._settings.transaction or bearable)
        self._tokens: Counter[str] = Counter()  # claims under way, by tasks that work on them: their leases are kept
        self._numbers = itertools.count()
        self._fetching = asyncio.Semaphore(self._settings.photo_lanes)
        self._slow = 0
        self._has_strays = False  # lanes leased by us that nobody works on, since the database failed in between

    async def run(self) -> None:
        """Work until cancelled."""
        await self._end_leases_of_the_dead()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_leases())
                for _ in range(self._settings.parallel):
                    tasks.create_task(self._work_forever(tasks))
        finally:
            await self._give_back_everything()

    async def _work_forever(self, tasks: asyncio.TaskGroup) -> None:
        waiter = self._wakeups.waiter(Topic.LANES)
        failures = 0
        while True:
            waiter.mark()
            try:
                found = await self._work_once(tasks)
            except Exception as error:
                failures += 1
                self._has_strays = True
                log.error("lanes_not_claimed", failures=failures, error=_name(error), exc_info=not is_outage(error))
                await asyncio.sleep(min(0.1 * 2**failures, 2.0))
                continue
            failures = 0
            if found:
                waiter.found()
            else:
                await waiter.wait(self._settings.poll)

    async def _work_once(self, tasks: asyncio.TaskGroup) -> bool:
        if self._slow >= 8 * self._settings.photo_lanes:
            await asyncio.sleep(0.05)  # lanes are not taken to lie about
            return True
        token = f"{self._owner}#{next(self._numbers)}"
        with self._kept(token):
            claimed = await self._claim(token)
            works = [self._turns.read(lane) for lane in claimed]
            for work in works:
                if work.is_slow:
                    tasks.create_task(self._work_slowly(token, work))
            await self._work_through(token, [work for work in works if not work.is_slow])
        return bool(claimed)

    async def _work_slowly(self, token: str, work: Work) -> None:
        """A lane with photos to fetch, which must not hold up the others."""
        self._slow += 1
        try:
            with self._kept(token):
                async with self._fetching:
                    await self._work_through(token, [work])
        finally:
            self._slow -= 1

    async def _work_through(self, token: str, works: list[Work]) -> None:
        try:
            await self._turns.prepare(works)
            while works:
                done = await self._database.write(partial(self._turns.perform_some, token=token, works=works))
                works = works[done:]
                self._wakeups.notify(Topic.OUTBOX)
        except Exception as error:
            log.error("lanes_not_finished", lanes=len(works), error=_name(error), exc_info=not is_outage(error))
            await self._give_back(token, works)

    async def _claim(self, token: str) -> list[ClaimedLane]:
        has_strays, self._has_strays = self._has_strays, False  # a failure sets it again

        def work(session: Session) -> list[ClaimedLane]:
            now = self._clock()
            if has_strays:
                queue.abandon_all(session, self._owner, now=now, but=list(self._tokens))
            return queue.claim(session, token, self._channels.keys(), now=now, lease=self._settings.lease)

        return await self._database.write(work)

    @contextlib.contextmanager
    def _kept(self, token: str) -> Iterator[None]:
        self._tokens[token] += 1
        try:
            yield
        finally:
            self._tokens[token] -= 1
            if not self._tokens[token]:
                del self._tokens[token]

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease.total_seconds() / 3)
            tokens = list(self._tokens)
            if not tokens:
                continue
            until = self._clock() + self._settings.lease
            try:
                await self._database.write(partial(queue.heartbeat, tokens=tokens, until=until))
            except Exception as error:
                log.error("leases_not_kept", error=_name(error), exc_info=not is_outage(error))

    async def _give_back(self, token: str, works: Sequence[Work]) -> None:
        keys = [work.claimed.key for work in works]
        later = self._clock() + timedelta(seconds=1)
        try:
            await self._database.write(partial(queue.abandon, token=token, keys=keys, ready_at=later))
        except Exception as error:
            log.error("lanes_not_given_back", lanes=len(keys), error=_name(error), exc_info=not is_outage(error))
            self._has_strays = True

    async def _give_back_everything(self) -> None:
        try:
            await self._database.write(partial(queue.abandon_all, owner=self._owner, now=self._clock()))
        except Exception as error:
            log.error("lanes_not_given_back", error=_name(error), exc_info=not is_outage(error))

    async def _end_leases_of_the_dead(self) -> None:
        try:
            await self._database.write(
                lambda session: leases.end_leases_of_the_dead(session, me=self._owner, now=self._clock())
            )
        except Exception:
            log.exception("neighbours_not_checked")  # their leases run out all the same


def _name(error: Exception) -> str:
    return type(error).__name__
