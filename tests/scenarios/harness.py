"""A whole bot on a real file, with citizens who write to it and officers who work: what the scenarios are told with."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from sqlmodel import Session, col, select

from bot.app import Running, working
from handlers.actors import Actor
from handlers.bootstrap import DeskServices, build_office
from handlers.codes import find_codes
from handlers.desk import Desk, Done
from handlers.messages import UnsupportedKind
from handlers.office import Office
from handlers.reading import Reader
from handlers.reports import ResultDraft
from handlers.settings import Settings
from storage import leases
from storage.database import Database
from storage.media import MediaStore
from storage.models import History, InboxMessage, OutboxMessage, Report, ReportPhoto
from storage.workflow import NoPhotoReason, Outcome, Role, Status
from tests.conftest import ScriptedClock
from tests.scenarios.platforms import PATIENCE, Heard, Platform

MOMENT = timedelta(milliseconds=1)  # between two acts: no two happen at the same instant
ANSWER = "Đã vá xong mặt đường và dọn sạch vật liệu trong buổi sáng."


class Stage:
    """One database, one platform, one process at a time; time passes only when told to."""

    def __init__(self, folder: Path, platform: Platform, reader: Reader, clock: ScriptedClock, **facts: Any) -> None:
        quick = {"send_rate": 1000.0, "send_rate_chat": 1000.0, "album_debounce": timedelta(milliseconds=50)}
        self.settings = Settings(data_dir=folder, **{**quick, **facts})
        self.platform, self.clock = platform, clock
        self.office: Office = build_office(self.settings, clock=clock)
        self.database = Database(self.settings.database)
        self.media = MediaStore(self.settings.media_dir)
        self._reader = reader
        self._life: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.citizens: dict[str, Citizen] = {}
        self.officer = Officer(self)

    async def start(self) -> None:
        """Begin a process."""
        self._stopping = asyncio.Event()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready, self._stopping))
        await asyncio.wait([self._life, ready], return_when=asyncio.FIRST_COMPLETED)
        if self._life.done():
            self._life.result()

    async def stop(self) -> None:
        """End it, as a shutdown does."""
        if self._life is not None:
            self._stopping.set()
            done, _ = await asyncio.wait([self._life], timeout=PATIENCE)
            assert done, f"the process does not end: {asyncio.all_tasks()}"
            self._life.result()

    async def close(self) -> None:
        """End everything."""
        await self.stop()
        self.officer.leave()
        self.database.close()

    async def restarts(self) -> None:
        """The process ends and another one begins."""
        await self.stop()
        await self.start()
        await self.settle()

    async def passes(self, time: timedelta) -> None:
        """Time passes, the process is started anew, and what became due meanwhile happens."""
        await self.stop()
        self.clock.advance(time)
        await self.start()
        await self._scheduled()
        await self.settle()

    def citizen(self, name: str) -> "Citizen":
        """Somebody with a chat."""
        return self.citizens.setdefault(name, Citizen(self, name))

    async def neighbour(self, name: str) -> "Citizen":
        """Somebody who has been greeted before."""
        citizen = self.citizen(name)
        await citizen.says("xin chào")
        citizen.forgets()
        return citizen

    async def settle(self) -> None:
        """Wait until everything that was said is answered and every answer is out."""
        began = time.monotonic()
        while self.platform.is_busy() or await self.database.read(self._is_busy):
            if self._life is not None and self._life.done():
                self._life.result()
            if time.monotonic() > began + PATIENCE:
                raise AssertionError(f"the bot is still busy with {await self.database.read(_unfinished)}")
            await asyncio.sleep(0.005)

    def report(self, code: str) -> Report:
        """The report as it stands in the database."""
        return self.database.read_now(lambda s: s.exec(select(Report).where(Report.code == code)).one())

    def reports(self) -> list[Report]:
        """All of them, oldest first."""
        return self.database.read_now(lambda s: list(s.exec(select(Report).order_by(col(Report.id)))))

    def photos(self, code: str, kind: str = "before") -> list[str]:
        """Hashes of a report's photos."""
        query = select(ReportPhoto.media_hash).join(Report, col(Report.id) == col(ReportPhoto.report_id))
        query = query.where(Report.code == code, ReportPhoto.kind == kind)
        return self.database.read_now(lambda s: list(s.exec(query)))

    def history(self, code: str) -> list[History]:
        """What happened to a report."""
        query = select(History).join(Report, col(Report.id) == col(History.report_id)).where(Report.code == code)
        return self.database.read_now(lambda s: list(s.exec(query.order_by(col(History.id)))))

    def sent_ids(self) -> frozenset[str]:
        """The platform's ids of what was delivered."""
        query = select(OutboxMessage.external_id).where(OutboxMessage.state == "sent")
        return frozenset(self.database.read_now(lambda s: [item for item in s.exec(query) if item]))

    async def _live(self, ready: "asyncio.Future[None]", stopping: asyncio.Event) -> None:
        async with self.platform.open() as channel:
            owner = leases.owner_of_this_process()
            running = Running(self.settings, self.office, self.database, self.media, self._reader, owner)
            channels = {f"{channel.name}:{channel.account}": channel}
            async with working(running, channels) as accept, self.platform.work(accept):
                ready.set_result(None)
                await stopping.wait()

    async def _scheduled(self) -> None:
        """Wait for the jobs that a new process runs first of all: each leaves its lease closed until its next time."""

        def are_done(session: Session) -> bool:
            rows = session.exec(select(leases.Lease).where(col(leases.Lease.name).like("job:%"))).all()
            now = self.clock()
            return len(rows) >= 2 and all(row.owner == leases.NOBODY and row.until > now for row in rows)

        async with asyncio.timeout(PATIENCE):
            while not await self.database.read(are_done):  # noqa: ASYNC110  the truth lies in the database
                await asyncio.sleep(0.005)

    def _is_busy(self, session: Session) -> bool:
        error = session.exec(select(InboxMessage.error).where(col(InboxMessage.error).is_not(None)).limit(1)).first()
        assert error is None, f"the bot failed on a message: {error}"
        if session.exec(select(InboxMessage.id).where(col(InboxMessage.done_at).is_(None)).limit(1)).first():
            return True
        unsaid = select(OutboxMessage.state, OutboxMessage.next_at).where(
            col(OutboxMessage.state).in_(["queued", "sending", "retry"])
        )
        rows = session.exec(unsaid).all()
        if rows and all(state == "queued" and at > self.clock() for state, at in rows):
            self.clock.at = min(at for _, at in rows)  # the moment that a reply waits for the rest of an album
        return bool(rows)


class Citizen:
    """Somebody who writes to the bot. Every act returns once the bot has answered; ``hears`` then tells what."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self._read = 0  # messages of the bot that were looked at
        self.codes: list[str] = []  # of reports, in the order in which they were told

    async def says(self, text: str) -> str:
        """Type this; returns the message's id where the platform has them."""
        return await self._acts(self.stage.platform.text(self.name, text))

    async def says_at_once(self, *texts: str) -> None:
        """Type these without waiting for answers."""
        self.stage.clock.advance(MOMENT)
        for text in texts:
            await self.stage.platform.text(self.name, text)
        await self.stage.settle()

    async def replies(self, to: Heard, text: str) -> str:
        """Answer one of the bot's messages."""
        return await self._acts(self.stage.platform.text(self.name, text, reply_to=to.id))

    async def replies_to_own(self, message_id: str, text: str) -> str:
        """Answer one's own earlier message."""
        return await self._acts(self.stage.platform.text(self.name, text, reply_to=message_id))

    async def sends_photo(self, *pictures: bytes, caption: str = "") -> list[str]:
        """One photo, or an album where the platform has albums."""
        return await self._acts(self.stage.platform.photos(self.name, pictures or (a_picture(),), caption))

    async def sends_file(self, data: bytes, name: str, mime: str) -> str:
        """A picture as a file."""
        return await self._acts(self.stage.platform.picture_file(self.name, data, name, mime))

    async def sends_location(self, lat: float, lon: float) -> str:
        return await self._acts(self.stage.platform.location(self.name, lat, lon))

    async def shares_venue(self, lat: float, lon: float, title: str) -> str:
        return await self._acts(self.stage.platform.venue(self.name, lat, lon, title))

    async def sends_unreadable(self, kind: UnsupportedKind) -> str:
        """A sticker, a voice message, …"""
        return await self._acts(self.stage.platform.unsupported(self.name, kind))

    async def edits(self, message_id: str, text: str) -> None:
        await self._acts(self.stage.platform.edit(self.name, message_id, text))

    async def presses(self, label: str, on: Heard | None = None) -> None:
        """Press the newest button with this label; where there are no buttons, type its number."""
        messages = [on] if on else reversed(self._all())
        for message in messages:
            token = next((token for name, token in message.buttons if name == label), None)
            if token is not None:
                await self._acts(self.stage.platform.press(self.name, message, token))
                return
        raise AssertionError(f"no button «{label}»; offered last: {[name for name, _ in self._all()[-1].buttons]}")

    async def blocks(self) -> None:
        await self._acts(self.stage.platform.block(self.name))

    async def unblocks(self) -> None:
        await self._acts(self.stage.platform.block(self.name, unblocks=True))

    def hears(self, *messages: str) -> list[Heard]:
        """These messages came since the last look, and no others. "…" stands for any words in between."""
        news = self._news()
        fits = len(news) == len(messages) and all(
            _says(new.text, wanted) for new, wanted in zip(news, messages, strict=True)
        )
        assert fits, f"{self.name} heard:\n{_listed(news)}\nexpected:\n{_listed(messages)}"
        for new in news:
            self.codes += [code for code in find_codes(new.text, "PA") if code not in self.codes]
        return news

    def hears_nothing(self) -> None:
        """Nothing came since the last look."""
        self.hears()

    def forgets(self) -> list[Heard]:
        """Look at what came without minding it."""
        return self._news()

    def code(self) -> str:
        """The code told last."""
        return self.codes[-1]

    def sees(self, *labels: str) -> None:
        """These buttons stand under the newest message, and no others."""
        shown = [label for label, _ in self._all()[-1].buttons]
        assert shown == list(labels), f"buttons: {shown}"

    async def reports(self, text: str, *, photo: bytes | None = None) -> str:
        """Tell a complete trouble and send it; returns its code."""
        if photo is not None:
            await self.sends_photo(photo, caption=text)
        else:
            await self.says(text)
        await self.presses("Gửi")
        heard = self.forgets()
        self.codes += [code for code in find_codes(heard[-1].text, "PA") if code not in self.codes]
        return self.code()

    def _news(self) -> list[Heard]:
        everything = self._all()
        news, self._read = everything[self._read :], len(everything)
        return news

    def _all(self) -> list[Heard]:
        return self.stage.platform.heard(self.name, self.stage.sent_ids())

    async def _acts(self, act: Any) -> Any:
        self.stage.clock.advance(MOMENT)
        result = await act
        await self.stage.settle()
        return result


class Officer:
    """Everybody at the desk, through the calls of the command line on a database connection of their own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._desks: dict[str, Desk] = {}

    async def assigns(self, code: str, agency: str | None = None, **facts: Any) -> Done:
        return await self._does("intake", lambda desk: desk.assign(code, agency=agency, **facts))

    async def accepts(self, code: str) -> Done:
        return await self._does("officer", lambda desk: desk.accept(code))

    async def asks(self, code: str, question: str) -> Done:
        role = "intake" if self._stage.report(code).status is Status.RECEIVED else "officer"
        return await self._does(role, lambda desk: desk.ask(code, question))

    async def notes_progress(self, code: str, text: str, *, is_public: bool) -> Done:
        return await self._does("officer", lambda desk: desk.progress(code, text, is_public=is_public))

    async def rejects(self, code: str, reject_code: str, reason: str) -> Done:
        return await self._does("intake", lambda desk: desk.reject(code, reject_code, reason))

    async def finishes(self, code: str, answer: str = ANSWER, *, photo: bytes | None = None) -> Done:
        """Submit a result and have the leader approve it."""
        if photo is None:
            draft = ResultDraft(
                answer, Outcome.FIXED, (), NoPhotoReason.NOT_NEEDED, "Việc này không cần chụp ảnh sau xử lý"
            )
            await self._does("officer", lambda desk: desk.result(code, draft))
        else:
            path = self._stage.settings.data_dir / "after.jpg"
            path.write_bytes(photo)
            draft = ResultDraft(answer, Outcome.FIXED)
            await self._does("officer", lambda desk: desk.result(code, draft, photos=(path,)))
        return await self._does("leader", lambda desk: desk.approve(code))

    async def works_through(self, code: str, **facts: Any) -> Done:
        """Assign, accept and finish."""
        await self.assigns(code)
        await self.accepts(code)
        return await self.finishes(code, **facts)

    def leave(self) -> None:
        """Close the connections."""
        for desk in self._desks.values():
            desk.disconnect()

    async def _does(self, role: str, act: Callable[[Desk], Done]) -> Done:
        desk = self._desks.get(role)
        if desk is None:
            stage = self._stage
            services = DeskServices(
                stage.settings, stage.office, lambda: Database(stage.settings.database), lambda: stage.media
            )
            actor = Actor(role, role.title(), frozenset({Role(role)}))
            desk = self._desks[role] = await asyncio.to_thread(Desk, services, actor)
        self._stage.clock.advance(MOMENT)
        done = await asyncio.to_thread(act, desk)
        await self._stage.settle()
        return done


@contextlib.asynccontextmanager
async def on_stage(
    folder: Path, platform: Platform, reader: Reader, clock: ScriptedClock, **facts: Any
) -> AsyncIterator[Stage]:
    """A stage with its first process running; ``facts`` are settings."""
    stage = Stage(folder, platform, reader, clock, **facts)
    await stage.start()
    try:
        yield stage
    finally:
        await stage.close()


def a_picture(colour: str | tuple[int, int, int] = "red", *, size: int = 48) -> bytes:
    """A small JPEG; another colour is another picture."""
    buffer = BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def pictures(count: int) -> list[bytes]:
    """So many different ones."""
    return [a_picture((20 * number % 256, 90, 200)) for number in range(count)]


def _unfinished(session: Session) -> list[str]:
    unread = session.exec(select(InboxMessage.body).where(col(InboxMessage.done_at).is_(None))).all()
    unsaid = select(OutboxMessage).where(col(OutboxMessage.state).in_(["queued", "sending", "retry"]))
    return [*unread, *(f"{row.state} {row.error}: {row.body}" for row in session.exec(unsaid))]


def _says(text: str, wanted: str) -> bool:
    place = 0
    for part in wanted.split("…"):
        place = text.find(part.strip(), place)
        if place < 0:
            return False
        place += len(part.strip())
    return True


def _listed(messages: Sequence[Heard | str]) -> str:
    texts = [message if isinstance(message, str) else message.text for message in messages]
    return "\n".join(f"  {number}. {text}" for number, text in enumerate(texts, 1)) or "  nothing"
