"""What becomes of claimed lanes: read, prepared, performed, many of them in one transaction."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.channels.base import Channel
from handlers.messages import Incoming, Photo, PhotoContent, TickContent
from storage import queue
from storage.models import Lane
from storage.queue import ClaimedLane, StoredMessage

FEWEST = 8  # lanes a transaction: fewer would cost more in commits than they spare others in waiting

log = structlog.get_logger(__name__)

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that has come, ready to be understood; ``fetch`` gets the bytes of its photo."""

    inbox_id: int
    incoming: Incoming
    received_at: datetime
    fetch: Callable[[Photo], Awaitable[bytes]]


class LaneHandler(Protocol[Prepared]):
    """What the bot does with messages."""

    async def prepare(self, batch: Sequence[Arrived]) -> Sequence[Prepared]:
        """Network and computing outside any transaction: fetch photos, understand text. One result each, in order."""
        ...

    def prime(self, session: Session, lanes: Sequence[Lane]) -> None:
        """Before any of these lanes is performed in this transaction: look up together what all of them need."""
        ...

    def perform(self, session: Session, lane: Lane, messages: Sequence[tuple[Arrived, Prepared]]) -> None:
        """All effects of one lane's messages, inside the one transaction; may be run again if that is rolled back.

        What it sets on ``lane`` is saved. It must leave ``ready_at``, ``owner``, ``lease_until`` and ``seq`` alone.
        """
        ...


@dataclass(slots=True)
class Work:
    """A claimed lane on its way: what could be read of it, what can't be, what is prepared."""

    claimed: ClaimedLane
    arrived: list[Arrived] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)  # nothing for us in them
    unreadable: dict[int, str] = field(default_factory=dict)
    prepared: list[Any] = field(default_factory=list)
    failure: str | None = None  # what preparing the first unprepared message ended with

    @property
    def is_slow(self) -> bool:
        return any(isinstance(one.incoming.content, PhotoContent) for one in self.arrived)

    @property
    def pairs(self) -> list[tuple[Arrived, Any]]:
        """What can be performed; shorter than what came when preparing failed."""
        return list(zip(self.arrived, self.prepared, strict=False))

    def stored(self, inbox_id: int) -> StoredMessage:
        return next(message for message in self.claimed.messages if message.id == inbox_id)


class Turns:
    """Lets the handler work on lanes that are leased to us."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        handler: LaneHandler[Any],
        *,
        clock: Callable[[], datetime],
        transaction: timedelta,
    ) -> None:
        """``transaction`` is how long one may last."""
        self._channels, self._handler, self._clock, self._transaction = channels, handler, clock, transaction
        self._chunk = FEWEST  # lanes a transaction

    def read(self, claimed: ClaimedLane) -> Work:
        work = Work(claimed)
        channel = self._channels[f"{claimed.channel}:{claimed.account}"]
        for message in self._in_order(claimed, channel):
            try:
                incoming = _parse(channel, claimed, message)
            except Exception as error:  # whatever a payload does to its parser, it must not stop the others
                work.unreadable[message.id] = _describe(error)
                log.exception("unreadable_update", channel=claimed.channel, inbox=message.id)
                continue
            if incoming is None:
                work.ignored.append(message.id)
            else:
                work.arrived.append(Arrived(message.id, incoming, message.received_at, channel.fetch))
        return work

    def _in_order(self, claimed: ClaimedLane, channel: Channel) -> Sequence[StoredMessage]:
        # Zalo promises no order of delivery; where a platform does, its clock (whole seconds) must not reorder
        if getattr(channel, "orders_by_sent_at", False):
            return sorted(claimed.messages, key=lambda message: (message.sent_at or message.received_at, message.id))
        return claimed.messages

    async def prepare(self, works: Sequence[Work]) -> None:
        """All at once; if that fails, one by one to find the message that does it."""
        batch = [arrived for work in works for arrived in work.arrived]
        if not batch:
            return
        try:
            prepared = iter(await self._handler.prepare(batch))
        except Exception:
            log.exception("not_prepared", messages=len(batch))
            for work in works:
                await self._prepare_one_by_one(work)
            return
        for work in works:
            work.prepared = [next(prepared) for _ in work.arrived]

    async def _prepare_one_by_one(self, work: Work) -> None:
        for arrived in work.arrived:
            try:
                work.prepared += await self._handler.prepare([arrived])
            except Exception as error:
                work.failure = _describe(error)
                return

    def perform_some(self, session: Session, *, token: str, works: Sequence[Work]) -> int:
        """As many lanes as fit a short transaction; returns how many were dealt with."""
        begun = time.monotonic()
        some = works[: self._chunk]
        held = queue.hold(session, token, [work.claimed.key for work in some])
        self._handler.prime(session, list(held.values()))
        now = self._clock()
        ours = [(held[work.claimed.key], work) for work in some if work.claimed.key in held]
        if len(ours) < len(some):
            log.warning("lanes_lost", count=len(some) - len(ours))  # other workers have them: what we did is void
        is_done = len(ours) > 1 and self._perform_together(session, ours)
        done: list[int] = []
        for lane, work in ours:
            done += self._perform(session, lane, work, now, is_done=is_done)
        queue.finish(session, done, now=now)
        self._adapt(time.monotonic() - begun, len(some))
        return len(some)

    def _adapt(self, seconds: float, lanes: int) -> None:
        wanted = self._transaction.total_seconds()
        if seconds > wanted:
            self._chunk = max(self._chunk // 2, FEWEST)
        elif seconds < wanted / 2 and lanes == self._chunk:
            self._chunk = min(self._chunk * 2, queue.LANES_A_CLAIM)

    def _perform_together(self, session: Session, ours: Sequence[tuple[Lane, Work]]) -> bool:
        """All lanes in one savepoint, so that their rows are written together; False when one of them fails."""
        try:
            with session.begin_nested():
                for lane, work in ours:
                    if work.pairs:
                        self._handler.perform(session, lane, work.pairs)
                        _forget_tick(lane, work.pairs)
        except OperationalError:  # the database's trouble, not a message's: the whole transaction is tried again
            raise
        except Exception:
            log.info("lanes_one_by_one", lanes=len(ours))  # the one that fails is found and logged there
            return False
        return True

    def _perform(self, session: Session, lane: Lane, work: Work, now: datetime, *, is_done: bool = False) -> list[int]:
        """One lane in a savepoint of its own, unless it is done; returns the messages that are done."""
        pairs = work.pairs
        failure = work.failure
        error = None if is_done else self._try(session, lane, pairs)
        if error is not None:
            pairs, failure = self._perform_one_by_one(session, lane, pairs, error)
        for inbox_id, reason in work.unreadable.items():
            queue.bury(session, work.stored(inbox_id), reason, now=now)
        after: timedelta | None = None
        has_more = False
        if failure is not None:
            failed = work.stored(work.arrived[len(pairs)].inbox_id)
            after = queue.note_failure(session, failed, failure, now=now)
            has_more = after is None
            log.error("message_failed", channel=lane.channel, inbox=failed.id, tries=failed.tries + 1, error=failure)
        queue.release(lane, work.claimed, now=now, after=after, has_more=has_more)
        return work.ignored + [arrived.inbox_id for arrived, _ in pairs]

    def _perform_one_by_one(
        self, session: Session, lane: Lane, pairs: Sequence[tuple[Arrived, Any]], error: Exception
    ) -> tuple[list[tuple[Arrived, Any]], str | None]:
        """The messages before the one that fails, and how it fails."""
        if len(pairs) == 1:
            return [], _describe(error)
        performed: list[tuple[Arrived, Any]] = []
        for pair in pairs:
            single = self._try(session, lane, [pair])
            if single is not None:
                return performed, _describe(single)
            performed.append(pair)
        return performed, None

    def _try(self, session: Session, lane: Lane, pairs: Sequence[tuple[Arrived, Any]]) -> Exception | None:
        if not pairs:
            return None
        try:
            with session.begin_nested():
                self._handler.perform(session, lane, pairs)
                _forget_tick(lane, pairs)
        except OperationalError:  # the database's trouble, not the message's: the whole transaction is tried again
            raise
        except Exception as error:
            log.exception("lane_failed", channel=lane.channel, messages=len(pairs))
            return error
        return None


def _parse(channel: Channel, claimed: ClaimedLane, message: StoredMessage) -> Incoming | None:
    if message.channel != queue.SYSTEM:
        return channel.parse(message.body)
    sent_at = message.sent_at or message.received_at
    content = TickContent(draft_id=message.body)
    return Incoming(queue.SYSTEM, claimed.account, claimed.chat, message.external_id, sent_at, content)


def _forget_tick(lane: Lane, pairs: Sequence[tuple[Arrived, Any]]) -> None:
    # a reminder that the handler neither moved nor removed would be due for ever
    for arrived, _ in pairs:
        if isinstance(arrived.incoming.content, TickContent) and lane.remind_at == arrived.incoming.sent_at:
            lane.remind_at = None


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
