"""Whole conversation turns a second: this bot beside a plain ConversationHandler bot that stores the same report.

    python -m tests.benchmarks.bench_turns [--chats 300] [--database sqlite|postgres|both]

A conversation has four turns: the trouble, the place, the tap on "Gửi", the thanks. Ours understands every text, keeps
every update, draft and answer in the database and is ready for `kill -9` at any moment; the peer keeps its state in
memory, understands nothing and writes one row a report. Both run on the same machine in turn.
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, select

from bot.accept import Acceptor, SqlStore
from bot.app import load_reader
from bot.channels.base import Update
from bot.lanes import LaneWorkers
from bot.limits import Rates
from bot.outbox_worker import OutboxWorker
from bot.wakeups import Wakeups
from handlers.bootstrap import build_office, utc_now
from handlers.inbox import InboxHandler
from handlers.reading import Reader
from handlers.settings import Settings, load_settings
from storage import leases, migrate
from storage.database import Database
from storage.media import MediaStore
from storage.models import InboxMessage, OutboxMessage, Report
from tests.fakes import FakeChannel
from tests.servers import postgres


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast, and at what price: CPU milliseconds hold when the machine is busy with other things."""

    turns_a_second: float
    cpu_ms_a_turn: float

    @classmethod
    def of(cls, turns: int, seconds: float, cpu: float) -> "Speed":
        return cls(turns / seconds, 1000 * cpu / turns)

    def __str__(self) -> str:
        return f"{self.turns_a_second:8.0f} turns/s {self.cpu_ms_a_turn:6.2f} CPU ms/turn"


TROUBLES = (
    "đường trước cửa hàng số {n} thủng một lỗ to, xe máy né nhau suốt",
    "den duong doan nha so {n} tat ca tuan nay toi om",
    "rác nhà số {n} vứt bừa bãi bốc mùi hôi thối mấy hôm chưa ai dọn",
    "quán karaoke cạnh số {n} hát tới 1h đêm, cả xóm mất ngủ",
    "mat nuoc tu hom qua, nha so {n} khong co nuoc nau com",
    "ô tô đỗ chắn cổng nhà {n} cả ngày, gọi không ai nghe máy",
)
PLACES = ("phường Bắc Cường", "p. Kim Tân", "xã Tả Van", "phuong Cam Duong", "phường Cốc Lếu cũ")


def conversation(n: int) -> tuple[str, str, str, str]:
    """Four turns; every text is its own, so that nothing is read from a cache."""
    return (
        TROUBLES[n % len(TROUBLES)].format(n=n),
        f"số {n} đường Hoàng Liên, {PLACES[n % len(PLACES)]}",
        "Gửi",
        "cảm ơn nhé",
    )


async def measure_ours(database: Database, reader: Reader, settings: Settings, chats: int) -> "Speed":
    """One process, from accepting the updates to the last answer sent."""
    migrate.upgrade(database)
    office = build_office(settings)
    channel = FakeChannel()
    wakeups = Wakeups(database)
    with ThreadPoolExecutor(2) as executor, tempfile.TemporaryDirectory() as media:
        handler = InboxHandler(database, office, reader, MediaStore(Path(media)), settings, executor=executor)
        workers = LaneWorkers(
            database,
            {channel.key: channel},
            handler,
            wakeups,
            clock=utc_now,
            owner=leases.owner_of_this_process(),
        )
        sender = OutboxWorker(
            database,
            {channel.key: channel},
            wakeups,
            _no_pictures,
            clock=utc_now,
            owner=leases.owner_of_this_process(),
            rates={channel.name: Rates(1e6, 1e6, chat_burst=1e6, in_flight=256)},
        )
        work = (workers.run, wakeups.run, sender.run)
        async with Acceptor(SqlStore(database, wakeups, clock=utc_now)) as accept, _running(work):
            ids = itertools.count()
            talks = [conversation(n) for n in range(chats)]
            begun, cpu = time.perf_counter(), time.process_time()
            for turn in range(4):
                updates = [_update(channel, f"c{n}", str(next(ids)), talk[turn]) for n, talk in enumerate(talks)]
                await accept(updates)
                await _done(database)
            speed = Speed.of(4 * chats, time.perf_counter() - begun, time.process_time() - cpu)
    filed = await database.read(lambda session: session.exec(select(func.count(col(Report.id)))).one())
    assert filed == chats, f"{filed} of {chats} reports were filed"
    assert len(channel.sent) >= 4 * chats, f"{len(channel.sent)} answers for {4 * chats} turns"
    return speed


@contextlib.asynccontextmanager
async def _running(work: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(one()) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _update(channel: FakeChannel, chat: str, id: str, text: str) -> Update:
    body = orjson.dumps({"chat": chat, "id": id, "text": text}).decode()
    return Update(channel.name, channel.account, id, chat, body, datetime.now(UTC))


async def _done(database: Database) -> None:
    """Until every message is worked on and every answer sent."""
    unread = select(InboxMessage.id).where(col(InboxMessage.done_at).is_(None)).limit(1)
    unsaid = select(OutboxMessage.id).where(col(OutboxMessage.state) != "sent").limit(1)

    def is_busy(session: Session) -> bool:
        return any(session.exec(query).first() is not None for query in (unread, unsaid))

    while await database.read(is_busy):  # noqa: ASYNC110  (what is looked at is the database)
        await asyncio.sleep(0.02)


async def _no_pictures(media_hash: str) -> bytes:
    return b""


class PlainReport(SQLModel, table=True):
    """What the peer stores."""

    __tablename__ = "plain_report"

    id: int | None = Field(default=None, primary_key=True)
    chat: int
    text: str
    place: str


async def measure_peer(url: str, chats: int) -> "Speed":
    """A ConversationHandler bot that answers over a transport in memory."""
    import telegram
    from telegram.ext import ApplicationBuilder, ConversationHandler, MessageHandler, filters
    from telegram.request import BaseRequest

    class Nowhere(BaseRequest):
        """Answers every call at once."""

        read_timeout = 5.0

        async def initialize(self) -> None: ...
        async def shutdown(self) -> None: ...

        async def do_request(self, url: str, method: str, *args: object, **kwargs: object) -> tuple[int, bytes]:
            if url.endswith("getMe"):
                return 200, b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"b","username":"b"}}'
            chat = b'{"id":1,"type":"private"}'
            return 200, b'{"ok":true,"result":{"message_id":1,"date":1,"chat":' + chat + b"}}"

    engine = create_engine(url)
    SQLModel.metadata.tables["plain_report"].create(engine, checkfirst=True)
    place, confirm = range(2)

    async def take_trouble(update: telegram.Update, context: object) -> int:
        context.user_data["text"] = update.message.text  # type: ignore[attr-defined,union-attr]
        await update.message.reply_text("Ở đâu?")  # type: ignore[union-attr]
        return place

    async def take_place(update: telegram.Update, context: object) -> int:
        context.user_data["place"] = update.message.text  # type: ignore[attr-defined,union-attr]
        await update.message.reply_text("Gửi nhé?")  # type: ignore[union-attr]
        return confirm

    async def take_confirm(update: telegram.Update, context: object) -> int:
        kept = context.user_data  # type: ignore[attr-defined]
        with Session(engine) as session:
            session.add(PlainReport(chat=update.effective_chat.id, **kept))  # type: ignore[union-attr]
            session.commit()
        await update.message.reply_text("Đã ghi nhận")  # type: ignore[union-attr]
        return int(ConversationHandler.END)

    async def answer(update: telegram.Update, context: object) -> None:
        await update.message.reply_text("Cảm ơn bạn")  # type: ignore[union-attr]

    app = ApplicationBuilder().token("1:a").updater(None).request(Nowhere()).get_updates_request(Nowhere()).build()
    words = filters.TEXT
    app.add_handler(
        ConversationHandler(
            [MessageHandler(words & ~filters.Regex("^cảm ơn"), take_trouble)],
            {place: [MessageHandler(words, take_place)], confirm: [MessageHandler(words, take_confirm)]},
            [],
        )
    )
    app.add_handler(MessageHandler(words, answer))
    await app.initialize()
    begun, cpu = time.perf_counter(), time.process_time()
    for turn in range(4):
        for n in range(chats):
            user = {"id": n + 1, "is_bot": False, "first_name": "x"}
            message = {"message_id": 1, "date": 1, "chat": {"id": n + 1, "type": "private"}, "from": user}
            data = {"update_id": turn * chats + n, "message": message | {"text": conversation(n)[turn]}}
            await app.process_update(telegram.Update.de_json(data, app.bot))
    speed = Speed.of(4 * chats, time.perf_counter() - begun, time.process_time() - cpu)
    await app.shutdown()
    engine.dispose()
    return speed


@contextlib.contextmanager
def _urls(which: str) -> Iterator[Sequence[tuple[str, str]]]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = []
        if which in ("sqlite", "both"):
            urls.append(("SQLite", f"sqlite:///{folder}/bench.db"))
        if which in ("postgres", "both"):
            urls.append(("PostgreSQL", stack.enter_context(postgres(is_durable=True)).create_empty_database()))
        yield urls


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=300)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as the server runs
    settings = load_settings({})
    reader = load_reader(settings, build_office(settings))
    reader.understand("khởi động cho nóng máy")
    with _urls(options.database) as urls:
        print(f"{'database':12} {'this bot':>38} {'ConversationHandler':>38}")
        for name, url in urls:
            database = Database(url)
            ours = asyncio.run(measure_ours(database, reader, settings, options.chats))
            database.close()
            peer = asyncio.run(measure_peer(url.replace("postgresql://", "postgresql+psycopg://"), options.chats))
            print(f"{name:12} {ours!s:>38} {peer!s:>38}")


if __name__ == "__main__":
    main()
