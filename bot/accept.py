"""Take updates from channels: many at once into one commit, and an answer only when they are stored."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from bot.channels.base import Update
from bot.outages import is_outage
from bot.wakeups import Topic, Wakeups
from handlers.messages import lane_key
from storage import queue
from storage.database import Database

BATCH = 1000

log = structlog.get_logger(__name__)


class NotStored(Exception):
    """The update is not (surely) stored: answer 503 or ask the platform again, it will come once more."""


class Store(Protocol):
    """Somewhere durable."""

    async def store(self, updates: Sequence[Update]) -> None:
        """Return when all are stored; raise whatever is in the way."""
        ...


class SqlStore:
    """Straight into the inbox."""

    def __init__(self, database: Database, wakeups: Wakeups, *, clock: Callable[[], datetime]) -> None:
        self._database, self._wakeups, self._clock = database, wakeups, clock

    async def store(self, updates: Sequence[Update]) -> None:
        messages = [as_message(update) for update in updates]
        fresh = await self._database.write(lambda session: queue.accept(session, messages, now=self._clock()))
        if fresh:
            self._wakeups.notify(Topic.LANES)


class Acceptor:
    """The ``Accept`` of all channels. While one batch is being written the next one gathers.

    Use as an async context, or run ``start`` and ``stop``.
    """

    def __init__(self, store: Store, *, budget: timedelta = timedelta(seconds=1.5), batch: int = BATCH) -> None:
        self._store, self._budget, self._batch = store, budget, batch
        self._waiting: list[tuple[Sequence[Update], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None

    async def __call__(self, updates: Sequence[Update]) -> None:
        """Return after the commit. Raises NotStored on failure, or when the platform's patience is spent."""
        if not updates:
            return
        if self._flusher is None or self._flusher.done():
            raise NotStored("not accepting: starting up or shutting down")
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((updates, stored))
        self._arrived.set()
        try:
            async with asyncio.timeout(self._budget.total_seconds()):
                await stored
        except TimeoutError as error:
            raise NotStored(f"not stored within {self._budget.total_seconds():g} s") from error

    def start(self) -> None:
        """Begin to accept."""
        self._flusher = asyncio.create_task(self._flush_forever(), name="accept")

    async def stop(self) -> None:
        """Store what came, then stop."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
            while self._waiting:
                await self._flush()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _flush_forever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                # a commit under way is not torn by a shutdown: those who wait for it would not learn how it ended
                flushing = asyncio.ensure_future(self._flush())
                try:
                    await asyncio.shield(flushing)
                except asyncio.CancelledError:
                    await flushing
                    raise

    async def _flush(self) -> None:
        taken = self._take()
        error = await self._try(taken)
        if error is not None and len(taken) > 1 and not is_outage(error):
            for one in taken:  # one update that can't be stored must not take the others along
                _tell([one], await self._try([one]))
            return
        _tell(taken, error)

    def _take(self) -> list[tuple[Sequence[Update], asyncio.Future[None]]]:
        # whoever's time is up was told so; their platform sends it again
        waiting = [(updates, stored) for updates, stored in self._waiting if not stored.done()]
        count, size = 0, 0
        while count < len(waiting) and (count == 0 or size + len(waiting[count][0]) <= self._batch):
            size += len(waiting[count][0])
            count += 1
        self._waiting = waiting[count:]
        return waiting[:count]

    async def _try(self, taken: Sequence[tuple[Sequence[Update], asyncio.Future[None]]]) -> Exception | None:
        try:
            await self._store.store([update for updates, _ in taken for update in updates])
        except Exception as error:
            log.error("updates_not_stored", count=len(taken), error=type(error).__name__, exc_info=not is_outage(error))
            return error
        return None


def as_message(update: Update) -> queue.NewMessage:
    """An update as the inbox knows it."""
    return queue.NewMessage(
        channel=update.channel,
        account=update.account,
        external_id=update.external_id,
        lane=lane_key(update.channel, update.account, update.chat),
        chat=update.chat,
        body=update.body,
        sent_at=update.sent_at,
    )


def _tell(taken: Sequence[tuple[Sequence[Update], asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in taken:
        if stored.done():
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(NotStored(f"{type(error).__name__} while storing"))
