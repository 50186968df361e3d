"""Say what is to be said: mark, send, settle; many chats at once, one message at a time in each."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel import Session

from bot.channels.base import Channel, ChannelError, Hold, RetryLater, Sent, Uncertain
from bot.leadership import LEASE, lead
from bot.limits import Limiter, Rates
from bot.outages import is_outage
from bot.settlement import HOLD, Outcome, settle, settle_orphans
from bot.wakeups import Topic, Wakeups
from handlers.messages import Reply, reply_from_json
from storage import leases, outbox
from storage.database import Database
from storage.models import OutboxMessage
from storage.outbox import Head

CALL_TIMEOUT = timedelta(seconds=60)  # a channel has shorter ones; this is for one that forgets
GRACE = timedelta(seconds=5)
POLL = timedelta(seconds=0.5)
CHORES = 10.0
MANY_CHATS = 3  # told to slow down within a second: the platform means the bot, not the chats

log = structlog.get_logger(__name__)

Media = Callable[[str], Awaitable[bytes]]


class OutboxWorker:
    """One sender an account, on whichever process leads it."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        wakeups: Wakeups,
        media: Media,
        *,
        clock: Callable[[], datetime],
        owner: str,
        rates: Mapping[str, Rates] | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        """``rates`` by channel name; ``media`` gives the bytes behind a hash."""
        self._database, self._channels, self._wakeups, self._media = database, channels, wakeups, media
        self._clock, self._owner, self._lease = clock, owner, lease
        self._rates = rates or {}

    async def run(self) -> None:
        """Send until cancelled; what is under way then has a few seconds to end."""
        async with asyncio.TaskGroup() as tasks:
            for key, channel in self._channels.items():
                sender = Sender(
                    self._database,
                    channel,
                    self._wakeups,
                    self._media,
                    clock=self._clock,
                    owner=self._owner,
                    rates=self._rates.get(channel.name, Rates()),
                    lease=self._lease,
                )
                work = lead(
                    self._database, f"sender:{key}", self._owner, sender.run, clock=self._clock, ttl=self._lease
                )
                tasks.create_task(work, name=f"sender:{key}")


class Sender:
    """Sends the messages of one account while it leads."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        wakeups: Wakeups,
        media: Media,
        *,
        clock: Callable[[], datetime],
        owner: str,
        rates: Rates,
        lease: timedelta,
    ) -> None:
        self._database, self._channel, self._wakeups, self._media = database, channel, wakeups, media
        self._clock, self._owner, self._rates, self._lease = clock, owner, rates, lease
        self._name = f"sender:{channel.name}:{channel.account}"
        self._limiter = Limiter(rates, time.monotonic)
        self._calls: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._ended = asyncio.Event()
        self._slowed: deque[tuple[float, str]] = deque()
        self._chores_at = 0.0

    async def run(self) -> None:
        """Send until cancelled."""
        await self._database.write(self._settle_orphans)
        settling = asyncio.create_task(self._settle_forever())
        try:
            waiter = self._wakeups.waiter(Topic.OUTBOX)
            while True:
                waiter.mark()
                await self._do_chores()
                pause = await self._send_some()
                if pause is None:
                    waiter.found()
                else:
                    await waiter.wait(pause)
        finally:
            # calls are no children of a TaskGroup: a shutdown lets those under way end, so that they need not be
            # doubted later
            if self._calls:
                await asyncio.wait(self._calls, timeout=GRACE.total_seconds())
            for call in self._calls:
                call.cancel()
            settling.cancel()
            await asyncio.gather(settling, *self._calls, return_exceptions=True)
            await self._settle()

    async def _send_some(self) -> timedelta | None:
        """Start what may be sent now; None when there was something, else how long to wait at most."""
        room = self._rates.in_flight - len(self._calls)
        wait = self._limiter.wait_for_any()
        if room <= 0 or wait > 0:
            return timedelta(seconds=wait) if wait > 0 else POLL
        limit = self._rates.in_flight + 2 * int(min(self._rates.overall, 100))
        heads, next_due = await self._database.read(partial(self._heads, limit=limit))
        chosen: list[Head] = []
        shortest = POLL.total_seconds()
        if next_due is not None:
            shortest = min(shortest, max((next_due - self._clock()).total_seconds(), 0.001))
        for head in heads:
            if len(chosen) == room:
                break
            wait = 0.0 if head.is_blocked else self._limiter.try_take(head.chat)
            if wait == 0:
                chosen.append(head)
            else:
                shortest = min(shortest, wait)
        if not chosen:
            return timedelta(seconds=shortest)
        rows = await self._database.write(partial(self._mark, chosen=chosen))
        for row in rows:
            call = asyncio.create_task(self._call(row))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        return None

    def _heads(self, session: Session, limit: int) -> tuple[list[Head], datetime | None]:
        now, name, account = self._clock(), self._channel.name, self._channel.account
        heads = outbox.heads(session, name, account, now=now, limit=limit)
        # a reply may wait a moment for the rest of an album; nobody wakes us when the moment is over
        return heads, outbox.next_due(session, name, account, now=now) if len(heads) < limit else None

    def _mark(self, session: Session, chosen: list[Head]) -> list[OutboxMessage]:
        now = self._clock()
        if leases.holder(session, self._name, now=now) != self._owner:
            return []  # somebody else sends by now
        return outbox.mark_sending(session, chosen, self._owner, now=now, lease_until=now + self._lease)

    async def _call(self, row: OutboxMessage) -> None:
        assert row.id is not None
        reply = reply_from_json(row.body)
        result = await self._attempt(row, reply)
        if isinstance(result, Hold):
            log.error("channel_broken", channel=row.channel, account=row.account, error=str(result))
            self._limiter.pause(HOLD.total_seconds())
        elif isinstance(result, RetryLater):
            self._slow_down(row.chat, result)
        self._outcomes.append(Outcome(row.id, reply, result))
        self._ended.set()

    async def _attempt(self, row: OutboxMessage, reply: Reply) -> Sent | ChannelError:
        try:
            photos = [await self._media(photo) for photo in reply.photos]
        except Exception as error:
            log.exception("photo_not_read", channel=row.channel, outbox=row.id)
            return RetryLater(f"photo not read: {type(error).__name__}")
        if row.lease_until is not None and self._clock() >= row.lease_until:
            return RetryLater("stood still before the call")  # another sender may be at it
        try:
            async with asyncio.timeout(CALL_TIMEOUT.total_seconds()):
                return await self._channel.send(row.chat, reply, photos)
        except ChannelError as error:
            return error
        except asyncio.CancelledError:
            return Uncertain("cancelled while sending")
        except TimeoutError:
            return Uncertain("no answer")
        except Exception as error:
            # not one of the classes that a channel must raise: nobody knows whether it was delivered
            log.exception("send_failed_oddly", channel=row.channel, outbox=row.id)
            return Uncertain(f"{type(error).__name__}")

    def _slow_down(self, chat: str, error: RetryLater) -> None:
        """One chat told to wait has its row due later; several within a second mean everybody."""
        now = time.monotonic()
        if error.whole_channel:
            self._limiter.pause((error.after or timedelta(seconds=5)).total_seconds())
        elif error.after is not None:
            self._slowed.append((now, chat))
            while self._slowed and self._slowed[0][0] < now - 1:
                self._slowed.popleft()
            if len({slowed for _, slowed in self._slowed}) >= MANY_CHATS:
                self._limiter.pause(error.after.total_seconds())

    async def _settle_forever(self) -> None:
        failures = 0
        while True:
            await self._ended.wait()
            self._ended.clear()
            try:
                await self._settle()
                failures = 0
            except Exception as error:
                failures += 1
                count, is_traced = len(self._outcomes), not is_outage(error)
                log.error("outcomes_not_saved", outcomes=count, error=type(error).__name__, exc_info=is_traced)
                self._ended.set()
                await asyncio.sleep(min(0.1 * 2**failures, 5.0))
            self._wakeups.notify_here(Topic.OUTBOX)  # the next message of these chats

    async def _settle(self) -> None:
        outcomes = self._outcomes[:]
        if outcomes:
            await self._database.write(
                lambda session: settle(session, self._channel, self._owner, outcomes, now=self._clock())
            )
            del self._outcomes[: len(outcomes)]

    def _settle_orphans(self, session: Session) -> int:
        return settle_orphans(session, self._channel, self._owner, now=self._clock())

    async def _do_chores(self) -> None:
        if time.monotonic() < self._chores_at:
            return
        self._chores_at = time.monotonic() + CHORES
        self._limiter.forget_idle()
        now = self._clock()
        if await self._database.read(lambda session: outbox.has_chores(session, now=now)):
            await self._database.write(lambda session: outbox.do_chores(session, now=now))
