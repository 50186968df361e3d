"""The server process: settings → services → channels → tasks, and a clean way out."""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select

from bot.accept import Acceptor, SqlStore, Store
from bot.channels.base import Channel, ChannelError, TooLarge
from bot.channels.console import ConsoleChannel
from bot.lanes import LaneWorkers
from bot.leadership import lead
from bot.limits import Rates
from bot.logs import configure_logs
from bot.outbox_worker import OutboxWorker
from bot.scheduler import Job, Scheduler, forgetting, reminders
from bot.wakeups import Wakeups
from handlers.bootstrap import build_office, open_database, open_media
from handlers.inbox import InboxHandler
from handlers.maintenance import close_finished, resume_unanswered
from handlers.office import Office
from handlers.province import BadPack
from handlers.reading import Reader
from handlers.settings import BadSetting, Settings, load_settings
from storage import leases, migrate
from storage.database import Database
from storage.errors import StorageError
from storage.media import MediaStore
from storage.models import InboxMessage, OutboxMessage

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.channels.telegram import TelegramChannel

log = structlog.get_logger(__name__)

READING_THREADS = 2  # one reads texts while the other decodes a picture
LEASE = timedelta(seconds=60)  # longer than a poll of Telegram may take
UNLIMITED = Rates(1000.0, 1000.0, chat_burst=1000)


class CannotStart(Exception):
    """The process can't begin its work; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """The opened services of one process."""

    settings: Settings
    office: Office
    database: Database
    media: MediaStore
    reader: Reader
    owner: str


def main() -> None:
    """Entry point: ``paht-bot [--no-console]``."""
    parser = argparse.ArgumentParser(prog="paht-bot", description="Bot phản ánh hiện trường")
    parser.add_argument("--no-console", action="store_true", help="không mở chat trong cửa sổ này")
    options = parser.parse_args()
    try:
        settings = load_settings()
        configure_logs(settings, with_console=not options.no_console)
        # threads that wait for the interpreter get it sooner: work goes from loop to reader to database and back
        sys.setswitchinterval(0.0005)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(serve(settings, with_console=not options.no_console))
    except (CannotStart, BadSetting, BadPack, StorageError) as error:
        sys.stderr.write(f"Không khởi động được: {error}\n")
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":  # uvloop has no Windows
        return None
    import uvloop

    return uvloop.new_event_loop


async def serve(settings: Settings, *, with_console: bool) -> int:
    """Run until the console ends, or for ever without one. Returns the exit code."""
    progress = _Progress()
    running = open_services(settings, progress)
    try:
        await _serve(running, progress, with_console=with_console)
    finally:
        running.database.close()
    return 0


def open_services(settings: Settings, progress: Callable[[str], None]) -> Running:
    """Open everything that a process needs; slow steps are announced. Raises CannotStart."""
    office = build_office(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    progress("mở cơ sở dữ liệu")
    try:
        database = open_database(settings)
        migrate.upgrade(database)
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise CannotStart(f"không mở được cơ sở dữ liệu ({type(error).__name__}); xem lại DATABASE_URL") from error
    progress("nạp địa bàn và mô hình ngôn ngữ")
    reader = load_reader(settings, office)
    return Running(settings, office, database, open_media(settings), reader, leases.owner_of_this_process())


def load_reader(settings: Settings, office: Office) -> Reader:
    """The language part with the gazetteer. Raises CannotStart."""
    from nlp.borders import BordersUnusable
    from nlp.borders_file import load_borders
    from nlp.gazetteer import GazetteerUnusable, load_gazetteer
    from nlp.pipeline import load_language

    try:
        gazetteer = load_gazetteer(settings.gazetteer_path)
    except (OSError, GazetteerUnusable) as error:
        raise CannotStart(f"chưa có dữ liệu địa bàn ({error}); chạy: paht nlp gazetteer build") from error
    try:
        borders = load_borders(settings.borders_path)
    except (OSError, BordersUnusable) as error:
        raise CannotStart(f"ranh giới xã không đọc được ({error}); chạy: paht nlp borders import TỆP") from error
    language = load_language(gazetteer_path=settings.gazetteer_path, use_embed=settings.use_embed)
    return Reader(language, gazetteer, office.pack, borders=borders)


async def _serve(running: Running, progress: Callable[[str], None], *, with_console: bool) -> None:
    channels: dict[str, Channel] = {}
    console = _make_console(running) if with_console else None
    if console is not None:
        await _hold_console(running)
        channels[f"{console.name}:{console.account}"] = console
    telegram = _make_telegram(running) if running.settings.telegram_token else None
    if telegram is not None:
        channels[f"{telegram.name}:{telegram.account}"] = telegram
    try:
        async with working(running, channels) as acceptor, _web(running, telegram, acceptor):
            progress("sẵn sàng")
            await _until_done(running, console, telegram, acceptor)
    finally:
        for channel in channels.values():
            await channel.close()


@contextlib.asynccontextmanager
async def working(running: Running, channels: Mapping[str, Channel]) -> AsyncIterator[Acceptor]:
    """Lanes, sender and scheduler at work for these channels; gives what takes updates in."""
    settings, office, database = running.settings, running.office, running.database
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(_redis(settings.redis_url))
        wakeups = Wakeups(database, redis)
        store, background = _make_store(running, wakeups, redis)
        executor = stack.enter_context(ThreadPoolExecutor(READING_THREADS, thread_name_prefix="read"))
        handler = InboxHandler(
            database,
            office,
            running.reader,
            running.media,
            settings,
            executor=executor,
            fetch_failures=(ChannelError, OSError),
            too_large=(TooLarge,),
        )
        workers = LaneWorkers(database, channels, handler, wakeups, clock=office.clock, owner=running.owner)
        sender = OutboxWorker(
            database,
            channels,
            wakeups,
            lambda media_hash: asyncio.to_thread(running.media.read, media_hash),
            clock=office.clock,
            owner=running.owner,
            rates={"telegram": Rates(settings.send_rate, settings.send_rate_chat), "console": UNLIMITED},
        )
        scheduler = Scheduler(database, _jobs(running, wakeups), clock=office.clock, owner=running.owner)
        acceptor = await stack.enter_async_context(Acceptor(store))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_run(work)) for work in (wakeups.run, workers.run, sender.run, scheduler.run)]
            tasks += [group.create_task(_run(work)) for work in background]
            try:
                yield acceptor
            finally:
                for task in tasks:
                    task.cancel()


async def _until_done(
    running: Running, console: ConsoleChannel | None, telegram: "TelegramChannel | None", acceptor: Acceptor
) -> None:
    """Until the console ends, or the process is asked to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers on the loop
            loop.add_signal_handler(name, stopping.set)
    async with asyncio.TaskGroup() as group:
        beside: list[asyncio.Task[None]] = []
        ends: list[asyncio.Task[object]] = [group.create_task(stopping.wait())]
        if telegram is not None:
            beside.append(group.create_task(telegram.run(acceptor)))
        if console is not None:
            ends.append(group.create_task(console.run(acceptor)))
            beside.append(group.create_task(_keep_console(running)))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in (*ends, *beside):
            task.cancel()


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _make_console(running: Running) -> ConsoleChannel:
    async def quiet(accepted: Collection[str]) -> None:
        while await running.database.read(partial(_console_is_busy, accepted=accepted)):  # noqa: ASYNC110  (another process may do the work)
            await asyncio.sleep(0.01)

    return ConsoleChannel(
        hint=running.office.texts.say("choice.hint"),
        clock=running.office.clock,
        quiet=quiet,
        show_photo=lambda media_hash: str(running.media.path(media_hash)),
    )


def _console_is_busy(session: Session, *, accepted: Collection[str]) -> bool:
    of_console = InboxMessage.channel == "console"
    # not "nothing is unread": with Redis in front an accepted update reaches the inbox a moment later
    worked = select(func.count()).where(of_console, col(InboxMessage.external_id).in_(accepted))
    if session.exec(worked.where(col(InboxMessage.done_at).is_not(None))).one() < len(accepted):
        return True
    unread = select(InboxMessage.id).where(of_console, col(InboxMessage.done_at).is_(None))
    unsaid = select(OutboxMessage.id).where(
        OutboxMessage.channel == "console", col(OutboxMessage.state).in_(["queued", "sending", "retry"])
    )
    return session.exec(unread.limit(1)).first() is not None or session.exec(unsaid.limit(1)).first() is not None


async def _hold_console(running: Running) -> None:
    """One console a database: a second one would print the first one's answers. Raises CannotStart."""
    if not await _lease_check(running, "console")():
        raise CannotStart("bot đang mở ở một cửa sổ khác; dùng cửa sổ đó, hoặc thêm --no-console")


async def _keep_console(running: Running) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        await _lease_check(running, "console")()


def _make_telegram(running: Running) -> "TelegramChannel":
    from bot.channels.telegram import TelegramChannel, Wording
    from bot.channels.telegram_intake import Telegram

    settings = running.settings
    secret = settings.telegram_webhook_secret or _kept_secret(settings.data_dir / "telegram-webhook.secret")
    url = f"{settings.public_url.rstrip('/')}/telegram" if settings.public_url else ""
    say = running.office.texts.say
    may_poll = _lease_check(running, "poller:telegram:main")
    telegram = Telegram(settings.telegram_token, api=settings.telegram_api_base, webhook_url=url, webhook_secret=secret)
    return TelegramChannel(telegram, Wording(say("choice.hint"), say("choice.share_location")), may_poll)


def _lease_check(running: Running, name: str) -> Callable[[], Awaitable[bool]]:
    async def held() -> bool:
        return await running.database.write(
            lambda session: leases.acquire(session, name, running.owner, now=running.office.now(), ttl=LEASE)
        )

    return held


def _kept_secret(path: Path) -> str:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text().strip()


@contextlib.asynccontextmanager
async def _redis(url: str) -> AsyncIterator["Redis | None"]:
    if not url:
        yield None
        return
    from bot.ingress import connect

    try:
        redis = connect(url)
    except ValueError as error:
        raise CannotStart("REDIS_URL không đúng dạng redis://máy:cổng/số") from error
    try:
        yield redis
    finally:
        await redis.aclose()


def _make_store(
    running: Running, wakeups: Wakeups, redis: "Redis | None"
) -> tuple[Store, list[Callable[[], Awaitable[None]]]]:
    """Where updates are stored first, and what has to run for it."""
    sql = SqlStore(running.database, wakeups, clock=running.office.clock)
    if redis is None:
        return sql, []
    from bot.ingress import IngressCopier, IngressStore

    copier = IngressCopier(redis, running.database, wakeups, clock=running.office.clock, owner=running.owner)
    leading = partial(lead, running.database, "ingress", running.owner, copier.run, clock=running.office.clock)
    return IngressStore(redis, sql), [leading]


def _jobs(running: Running, wakeups: Wakeups) -> list[Job]:
    database, office = running.database, running.office

    async def look_after_reports() -> None:
        await database.write(partial(resume_unanswered, office=office))
        await database.write(partial(close_finished, office=office))

    return [
        reminders(database, wakeups, clock=office.clock),
        forgetting(database, clock=office.clock),
        Job("look_after_reports", timedelta(minutes=10), look_after_reports),
    ]


@contextlib.asynccontextmanager
async def _web(running: Running, telegram: "TelegramChannel | None", acceptor: Acceptor) -> AsyncIterator[None]:
    """The HTTP server, where something needs it: a webhook."""
    if telegram is None or not running.settings.public_url:
        yield
        return
    from bot.web.server import create_app, serving

    async def health() -> Mapping[str, bool]:
        return {"database": await running.database.read(lambda session: session.connection() is not None)}

    app = create_app(health=health, webhooks={"/telegram": telegram.webhook(acceptor)})
    async with serving(app, running.settings.web_host, running.settings.web_port) as port:
        log.info("web_listening", port=port)
        yield


class _Progress:
    """Says on standard error what takes its time, so that a newcomer isn't left before an empty window."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, step: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - self._begun:4.1f} s] {step}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
