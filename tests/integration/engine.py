"""An engine put together for a test: acceptor, workers, outbox, with a handler that writes down what it saw."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from redis.asyncio import Redis
from sqlmodel import Session, col, select

from bot.accept import Acceptor, SqlStore
from bot.ingress import IngressCopier, IngressStore
from bot.lanes import LaneSettings, LaneWorkers
from bot.leadership import lead
from bot.outbox_worker import OutboxWorker
from bot.turns import Arrived
from bot.wakeups import Topic, Wakeups
from handlers.messages import PhotoContent, Reply, TextContent, TickContent
from storage import outbox
from storage.database import Database
from storage.models import InboxMessage, Lane, OutboxMessage
from tests.fakes import FakeChannel


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class RecordingHandler:
    """Appends each message's text to the lane's session and answers with it; fails where told."""

    def __init__(self) -> None:
        self.poison: set[str] = set()  # texts that make perform fail
        self.indigestible: set[str] = set()  # texts that make prepare fail
        self.before_perform: Callable[[], None] = lambda: None
        self.batches: list[int] = []
        self._lock = threading.Lock()

    async def prepare(self, batch: Sequence[Arrived]) -> Sequence[str]:
        texts = []
        for arrived in batch:
            content = arrived.incoming.content
            match content:
                case TextContent(text):
                    texts.append(text)
                case PhotoContent(photo):
                    texts.append((await arrived.fetch(photo)).decode())
                case TickContent(draft_id):
                    texts.append(f"tick {draft_id}")
                case _:
                    texts.append("?")
        if bad := self.indigestible.intersection(texts):
            raise RuntimeError(f"can't digest {sorted(bad)}")
        return texts

    def prime(self, session: Session, lanes: Sequence[Lane]) -> None:
        """Nothing to look up."""

    def perform(self, session: Session, lane: Lane, messages: Sequence[tuple[Arrived, str]]) -> None:
        self.before_perform()
        heard = orjson.loads(lane.session or "[]")
        for arrived, text in messages:
            heard.append(text)
            key = f"turn:{arrived.inbox_id}:0"
            outbox.enqueue(session, lane, Reply(f"heard {text}").to_json(), key=key, now=arrived.received_at)
        lane.session = orjson.dumps(heard).decode()
        if bad := self.poison.intersection(text for _, text in messages):
            raise RuntimeError(f"poisoned by {sorted(bad)}")
        with self._lock:
            self.batches.append(len(messages))


@dataclass
class Engine:
    """One process's worth of engine, without its own process."""

    database: Database
    channel: FakeChannel = field(default_factory=FakeChannel)
    handler: RecordingHandler = field(default_factory=RecordingHandler)
    clock: Callable[[], datetime] = utc_now
    owner: str = "one"
    settings: LaneSettings = field(default_factory=LaneSettings)
    redis: Redis | None = None
    sender_lease: timedelta = timedelta(seconds=3)

    def __post_init__(self) -> None:
        self.wakeups = Wakeups(self.database, self.redis)
        sql = SqlStore(self.database, self.wakeups, clock=self.clock)
        self.acceptor = Acceptor(sql if self.redis is None else IngressStore(self.redis, sql))
        channels = {self.channel.key: self.channel}
        self.workers = LaneWorkers(
            self.database,
            channels,
            self.handler,
            self.wakeups,
            clock=self.clock,
            owner=self.owner,
            settings=self.settings,
        )
        self.sender = OutboxWorker(
            self.database,
            channels,
            self.wakeups,
            _no_media,
            clock=self.clock,
            owner=self.owner,
            lease=self.sender_lease,
        )

    @contextlib.asynccontextmanager
    async def running(self, *, lanes: bool = True, sender: bool = False) -> AsyncIterator["Engine"]:
        """Accepting, and working as asked."""
        async with asyncio.TaskGroup() as group, self.acceptor:
            tasks = [group.create_task(self.wakeups.run())]
            if self.redis is not None:
                copier = IngressCopier(self.redis, self.database, self.wakeups, clock=self.clock)
                leading = lead(self.database, "ingress", self.owner, copier.run, clock=utc_now)
                tasks.append(group.create_task(leading))
            if lanes:
                tasks.append(group.create_task(self.workers.run()))
            if sender:
                tasks.append(group.create_task(self.sender.run()))
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()

    def heard(self, chat: str = "777") -> list[str]:
        """What the handler wrote into the conversation."""
        lane = self.lane(chat)
        return list(orjson.loads(lane.session)) if lane is not None and lane.session else []

    def lane(self, chat: str = "777") -> Lane | None:
        """The conversation's row."""
        return self.database.read_now(lambda session: session.get(Lane, f"{self.channel.key}:{chat}"))

    def inbox(self) -> list[InboxMessage]:
        """All rows, in order."""
        return list(self.database.read_now(lambda s: s.exec(select(InboxMessage).order_by(col(InboxMessage.id))).all()))

    def outbox(self) -> list[OutboxMessage]:
        """All rows, in order."""
        return list(
            self.database.read_now(lambda s: s.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all())
        )

    def wake(self) -> None:
        """Look again."""
        for topic in Topic:
            self.wakeups.notify(topic)


async def until(is_true: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for something to come true."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110  the truth lies in a database
            await asyncio.sleep(0.01)


async def _no_media(photo: str) -> bytes:
    return photo.encode()
